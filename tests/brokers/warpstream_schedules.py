"""Random fault schedules around the commit of a small diskless cluster, with short timeouts."""

from __future__ import annotations

import random
from dataclasses import replace

from simulator import Workload, distributions, faults, simulate, warpstream
from simulator.kernel.objectstore import StoreProfile

AGENTS = ["agent-1", "agent-2", "agent-3"]
PUT = distributions.Lognormal.from_percentiles(p50=0.06, p99=0.12)
STORE = StoreProfile(0.03, PUT, PUT, 0.06, 0.06)
QUICK = warpstream.Cluster(agents=3, zones=3, partitions=2, producers=2, store=STORE, request_timeout=2.0, linger=0.05,
                           scan_interval=2.0, orphan_age=3.0, compaction_interval=2.5)
WORKLOAD = Workload(rate=15, record_bytes=500, keys=20, seconds=6, consumers=2)


def schedule(seed: int) -> list[faults.Fault]:
    """One to four faults: agents at any stage of a file, the store, the service, and the way between them."""
    draw = random.Random(seed)
    return [_fault(draw) for _ in range(draw.randint(1, 4))]


def _fault(draw: random.Random) -> faults.Fault:
    at, lasts = round(draw.uniform(0.2, 6), 3), round(draw.choice([0.05, 0.3, 1, 3]) * draw.uniform(0.5, 2), 3)
    one = draw.choice(AGENTS)
    return draw.choice([
        lambda: faults.crash(one, at, lasts),
        lambda: faults.crash(one, at, lasts),
        lambda: faults.power_loss(one, at=at, lasts=lasts),
        lambda: faults.pause(one, at, lasts + 3 * draw.randint(0, 1)),   # long enough to become an orphan's owner
        lambda: faults.isolate(one, at=at, lasts=lasts),
        lambda: faults.crash("object-store", at, lasts),
        lambda: faults.crash("metadata", at, lasts),
        lambda: faults.drop(["metadata"], [one], at=at, lasts=lasts),
        lambda: faults.mute("metadata", [one], at=at, lasts=lasts),      # commits happen, nobody hears of them
        lambda: faults.crash(f"producer-{draw.randint(1, 2)}", at, lasts),
        lambda: faults.partition([one], ["object-store"], at=at, lasts=lasts),
    ])()


def run(seed: int, trace: bool = False, **settings):
    """The quick cluster with these settings under the schedule of this seed; every fourth store answers 503 a lot."""
    store = replace(STORE, writes_per_second=4) if seed % 4 == 0 else STORE
    system = replace(QUICK, store=store, **settings)
    return simulate(system, WORKLOAD, faults=schedule(seed), seed=seed, trace=trace, settle=60)
