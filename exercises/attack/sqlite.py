"""A real SQLite connection whose writes and commits are steps at which the process may die."""
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

READS = re.compile(r"\s*(SELECT|PRAGMA|EXPLAIN|VALUES)\b", re.IGNORECASE)
WRITE = re.compile(r"\b(INSERT|REPLACE|UPDATE|DELETE)\b(?:\s+OR\s+\w+)?(?:\s+INTO|\s+FROM)?\s+[\"'`\[]?(\w+)",
                   re.IGNORECASE)
LOCK = re.compile(r"\s*BEGIN\s+(IMMEDIATE|EXCLUSIVE)\b", re.IGNORECASE)
COMMIT = re.compile(r"\s*(COMMIT|END|RELEASE)\b", re.IGNORECASE)


def connect(path: str, process) -> "Connection":
    """Open the database for a process. Processes die here, machines do not: no need to wait for the disk."""
    db = sqlite3.connect(path, factory=Connection, timeout=0)
    db.process = process
    sqlite3.Connection.execute(db, "PRAGMA synchronous = OFF")
    sqlite3.Connection.execute(db, "PRAGMA journal_mode = MEMORY")
    return db


def step_in(sql: str) -> str | None:
    """The side effect of a statement in two words, or None if it has none."""
    if READS.match(sql):
        return None
    if LOCK.match(sql):
        return "BEGIN"
    if COMMIT.match(sql):
        return "COMMIT"
    write = WRITE.search(sql)
    return f"{write[1].upper()} {write[2]}" if write else None


class Cursor(sqlite3.Cursor):
    """A cursor that tells its process about every write before it happens."""

    def execute(self, sql, parameters=()):
        return self.watched(super().execute, sql, parameters)

    def executemany(self, sql, parameters):
        return self.watched(super().executemany, sql, parameters)

    def executescript(self, script):
        raise sqlite3.NotSupportedError("executescript: the attack cannot stop inside a script; call execute instead")

    def watched(self, execute, sql, parameters):
        self.connection.process.breathe()
        step = step_in(sql)
        if step is None or (step == "COMMIT" and not self.connection.in_transaction):
            return execute(sql, parameters)
        event = self.connection.process.step(step)
        try:
            result = execute(sql, parameters)
        except sqlite3.Error as error:
            event["error"] = str(error)
            raise
        if step != "COMMIT" and not self.connection.in_transaction:
            event["what"] += " (committed at once)"
        return result


class Connection(sqlite3.Connection):
    """`sqlite3.Connection`, with the C shortcuts led through the watched cursor and commit."""

    process = None

    def cursor(self, factory=Cursor):
        return super().cursor(factory)

    def execute(self, sql, parameters=()):
        return self.cursor().execute(sql, parameters)

    def executemany(self, sql, parameters):
        return self.cursor().executemany(sql, parameters)

    def executescript(self, script):
        return self.cursor().executescript(script)

    def commit(self):
        self.process.breathe()
        if self.in_transaction:
            self.process.step("COMMIT")
        super().commit()

    def __exit__(self, kind, error, traceback):
        if kind is None:
            self.commit()
        else:
            self.rollback()
        return False


@contextmanager
def locked(database: str) -> Iterator[None]:
    """A stranger's write transaction around a call, unless a paused process holds the lock already."""
    stranger = sqlite3.connect(database, isolation_level=None, timeout=0)
    try:
        with suppress(sqlite3.OperationalError):  # then it is locked as it is
            stranger.execute("BEGIN IMMEDIATE")
        yield
    finally:
        stranger.close()


def made(path: str, schema: str = "", statements=()) -> None:
    """Create tables and rows without being watched; without a schema the tables are there already."""
    if schema:
        Path(path).write_bytes(empty(schema))
    if statements:
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("PRAGMA synchronous = OFF")
            for sql, parameters in statements:
                db.execute(sql, parameters)


@cache
def empty(schema: str) -> bytes:
    """The file of a database with these tables and nothing in them."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        with closing(sqlite3.connect(path)) as db:
            db.executescript(schema)
        return path.read_bytes()


READERS: dict[str, sqlite3.Connection] = {}  # bystanders of the run in progress: to come takes longer than to look


def rows(path: str, sql: str) -> list[list]:
    """What a bystander reads from a database file; raises if somebody keeps readers out."""
    if path not in READERS:
        # the next run may be another thread's
        READERS[path] = sqlite3.connect(path, timeout=0, check_same_thread=False)
    return [list(row) for row in READERS[path].execute(sql)]


def leave() -> None:
    """The bystanders go, before their files do."""
    while READERS:
        READERS.popitem()[1].close()
