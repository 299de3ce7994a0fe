"""Random fault schedules and random bad releases for a small Bufstream cluster with short timeouts."""

from __future__ import annotations

import random
from dataclasses import fields, replace

from simulator import bufstream, faults, simulate
from simulator.brokers.bufstream.config import PLACES
from simulator.evidence.history import FAIL, INFO

from .warpstream_schedules import QUICK, WORKLOAD
from .warpstream_schedules import schedule as around_the_commit

SMALL = {field.name: getattr(QUICK, field.name) for field in fields(QUICK)
         if field.name not in ("agents", "diskless", "lightning", "slow_path")}


def schedule(seed: int) -> list[faults.Fault]:
    """The faults around the commit under the names of this system, and now and then a database that stands still."""
    still = faults.pause("database", at=2 + seed % 3, lasts=(0.5, 1.5, 3.5)[seed % 3])
    return [_renamed(fault) for fault in around_the_commit(seed)] + [still] * (seed % 4 == 1)


def _renamed(fault: faults.Fault) -> faults.Fault:
    return replace(fault, nodes=tuple(map(_name, fault.nodes)), others=tuple(map(_name, fault.others)))


def _name(node: str) -> str:
    return node.replace("agent", "broker").replace("metadata", "database")


def system(seed: int, **settings) -> bufstream.Cluster:
    """A cluster with the checks and the release of this seed."""
    draw = random.Random(seed)
    release = bufstream.Release(what=draw.choice(["schema", "values"]), producer=draw.randint(1, 2),
                                at=draw.uniform(0, 4), share=draw.choice([0.05, 0.3, 1.0]), library=draw.random() < 0.5)
    chosen = dict(checks=tuple(place for place in PLACES if draw.random() < 0.4), release=release, brokers=3,
                  on_poison=draw.choice(["crash", "skip"]), restart_delay=0.5, repair_time=2.0, session_ttl=3.0)
    return bufstream.Cluster(**SMALL | chosen | settings)


def run(seed: int, trace: bool = False, **settings):
    """That cluster under the schedule of this seed."""
    workload = replace(WORKLOAD, rate=30)
    return simulate(system(seed, **settings), workload, faults=schedule(seed), seed=seed, trace=trace, settle=60)


def broken(run) -> list[str]:
    """The promises that a run broke, in words: none, whatever happened to it."""
    counts, sent = run.meters.counts, run.history.sends.rows
    died = any(name.startswith("producer") for fault in run.faults for name in fault.nodes)
    promises = {
        f"the log: {run.check()}": run.check().ok and run.history.drained,
        "it comes to rest": run.seconds < 66,
        "only a producer that died leaves anything in doubt": died or (sent["type"] != INFO).all(),
        "what is refused is told": sent["count"][sent["type"] == FAIL].sum() == counts["records refused"],
        "what brokers check reaches no consumer": "broker" not in run.system.checks or
                                                  counts["poison records stored"] == counts["consumer crashes"] == 0}
    return [promise for promise, kept in promises.items() if not kept]
