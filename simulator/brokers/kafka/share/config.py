"""What can be set, with the defaults of Apache Kafka 4.2, and which records are odd (units: seconds)."""

from __future__ import annotations

from dataclasses import dataclass, field

from ....kernel.distributions import is_number
from ....kernel.network import NetworkProfile
from ...settings import boolean, changes, check, instance, positive_seconds, seconds, whole, zone_names
from ..groups.config import Event

KINDS = ("slow", "poison", "deadly")


@dataclass(frozen=True)
class Odd:
    """One record unlike the others, named by its place among all records in the order of their creation, from 0."""
    kind: str
    record: int
    seconds: float = 0.0

    def __post_init__(self):
        check(self, "kind", self.kind in KINDS, "'slow', 'poison' or 'deadly'")
        whole(self, "record", 0)
        seconds(self, "seconds")


def slow(record: int, seconds: float) -> Odd:
    """A record that takes whoever works on it so many seconds more."""
    return Odd("slow", record, seconds)


def poison(record: int) -> Odd:
    """A record that nobody can process: the work is done in vain, and the application says so."""
    return Odd("poison", record)


def deadly(record: int) -> Odd:
    """A record that kills the process that works on it."""
    return Odd("deadly", record)


@dataclass(frozen=True)
class Topic:
    """What share groups and partitions with one reader have in common: a topic, and who reads it."""
    partitions: int = 1
    batch_records: int = 1
    restart_after: float = 5.0
    odd: tuple[Odd, ...] = ()
    zones: tuple[str, ...] = ("a",)
    network: NetworkProfile = field(default_factory=NetworkProfile)

    def __post_init__(self):
        whole(self, "partitions", 1)
        whole(self, "batch_records", 1)
        positive_seconds(self, "restart_after")
        check(self, "odd", isinstance(self.odd, tuple) and all(isinstance(odd, Odd) for odd in self.odd),
              "a tuple of records, such as (share.slow(10, 30.0),)")
        zone_names(self, "zones")
        instance(self, "network", NetworkProfile)

    def __str__(self) -> str:
        """Only what differs from the defaults."""
        return f"{type(self).__name__}({changes(self)})"


@dataclass(frozen=True)
class ShareGroup(Topic):
    """One share group over one topic; it has `workload.consumers` members, "consumer-1" and on.

    Of the group (share.* and group.share.*): record_lock_duration, delivery_count_limit, partition_max_record_locks,
    heartbeat_interval, session_timeout. Of its consumers: max_poll_records, fetch_max_wait, and
    acknowledgement_mode: "implicit" (a poll accepts all that the poll before it brought) or "explicit" (record by
    record); acquire_mode: "batch_optimized" (whole batches, perhaps more than max_poll_records) or "record_limit"
    (KIP-1206). renew (explicit only): locks are renewed at half their time as long as work goes on (KIP-1222).
    on_failure (explicit only): "release" or "reject" what could not be processed.
    batch_records: records to a producer's batch. restart_after: until a process that a record has killed runs again.
    broker_session_timeout: until another broker leads in place of a dead one. odd: see `slow`, `poison`, `deadly`.
    events: see `groups.join`, `groups.stop`, `groups.stall`.
    """
    record_lock_duration: float = 30.0
    delivery_count_limit: int = 5
    partition_max_record_locks: int = 2_000
    heartbeat_interval: float = 5.0
    session_timeout: float = 45.0
    acknowledgement_mode: str = "implicit"
    acquire_mode: str = "batch_optimized"
    max_poll_records: int = 500
    fetch_max_wait: float = 0.5
    renew: bool = False
    on_failure: str = "release"
    broker_session_timeout: float = 9.0
    events: tuple[Event, ...] = ()

    def __post_init__(self):
        super().__post_init__()
        between(self, "record_lock_duration", 1, 3_600, "seconds")
        between(self, "delivery_count_limit", 2, 10)
        between(self, "partition_max_record_locks", 100, 10_000)
        for name in ("heartbeat_interval", "session_timeout", "fetch_max_wait", "broker_session_timeout"):
            positive_seconds(self, name)
        check(self, "session_timeout", self.session_timeout > self.heartbeat_interval,
              f"longer than heartbeat_interval, which is {self.heartbeat_interval:g} seconds")
        either(self, "acknowledgement_mode", "implicit", "explicit")
        either(self, "acquire_mode", "batch_optimized", "record_limit")
        whole(self, "max_poll_records", 1)
        boolean(self, "renew")
        check(self, "renew", self.explicit or not self.renew, "False where acknowledgement_mode is 'implicit'")
        either(self, "on_failure", "release", "reject")
        check(self, "on_failure", self.explicit or self.on_failure == "release",
              "'release', the default, where acknowledgement_mode is 'implicit' and says nothing of failures")
        check(self, "events", isinstance(self.events, tuple) and all(isinstance(event, Event) for event in self.events),
              "a tuple of events, such as (groups.stop('consumer-1', at=20, lasts=5),)")

    @property
    def explicit(self) -> bool:
        """Whether members say of each record what became of it."""
        return self.acknowledgement_mode == "explicit"

    def build(self, world, workload):
        """The running group in this world (see `system`)."""
        from ..groups.plan import check_members
        from .system import ShareSystem
        check_members(self.events, workload.consumers)
        return ShareSystem(self, world, workload)


@dataclass(frozen=True)
class Partitions(Topic):
    """The same topic under a consumer group: each partition has one reader, who takes its records in order.

    attempts: how often a reader tries a record before it goes on without it.
    """
    attempts: int = 5

    def __post_init__(self):
        super().__post_init__()
        whole(self, "attempts", 1)

    def build(self, world, workload):
        """The running readers in this world (see `readers`)."""
        from .readers import ReadersSystem
        return ReadersSystem(self, world, workload)


def between(config, name: str, least: float, most: float, unit: str = "") -> None:
    """A number (of whole things, unless there is a unit) within the limits that Kafka sets."""
    value = getattr(config, name)
    number = is_number(value) if unit else isinstance(value, int) and not isinstance(value, bool)
    kind = f"a number of {unit}" if unit else "a whole number"
    check(config, name, number and least <= value <= most, f"{kind} from {least:,} to {most:,}")


def either(config, name: str, one: str, other: str) -> None:
    """One of two words."""
    check(config, name, getattr(config, name) in (one, other), f"{one!r} or {other!r}")
