"""One script for consumer groups, played twice: by the simulator, and by real clients on real time.

The script: two members; a third joins; all three are restarted one after another; the third leaves; one of the two
that are left is killed. What each act cost is read from the evidence by the same functions in both worlds."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, replace

from labs.members import TOPIC, Members
from labs.recorders.kafka import Recording, Sender, in_background
from simulator import Workload, faults, simulate
from simulator.brokers.kafka.groups import (Group, join, paused_partition_seconds, redeliveries, rolling_restart, stop,
                                            time_to_stable)
from simulator.evidence.history import History

FIRST, THIRD, VICTIM = ("consumer-1", "consumer-2"), "consumer-3", "consumer-2"
ACTS = ("join", "rolling restart", "leave", "kill")
MOMENT = 1e-3                  # seconds; a window ends before the next act
SPACE = 20.0                   # seconds from one act to the next, in the simulation
PACE, AWAY = 5.0, 0.5          # rolling restart: seconds from one member to the next, and until it is back
RATE = 120.0                   # records a second, over all partitions
APART, PATIENCE = 0.1, 120.0    # seconds between two groups, and until a group that is not stable is given up
SETTINGS = {"partitions": 6, "session_timeout": 3.0, "heartbeat_interval": 0.5, "auto_commit_interval": 1.0,
            "initial_rebalance_delay": 2.0}


@dataclass(frozen=True)
class Cost:
    """Of one act: partition-seconds without an owner, seconds to the last change of owner, records handled again."""

    paused: float
    stable: float
    again: int

    def __str__(self) -> str:
        return (f"{self.paused:.1f} partition-seconds paused, stable after {self.stable:.1f} s, "
                f"{self.again} records again")


def protocols(kind: type[Group] = Group, **others) -> dict[str, Group]:
    """The groups of the lab, simulated as Kafka's or as the mock's: the same settings, one protocol each."""
    how = {"eager": {"protocol": "eager"}, "cooperative": {"protocol": "cooperative"},
           "KIP-848": {"protocol": "consumer"},
           "KIP-848 static": {"protocol": "consumer", "group_instance_id": True}}
    return {name: kind(**{**SETTINGS, **own, **others}) for name, own in how.items()}


def cost(trace, history: History, since: float, until: float) -> Cost:
    """What happened between two moments, from the evidence of either world."""
    again = sum(found.count for found in redeliveries(history) if since <= found.time < until)
    return Cost(paused_partition_seconds(trace, since, until), time_to_stable(trace, since, until), again)


def begins(seed: int = 0) -> dict[str, float]:
    """When each act begins in a simulated run: never at the same moment between two ticks of a broker's clock."""
    return {act: (number + 1) * SPACE + 0.618 * seed % 1 for number, act in enumerate(ACTS)}


def rehearse(group: Group, seed: int = 1):
    """The simulated run of the script."""
    at = begins(seed)
    restarts = rolling_restart([*FIRST, THIRD], at["rolling restart"], PACE, AWAY)
    events = (join(THIRD, at["join"]), *restarts, stop(THIRD, at["leave"]))
    workload = Workload(rate=RATE, consumers=len(FIRST) + 1, seconds=(len(ACTS) + 1) * SPACE)
    return simulate(replace(group, events=events), workload, faults=[faults.crash(VICTIM, at=at["kill"])], seed=seed)


def predict(group: Group, seeds=range(1, 5)) -> dict[str, list[Cost]]:
    """For each act its cost in each of several simulated runs; they differ in when members heartbeat."""
    runs = {seed: rehearse(group, seed) for seed in seeds}
    spans = {act: [(begin, begin + SPACE - MOMENT) for begin in (begins(seed)[act] for seed in runs)] for act in ACTS}
    return {act: [cost(run.trace, run.history, *span) for run, span in zip(runs.values(), spans[act])] for act in ACTS}


def inside(measured: float, predicted: list[float], part: float = 0.25, less: float = 1.0, more: float = 3.0) -> bool:
    """Whether a measurement lies in the predicted range, widened by a part of it, a heartbeat and process starts."""
    return min(predicted) * (1 - part) - less <= measured <= max(predicted) * (1 + part) + more


class Play:
    """The script on real clients: several groups go through each act side by side, on the same topic of one cluster."""

    def __init__(self, cluster, groups: dict[str, Group]):
        self.groups = {name: Members(cluster, group, name.replace(" ", "-")) for name, group in groups.items()}
        self.recording = Recording(cluster.bootstrap, TOPIC)
        self.sender = Sender(self.recording)
        self.spans: dict[tuple[str, str], tuple[float, float]] = {}

    def start(self) -> Play:
        """Records flow and the first members join; a little later each has committed what it did."""
        self.recording.started = time.monotonic()
        self.sending = in_background(lambda: self.sender.run(RATE))
        self._all("start", lambda members: members.start(*FIRST))
        time.sleep(2 * SETTINGS["auto_commit_interval"])
        return self

    def act(self, name: str) -> dict[str, Cost]:
        """One act in all groups; what it cost each of them, once all are stable again."""
        acts = {"join": self._join, "rolling restart": self._restart, "leave": self._leave, "kill": self._kill}
        acts[name]()
        return {group: self.cost(group, name) for group in self.groups}

    def cost(self, group: str, act: str) -> Cost:
        """What an act cost a group."""
        polls = self.groups[group].read(History(), self.recording.started)
        return cost(self.trace(group), polls, *self.spans[group, act])

    def trace(self, group: str):
        """What the members of a group did, in seconds since the play began."""
        return self.groups[group].trace(self.recording.started)

    def stop(self) -> None:
        """No more records; the members end with the cluster."""
        self.sender.stopping = True
        self.sending.result(PATIENCE)
        self.sender.give_up()

    def history(self, group: str) -> History:
        """What was sent, and what the members of one group were handed."""
        with self.recording.lock:
            history = deepcopy(self.recording.history)
        return self.groups[group].read(history, self.recording.started)

    def _join(self) -> None:
        self._all("join", lambda members: members.start(THIRD))

    def _leave(self) -> None:
        self._all("leave", lambda members: members.stop(THIRD))

    def _kill(self) -> None:
        self._all("kill", lambda members: members.kill(VICTIM))

    def _restart(self) -> None:
        """Every group in a thread of its own: each member has its own time to close."""
        def roll(members):
            for name in (*FIRST, THIRD):
                began = time.monotonic()
                members.stop(name)
                members.wait_gone(name)
                time.sleep(AWAY)
                members.start(name)
                time.sleep(max(0.0, began + PACE - time.monotonic()))
        with ThreadPoolExecutor(len(self.groups)) as threads:
            self._all("rolling restart", lambda members: threads.submit(roll, members))

    def _all(self, act: str, what) -> None:
        """Does something to one group after the other, and waits until all are stable again."""
        began, waiting = {}, []
        for name, members in self.groups.items():
            began[name] = self.recording.clock()
            waiting.append(what(members))
            time.sleep(APART)
        for job in waiting:
            if isinstance(job, Future):
                job.result()
        for name, members in self.groups.items():
            members.wait_stable(PATIENCE)
        self.spans |= {(name, act): (began[name], self.recording.clock()) for name in began}
