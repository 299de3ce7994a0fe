"""Relays in processes of their own, each told at which of its steps to die by SIGKILL.

`Lives` keeps one process that has imported everything and forks once a life, so that dying twenty times does not mean
importing twenty times; where processes cannot fork (Windows), each life is a process that imports. It reads lives from
standard input and ends with it, so it cannot outlive the notebook.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import traceback

import nats
import psycopg

from labs.outbox import RELAYS, Publisher

NAME = "relay"  # of its sessions, as pg_stat_activity shows them
SIGKILL = getattr(signal, "SIGKILL", signal.SIGTERM)


class Steps:
    """Counts a relay's steps, and ends the process before number `die_at`, as abruptly as a process can end."""

    def __init__(self, die_at: int = 0):
        self.die_at, self.names = die_at, []

    def __call__(self, name: str) -> None:
        self.names.append(name)
        if len(self.names) == self.die_at:
            os.kill(os.getpid(), SIGKILL)


async def relay(kind: str, postgres: str, servers: list[str], stream: str, deduplicate: bool,
                steps: Steps) -> Publisher:
    """Works until nothing waits; the publisher with its counts."""
    with psycopg.connect(postgres, autocommit=True, application_name=NAME) as db:
        async with await nats.connect(servers) as client:
            publisher = Publisher(client.jetstream(), stream, deduplicate)
            while await RELAYS[kind](db, publisher, steps):
                pass
            return publisher


class Lives:
    """A process that lives relays' lives one after another."""

    def __init__(self):
        self.process = subprocess.Popen([sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, cwd=os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

    def live(self, *arguments, die_at: int) -> int:
        """The exit code of a relay with these arguments, -9 if it was killed."""
        self.process.stdin.write(json.dumps([*arguments, die_at]) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self) -> None:
        """Ends the process."""
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def forked(work) -> int:
    """The exit code of a child that does some work, -9 if it was killed."""
    child = os.fork()
    if not child:
        try:
            work()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def live(*arguments, die_at: int) -> None:
    """One life."""
    asyncio.run(relay(*arguments, Steps(die_at)))


def main() -> None:
    """Lives a life a line, and tells how each ended."""
    for line in sys.stdin:
        *arguments, die_at = json.loads(line)
        if hasattr(os, "fork"):
            print(forked(lambda: live(*arguments, die_at=die_at)), flush=True)
        else:
            code = f"from labs.relay_process import live; live(*{arguments!r}, die_at={die_at})"
            print(-SIGKILL if subprocess.run([sys.executable, "-c", code]).returncode else 0, flush=True)


if __name__ == "__main__":
    main()
