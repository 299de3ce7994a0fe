"""Random fault schedules for transactions: those of `schedules`, and moments in which a client's messages are late."""

from __future__ import annotations

import random

from simulator import Workload, faults, kafka, simulate

from . import schedules

CLUSTER = schedules.cluster(producer=dict(request_timeout=0.5, delivery_timeout=10.0))


def stragglers(seed: int, client: str) -> list[faults.Fault]:
    """One to four moments: what the client sends then arrives after what it sends later on another connection."""
    draw = random.Random(f"stragglers {seed}")
    return [faults.slow_network(client, extra=draw.uniform(0.6, 1.5), at=round(draw.uniform(0.2, 3), 3), lasts=0.04)
            for _ in range(draw.randint(1, 4))]


def clients(seed: int, names: list[str]) -> list[faults.Fault]:
    """Perhaps one client that is killed or paused."""
    draw = random.Random(f"clients {seed}")
    name, at, lasts = draw.choice(names), round(draw.uniform(0.5, 2.5), 3), draw.choice([0.1, 0.5, 1.5, 3.0])
    return draw.choice([[], [faults.crash(name, at, lasts)], [faults.pause(name, at, lasts)]])


def transactions(seed: int, version: int = 2, **settings):
    """Two producers that abort every third transaction, under the schedule of this seed."""
    chosen = dict(producers=2, abort_every=3, commit_interval=0.25, transaction_timeout=3.0,
                  timeout_check=0.5) | settings
    troubles = stragglers(seed, "producer-1") + (schedules.schedule(seed)
                                                 + clients(seed, ["producer-1", "producer-2"])) * (seed % 3 > 0)
    system = kafka.Transactions(cluster=CLUSTER, transaction_version=version, **chosen)
    return simulate(system, Workload(rate=20, record_bytes=200, keys=20, seconds=3), faults=troubles, seed=seed,
                    settle=60, trace=False)


def pipeline(seed: int, exactly_once: bool = True, version: int = 2):
    """Two workers under the schedule of this seed."""
    troubles = stragglers(seed,
                          "worker-1") + schedules.schedule(seed) * (seed % 2) + clients(seed, ["worker-1", "worker-2"])
    system = kafka.Pipeline(cluster=CLUSTER, transaction_version=version, exactly_once=exactly_once,
                            session_timeout=1.0, transaction_timeout=3.0, timeout_check=0.5)
    return simulate(system, Workload(rate=20, record_bytes=200, keys=20, seconds=3, work=0.002), faults=troubles,
                    seed=seed, settle=60, trace=False)


def results(run) -> dict[tuple[int, int], int]:
    """How often the final reader found the result of each record of `orders` that it found there."""
    history, half = run.history, len(run.history.keys) // 2
    rows = history.polls.rows
    final = rows[rows["process"] == history.processes.code("final-reader")]
    records = [(int(row["key"]), int(row["value"]) + i) for row in final for i in range(row["count"])]
    found = {record: 0 for record in records if record[0] < half}
    for key, value in records:
        if key >= half:
            found[key - half, value] += 1
    return found
