"""Random schedules of the kind that broke Kafka's older replication protocols.

Half of them are new: leaders that change quickly while links fail, or a power loss among failing links. The others are
the known counterexamples with every fault moved a little: a hole that was closed should have no opening beside it.
"""

from __future__ import annotations

import random
from dataclasses import replace

from scenes import counterexamples
from scenes.counterexamples import Counterexample

from simulator import faults
from simulator.kernel.disk import DiskProfile

from .schedules import BROKERS

QUICK = replace(counterexamples.SMALL, broker_session_timeout=0.4, broker_heartbeat_interval=0.15,
                replica_fetch_backoff=0.1, disk=DiskProfile(writeback=1.0))
# no protocol survives that one
KEEPABLE = [schedule for name, schedule in counterexamples.ALL.items() if name != "hard_reset"]


def schedule(seed: int) -> Counterexample:
    """The schedule of this seed.

    No more than one replica loses what it had not flushed: min_insync=2 promises to survive that.
    """
    draw = random.Random(seed)
    if draw.random() < 0.5:
        return _beside(draw.choice(KEEPABLE)(), draw, seed)
    if draw.random() < 0.2:
        trouble = [_cut_off(draw) for _ in range(draw.randint(1, 2))] + [_power_loss(draw)]
    else:
        trouble = [fault for _ in range(draw.randint(2, 3)) for fault in _round(draw)]
    return Counterexample(QUICK, 4, tuple(trouble), seed)


def _beside(known: Counterexample, draw: random.Random, seed: int) -> Counterexample:
    moved = [replace(fault, at=round(max(fault.at + draw.uniform(-0.2, 0.2), 0.0), 3)) for fault in known.faults]
    return replace(known, faults=tuple(moved), seed=seed)


def _round(draw: random.Random) -> list[faults.Fault]:
    """A link fails for a while, and then a broker crashes."""
    at, (one, other) = draw.uniform(0.3, 3), draw.sample(BROKERS, 2)
    return [faults.partition([one], [other, *draw.choice([[], ["controller"]])], at=round(at, 3),
                             lasts=round(draw.uniform(0.3, 2), 3)),
            faults.crash(draw.choice(BROKERS), at=round(at + draw.uniform(0, 0.5), 3),
                         lasts=round(draw.uniform(0.3, 1.5), 3))]


def _cut_off(draw: random.Random) -> faults.Fault:
    return faults.isolate(draw.choice(BROKERS), at=round(draw.uniform(0.2, 2), 3), lasts=round(draw.uniform(1, 3), 3))


def _power_loss(draw: random.Random) -> faults.Fault:
    return faults.power_loss(draw.choice(BROKERS), at=round(draw.uniform(1, 3), 3),
                             lasts=round(draw.uniform(0.2, 1), 3))
