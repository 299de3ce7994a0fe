"""Random fault schedules for a Redpanda cluster with short timeouts; brokers may lose power together."""

from __future__ import annotations

import random

from simulator import Workload, faults, kafka, redpanda, simulate

BROKERS = ["broker-1", "broker-2", "broker-3"]
QUICK = redpanda.Cluster(partitions=1, heartbeat=0.15, election_timeout=0.4,
                         producer=kafka.Producer(request_timeout=2.0, delivery_timeout=20.0))


def schedule(seed: int) -> list[faults.Fault]:
    """One to four faults."""
    draw = random.Random(f"redpanda/{seed}")
    return [_fault(draw) for _ in range(draw.randint(1, 4))]


def _fault(draw: random.Random) -> faults.Fault:
    at, lasts = round(draw.uniform(0.2, 4), 3), round(draw.choice([0.05, 0.3, 1, 2]) * draw.uniform(0.5, 2), 3)
    one = draw.choice(BROKERS)
    others = [name for name in BROKERS if name != one]
    return draw.choice([
        lambda: faults.crash(one, at, lasts),
        lambda: faults.power_loss(one, at=at, lasts=lasts),
        lambda: faults.power_loss(*BROKERS, at=at, lasts=lasts),
        lambda: faults.pause(one, at, lasts),
        lambda: faults.isolate(one, at=at, lasts=lasts),
        lambda: faults.partition([one], others, at=at, lasts=lasts),
        lambda: faults.mute(one, draw.sample(others + ["producer-1"], 2), at=at, lasts=lasts),
        lambda: faults.slow_network(one, extra=draw.choice([0.01, 0.2, 0.7]), at=at, lasts=lasts),
    ])()


def run(seed: int, system: redpanda.Cluster = QUICK, troubles=None):
    """The quick cluster (or another) under the schedule of this seed."""
    workload = Workload(rate=20, record_bytes=500, keys=20, seconds=4, consumers=1)
    return simulate(system, workload, faults=schedule(seed) if troubles is None else troubles, seed=seed, settle=60)
