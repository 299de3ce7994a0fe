"""A thousand random schedules a protocol, where the suite has time for fewer: `python -m tests.bench --full`.

Kafka's replication, control plane, truncation (KIP-966), groups (all four protocols), share groups and transactions
have their thousand in the suite. Each function here gives the first promise that a seed breaks, in words; "" if none.
"""
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from simulator import kafka

from ..brokers import bufstream_schedules, schedules, transaction_schedules
from ..brokers.test_kafka_tiering import VARIANTS
from ..brokers.test_kafka_tiering import under_faults as with_tiers
from ..kernel.raft_groups import FORMS
from ..kernel.raft_groups import under_faults as of_raft

SEEDS = 1_000
NEAR = replace(schedules.QUICK, partitions=3, consumer=kafka.Consumer(rack=True))


def raft(form: str, seed: int) -> str:
    """Invariants after every event, and recovery; groups of three with an observer, and of five."""
    return "; ".join(of_raft(form, *((3, 1), (5, 0))[seed % 2], seed))


def near(seed: int) -> str:
    """Consumers that read from followers (KIP-392)."""
    run = schedules.run(seed, NEAR)
    return "" if run.check().ok and run.history.drained else str(run.check())


def pipeline(seed: int) -> str:
    """Consume, transform, produce: each record has one result."""
    run = transaction_schedules.pipeline(seed)
    once = set(transaction_schedules.results(run).values()) == {1}
    return "" if run.check().ok and run.history.drained and once else f"{run.check()}; each once: {once}"


def bufstream(seed: int) -> str:
    """A log on object storage whose brokers check schemas."""
    return "; ".join(bufstream_schedules.broken(bufstream_schedules.run(seed)))


PROTOCOLS: dict[str, Callable[[int], str]] = {
    **{f"Raft, {form}": partial(raft, form) for form in FORMS},
    "Kafka, fetch from follower": near,
    **{f"Kafka, tiers, {variant}": partial(with_tiers, variant) for variant in VARIANTS},
    "Kafka, exactly-once pipeline": pipeline,
    "Bufstream": bufstream,
}


def broken(name: str, seeds: range = range(SEEDS)) -> dict[int, str]:
    """The seeds at which a protocol breaks a promise, and which."""
    found = {seed: _first(PROTOCOLS[name], seed) for seed in seeds}
    return {seed: promise for seed, promise in found.items() if promise}


def _first(promise: Callable[[int], str], seed: int) -> str:
    try:
        return promise(seed)
    except AssertionError as error:
        return str(error) or "an assertion"
