"""Crashes are real: what was not committed is gone, what was in memory is gone, a dead process does nothing more."""
import sqlite3

import pytest
from exercises.attack import Clock, Crash, Process, smallest
from exercises.attack.memory import restarted
from exercises.attack.sqlite import step_in


def committed(path) -> list:
    db = sqlite3.connect(path)
    rows = [row[0] for row in db.execute("SELECT x FROM t")]
    db.close()
    return rows


@pytest.fixture
def database(tmp_path):
    db = sqlite3.connect(tmp_path / "test.db")
    db.execute("CREATE TABLE t (x INTEGER UNIQUE)")
    db.close()
    return str(tmp_path / "test.db")


def two_rows(db):
    with db:
        db.execute("INSERT INTO t VALUES (1)")
        db.execute("INSERT INTO t VALUES (2)")


@pytest.mark.parametrize("crash, rows", [(1, []), (2, []), (3, []), (4, [1, 2])])
def test_a_transaction_is_there_after_its_commit_and_not_before(database, crash, rows):
    process = Process("p", Clock([crash]), database, {"f": two_rows})
    assert process.call("f")["outcome"] == ("info" if crash < 4 else "ok")
    process.stop()
    assert committed(database) == rows


@pytest.mark.parametrize("write", [
    lambda db: (db.execute("INSERT INTO t VALUES (1)"), db.commit()),
    lambda db: (db.cursor().execute("INSERT INTO t VALUES (1)"), db.commit()),
    lambda db: (db.executemany("INSERT INTO t VALUES (?)", [(1,)]), db.commit()),
    lambda db: (db.execute("BEGIN"), db.execute("INSERT INTO t VALUES (1)"), db.execute("COMMIT")),
    lambda db: (db.execute("INSERT INTO t VALUES (1)"), db.execute("end transaction")),
])
def test_every_way_to_write_and_commit_is_two_steps(database, write):
    clock = Clock()
    process = Process("p", clock, database, {"f": lambda db: write(db)})
    process.call("f")
    process.stop()
    assert [event["what"] for event in clock.events if "step" in event] == ["INSERT t", "COMMIT"]
    assert committed(database) == [1]


def test_a_program_that_swallows_the_crash_is_dead_all_the_same(database):
    def stubborn(db):
        for x in (1, 2, 3):
            try:
                with db:
                    db.execute("INSERT INTO t VALUES (?)", (x,))
            except BaseException:
                continue
    process = Process("p", Clock([3]), database, {"f": stubborn})
    assert process.call("f")["outcome"] == "info"
    process.stop()
    assert committed(database) == [1]


def test_an_open_transaction_is_lost_when_the_call_returns(database):
    process = Process("p", Clock(), database, {"f": lambda db: db.execute("INSERT INTO t VALUES (1)")})
    assert process.call("f")["outcome"] == "ok"
    process.stop()
    assert committed(database) == []


def test_scripts_are_refused_because_no_crash_can_stop_inside_them(database):
    process = Process("p", Clock(), database, {"f": lambda db: db.executescript("INSERT INTO t VALUES (1)")})
    assert process.call("f")["error"] == "NotSupportedError"
    process.stop()


def test_going_round_in_circles_ends(database):
    def circles(db):
        while True:
            try:
                db.execute("INSERT INTO t VALUES (1)")
            except sqlite3.IntegrityError:
                continue
    process = Process("p", Clock(), database, {"f": circles})
    assert process.call("f")["outcome"] == "endless"
    process.stop()


@pytest.mark.parametrize("sql, step", [
    ("SELECT replace(x, 1, 2) FROM t", None), ("BEGIN", None),
    ("  insert or ignore into inbox values (1)", "INSERT inbox"),
    ("UPDATE outbox SET state = 1", "UPDATE outbox"), ("WITH a AS (SELECT 1) DELETE FROM outbox", "DELETE outbox"),
    ("commit", "COMMIT"), ("ROLLBACK", None), ('REPLACE INTO "t" VALUES (1)', "REPLACE t")])
def test_what_counts_as_a_step(sql, step):
    assert step_in(sql) == step


seen, limit = set(), 3


def helper(x):
    seen.add(x)
    return len(seen)


def remembers(x, cache=[]):  # noqa: B006 - a mutable default is the memory this test is about
    cache.append(x)
    return helper(x), len(cache), limit


def test_a_restart_forgets_globals_defaults_and_closures():
    def counter():
        count = []
        return lambda: count.append(1) or len(count)
    functions = {"remembers": remembers, "counter": counter()}
    first = restarted(functions)
    assert [first["remembers"](1), first["remembers"](2)] == [(1, 1, 3), (2, 2, 3)]
    assert [first["counter"](), first["counter"]()] == [1, 2]
    second = restarted(functions)
    assert second["remembers"](3) == (1, 1, 3)
    assert second["counter"]() == 1
    assert seen == set()


def test_a_function_may_call_itself_after_a_restart():
    def factorial(n):
        return 1 if n == 0 else n * factorial(n - 1)
    assert restarted({"f": factorial})["f"](5) == 120


def test_a_failing_plan_shrinks_to_the_fault_that_matters():
    def fewer(plan):
        return [plan[:n] + plan[n + 1:] for n in range(len(plan))]
    assert smallest((1, 2, 3, 4), lambda plan: 3 in plan, fewer) == (3,)


def test_a_crash_is_no_exception():
    assert not issubclass(Crash, Exception)


# The film of a failing run.

EVENTS = [{"who": "worker-1", "what": "call", "call": "pay", "about": "o1", "outcome": "info"},
          {"who": "worker-1", "what": "INSERT seen", "step": 1}, {"who": "worker-1", "what": "COMMIT", "step": 2},
          {"who": "worker-1", "what": "charge o1", "step": 3},
          {"who": "worker-1", "what": "request lost", "fault": True},
          {"who": "worker-1", "what": "answer o1", "step": 4},
          {"who": "worker-1", "what": "crash", "fault": True, "step": 5},
          {"who": "worker-1", "what": "call", "call": "pay", "about": "o1", "outcome": "ok"}]


def test_a_failing_run_is_a_film_in_which_what_was_lost_gets_lost_and_the_dead_start_again():
    from exercises.attack.film import film
    shown = film(EVENTS, lambda event: f"fault: {event['what']}", title="o1 was paid twice.", question="pay: twice")
    names = [shown.trace.kinds[code].name for code in shown.trace.events.rows["kind"]]
    assert names == ["call", "step", "commit", "ask", "lost", "fault", "note", "crash", "restart", "call"]
    assert "fault: crash" in shown.story() and "o1 was paid twice." in shown.story()
    assert (shown.trace.events.rows["time"][1:] >= shown.trace.events.rows["time"][:-1]).all()


@pytest.mark.parametrize("runs, faults, words", [
    (1, 0, "pay: correct. 1 run."), (3, 1, "pay: correct. 3 runs, 1 fault survived."),
    (2396, 136, "pay: correct. 2,396 runs, 136 faults survived.")])
def test_what_is_correct_says_what_it_went_through(runs, faults, words):
    from exercises.attack import Verdict
    assert repr(Verdict("pay", "correct", runs, faults)) == words


def test_only_what_failed_has_a_film():
    from exercises.attack import Finding, Verdict
    assert Verdict("pay", "correct", 3, 2).play() is None
    found = Finding("twice", "o1 was paid twice.", "It died.", [], EVENTS, lambda event: event["what"])
    assert Verdict("pay", "wrong", 3, 2, found).play().title == "o1 was paid twice."
