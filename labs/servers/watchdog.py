"""Ends servers when the process that started them is gone, however it went.

Run as `python watchdog.py FOLDER`, at the head of a process group of its own that the servers join. Standard input is a
pipe whose other end only the parent holds: the operating system closes it when the parent exits, crashes or is killed
with SIGKILL, and then the read below returns. (Linux could deliver a signal instead, PR_SET_PDEATHSIG, but that follows
the parent's thread and exists nowhere else.)
"""

import os
import shutil
import signal
import sys
import time


def main(folder: str) -> None:
    """Waits for the parent's end, kills the servers and removes their folder."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the Stop button of a notebook interrupts a cell, not the brokers
    if hasattr(signal, "SIGHUP"):  # sent to a group whose parent has gone while one of it was paused
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    pids = sys.stdin.read().split()
    if os.name == "nt":
        kill_each(pids)
    else:
        kill_group()
    remove(folder)


def kill_group() -> None:
    """Everything in this process group is killed; whoever returns from here is a child that has left it."""
    group = os.getpgrp()
    if os.fork():
        signal.pause()  # dies with the rest
    os.setpgid(0, 0)
    os.killpg(group, signal.SIGKILL)


def kill_each(pids: list[str]) -> None:
    """Windows has no process groups to kill, so the parent wrote down the id of every server it started."""
    for pid in pids:
        try:
            os.kill(int(pid), signal.SIGTERM)
        except OSError as gone:
            print(f"{pid}: {gone}", file=sys.stderr)


def remove(folder: str, patience: float = 60.0) -> None:
    """The folder is gone; dying servers may still write to it for a moment, hence the repeats."""
    deadline = time.monotonic() + patience
    while os.path.exists(folder) and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.02)


if __name__ == "__main__":
    main(sys.argv[1])
