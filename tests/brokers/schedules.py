"""Random fault schedules for a Kafka cluster with short timeouts: much goes wrong in ten simulated seconds."""

from __future__ import annotations

import random
from dataclasses import replace

from simulator import Workload, faults, kafka, simulate

BROKERS = ["broker-1", "broker-2", "broker-3"]

QUICK = kafka.Cluster(partitions=2, producer=kafka.Producer(request_timeout=2.0, delivery_timeout=20.0),
                      broker_session_timeout=1.0, broker_heartbeat_interval=0.3, replica_lag_time_max=1.5,
                      replica_fetch_backoff=0.2)


def cluster(producer: dict | None = None, **settings) -> kafka.Cluster:
    """The quick cluster with other settings."""
    return replace(QUICK, producer=replace(QUICK.producer, **producer or {}), **settings)


def schedule(seed: int) -> list[faults.Fault]:
    """One to four faults. A power loss comes alone among shutdowns: a replica that lost its page cache and another one
    that shut down uncleanly are one more than min_insync=2 promises to survive (KIP-966 trusts neither)."""
    draw = random.Random(seed)
    chosen = [_fault(draw) for _ in range(draw.randint(1, 4))]
    power = [fault for fault in chosen if fault.kind == "power_loss"]
    return [fault for fault in chosen if not power or fault is power[0] or fault.kind not in ("crash", "power_loss")]


def _fault(draw: random.Random) -> faults.Fault:
    at, lasts = round(draw.uniform(0.2, 8), 3), round(draw.choice([0.05, 0.3, 1, 3]) * draw.uniform(0.5, 2), 3)
    one = draw.choice(BROKERS)
    others = [name for name in BROKERS if name != one]
    return draw.choice([
        lambda: faults.crash(one, at, lasts),
        lambda: faults.crash(one, at, lasts),
        lambda: faults.power_loss(one, at=at, lasts=lasts),
        lambda: faults.pause(one, at, lasts),
        lambda: faults.isolate(one, at=at, lasts=lasts),
        lambda: faults.partition([one], others + draw.choice([[], ["controller"]]), at=at, lasts=lasts),
        lambda: faults.mute(one, draw.sample(others + ["controller", "producer-1"], 2), at=at, lasts=lasts),
        lambda: faults.slow_network(one, extra=draw.choice([0.01, 0.2, 0.7]), at=at, lasts=lasts),
    ])()


def run(seed: int, system: kafka.Cluster = QUICK, trace: bool = True):
    """The quick cluster (or another) under the schedule of this seed."""
    workload = Workload(rate=15, record_bytes=500, keys=20, seconds=9, consumers=1 + seed % 2)
    return simulate(system, workload, faults=schedule(seed), seed=seed, settle=60, trace=trace)
