"""Share groups of Apache Kafka 4.2 (KIP-932): several members read one partition together, record by record.

Read in this order: `config` (what can be set), `share_partition` (a record's states, and the rules between them),
`leader` (fetching, acknowledging, locks, sessions), `coordinator` (who reads what; what must outlive a leader),
`assignor`, `member` (poll, work, acknowledge), `producer` and `topic` (where records come from), `system` (the
wiring), `readers` (the same topic, one reader a partition), `measures`.

Modelled: Available, Acquired, Acknowledged, Archived and the arrows between them; start and end offset, and the limit
on what lies between them, done or not; delivery count and its limit, the last delivery alone; record locks, their
deadline and renewal (KIP-1222); accept, release, reject, explicit or implied by the next poll; whole batches or
`record_limit` (KIP-1206); sessions that end with their connection, whereupon records come back at once and the
delivery is not counted (KAFKA-17541); share-group state that is written when a record leaves somebody's hands, not
when it is taken, so that a new leader knows the counts but neither locks nor deliveries under way. After
core/.../SharePartition.java, InFlightState.java, ShareGroupConfig.java and SimpleHomogeneousAssignmentBuilder.java of
4.2.

Simplified: one broker leads all partitions and a second takes over when its process is dead; a leader that is only
cut off goes on leading. Replication is left out: a record is safe once appended. A state write is repeated until it
is stored (Kafka gives up and rolls back). Acknowledgements travel just before the next fetch, not inside it, and are
not repeated when their leader dies. A batch is sent when it is full. Groups start at the beginning of the topic
(`share.auto.offset.reset` would say the end).

Left out: retention and compaction under a group's feet, read_committed, throttling of batches with many deliveries,
the session cache, dead letter topics (KIP-1191, 4.4), limits of one group instead of the broker (KIP-1240, 4.3).
"""

from ..groups.config import join, stall, stop
from .config import Odd, Partitions, ShareGroup, deadly, poison, slow
from .measures import overtaken, repeated, settled_by, sojourn

__all__ = ["Odd", "Partitions", "ShareGroup", "deadly", "join", "overtaken", "poison", "repeated", "settled_by", "slow",
           "sojourn", "stall", "stop"]
