"""What a submission may not do, refused from inside its kernel before the first cell runs.

It starts no processes, reaches no other machine, writes in its own folders only and does not read the course's own
answers. Python announces each of these before it happens, on every system, and a hook that listens cannot be removed:
the refusal says in a sentence what was tried. On Linux a filter on system calls stands behind the hook, for code that
does not go through Python: no new processes, no new sockets but local ones. It holds for root, too.
"""
import ctypes
import os
import platform
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import exercises

HOME = Path(exercises.__file__).parent
ANSWERS = {"source.md", "mutants", "alternatives"}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
HERE = {None, "localhost", "127.0.0.1", "::1", b"localhost", b"127.0.0.1", b"::1"}
PROCESSES = ("os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "os.system", "pty.spawn",
             "subprocess.Popen")
CALLS_OUT = ("socket.bind", "socket.connect", "socket.sendmsg", "socket.sendto")
CHANGES = {"os.chmod": 1, "os.chown": 1, "os.mkdir": 1, "os.remove": 1, "os.rmdir": 1, "os.truncate": 1, "os.utime": 1,
           "shutil.rmtree": 1, "sqlite3.connect": 1, "os.link": 2, "os.rename": 2, "os.symlink": 2}  # how many paths


def put_up(*folders: str) -> None:
    """Fence this process in, for good; it may write below these folders."""
    within = tuple(os.path.realpath(folder) + os.sep for folder in folders)

    def outside(path) -> bool:
        path = os.path.realpath(os.fsdecode(path))
        return not (path + os.sep).startswith(within) and path != os.devnull

    sys.addaudithook(lambda event, args: refuse(event, args, outside))
    if numbers := NUMBERS.get(platform.machine()) if sys.platform == "linux" else None:
        no_calls(**numbers)


def refuse(event: str, args: tuple, outside: Callable) -> None:
    """Raises `PermissionError` if what Python is about to do is one of the four things that are refused."""
    if event in PROCESSES:
        raise PermissionError(f"a submission starts no processes ({event})")
    if event == "open" and isinstance(args[0], (str, bytes)):
        if args[2] & WRITES and outside(args[0]):
            raise PermissionError(f"a submission writes in its own folder only, not to {os.fsdecode(args[0])}")
        path = Path(os.path.realpath(os.fsdecode(args[0])))
        if path.is_relative_to(HOME) and ANSWERS & set(path.parts):
            raise PermissionError(f"a submission does not read the course's own answers ({path.relative_to(HOME)})")
    for path in args[:CHANGES.get(event, 0)]:
        if isinstance(path, (str, bytes, os.PathLike)) and path != ":memory:" and outside(path):
            raise PermissionError(f"a submission changes its own folder only, not {os.fsdecode(path)}")
    if event == "socket.getaddrinfo" or event in CALLS_OUT and isinstance(args[1], tuple):  # else its address is a file
        host = args[0] if event == "socket.getaddrinfo" else args[1][0]
        if host not in HERE:
            raise PermissionError(f"a submission has no network beyond this machine ({event} {host})")


# System calls by processor: (AUDIT_ARCH_*, then the numbers). Filters are programs of a small machine, see seccomp(2).
NUMBERS = {
    "x86_64": {"machine": 0xC000003E, "seccomp": 317, "clone": 56, "socket": 41, "refuse": (57, 58, 59, 322, 425)},
    "aarch64": {"machine": 0xC00000B7, "seccomp": 277, "clone": 220, "socket": 198, "refuse": (221, 281, 425)},
}  # to refuse: fork, vfork, execve, execveat, io_uring_setup; of these aarch64 has no fork and no vfork
CLONE3, CLONE_THREAD, AF_UNIX = 435, 0x10000, 1
LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, NOT_PERMITTED, UNKNOWN_CALL = 0x7FFF0000, 0x00050001, 0x00050026
CALL, MACHINE, FIRST_ARGUMENT = 0, 4, 16  # where these lie in `struct seccomp_data`


def program(machine: int, clone: int, socket: int, refuse: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    """Instructions (code, steps to jump if true, if false, operand): threads and local sockets pass, no others."""
    return [(LOAD, 0, 0, MACHINE), (EQUAL, 1, 0, machine), (RETURN, 0, 0, NOT_PERMITTED), (LOAD, 0, 0, CALL),
            *(step for each in refuse for step in ((EQUAL, 0, 1, each), (RETURN, 0, 0, NOT_PERMITTED))),
            (EQUAL, 0, 1, CLONE3), (RETURN, 0, 0, UNKNOWN_CALL),  # its flags are out of sight; libraries then use clone
            (EQUAL, 0, 4, clone), (LOAD, 0, 0, FIRST_ARGUMENT),
            (ANY_BIT, 0, 1, CLONE_THREAD), (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, NOT_PERMITTED),
            (EQUAL, 0, 3, socket), (LOAD, 0, 0, FIRST_ARGUMENT),
            (EQUAL, 1, 0, AF_UNIX), (RETURN, 0, 0, NOT_PERMITTED), (RETURN, 0, 0, ALLOW)]


def no_calls(seccomp: int, **numbers) -> None:
    """Install the filter in all threads of this process; where the kernel has none, the hook stands alone."""
    steps = program(**numbers)
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    filters = ctypes.create_string_buffer(struct.pack("HP", len(steps), ctypes.addressof(code)))
    libc = ctypes.CDLL(None)
    libc.prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    libc.syscall(seccomp, 1, 1, filters)  # SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC
