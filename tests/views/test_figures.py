"""Figures say what they found, in a title and in words, for any data: plenty, little, none."""
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from simulator.evidence.history import History
from simulator.evidence.trace import Trace
from simulator.views import figures, style
from simulator.views.picture import png


def tiny_history() -> History:
    history = History()
    history.send("producer", "orders-0", 0, offset=0, time=1.0, invoked=0.5)
    history.poll("consumer", {"orders-0": [(0, 0)]}, time=2.0)
    return history


def tiny_trace() -> Trace:
    trace = Trace()
    trace.node("a", "producer"), trace.node("b", "queue")
    sent = trace.add(0.0, trace.kind("publish", "send", "{node} publishes to {peer}"), 0, 1)
    trace.add(0.1, trace.kind("drop", "drop", "lost"), 1, 0, cause=sent)
    return trace


OF_HISTORY = [figures.latency_cdf, figures.throughput, figures.lag]
OF_TRACE = [figures.isr_gantt, figures.space_time, figures.topology]


@pytest.mark.parametrize("figure", OF_HISTORY + OF_TRACE, ids=lambda figure: figure.__name__)
@pytest.mark.parametrize("amount", ["none", "little", "plenty"])
def test_a_figure_has_a_finding_a_caption_and_a_seed(figure, amount, story):
    of_history = figure in OF_HISTORY
    data = {"none": (History(), Trace()), "little": (tiny_history(), tiny_trace()),
            "plenty": (story.history, story.trace)}[amount]
    drawn = figure(data[0 if of_history else 1], seed=7)
    assert len(drawn.headline) > 5 and figures.caption(drawn).endswith("Seed 7.")
    assert drawn.headline in [text.get_text() for text in drawn.texts], "the title is not on the figure"
    assert png(drawn).startswith(b"\x89PNG")


def test_titles_are_computed_from_the_data(story):
    fast, slow = np.full(950, 0.01), np.full(50, 0.08)
    assert figures.latency_cdf(np.concatenate([fast, slow])).headline == "p99 is 80 ms: 8 times the median"
    assert figures.throughput(story.history).headline.startswith("Almost nothing acknowledged for 8")
    assert figures.isr_gantt(story.trace).headline == "orders-0 had no leader for 899 ms"
    assert "lost; broker-1 down from 2.002 s" in figures.space_time(story.trace, 1.99, 2.02).headline
    assert figures.space_time(story.trace, 1.0, 1.1).headline.startswith("All of ")


def test_a_title_of_ones_own_wins(story):
    assert figures.lag(story.history, title="Mine").headline == "Mine"


def test_lag_counts_what_was_acknowledged_and_not_yet_read():
    history = History()
    for value in range(10):
        history.send("producer", "k", value, offset=value, time=1.0 + value)
    history.poll("consumer", {"k": [(value, value) for value in range(10)]}, time=20.0)
    from simulator.views.curves import lag_over_time
    grid, lag = lag_over_time(history)
    assert lag.max() == 10 and lag[-1] == 0 and lag[np.searchsorted(grid, 5.5)] == 5


def test_a_sweep_shows_the_band_around_repeated_experiments():
    rows = [{"rate": rate, "seed": seed, "p99": rate * 10 + seed} for rate in (1, 2, 3) for seed in range(5)]
    figure = figures.sweep(pd.DataFrame(rows), "rate", "p99", seed=7, theory=([1, 3], [12, 32], "theory"))
    assert figure.headline == "p99 goes from 12 to 32 as rate goes from 1 to 3"
    band = figure.axes[0].collections[0].get_paths()[0].get_extents()
    assert band.y0 == pytest.approx(12 - 2.776 * np.std(range(5), ddof=1) / np.sqrt(5), rel=1e-3)


def test_small_multiples_name_the_best():
    figure = figures.compare({"slow": np.linspace(1, 2, 100), "fast": np.linspace(0.1, 0.2, 100)}, seed=1)
    assert figure.headline.startswith("fast has the shortest tail") and "10 times shorter than slow" in figure.headline


def test_a_notebook_gets_alternative_text(story):
    bundle = figures.lag(story.history, seed=7)._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/png", "text/plain"}
    assert bundle["text/html"].startswith('<img alt="Lag peaks at') and bundle["text/plain"].endswith("Seed 7.")


def test_showing_a_foreign_figure_needs_words():
    from matplotlib.figure import Figure
    with pytest.raises(ValueError, match="alt"):
        figures.show(Figure())


def test_figures_draw_quickly(story):
    figures.lag(story.history)
    spent = []
    for _ in range(3):
        start = time.process_time()
        png(figures.lag(story.history))
        spent.append(time.process_time() - start)
    assert min(spent) < 0.3, "a slider would stutter"


def test_every_curve_differs_by_more_than_colour():
    looks = [style.series(number) for number in range(8)]
    assert len({look["color"] for look in looks}) == len({look["marker"] for look in looks}) == 8
    assert style.mark("crash").shape != style.mark("elected").shape


def test_importing_the_simulator_loads_no_plotting():
    code = "import sys, simulator; sys.exit('matplotlib' in sys.modules or 'networkx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
