"""Tiered storage (KIP-405): old segments live in an object store, new ones on the brokers' disks.

Read in this order: `config` (what can be set), `segments` (a log cut into segments), `remote` (what is known of the
object store's part),
`manager` (what each broker does: copy, delete, read back).

Modelled: segments roll by size and age, when the next batch comes; the leader copies closed segments below the last
stable offset (the high watermark, where there are no transactions), each as a log, its indexes and a manifest; every
replica deletes local segments that are copied and older or more than the local retention; the leader deletes remote
segments older than the retention; consumers behind the local start are served in chunks from the object store by a
pool of readers, without holding up anybody; a new leader goes on with what is there, found by leader epoch; a
follower that is behind its leader's local start begins anew at it. Without `remote` the same retention deletes local
segments for good. A log's cold part on a local disk is read through the network thread, as `sendfile` does.

Simplified: the metadata topic is a table that all brokers see at once and that refuses a late word; the object is
written by one PUT, not in parts; a follower that begins anew needs no time for the epochs and the producer state; one
network thread a broker; ages are counted from the append at the replica.

Left out: transactions together with tiers, total retention by bytes, compacted topics (KIP-405 leaves them out too),
quotas, follower fetch from the last tiered offset (KIP-1023).
"""

from .config import Tiering

__all__ = ["Tiering"]
