"""What can be set, with the defaults of Apache Kafka 4.3, and what can be planned for a member (units: seconds)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf

from ....kernel.distributions import is_number
from ....kernel.network import NetworkProfile
from ...settings import changes, check, instance, positive_seconds, seconds, whole, zone_names

PROTOCOLS = ("eager", "cooperative", "static", "consumer")


@dataclass(frozen=True)
class Event:
    """What a member does of its own accord: `join` late, `stop` in good order, or `stall` over its records."""
    kind: str
    member: str
    at: float
    lasts: float = inf

    def __post_init__(self):
        check(self, "kind", self.kind in ("join", "stop", "stall"), "'join', 'stop' or 'stall'")
        check(self, "member", isinstance(self.member, str), "the name of a member, such as 'consumer-1'")
        seconds(self, "at")
        check(self, "lasts", is_number(self.lasts, finite=False) and self.lasts > 0,
              "a number of seconds, greater than 0")

    @property
    def ends(self) -> float:
        """When it is over, or when it happens if it is for good."""
        return self.at + self.lasts if self.lasts < inf else self.at

    def __repr__(self) -> str:
        """As it is written."""
        lasts = f", lasts={self.lasts:g}" if self.lasts < inf else ""
        return f"{self.kind}({self.member!r}, at={self.at:g}{lasts})"


def join(member: str, at: float) -> Event:
    """The member starts only now, not with the others."""
    return Event("join", member, at)


def stop(member: str, at: float, lasts: float = inf) -> Event:
    """The member closes (commits, gives up its partitions, leaves unless static) and restarts after `lasts` seconds."""
    return Event("stop", member, at, lasts)


def stall(member: str, at: float, lasts: float) -> Event:
    """The records that the member polls next take it `lasts` seconds more."""
    return Event("stall", member, at, lasts)


def rolling_restart(members: int | Iterable[str], at: float, every: float, lasts: float) -> tuple[Event, ...]:
    """One member after another stops, `every` seconds apart, and is back after `lasts` seconds."""
    names = [f"consumer-{number + 1}" for number in range(members)] if isinstance(members, int) else members
    return tuple(stop(name, at + number * every, lasts) for number, name in enumerate(names))


@dataclass(frozen=True)
class Group:
    """One consumer group over one topic; it has `workload.consumers` members, "consumer-1" and on.

    protocol: "eager" (everybody gives up everything first), "cooperative" (KIP-429), "static" (eager with
    group.instance.id, KIP-345) or "consumer" (KIP-848, the coordinator decides). group_instance_id: whether members are
    static; None is what the protocol's name says. heartbeat_interval: None is the protocol's own, 3 s, or 5 s under
    KIP-848. max_poll_interval is also the rebalance timeout. initial_rebalance_delay is classic only,
    assignment_interval KIP-848 only (KIP-1263, Kafka 4.3). poll_timeout: how long a poll waits that finds nothing.
    events: see `join`, `stop`, `stall`, `rolling_restart`.
    """
    partitions: int = 12
    protocol: str = "eager"
    group_instance_id: bool | None = None
    session_timeout: float = 45.0
    heartbeat_interval: float | None = None
    max_poll_interval: float = 300.0
    initial_rebalance_delay: float = 3.0
    assignment_interval: float = 1.0
    max_poll_records: int = 500
    auto_commit_interval: float = 5.0
    poll_timeout: float = 0.1
    events: tuple[Event, ...] = ()
    zones: tuple[str, ...] = ("a", "b", "c")
    network: NetworkProfile = field(default_factory=NetworkProfile)

    def __post_init__(self):
        whole(self, "partitions", 1)
        check(self, "protocol", self.protocol in PROTOCOLS, "'eager', 'cooperative', 'static' or 'consumer'")
        dynamic = "None or True for protocol 'static'" if self.protocol == "static" else "True, False or None"
        allowed = (None, True, self.protocol == "static")
        check(self, "group_instance_id", any(self.group_instance_id is choice for choice in allowed), dynamic)
        for name in ("session_timeout", "max_poll_interval", "auto_commit_interval", "poll_timeout"):
            positive_seconds(self, name)
        for name in ("initial_rebalance_delay", "assignment_interval"):
            seconds(self, name)
        if self.heartbeat_interval is not None:
            positive_seconds(self, "heartbeat_interval")
        check(self, "session_timeout", self.session_timeout > self.heartbeat,
              f"longer than heartbeat_interval, which is {self.heartbeat:g} seconds")
        whole(self, "max_poll_records", 1)
        check(self, "events", isinstance(self.events, tuple) and all(isinstance(event, Event) for event in self.events),
              "a tuple of events, such as (groups.stop('consumer-1', at=20, lasts=5),)")
        zone_names(self, "zones")
        instance(self, "network", NetworkProfile)

    @property
    def static(self) -> bool:
        """Whether members have a group.instance.id."""
        return self.protocol == "static" if self.group_instance_id is None else self.group_instance_id

    @property
    def cooperative(self) -> bool:
        """Whether members of a classic group keep what does not move."""
        return self.protocol == "cooperative"

    @property
    def heartbeat(self) -> float:
        """Seconds between two heartbeats."""
        own = 5.0 if self.protocol == "consumer" else 3.0
        return own if self.heartbeat_interval is None else self.heartbeat_interval

    def build(self, world, workload):
        """The running group in this world (see `system`)."""
        from .plan import check_members
        from .system import GroupSystem
        check_members(self.events, workload.consumers)
        return GroupSystem(self, world, workload)

    def __str__(self) -> str:
        """Only what differs from the defaults."""
        return f"Group({changes(self)})"
