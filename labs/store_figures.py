"""A picture of two event stores: appends a second against writers."""

from __future__ import annotations

from simulator.views.picture import Picture, picture, words
from simulator.views.style import LABEL, series


def appends(rates: dict[str, dict[int, float]]) -> Picture:
    """For each store, how many appends a second so many writers bring about together."""
    gains = {name: _gain(by_writers) for name, by_writers in rates.items()}
    title = "; ".join(f"{name}: {gain:.1f} times as many" for name, gain in gains.items())
    told = "; ".join(f"{name}: " + ", ".join(f"{rate:,.0f} with {writers}" for writers, rate in by_writers.items())
                     for name, by_writers in rates.items())
    most = max(max(by_writers) for by_writers in rates.values())
    caption = (f"Appends a second by the number of writers, each at streams of its own. {told}. The title compares "
               f"{most} writers with one. Measured on this machine, a second each.")
    figure, (axis,) = picture(f"With {most} writers, {title}", caption, height=2.4)
    for number, (name, by_writers) in enumerate(rates.items()):
        axis.plot(list(by_writers), list(by_writers.values()), label=name, **series(number))
    axis.set_ylim(bottom=0)
    axis.legend(frameon=False, fontsize=LABEL)
    words(axis, "writers", "appends a second")
    return figure


def _gain(by_writers: dict[int, float]) -> float:
    return by_writers[max(by_writers)] / by_writers[min(by_writers)]
