"""What Kafka's nodes say to each other, and the errors they answer with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Error(Enum):
    """The protocol's error codes that this model uses; `appended`: whether the records may be in a log all the same."""
    NONE = ("", False)
    NOT_LEADER_OR_FOLLOWER = ("this broker does not lead the partition", False)
    NOT_ENOUGH_REPLICAS = ("fewer in-sync replicas than min_insync, nothing was appended", False)
    NOT_ENOUGH_REPLICAS_AFTER_APPEND = ("appended, but the in-sync replicas became too few", True)
    OUT_OF_ORDER_SEQUENCE_NUMBER = ("a batch before this one is missing", False)
    REQUEST_TIMED_OUT = ("no answer in time", True)
    NETWORK_EXCEPTION = ("the connection broke", True)
    PREFERRED_READ_REPLICA = ("another replica is nearer", False)  # a field of the answer in the protocol, not an error
    OFFSET_OUT_OF_RANGE = ("the log begins after this offset", False)
    OFFSET_MOVED_TO_TIERED_STORAGE = ("this broker has the offset in the object store only", False)
    INVALID_PRODUCER_EPOCH = ("the producer epoch is not the current one", False)

    def __init__(self, sentence: str, appended: bool):
        self.sentence, self.appended = sentence, appended


NO_ERROR = Error.NONE  # by a name of its own, since looking a member up in its Enum takes ten times as long


class PartitionState(NamedTuple):
    """What the controller has decided about a partition; brokers are numbered from 0, leader -1 is none."""
    key: int
    replicas: tuple[int, ...]
    leader: int
    leader_epoch: int
    isr: tuple[int, ...]
    elr: tuple[int, ...]
    partition_epoch: int
    last_known_leader: int = -1
    doubt: str = ""  # why this leader may lack committed records, if it may


class ProducerBatch:
    """Records of one partition on their way, from the first attempt to the last word."""

    __slots__ = ("key", "value", "count", "size", "producer_id", "op", "invoked", "attempts", "maybe_appended", "event",
                 "producer_epoch", "sequence", "transactional", "content")

    def __init__(self, key, value, count, size, producer_id, op, invoked):
        self.key, self.value, self.count, self.size = key, value, count, size
        self.producer_id, self.op, self.invoked = producer_id, op, invoked
        self.attempts, self.maybe_appended, self.event = 0, False, -1
        self.producer_epoch, self.sequence, self.transactional, self.content = 0, value, False, None


class ProduceRequest:
    """Batches for one broker in one request; answered once, when the last of them is settled."""

    __slots__ = ("client", "broker", "batches", "acks", "results", "pending", "open", "cause", "size", "sent")

    def __init__(self, client, broker, batches, acks):
        self.client, self.broker, self.batches, self.acks = client, broker, batches, acks
        self.results: list[tuple[ProducerBatch, Error, int]] = []
        self.pending = 0   # batches that still wait for the high watermark
        self.open = True   # False once the client has given up on it or has its answer
        self.cause = -1    # the trace event that settled the last batch
        self.size, self.sent = 0, 0.0  # bytes on the wire, and when it was sent


@dataclass(slots=True)
class Fetch:
    """A fetch of a follower or a consumer.

    For each partition whose position changed: (key, offset, epoch of the last record, leader epoch).
    """
    session: object
    positions: list[tuple[int, int, int, int]]
    full: bool = False  # replaces the session's partitions instead of adding to them (KIP-227)


class Fetched(NamedTuple):
    """One partition of a fetch response: batches and the high watermark, or where the logs diverge (KIP-595).

    With the errors about offsets `diverged` is (-1, where the log begins), with PREFERRED_READ_REPLICA it is (-1, the
    broker to ask).
    """
    key: int
    batches: list
    high_watermark: int
    diverged: tuple[int, int] | None = None
    error: Error = NO_ERROR


REQUEST_OVERHEAD = 100   # bytes of a request or response around its records
BATCH_OVERHEAD = 61      # bytes of a record batch header, message format 2
