"""What can be chosen about the control plane (seconds), with the defaults of Kafka 4.2, and of 3.9 for ZooKeeper."""

from __future__ import annotations

from dataclasses import dataclass, field

from ....kernel.distributions import Distribution, Lognormal, Uniform, as_distribution, is_number
from ....kernel.raft import Config
from ...settings import boolean, changes, check, positive_seconds, whole

MOST_VOTERS = 7
FETCH_WAIT = 0.5  # KafkaRaftClient.MAX_FETCH_WAIT_MS: how long a fetch of the metadata log waits for something new


@dataclass(frozen=True, repr=False)
class KRaft:
    """A quorum of controllers that agree on the metadata log by Raft.

    voters: how many controllers; more than half of them must be up. 3 or 5 are usual.
    combined: the first brokers are the voters (`process.roles=broker,controller`); a crash takes both roles at once.
    fetch_timeout, election_timeout, election_backoff_max: `controller.quorum.*`; an election timeout is drawn from
        once to twice this.
    """
    voters: int = 3
    combined: bool = False
    fetch_timeout: float = 2.0
    election_timeout: float = 1.0
    election_backoff_max: float = 1.0

    def __post_init__(self):
        whole(self, "voters", 1)
        check(self, "voters", self.voters <= MOST_VOTERS, f"at most {MOST_VOTERS}")
        boolean(self, "combined")
        for name in ("fetch_timeout", "election_timeout", "election_backoff_max"):
            positive_seconds(self, name)
        check(self, "fetch_timeout", self.fetch_timeout > 2 * FETCH_WAIT,
              f"longer than {2 * FETCH_WAIT:g} s: half of it must leave an idle fetch its {FETCH_WAIT:g} s")

    @property
    def raft(self) -> Config:
        """The settings of every member of the quorum."""
        election, fetch = self.election_timeout, self.fetch_timeout
        return Config.kraft(fetch_timeout=fetch, heartbeat=fetch / 2, check_quorum=1.5 * fetch, fetch_wait=FETCH_WAIT,
                            election_timeout=Uniform(election, 2 * election),
                            election_backoff_max=self.election_backoff_max)

    def check_brokers(self, brokers: int) -> None:
        """Refuses more combined nodes than there are brokers."""
        check(self, "voters", not self.combined or self.voters <= brokers,
              f"at most the number of brokers, which is {brokers}, if combined is True")

    def build(self, system, states):
        """The control plane of this system."""
        from .quorum import Quorum
        return Quorum(system, states, self)

    def __repr__(self) -> str:
        return f"KRaft({changes(self)})"


def seconds_per_partition() -> Distribution:
    """How long a new controller took per partition to read its state from ZooKeeper; fitted to `failover.MEASURED`."""
    return Lognormal.from_percentiles(p50=0.00014, p99=0.0003)


@dataclass(frozen=True, repr=False)
class ZooKeeper:
    """The ZooKeeper era: whichever broker creates `/controller` first is the controller, until its session ends.

    session_timeout: `zookeeper.session.timeout.ms`, 18 s since Kafka 2.5, 6 s before; how long any dead broker goes
        unnoticed.
    load: seconds a partition that a new controller needs before it may act; drawn once for each fail-over.
    """
    session_timeout: float = 18.0
    load: Distribution | float = field(default_factory=seconds_per_partition)

    def __post_init__(self):
        positive_seconds(self, "session_timeout")
        check(self, "load", isinstance(self.load, Distribution) or is_number(self.load) and self.load >= 0,
              "a number of seconds a partition, at least 0, or a distribution")
        object.__setattr__(self, "load", as_distribution("load", self.load))

    def check_brokers(self, brokers: int) -> None:
        """Any number of brokers will do."""

    def build(self, system, states):
        """The control plane of this system."""
        from .zookeeper import ZooKeeperControl
        return ZooKeeperControl(system, states, self)

    def __repr__(self) -> str:
        return f"ZooKeeper({changes(self)})"
