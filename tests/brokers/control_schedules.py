"""Random fault schedules for a Kafka cluster with a real control plane, and what must hold after every record."""

from __future__ import annotations

import random
from dataclasses import replace

from simulator import Workload, faults, kafka, simulate
from simulator.brokers.kafka.control.quorum import Quorum

from . import schedules

QUICK = dict(fetch_timeout=1.2, election_timeout=0.3, election_backoff_max=0.3)
CONTROLLERS = ["controller-1", "controller-2", "controller-3"]
PLANES = {"separate": kafka.KRaft(**QUICK), "combined": kafka.KRaft(combined=True, **QUICK),
          "five": kafka.KRaft(voters=5, **QUICK)}


def cluster(plane: str = "separate", **settings) -> kafka.Cluster:
    """The quick cluster with this control plane."""
    return replace(schedules.QUICK, **{"control": PLANES[plane], **settings})


def schedule(seed: int, plane: str) -> list[faults.Fault]:
    """One to four faults on controllers and brokers.

    Only controllers lose power: what that does to brokers has its own schedules.
    """
    draw = random.Random(f"{plane}/{seed}")
    controllers = [] if plane == "combined" else [f"controller-{i + 1}" for i in range(PLANES[plane].voters)]
    return [_fault(draw, schedules.BROKERS, controllers) for _ in range(draw.randint(1, 4))]


def _fault(draw: random.Random, brokers: list[str], controllers: list[str]) -> faults.Fault:
    at, lasts = round(draw.uniform(0.8, 4), 3), round(draw.choice([0.05, 0.3, 1, 2]) * draw.uniform(0.5, 2), 3)
    names = brokers + controllers
    one = draw.choice(names)
    others = [name for name in names if name != one]
    return draw.choice([
        lambda: faults.crash(one, at, lasts),
        lambda: faults.crash(draw.choice(controllers or brokers), at, lasts),
        lambda: faults.power_loss(draw.choice(controllers), at=at, lasts=lasts) if controllers
        else faults.crash(one, at, lasts), lambda: faults.pause(one, at, lasts),
        lambda: faults.isolate(one, at=at, lasts=lasts),
        lambda: _cut(draw, names, at, lasts),
        lambda: faults.mute(one, draw.sample(others, 2), at=at, lasts=lasts),
        lambda: faults.slow_network(one, extra=draw.choice([0.01, 0.2, 0.7]), at=at, lasts=lasts),
    ])()


def _cut(draw: random.Random, names: list[str], at: float, lasts: float) -> faults.Fault:
    """A partition into two sides; who is on neither hears both."""
    shuffled = draw.sample(names, len(names))
    side = draw.randint(1, len(names) // 2)
    return faults.partition(shuffled[:side], shuffled[side:side + draw.randint(1, len(names) - side)],
                            at=at, lasts=lasts)


def run(seed: int, plane: str = "separate", troubles=None):
    """The quick cluster under the schedule of this seed."""
    workload = Workload(rate=10, record_bytes=500, keys=20, seconds=5, consumers=1)
    return simulate(cluster(plane), workload, faults=schedule(seed, plane) if troubles is None else troubles,
                    seed=seed, settle=40)


class Watch:
    """Looks at every image of every member whenever a record is applied; `broken` says whatever is wrong."""

    def __init__(self, monkeypatch):
        self.broken: list[str] = []
        self.committed: list = []
        self.known: dict[int, object] = {}
        applied = Quorum._apply

        def apply(quorum, member, offset, entry, event):
            applied(quorum, member, offset, entry, event)
            self.look(member, offset, entry, quorum.images[member.name])
        monkeypatch.setattr(Quorum, "_apply", apply)

    def begin(self) -> None:
        """A new run."""
        self.broken, self.committed, self.known = [], [], {}

    def look(self, member, offset: int, entry, image) -> None:
        if offset == len(self.committed):
            if self.committed and entry.term < self.committed[-1].term:
                self.broken.append(f"{entry} of an older term was committed after {self.committed[-1]}")
            self.committed.append(entry)
            self.look_at_partitions(image)
        if entry != self.committed[offset]:
            self.broken.append(f"at {offset} {member.name} applied {entry}, others {self.committed[offset]}")

    def look_at_partitions(self, image) -> None:
        fenced = {index for index, registration in image.brokers.items() if registration.fenced}
        for key, state in image.partitions.items():
            if state.leader in fenced:
                self.broken.append(f"fenced broker {state.leader} leads {state}")
            if fenced & set(state.isr):
                self.broken.append(f"a fenced broker is in sync: {state}")
            if state.leader >= 0 and state.leader not in state.isr or set(state.isr) & set(state.elr):
                self.broken.append(f"sets that do not fit: {state}")
            known = self.known.get(key, state)
            if (state.leader_epoch, state.partition_epoch) < (known.leader_epoch, known.partition_epoch):
                self.broken.append(f"epochs went back: {known} {state}")
            self.known[key] = state
