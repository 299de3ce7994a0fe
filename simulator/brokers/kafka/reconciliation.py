"""After a change of leader: where a follower's log leaves the leader's and is cut; a rung for each protocol of Kafka's.

A follower may hold records that the new leader never had, and must cut them off before it copies. What it cuts by is
the rung:

- `truncate-to-high-watermark`, before 0.11: by its own high watermark, which is a fetch behind the leader's.
- `kip-101`, 0.11: it asks the leader once where the follower's last epoch ends in the leader's log; only an offset
comes back.
- `kip-279`, 2.0: the epoch comes back as well, and it asks until both logs agree.
- `kip-320`, 2.1: every fetch names the leader epoch, and one of another epoch is refused; consumers check their
position, too.
- `kip-966`, 4.0 (default for new clusters since 4.1): the controller keeps eligible leader replicas. Nothing changes
here.

The rules are those of github.com/hachikuji/kafka-specification: KafkaTruncateToHighWatermark, Kip101, Kip279, Kip320.
Simplified: the question travels in the first fetch of a term, as it does since KIP-595 (2.7), instead of in a request
of its own; a replica's high watermark survives a crash, where Kafka writes it down every 5 s; a follower beyond the
leader's end cuts there, where older brokers could also stop ("log truncation is not allowed").
"""

from __future__ import annotations

from .log import Log

LADDER = ("truncate-to-high-watermark", "kip-101", "kip-279", "kip-320", "kip-966")
UNKNOWN = -1  # an epoch that is not told, or an end offset that the leader cannot tell


class Reconciliation:
    """The rules of one rung, each adding one to those before it.

    A follower asks its leader (KIP-101), goes on asking until both logs agree (KIP-279), a leader refuses other epochs
    (KIP-320), the controller keeps eligible leader replicas (KIP-966).
    """

    def __init__(self, rung: str):
        height = LADDER.index(rung)
        self.asks, self.iterates, self.fences, self.keeps_eligible = (height >= step for step in (1, 2, 3, 4))

    def divergence(self, log: Log, offset: int, epoch: int) -> tuple[int, int] | None:
        """Where a log that ends at `offset` in `epoch` leaves the leader's; None where this rung sees nothing wrong.

        As (epoch, end offset).
        """
        if epoch == UNKNOWN:
            return None if offset <= log.end_offset else (log.last_epoch, log.end_offset)
        known, end = log.end_of_epoch(epoch)
        if self.iterates:
            return (known, end) if known != epoch or end < offset else None
        if known != epoch and known == log.last_epoch:  # no epoch as late as that, so none begins where it ends
            return UNKNOWN, UNKNOWN
        return (UNKNOWN, end) if end < offset else None

    def cut(self, log: Log, diverged: tuple[int, int]) -> int:
        """The offset at which a follower cuts its log after the leader's answer."""
        epoch, end = diverged
        if self.iterates:
            return min(end, log.end_of_epoch(epoch)[1])
        return log.high_watermark if end == UNKNOWN else end
