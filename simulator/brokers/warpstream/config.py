"""What can be set: the agents, their buffer, the store behind them, and the clients' few settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ...kernel.distributions import Distribution, Lognormal, as_distribution
from ...kernel.network import NetworkProfile
from ...kernel.objectstore import StoreProfile, profile
from ..settings import boolean, changes, check, instance, positive_seconds, seconds, whole

if TYPE_CHECKING:
    from ...kernel.world import World
    from ...workload import Workload
    from .system import WarpStreamSystem

MEBIBYTE = 1024 * 1024
ZONES = ("a", "b", "c", "d", "e", "f")

# Seconds that one request to the metadata service takes there. WarpStream publishes none: see `calibration`.
# Inkless: commit p99 10-20 ms (github.com/aiven/inkless, docs/inkless/PERFORMANCE.md, 2026-08); the median is assumed.
METADATA = {"warpstream": Lognormal.from_percentiles(p50=0.030, p99=0.075),
            "kip-1150": Lognormal.from_percentiles(p50=0.008, p99=0.015)}
NAMES = {"warpstream": ("agent", "metadata"), "kip-1150": ("broker", "diskless-coordinator")}


@dataclass(frozen=True)
class Cluster:
    """A WarpStream cluster and its clients; the defaults are those of the agents and of Kafka's clients.

    batch_timeout, batch_bytes: an agent writes a file when its first record has waited so long, or it is so large.
    store: the name of a profile in `objectstores.toml`, or a StoreProfile. metadata: seconds a request takes there.
    zone_aligned: clients use agents of their zone; False: any agent. producers, linger, max_in_flight, idempotent: the
    clients' side; requests in flight are not what limits them by default (with Kafka's 5 they are: a request waits for
    a whole file). scan_interval, orphan_age: how often somebody looks for orphans, and from which age a file is one.
    compaction_interval: seconds between compactions, None for none.
    """
    agents: int = 6
    zones: int = 3
    partitions: int = 6
    batch_timeout: float = 0.25
    batch_bytes: int = 8 * MEBIBYTE
    store: str | StoreProfile = "s3-standard"
    metadata: float | Distribution | None = None
    diskless: str = "warpstream"
    lightning: bool = False
    slow_path: bool = True
    zone_aligned: bool = True
    producers: int = 3
    linger: float = 0.025
    max_in_flight: int = 1_000
    idempotent: bool = True
    request_timeout: float = 30.0
    scan_interval: float = 30.0
    orphan_age: float = 60.0
    compaction_interval: float | None = 30.0
    network: NetworkProfile = field(default_factory=NetworkProfile)

    def __post_init__(self):
        for name in ("zones", "partitions", "batch_bytes", "producers", "max_in_flight"):
            whole(self, name, 1)
        check(self, "zones", self.zones <= len(ZONES), f"at most {len(ZONES)}")
        whole(self, "agents", self.zones)
        for name in ("batch_timeout", "request_timeout", "scan_interval", "orphan_age"):
            positive_seconds(self, name)
        seconds(self, "linger")
        for name in ("lightning", "slow_path", "zone_aligned", "idempotent"):
            boolean(self, name)
        check(self, "diskless", self.diskless in METADATA, "'warpstream' or 'kip-1150'")
        if self.compaction_interval is not None:
            positive_seconds(self, "compaction_interval")
        if self.metadata is not None:
            as_distribution("metadata", self.metadata)
        if not isinstance(self.store, str):
            instance(self, "store", StoreProfile)
        instance(self, "network", NetworkProfile)
        self.profile  # an unknown store is refused now

    @property
    def profile(self) -> StoreProfile:
        """How the store behaves."""
        return profile(self.store) if isinstance(self.store, str) else self.store

    @property
    def metadata_latency(self) -> Distribution:
        """What a request to the metadata service takes there."""
        return METADATA[self.diskless] if self.metadata is None else as_distribution("metadata", self.metadata)

    @property
    def names(self) -> tuple[str, str]:
        """What those are called that clients talk to, and the one that orders their commits."""
        return NAMES[self.diskless]

    @property
    def exactly_once(self) -> bool:
        """Whether a retried batch is stored once: lightning topics take no idempotent producers."""
        return self.idempotent and not self.lightning

    def zone(self, index: int) -> str:
        """The zone of the agent or client of this number."""
        return ZONES[index % self.zones]

    def build(self, world: World, workload: Workload) -> WarpStreamSystem:
        """The running system in this world."""
        from .system import WarpStreamSystem
        return WarpStreamSystem(self, world, workload)

    def __str__(self) -> str:
        """Only what differs from the defaults."""
        return f"WarpStream({changes(self)})" if self.diskless == "warpstream" else f"Diskless({changes(self)})"
