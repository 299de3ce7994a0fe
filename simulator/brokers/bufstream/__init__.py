"""Bufstream: the log on object storage of `warpstream`, with a database of one's own and brokers that can read records.

Read in this order: `config` (what can be set, and what a bad release is), `schema` (which records do not conform, and
who looks), `broker` (a refused batch; the session of a broker with its database), `clients`, `system` (the wiring).
All else is the engine of `warpstream`: buffer, file, PUT, commit, acknowledgement, idempotence, orphans, compaction.

Modelled: brokers without a leader and without a disk; a metadata database, run by the same people, that orders all
commits; an acknowledgement after both writes. Records are opaque bytes unless `checks` says otherwise. With "broker" a
batch with one record that does not conform is refused as a whole (bufstream.validate.mode=reject; `on_parse_error:
REJECT_BATCH` in older versions), and the other batches of its request go through. Beside it stand the other places for
a check: "ci", which sees changed schemas and no values, and "producer", a library that not every program uses.

`version="0.1.0"` brings back two of the five bugs that Jepsen found in November 2024, both fixed by 0.1.3. A broker
whose session with the database had expired was not told, and answered polls with nothing, until somebody restarted it;
now it stops by itself. And a commit that took too long was answered with offset 0 instead of an error. How they come
about here follows what the report says of pauses of a broker and of the database, not the code, which nobody can read.

Simplified: a refused batch uses up its place in its producer's sequence, at the commit, and its producer hears of it
with the answer to the request (a Kafka producer begins a new epoch); a record conforms or not, and a check costs no
time; a consumer that dies comes back to the same partitions; what a commit takes at the database is what is published
for another system on PostgreSQL, see `config`; in 0.1.0 a producer that is told offset 0 forgets the batch, so that a
batch whose commit is refused later is lost.

Left out: transactions and filters at the fetch, and with them the bugs that lost writes (02e-kafka-exactly-once has the
flaw of Kafka's protocol that the same report found); stuck producers, dead-letter topics (validate.mode=dlq), Iceberg,
shelves and archives, hedged requests.

Sources: jepsen.io/analyses/bufstream-0.1.0 (2024-11-12); buf.build/docs/bufstream as of 2025, since withdrawn: Kafka
data flow, semantic validation, schema enforcement, bufstream.yaml.
"""

from .config import Cluster, Release

__all__ = ["Cluster", "Release"]
