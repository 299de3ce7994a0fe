"""What can be set: brokers and database as for WarpStream, who checks records, and what a bad release does to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...kernel.distributions import Distribution, as_distribution, is_number
from ..settings import boolean, changes, check, instance, positive_seconds, seconds, whole
from ..warpstream import config as warpstream

if TYPE_CHECKING:
    from ...kernel.world import World
    from ...workload import Workload
    from .system import BufstreamSystem

PLACES = ("ci", "producer", "broker")
# Seconds a request takes at the database. Bufstream publishes none; this is what Inkless says of its own on PostgreSQL.
DATABASE = warpstream.METADATA["kip-1150"]
# Seconds until a file is written (intake.delay_max). No default is published: with this one, reading is within a
# quarter of the 260 ms (p50) and 500 ms (p99) of buf.build/docs/bufstream/cost, read as of 2025.
DELAY = 0.15


@dataclass(frozen=True)
class Release:
    """A new version of one producer's program, after which this `share` of its records does not conform.

    what: "schema", its build changes the topic's schema so that consumers cannot read what uses the change; "values",
    the schema is the old one and the program breaks it. producer: its number, from 1; at: when it goes out, in seconds.
    library: whether the program sends through the library in which producers check.
    """
    what: str = "schema"
    producer: int = 1
    at: float = 5.0
    share: float = 0.05
    library: bool = True

    def __post_init__(self):
        check(self, "what", self.what in ("schema", "values"), "'schema' or 'values'")
        whole(self, "producer", 1)
        seconds(self, "at")
        check(self, "share", is_number(self.share) and 0 <= self.share <= 1, "a share, from 0 to 1")
        boolean(self, "library")

    def seen_by(self, place: str) -> bool:
        """Whether a check in this place can see what is wrong."""
        return {"ci": self.what == "schema", "producer": self.library, "broker": True}[place]


@dataclass(frozen=True)
class Cluster(warpstream.Cluster):
    """A Bufstream cluster and its clients; what is not explained here is as in `warpstream.Cluster`.

    checks: where somebody looks whether records conform, any of "ci", "producer", "broker"; nobody by default.
    release: what there is to find. on_poison: what a consumer does with a record it cannot read, "crash" or "skip".
    restart_delay: seconds until a consumer that died is started again. repair_time: seconds from the first such death
    until somebody has all consumers skip what they cannot read; None for never.
    version: "0.1.3", or "0.1.0" with two of the bugs that Jepsen found. session_ttl: seconds after which the database
    takes a broker for gone that it has not heard of.
    """
    brokers: int = 6
    batch_timeout: float = DELAY
    checks: tuple[str, ...] = ()
    release: Release | None = None
    on_poison: str = "crash"
    restart_delay: float = 1.0
    repair_time: float | None = 30.0
    version: str = "0.1.3"
    session_ttl: float = 10.0
    agents: int = field(default=6, init=False, repr=False)
    diskless: str = field(default="warpstream", init=False, repr=False)
    lightning: bool = field(default=False, init=False, repr=False)
    slow_path: bool = field(default=True, init=False, repr=False)

    def __post_init__(self):
        whole(self, "zones", 1)
        whole(self, "brokers", self.zones)
        object.__setattr__(self, "agents", self.brokers)
        super().__post_init__()
        check(self, "checks", isinstance(self.checks, tuple) and all(place in PLACES for place in self.checks),
              f"a tuple of places, any of {', '.join(map(repr, PLACES))}")
        if self.release is not None:
            instance(self, "release", Release)
            known = self.release.producer <= self.producers
            check(self, "release", known, f"one of a producer from 1 to {self.producers}")
        check(self, "on_poison", self.on_poison in ("crash", "skip"), "'crash' or 'skip'")
        for name in ("restart_delay", "session_ttl"):
            positive_seconds(self, name)
        if self.repair_time is not None:
            seconds(self, "repair_time")
        check(self, "version", self.version in ("0.1.0", "0.1.3"), "'0.1.0' or '0.1.3'")

    @property
    def metadata_latency(self) -> Distribution:
        """What a request to the database takes there."""
        return DATABASE if self.metadata is None else as_distribution("metadata", self.metadata)

    @property
    def names(self) -> tuple[str, str]:
        """What those are called that clients talk to, and the one that orders their commits."""
        return "broker", "database"

    def build(self, world: World, workload: Workload) -> BufstreamSystem:
        """The running system in this world."""
        from .system import BufstreamSystem
        return BufstreamSystem(self, world, workload)

    def __str__(self) -> str:
        """Only what differs from the defaults."""
        return f"Bufstream({changes(self)})"
