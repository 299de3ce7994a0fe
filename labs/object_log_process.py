"""An agent as a process of its own: batches in through a pipe, offsets out, and a SIGKILL when it is least welcome.

Processes are forked from a server that has imported everything once, so that a dozen agents do not import a dozen times
(Windows has no such thing and imports). One that finds its pipe closed ends: it cannot outlive the notebook.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from queue import Empty, SimpleQueue
from threading import Event, Thread

from botocore.exceptions import BotoCoreError

from labs.object_log import Agent, Batch, Bucket, Manifest
from labs.servers.process import POSIX
from labs.servers.seaweedfs import connect

connect("http://127.0.0.1:1", "nobody", "nothing")  # asks nobody; what is imported for it need not be after a fork
CONTEXT = multiprocessing.get_context("forkserver" if POSIX else "spawn")
if POSIX:
    CONTEXT.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Settings:
    """An agent's settings; `condition` and `sequences` are the manifest's (see `object_log`)."""
    batch_timeout: float = 0.25
    record_bytes: int = 1_000
    condition: bool = True
    sequences: bool = True

    def __post_init__(self):
        if not self.batch_timeout > 0:
            raise ValueError(f"batch_timeout: {self.batch_timeout!r} is not greater than 0 seconds")
        if self.record_bytes < 8:
            raise ValueError(f"record_bytes: {self.record_bytes!r} is not at least 8, the bytes of a record's number")


class AgentProcess:
    """The notebook's end of an agent: `send` it requests, `receive` what it says, and kill it."""

    def __init__(self, name: str, address: dict, settings: Settings):
        self.name = name
        self.pipe, theirs = CONTEXT.Pipe()
        self.process = CONTEXT.Process(target=run, args=(theirs, name, address, settings), daemon=True)
        self.process.start()
        theirs.close()

    def send(self, *message) -> None:
        """Says something; a dead agent does not hear it, and its silence will be noticed elsewhere."""
        try:
            self.pipe.send(message)
        except OSError:
            self.process.join(1)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.join()

    def close(self) -> None:
        """Closes the pipe, which ends the agent."""
        self.pipe.close()
        self.process.join(5)
        if self.process.is_alive():
            self.kill()


def run(pipe: Connection, name: str, address: dict, settings: Settings) -> None:
    """The life of an agent."""
    bucket = Bucket(connect(**address))
    try:
        bucket.names("nothing/")    # connects now, not with the first record
        bucket.requests.clear()
        Loop(pipe, name, Manifest(bucket, settings.condition, settings.sequences), settings).run()
    except BotoCoreError:       # without a store an agent is nothing; the broken pipe will tell
        os._exit(1)


class Loop:
    """Collects requests for a while, flushes, answers.

    In come ("append", number, batches), ("hold", step) and ("go on",). Out go ("ready",), ("holding", step, file) and
    ("answers", {number: offsets}, requests to the store).
    """

    def __init__(self, pipe: Connection, name: str, manifest: Manifest, settings: Settings):
        self.pipe, self.timeout = pipe, settings.batch_timeout
        self.agent = Agent(name, manifest, settings.record_bytes, self.step)
        self.requests: SimpleQueue[tuple[float, int, list[Batch]]] = SimpleQueue()
        self.hold, self.go_on = "", Event()

    def run(self) -> None:
        """Flushes `batch_timeout` after the first request that is not in a file yet."""
        Thread(target=self.listen, daemon=True).start()
        self.pipe.send(("ready",))
        waiting = []
        while True:
            arrived, *_ = first = waiting.pop(0) if waiting else self.requests.get()
            waiting.insert(0, first)
            while (left := arrived + self.timeout - time.monotonic()) > 0:
                try:
                    waiting.append(self.requests.get(timeout=left))
                except Empty:
                    break
            self.flush(waiting)
            waiting = []

    def flush(self, requests: list[tuple[float, int, list[Batch]]]) -> None:
        """One file of these requests, and their answers."""
        for _, _, batches in requests:
            for batch in batches:
                self.agent.append(batch)
        offsets = iter(self.agent.flush())
        answers = {number: [next(offsets) for _ in batches] for _, number, batches in requests}
        done = self.agent.manifest.bucket.requests
        self.pipe.send(("answers", answers, done.copy()))
        done.clear()

    def step(self, name: str, file: str) -> None:
        """Stands still before a step if told to, until told to go on or killed."""
        if name == self.hold:
            self.hold = ""
            self.pipe.send(("holding", name, file))
            self.go_on.wait()
            self.go_on.clear()

    def listen(self) -> None:
        """Hears what the notebook says; the end of the pipe is the end of the process."""
        try:
            while True:
                kind, *rest = self.pipe.recv()
                if kind == "append":
                    self.requests.put((time.monotonic(), *rest))
                elif kind == "hold":
                    self.hold = rest[0]
                else:
                    self.go_on.set()
        except (EOFError, OSError):
            os._exit(0)
