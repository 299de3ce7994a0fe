"""Relays that die before each of their steps: nothing lost, order kept, copies bounded and recognised."""
import pytest

from labs import outbox, relay_process
from labs.relay_trials import ORDERS, Trials
from labs.servers.nats import NatsCluster

COMMITTED = 5  # of the six orders; the database refuses one


@pytest.fixture(scope="module")
def trials(database, nats_server):
    with NatsCluster(1, quiet=True) as cluster, Trials(database, cluster) as trials:
        yield trials


@pytest.mark.real
@pytest.mark.parametrize("kind, steps", [
    ("poll", ["claim", *["publish"] * COMMITTED, "mark", "commit", "claim"]),
    ("follow", ["peek", *["publish"] * COMMITTED, "advance", "peek"])])
@pytest.mark.parametrize("deduplicate", [True, False])
def test_wherever_a_relay_dies_nothing_is_lost(trials, kind, steps, deduplicate):
    deaths = trials.every_death(kind, deduplicate)
    assert [trial.died_before.split()[0] for trial in deaths] == steps
    for trial in deaths:
        assert trial.report.ok, (trial.died_before, trial.report)
        assert trial.lost == 0 and trial.history.drained
        repeats = trial.sent - COMMITTED  # of what one dead relay had in flight
        assert 0 <= repeats <= COMMITTED
        assert trial.copies == (0 if deduplicate else repeats)
    assert max(trial.sent for trial in deaths) == 2 * COMMITTED, "somewhere a whole batch is sent again"


@pytest.mark.real
def test_the_judge_sees_a_relay_that_marks_first(trials, monkeypatch):
    """The same trial of a wrong relay: it remembers before it has published."""
    async def careless(db, publisher, step, batch=100):
        with db.transaction():
            rows = db.execute(outbox.CLAIM, [batch]).fetchall()
            db.execute(outbox.MARK, [[position for position, *_ in rows]])
        for _, *event in rows[1:]:
            await publisher.publish(outbox.Event(*event))
        return len(rows)
    monkeypatch.setitem(outbox.RELAYS, "careless", careless)
    history = trials._prepare()
    trials._work("careless", True)
    trials._read(history)
    report = trials.judged(history, True)
    assert not report.ok and "lost write" in report.broken


@pytest.mark.real
@pytest.mark.parametrize("kind, again", [("follow", COMMITTED), ("poll", 0)])
def test_a_slot_goes_back_when_the_database_crashes_and_a_flag_does_not(trials, kind, again):
    """`pg_replication_slot_advance` is written down at the next checkpoint only."""
    assert trials.after_a_crash(kind) == again


def test_the_orders_are_of_several_customers_and_one_is_refused():
    assert sum(amount > 0 for _, amount in ORDERS) == COMMITTED
    assert len({customer for customer, _ in ORDERS}) == 2


def test_a_life_that_fails_is_told(capfd):
    def fails():
        raise ZeroDivisionError("a relay with a bug")
    assert relay_process.forked(lambda: None) == 0
    assert relay_process.forked(fails) == 1
    assert "a relay with a bug" in capfd.readouterr().err
