"""The lab's notebook without servers, its measurements and its figures with them."""
from pathlib import Path

import numpy as np
import pytest
from without import cells_of

from labs import needs, outbox, outbox_figures, outbox_load
from labs.outbox_load import Load
from labs.relay_trials import Trial
from labs.servers.nats import NatsCluster
from simulator.evidence.checks import check
from simulator.evidence.history import FINAL_READER, History

LAB = Path(needs.__file__).parent / "outbox-cdc.md"
WITHOUT = "from labs import needs\nneeds.find = lambda name: None"


def test_without_servers_the_lab_runs_and_says_what_it_left_out():
    cells = cells_of(LAB, WITHOUT, "postgres is not in this environment: run `pip install")
    assert any("280" in str(output) for cell in cells for output in cell.outputs), "the modelled half shows its table"


def test_the_prose_says_what_the_census_counts():
    table = outbox_figures.census_table()
    assert list(table.columns) == ["loses (S, X, C) of 560", "loses (X, S, C) of 560", "stuck (one rolls back) of 560",
                                   "inverts (one aggregate) of 270"]
    assert table.loc["(xid, position), xmin"].tolist() == [0, 0, 0, 135], "half of the schedules come out upside down"
    assert table.loc["flag"].tolist() == [0] * 4


@pytest.fixture(scope="module")
def loads(database, nats_server):
    """Asking and being told; again, if the machine stood still for longer than the pause between two questions."""
    with NatsCluster(1, quiet=True) as cluster:
        for _ in range(4):
            asked, told = [outbox_load.measure(database, cluster, pause, rate=50, seconds=1) for pause in (0.3, None)]
            if outbox_load.median(told) < outbox_load.median(asked):
                break
        return asked, told


@pytest.mark.real
def test_being_told_is_sooner_than_asking_and_writes_less(loads):
    asked, told = loads
    assert len(asked.latencies) == len(told.latencies) == 50, "every event was published"
    assert min(asked.latencies) > 0 and min(told.latencies) > 0
    assert outbox_load.median(told) < outbox_load.median(asked)
    assert told.wal < asked.wal and (told.dead, asked.dead) == (0, 1)


@pytest.mark.real
def test_an_unread_slot_keeps_the_log_and_a_read_one_does_not(database):
    with database.connect() as db:
        outbox.create(db)
        lines = outbox_load.retention(db, megabytes=4)
        db.execute("SELECT pg_drop_replication_slot('nobody')")
    read, unread = (dict(lines[slot]) for slot in (outbox.SLOT, "nobody"))
    assert unread[4] > 4 and read[4] < 3
    figure = outbox_figures.retained(lines)
    assert "keeps everything" in figure.headline and "never keeps more than" in figure.caption


def test_the_figure_of_costs_says_what_each_relay_asked_of_the_database():
    loads = [Load("poll", 0.5, np.full(10, 0.25), 4.0, 700.0, 1.0),
             Load("stream", None, np.full(10, 0.0005), 1.0, 480.0, 0.0)]
    figure = outbox_figures.costs(loads)
    assert figure.headline == "Asking trades delay for load; being told takes 500 µs in the median"
    assert "asks every 500 ms: median 250 ms" in figure.caption and "480 bytes of log and 0 dead" in figure.caption
    figure.canvas.draw()


def test_the_figure_of_deaths_counts_what_was_lost():
    history = History()
    history.send("shop", "ada", 0)
    history.send("shop", "ada", 1)
    history.poll(FINAL_READER, {"ada": [(1, 1)]})
    history.drained = True
    trial = Trial("mark", history, sent=2, stored=1, report=check(history))
    assert (trial.lost, trial.copies) == (1, 0)
    figure = outbox_figures.deaths({"asks": [trial], "reads": [trial]})
    assert figure.headline == "2 deaths, 2 events lost, 0 stored twice"
    figure.canvas.draw()
