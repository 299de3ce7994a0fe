"""A log on object storage: stateless agents, files of many partitions, one metadata service that gives out offsets.

After WarpStream (docs.warpstream.com: write path, life of a request, low-latency clusters) and the designs like it.
Read in this order: `config` (what can be set), `files` (what travels), `metadata` (the commit: offsets, sequences),
`storage` (writing to one bucket or a quorum of them, reading through a cache of the zone), `agent`, `upkeep`
(compaction, and the files that nobody committed), `clients`, `system` (the wiring), `calibration` (published
latencies).

Modelled: agents in each zone, none of them a leader of anything; one buffer an agent for all partitions, flushed
`batch_timeout` after its first record or at `batch_bytes`; PUT, commit, only then the acknowledgement; commits of one
agent in the order of its files; idempotent producers, whose sequences are checked at the commit and nowhere else; a
cache of files in each zone; consumers that read through agents of their zone; compaction; orphans, which are files
written and never committed: invisible, found by a LIST, fenced at the metadata service, deleted.

`store="s3-express"` writes each file to a bucket in every zone and waits for a majority of them, as WarpStream does.

`diskless="kip-1150"` runs the same engine under the names of Apache Kafka's proposal: brokers and a diskless
coordinator. KIP-1150 was accepted on 2 March 2026 and says only that Kafka wants such topics. How they would work is in
KIP-1163 and KIP-1164, which were under discussion when this was written. Nothing of it is in a released Kafka: take
those names, and that a coordinator orders batches, for a proposal. Its latencies are those of Inkless, Aiven's fork.
Small files are compacted here as WarpStream's are; the proposal wants segments of tiered storage of them.

`lightning=True` acknowledges when a file is written, before its commit. No offset is returned and no sequence checked.
A file whose agent died comes later, by another agent (`slow_path`): its records may be stored twice and behind later
ones. Without the slow path they are gone.

Simplified: the metadata service is one node that keeps its state whatever happens to it; its commits overlap freely; a
cache loses nothing but what crashed agents had loaded; Express keeps everything in its own class.
Left out: transactions, compression, topics' retention, consumer groups, Ripcord, agents' CPU time, requests split
between agents, a producer's batch.size and delivery.timeout (it never gives up).
"""

from .config import Cluster

__all__ = ["Cluster"]
