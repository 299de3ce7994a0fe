"""Small servers, and whether they still live."""
import os
import sys
import time


def python(code: str) -> list[str]:
    """A command that runs a few lines of Python: the smallest server there is."""
    return [sys.executable, "-I", "-S", "-c", code]


def is_running(pid: int) -> bool:
    """Whether a process exists and is more than a zombie that nobody has buried yet."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return not os.path.exists("/proc/self")  # a system without /proc: the signal's word counts


def eventually(condition, seconds: float = 60.0) -> bool:
    """Whether a condition becomes true in time."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(condition())
