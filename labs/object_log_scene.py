"""A log in a bucket at work: producers with a rate, agents to be killed, a reader, and the history that they leave.

A producer talks to one agent and sends what has fallen due, a request at a time. If the agent's pipe breaks it sends
everything unanswered again, in order, through another agent; what an agent refuses, it sends again, too.

Key: "orders-0". Value: 0, 1, 2, ... within its key. Times: seconds since the scene began. A record is created when it
falls due, evenly spaced, and waits for a producer's turn, which comes after half to one and a half of `linger`.
"""

from __future__ import annotations

import random
import time
from itertools import cycle
from multiprocessing.connection import wait
from queue import SimpleQueue
from threading import Event, Thread

import numpy as np
from botocore.exceptions import BotoCoreError

from labs.object_log import FILES, REFUSED, Batch, Bucket, Manifest, Reader, collect
from labs.object_log_process import AgentProcess, Settings
from simulator.evidence.checks import check
from simulator.evidence.history import FINAL_READER, INFO, OK, UNKNOWN, History
from simulator.evidence.report import Report


class Producer:
    """Its agent, the next sequence of each key, and the requests without an answer, oldest first."""

    def __init__(self, name: str, agent: AgentProcess, keys: list[str]):
        self.name, self.agent, self.turn = name, agent, 0.0     # when it sends next
        self.sequences = dict.fromkeys(keys, 0)
        self.flying: dict[int, tuple[float, list[tuple[int, Batch]]]] = {}   # number -> when sent, (op, batch) each

    def send(self, number: int) -> None:
        """Sends a request, for the first time or again."""
        self.agent.send("append", number, [batch for _, batch in self.flying[number][1]])


class Scene:
    """One empty log in a bucket, its agents (each a process) and a producer for each agent.

    follow: seconds between two polls of a reader at work; None for no reader but the one at the end.
    """

    def __init__(self, server, agents: int = 2, settings: Settings | None = None, *, rate: float = 400,
                 partitions: int = 3, linger: float = 0.025, follow: float | None = None):
        self.settings, self.rate, self.linger = settings or Settings(), rate, linger
        self.bucket = Bucket(server.client())
        self.manifest = Manifest(self.bucket)
        for name in self.bucket.names(""):
            self.bucket.delete(name)
        self.agents = {name: AgentProcess(name, server.address, self.settings)
                       for name in (f"agent-{number + 1}" for number in range(agents))}
        self.created: dict[str, list[float]] = {f"orders-{number}": [] for number in range(partitions)}
        self.producers = [Producer(f"producer-{number + 1}", agent, list(self.created))
                          for number, agent in enumerate(self.agents.values())]
        self.history, self.requests = History(), []         # the latter those of the agents, to the store
        for key in self.created:
            self.history.keys.code(key)
        self.held: tuple[str, str, str] | None = None       # agent, step, file
        self._numbers, self._keys, self.chance = 0, cycle(self.created), random.Random(1)
        self._wait_ready()
        self.started = time.monotonic()
        self._follower = Follower(Manifest(Bucket(server.client())), self, follow) if follow else None

    def _wait_ready(self) -> None:
        for agent in self.agents.values():
            if not agent.pipe.poll(30):
                raise TimeoutError(f"waited 30 s for {agent.name} to be ready")
            agent.pipe.recv()

    @property
    def now(self) -> float:
        """Seconds since the scene began."""
        return time.monotonic() - self.started

    # Running

    def run(self, seconds: float) -> Scene:
        """Records fall due for so long; whichever producer's turn comes first sends them."""
        begin, due = self.now, 0
        while due < int(seconds * self.rate):
            producer = min(self.producers, key=lambda producer: producer.turn)
            self._listen(producer.turn - self.now)
            until = min(int((self.now - begin) * self.rate), int(seconds * self.rate))
            self._send(producer, [begin + (number + 1) / self.rate for number in range(due, until)])
            producer.turn, due = self.now + self.linger * self.chance.uniform(0.5, 1.5), until
        return self

    def run_until_held(self, agent: str, step: str, timeout: float = 10.0) -> str:
        """Records flow until this agent stands before a step (`put`, `commit`, `answer`); the name of its file."""
        self.agents[agent].send("hold", step)
        deadline = self.now + timeout
        while self.held is None:
            if self.now > deadline:
                raise TimeoutError(f"waited {timeout:g} s for {agent} to reach the step {step!r}")
            self.run(self.linger)
        return self.held[2]

    def drain(self, timeout: float = 20.0) -> Scene:
        """No more records: waits until all are answered that an agent has which neither stands still nor is dead."""
        deadline = self.now + timeout
        while any(p.flying for p in self.producers if p.agent.name in self.agents and not self._stands(p.agent)):
            if self.now > deadline:
                raise TimeoutError(f"waited {timeout:g} s for the agents to answer")
            self._listen(0.05)
        return self

    def _stands(self, agent: AgentProcess) -> bool:
        return self.held is not None and self.held[0] == agent.name

    def _send(self, producer: Producer, times: list[float]) -> None:
        """Records come into being at these times and are sent, a batch a key."""
        first = {key: len(created) for key, created in self.created.items()}
        for time_ in times:
            self.created[next(self._keys)].append(time_)
        batches = [self._batch(producer, key, first[key]) for key in first if len(self.created[key]) > first[key]]
        if batches:
            self._numbers += 1
            producer.flying[self._numbers] = self.now, batches
            producer.send(self._numbers)

    def _batch(self, producer: Producer, key: str, first: int) -> tuple[int, Batch]:
        producer.sequences[key] += 1
        values = tuple(range(first, len(self.created[key])))
        return self.history.op(), Batch(producer.name, key, producer.sequences[key] - 1, values)

    # Hearing

    def _listen(self, seconds: float) -> None:
        """Hears what the agents say within so many seconds."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            pipes = {agent.pipe: agent for agent in self.agents.values()}
            if not pipes:
                time.sleep(left)
            for pipe in wait(list(pipes), left) if pipes else ():
                try:
                    self._hear(pipes[pipe], *pipe.recv())
                except (EOFError, OSError):
                    self._gone(pipes[pipe])
        if self._follower:
            self._follower.write()

    def _hear(self, agent: AgentProcess, kind: str, *said) -> None:
        if kind == "holding":
            self.held = (agent.name, *said)
            return
        answers, requests = said
        self.requests += requests
        for number, offsets in answers.items():
            producer = next((producer for producer in self.producers if number in producer.flying), None)
            if producer and REFUSED in offsets:
                producer.send(number)
            elif producer:
                invoked, batches = producer.flying.pop(number)
                for (op, batch), offset in zip(batches, offsets):
                    self._record(producer, op, batch, OK, max(offset, UNKNOWN), invoked)

    def _gone(self, agent: AgentProcess) -> None:
        """An agent is dead: its producers turn to another one, with all that is unanswered, in order."""
        self.agents.pop(agent.name).close()
        self.held = None if self._stands(agent) else self.held
        for producer in self.producers:
            if producer.agent is agent and self.agents:
                producer.agent = next(iter(self.agents.values()))
                for number in producer.flying:
                    producer.send(number)

    def _record(self, producer: Producer, op: int, batch: Batch, type: int, offset: int, invoked: float) -> None:
        history = self.history
        history.sent(op, history.processes.code(producer.name), history.keys.code(batch.key), batch.values[0],
                     len(batch.values), offset, type, history.errors.code("unknown" if type != OK else ""), invoked,
                     self.now)

    # What can happen to an agent, and to the files of a dead one

    def kill(self, agent: str) -> None:
        """SIGKILL to the agent's process."""
        self.agents[agent].kill()

    def go_on(self) -> None:
        """The agent that stands still goes on."""
        name, self.held = self.held[0], None
        self.agents[name].send("go on")

    def orphans(self) -> list[str]:
        """Files that nobody has committed."""
        known = self.manifest.read()[0]["files"]
        return [name for name in self.bucket.names(FILES) if name not in known]

    def collect(self, fence: bool = True) -> list[str]:
        """Deletes the orphans; see `object_log.collect`."""
        return collect(self.manifest, fence)

    # The end

    def finish(self) -> Report:
        """Ends the agents, reads the log from its beginning, and judges what the clients saw."""
        self.drain()
        if self._follower:
            self._follower.stop()
        for agent in self.agents.values():
            agent.close()
        for producer in self.producers:
            for invoked, batches in producer.flying.values():
                for op, batch in batches:
                    self._record(producer, op, batch, INFO, UNKNOWN, invoked)
        self.history.created = {code: np.array(times) for code, times in enumerate(self.created.values())}
        reader = Reader(self.manifest)
        self.history.assign(FINAL_READER, list(self.created), time=self.now)
        self.history.poll(FINAL_READER, reader.poll(), time=self.now)
        self.history.drained = True
        return check(self.history)  # against the strongest promise: nothing lost, nothing twice, everything in order


def lost(report: Report) -> int:
    """Acknowledged records that the final reader did not find."""
    return sum(report.verdicts[kind].records for kind in ("lost write", "unseen", "vanished"))


class Follower(Thread):
    """A consumer that polls the manifest again and again."""

    def __init__(self, manifest: Manifest, scene: Scene, every: float):
        super().__init__(daemon=True)
        self.reader, self.scene, self.every = Reader(manifest), scene, every
        self.polls, self.ended = SimpleQueue(), Event()
        scene.history.assign("reader", list(scene.created), time=0.0)
        self.start()

    def run(self) -> None:
        """Polls until told to stop, and once more then."""
        last = False
        while not last:
            last = self.ended.wait(self.every)
            invoked = self.scene.now
            try:
                self.polls.put((self.reader.poll(), invoked, self.scene.now))
            except BotoCoreError:   # the store is away; the next poll begins where this one did
                continue

    def write(self) -> None:
        """Writes the polls since the last time into the history."""
        while not self.polls.empty():
            records, invoked, completed = self.polls.get()
            self.scene.history.poll("reader", records, invoked=invoked, time=completed)

    def stop(self) -> None:
        """Ends the reader when it has read everything."""
        self.ended.set()
        self.join()
        self.write()
