"""What a learner's numbers are worth: the group they describe is simulated, and measured.

Units are seconds and records. A simulation depends on nothing but its arguments, so the learner's kernel and the
grader's process see the same run.
"""
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

import numpy as np

from simulator import Workload, distributions, faults, kafka, simulate

MOST = 500               # max.poll.records, as it comes
FORMING = 5.0            # seconds that a group takes to form
PROTOCOLS = ("eager", "cooperative", "static", "consumer")
BEGIN = 20.0             # when the first member restarts, or one dies
SLACK = 8.0              # seconds for a heartbeat and a rebalance, between a timeout and its effect


@dataclass(frozen=True)
class Load:
    """What a group has to carry, and what is asked of it after an outage of all its members."""
    rate: float               # records that arrive in a second, evenly over the partitions
    partitions: int
    mean: float               # seconds of work on a record, on average
    slowest: float            # seconds of work on a record, at worst
    outage: float             # seconds for which nobody read
    within: float             # seconds after which the backlog of the outage has to be gone
    max_poll_interval: float  # seconds between two polls after which a member is put out

    @property
    def work(self) -> distributions.Distribution:
        """One record in five hundred is slow; the others lie around what makes the mean right."""
        share = 0.002
        usual = (self.mean - share * self.slowest) / (1 - share)
        body, tail = distributions.Uniform(0.5 * usual, 1.5 * usual), distributions.Fixed(self.slowest)
        return distributions.Mixture(body, tail, share)


@cache
def left_over(load: Load, members: int, seed: int) -> float:
    """The share of the backlog that is still unread when it should be gone, in the partition that is worst off."""
    end = load.outage + load.within
    run = after_the_outage(replace(load, max_poll_interval=3600.0), members, 20, seed, load.work, end)
    rows = run.history.polls.rows
    rows = rows[rows["completed"] <= end]
    delivered = np.bincount(rows["key"], rows["count"], minlength=load.partitions).min()
    return (end - delivered * load.partitions / load.rate) / load.outage


@cache
def put_out(load: Load, members: int, max_poll_records: int, seed: int) -> int:
    """How often a member is put out while every record takes as long as the slowest."""
    end = load.outage + 4 * load.max_poll_interval
    run = after_the_outage(load, members, max_poll_records, seed, load.slowest, end)
    return len(run.trace.where("poll_expired"))


def after_the_outage(load: Load, members: int, max_poll_records: int, seed: int, work, end: float):
    """All members start when the outage is over."""
    begin = tuple(kafka.groups.join(f"consumer-{number + 1}", load.outage) for number in range(members))
    group = kafka.Group(load.partitions, "eager", max_poll_records=max_poll_records,
                        max_poll_interval=load.max_poll_interval, events=begin)
    return simulate(group, Workload(rate=load.rate, seconds=end, consumers=members, work=work), seed=seed, settle=0)


@dataclass(frozen=True)
class Deployment:
    """A group all of whose members are restarted, one after the other, and what is asked of it."""
    members: int
    partitions: int
    away: float             # seconds for which a restarting member is away
    warm_up: float          # seconds of loading state for each partition that moves to another member
    replaced_within: float  # seconds after which a dead member's partitions have to be read again

    @property
    def workload(self) -> Workload:
        """One record a second for each partition, for as long as the restart takes."""
        seconds = BEGIN + self.every * self.members + 20
        return Workload(rate=self.partitions, seconds=seconds, consumers=self.members, work=0.001)

    @property
    def every(self) -> float:
        """Seconds between one restart and the next."""
        return self.away + 25


@cache
def cost(deployment: Deployment, protocol: str, static: bool, session_timeout: float, seed: int) -> float:
    """Partition-seconds in which nobody read, or read without having its state, in a rolling restart."""
    restart = kafka.groups.rolling_restart(deployment.members, BEGIN, deployment.every, deployment.away)
    group = group_of(deployment, protocol, static, session_timeout, restart)
    trace = simulate(group, deployment.workload, seed=seed).trace
    spans = kafka.groups.ownership(trace, BEGIN).values()
    moves = sum(before[0] != after[0] for of_key in spans for before, after in pairwise(of_key))
    return kafka.groups.paused_partition_seconds(trace, BEGIN) + moves * deployment.warm_up


@cache
def replacement(deployment: Deployment, protocol: str, static: bool, session_timeout: float, seed: int) -> float:
    """Seconds from a member's death until its partitions are read again."""
    group = group_of(deployment, protocol, static, session_timeout)
    run = simulate(group, replace(deployment.workload, seconds=BEGIN + 20), seed=seed, settle=session_timeout + 60,
                   faults=[faults.crash("consumer-1", at=BEGIN)])
    return kafka.groups.time_to_stable(run.trace, since=BEGIN)


def group_of(deployment: Deployment, protocol: str, static: bool, session_timeout: float, events=()) -> kafka.Group:
    """The group with these settings; whatever they do not name is as it comes."""
    return kafka.Group(deployment.partitions, protocol, group_instance_id=static or None, poll_timeout=0.5,
                       session_timeout=session_timeout, events=events)


def least(deployment: Deployment, seed: int) -> float:
    """What the restart costs with the best settings: nobody moves, if that is patience enough, or only what must."""
    timeout = deployment.replaced_within - SLACK
    choices = [("consumer", False), ("cooperative", False)] + [("consumer", True)] * (timeout > deployment.away + SLACK)
    return min(cost(deployment, protocol, static, timeout, seed) for protocol, static in choices)
