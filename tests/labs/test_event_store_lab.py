"""The exercise's event store on PostgreSQL and the library's: the same account, the same rules, the lab's claims."""
import random
import threading
from pathlib import Path

import pytest
from without import cells_of

from exercises.event_sourcing.check import some_history
from exercises.event_sourcing.history import Conflict, Event, state_after
from labs import needs, store_figures, store_race
from labs.own_store import OwnStore

LAB = Path(needs.__file__).parent / "event-store.md"
WITHOUT = "from labs import needs\nneeds.find = lambda name: None"
STREAM = "joint"


@pytest.fixture(scope="module")
def own(database):
    return OwnStore(database)


@pytest.fixture(scope="module")
def bank(database):
    pytest.importorskip("psycopg_pool", reason=needs.missing("eventsourcing"))
    from labs.bank import Bank, connected
    with Bank(connected(database)) as bank:
        yield bank


def orders(writers: int = 3) -> list[list[tuple]]:
    """More than there is in all, and one command that everybody is given."""
    own = [[("withdraw", f"w{writer}-{n}", STREAM, 2_000) for n in range(4)] for writer in range(writers)]
    return [[*each, ("withdraw", "same", STREAM, 500)] for each in own]


def contest(store, withdraw, rows) -> list:
    store.open(STREAM, "ada")
    store.deposit(STREAM, 10_000)
    before = rows()
    answers = store_race.race(withdraw, orders())
    assert sum(answer["returned"] is True for answer in answers) >= 4, "some money was there"
    return store_race.judged(rows(), before, orders(), answers)


@pytest.mark.real
def test_the_own_store_holds_every_rule(own):
    assert contest(own, own.withdraw, lambda: [row for row in own.rows() if row[0] == STREAM]) == []


@pytest.mark.real
def test_the_librarys_store_holds_every_rule(bank):
    from labs.bank import id_of, rows
    assert contest(bank, bank.withdraw, lambda: rows(bank, {id_of(STREAM): STREAM})) == []


@pytest.mark.real
def test_without_memory_a_repeated_command_pays_twice_and_the_judge_sees_it(bank):
    from labs.bank import id_of, rows
    bank.open("forgetful", "bob")
    bank.deposit("forgetful", 10_000)
    for _ in range(2):
        bank.withdraw("again", "forgetful", 500, remember=False)
    assert bank.load("forgetful")[1]["balance"] == 9_000
    streams = {id_of(STREAM): STREAM, id_of("forgetful"): "forgetful"}
    found = [row for row in rows(bank, streams) if row[0] == "forgetful"]
    given = [[("withdraw", "again", "forgetful", 500)] * 2]
    answers = [store_race.answered(lambda *_: True, 0, number, given[0][number]) for number in range(2)]
    assert {each.rule for each in store_race.judged(found, found[:2], given, answers)} == {"doubled"}


@pytest.mark.real
def test_an_append_is_recognised_refused_and_never_torn(own):
    own.open("ada", "ada")
    two = [Event(name, "deposited", {"cents": 1, "channel": "app"}) for name in "ab"]
    own.append("ada", 1, two)
    own.append("ada", 1, two)
    assert own.load("ada")[0] == 3
    for expected in (0, 1, 4):
        with pytest.raises(Conflict):
            own.append("ada", expected, [Event("c", "renamed", {"owner": "bob"})])
    with pytest.raises(Conflict, match="faster"):
        own_read, own.read = own.read, lambda stream: own_read(stream)[:2]  # what a slow writer saw
        try:
            own.append("ada", 2, [Event("d", "renamed", {"owner": "cyd"})])
        finally:
            del own.read
    assert [event.event_id for event in own.read("ada")] == ["ada-0", "a", "b"]


@pytest.mark.real
def test_old_events_are_read_like_todays_and_stay_what_they_are(bank):
    from labs.bank import id_of, plant
    history = some_history(random.Random(7), "old", 30, (1, 2, 3))
    plant(bank, history)
    assert bank.load("old") == (30, state_after(history))
    with bank.recorder.datastore.get_connection() as db:
        query = "SELECT state FROM bank_events WHERE originator_id = %s AND originator_version = 2"
        assert b'"amount"' in bytes(db.execute(query, [id_of("old")]).fetchone()["state"])


@pytest.mark.real
def test_a_snapshot_of_an_older_program_is_not_noticed_until_somebody_deletes_it(bank, database):
    from labs.bank import plant_old_snapshot
    bank.open("kept", "ada")
    bank.deposit("kept", 100)
    plant_old_snapshot(bank, "kept")
    with pytest.raises(AttributeError, match="withdrawals"):
        bank.load("kept")
    with database.connect() as db:
        db.execute("DELETE FROM bank_snapshots")
    assert bank.load("kept")[1]["withdrawals"] == 0


@pytest.mark.real
def test_a_save_waits_for_whoever_has_not_committed(bank, database):
    bank.open("waiting", "ada")
    with database.connect(autocommit=False) as slow:
        slow.execute("LOCK TABLE bank_events IN EXCLUSIVE MODE")
        saving = threading.Thread(target=bank.deposit, args=("waiting", 1))
        saving.start()
        saving.join(0.3)
        assert saving.is_alive() and bank.load("waiting")[0] == 1, "readers do not wait"
        slow.rollback()
    saving.join(20)
    assert bank.load("waiting")[0] == 2


def test_without_its_parts_the_lab_runs_and_says_what_it_left_out():
    cells_of(LAB, WITHOUT, "postgres is not in this environment")


def test_a_package_needs_its_other_half(monkeypatch):
    package = needs.Package("json", "no_such_package", "pip install it")
    assert package.find() is None and "`pip install it`" in package.missing()
    assert needs.Package("json", "csv", "").find().endswith("__init__.py")


def test_the_figure_compares_many_writers_with_one():
    figure = store_figures.appends({"own store": {1: 100.0, 8: 600.0}, "library": {1: 100.0, 8: 120.0}})
    assert figure.headline == "With 8 writers, own store: 6.0 times as many; library: 1.2 times as many"
    assert "own store: 100 with 1, 600 with 8" in figure.caption
    figure.canvas.draw()
