"""Members of a Kafka consumer group, each a process that can be killed or frozen, in the History of a Recording.

    group = Group(recording, protocol="consumer")  # KIP-848; "classic" is the older protocol
    first, second = group.join("consumer-1"), group.join("consumer-2")
    first.kill()

A member commits a batch after working on it (`work` seconds a record), so a member that dies within a batch leaves it
to be read again. What a member polled is written down when it says so; if it died before it could speak, it is not.
"""

from __future__ import annotations

import json
import subprocess
import sys
from threading import Thread

from labs.servers.process import Server, wait_until

from . import kafka_member
from .kafka import Recording

PROTOCOLS = ("classic", "consumer")


class Group:
    """A consumer group over a recording's topic; other options are librdkafka's, with underscores for dots.

    `protocol` "classic" is the one in which members agree by JoinGroup and SyncGroup (`partition_assignment_strategy`
    "cooperative-sticky" makes it incremental), "consumer" the one in which the coordinator decides (KIP-848). A classic
    member is given up after `session_timeout` seconds without a heartbeat; under KIP-848 that is the broker's to say.
    """

    def __init__(self, recording: Recording, name: str = "group", protocol: str = "classic", *, batch: int = 20,
                 work: float = 0.001, session_timeout: float = 6.0, **options):
        if protocol not in PROTOCOLS:
            raise ValueError(f"protocol: {protocol!r} is not 'classic' or 'consumer'")
        self.recording, self.name, self.batch, self.work = recording, name, batch, work
        self.config = {"bootstrap.servers": recording.bootstrap, "group.id": name, "group.protocol": protocol,
                       "auto.offset.reset": "earliest", "enable.auto.commit": False}
        if protocol == "classic":
            self.config |= {"session.timeout.ms": round(session_timeout * 1000),
                            "heartbeat.interval.ms": round(session_timeout * 1000 / 4)}
        self.config |= {option.replace("_", "."): value for option, value in options.items()}
        self.members: dict[str, Member] = {}

    def join(self, name: str, **options) -> Member:
        """Starts one more member; `group_instance_id="a"` makes it a static one."""
        own = {option.replace("_", "."): value for option, value in options.items()}
        self.members[name] = Member(self, name, self.config | own)
        return self.members[name]

    def wait_owned(self, timeout: float = 120.0) -> float:
        """Seconds until the running members own every partition, each once."""
        everything = list(range(self.recording.partitions))
        what = f"an owner for every partition in group {self.name}"
        return wait_until(lambda: self.owned() == everything, timeout, what)

    def owned(self) -> list[int]:
        """The partitions of the running members, in order."""
        return sorted(partition for member in self.members.values() if member.alive for partition in member.owned)

    def wait_read(self, timeout: float = 120.0) -> float:
        """Seconds until some member or other was given every record sent so far."""
        wanted = [len(times) for times in self.recording.created]
        return wait_until(lambda: self._read() >= sum(wanted), timeout, f"group {self.name} to read all")

    def _read(self) -> int:
        return len(set().union(*(member.seen for member in self.members.values())))

    def close(self) -> None:
        """Ends every member that still runs, politely."""
        for member in self.members.values():
            member.stop()

    def __enter__(self) -> Group:
        return self

    def __exit__(self, *exception) -> None:
        self.close()


class Member:
    """One member: the process, what it owns, what it was given, and what the coordinator said to its commits."""

    def __init__(self, group: Group, name: str, config: dict):
        self.recording, self.name = group.recording, name
        self.owned: set[int] = set()
        self.seen: set[tuple[int, int]] = set()  # (partition, offset)
        self.events: list[tuple[float, str, dict]] = []  # (seconds, what, details)
        told = {"config": config, "topic": group.recording.topic, "work": group.work, "batch": group.batch}
        self.process = subprocess.Popen([sys.executable, kafka_member.__file__, json.dumps(told)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.server = Server(name, self.process, None)
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    @property
    def refusals(self) -> list[str]:
        """The errors with which commits were refused."""
        return [details["error"] for _, what, details in self.events if what == "refused"]

    def happened(self, what: str) -> list[float]:
        """When something happened ("assigned", "revoked", "lost", "polled", "committed", "refused", "closed")."""
        return [when for when, name, _ in self.events if name == what]

    def wait_for(self, what: str, count: int = 1, timeout: float = 120.0) -> float:
        """Seconds until something has happened this often."""
        return wait_until(lambda: len(self.happened(what)) >= count or not self.alive, timeout, f"{self.name}: {what}")

    def wait_for_verdict(self, commits: int, timeout: float = 120.0) -> bool:
        """Waits for the answer to one more commit than so many; whether it was refused.

        A member that was away is refused if its commit is faster than its heartbeat. By a heartbeat it learns that it
        is out and joins anew, and the commit of a member is taken, whatever it says of partitions that are no longer
        its own.
        """
        wait_until(lambda: self.refusals or len(self.happened("committed")) > commits or not self.alive, timeout,
                   f"{self.name}: an answer")
        return bool(self.refusals)

    def order(self, what: str) -> None:
        """Tells the member to `hold` (neither commit nor poll), `go` on, `commit` its latest batch, or `close`."""
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        """SIGKILL: it never commits what it is working on."""
        self.recording.mark("crash", self.name)
        self.server.kill()
        self._listener.join()

    def pause(self) -> None:
        """SIGSTOP: no heartbeats, as in a long garbage collection."""
        self.server.pause()

    def resume(self) -> None:
        """SIGCONT: it goes on where it was, and knows nothing of the time that passed."""
        self.server.resume()

    def stop(self, patience: float = 60.0) -> None:
        """Leaves the group in good order; killed if it takes too long."""
        if self.alive:
            self.order("close")
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.server.kill()
        self._listener.join()
        self.process.stdin.close()

    def _listen(self) -> None:
        for line in self.process.stdout:
            self._heard(json.loads(line))
        self.process.stdout.close()
        self.owned = set()

    def _heard(self, told: dict) -> None:
        what, when = told.pop("what"), told.pop("time")
        if what == "polled":
            records = [tuple(record) for record in told.pop("records")]
            self.recording.polled(self.name, records, self.recording.clock(told["began"]), self.recording.clock(when))
            self.seen.update((partition, offset) for partition, offset, _ in records)
        elif what in ("assigned", "revoked", "lost"):
            self.owned = set(told["partitions"])
            self.recording.mark("subscribe", self.name, sorted(self.owned), when)
        self.events.append((self.recording.clock(when), what, told))
