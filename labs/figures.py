"""Pictures of an outage: what the clients of a real stream lived through, and the model's prediction with the measurement on top."""

from __future__ import annotations

import numpy as np

from simulator.evidence.history import History
from simulator.views.picture import Picture, picture, sentence, words
from simulator.views.style import LABEL, LIGHT, plural

from .outage import outage_after

BIN = 0.1  # seconds
MARKS = {"killed": ("X", "lost"), "asked to stop": ("D", "watermark"), "restarted": ("^", "leader"), "paused": ("P", "watermark"),
         "resumed": ("^", "leader")}


def acknowledgements(history: History, faults: list[tuple[float, str, str]]) -> Picture:
    """Acknowledgements a second over time, every outage as a bar below, and what was done to which node."""
    stops = [(when, what, node, outage_after(history, when)) for when, what, node in faults if what in ("killed", "asked to stop")]
    figure, (axis,) = picture(*_story(history, stops), height=2.6)
    acks = np.sort(history.acknowledged()["completed"])
    counts, edges = np.histogram(acks, np.arange(0, acks[-1] + BIN, BIN))
    axis.stairs(counts / BIN, edges, fill=True, color=LIGHT["broker"], alpha=0.75)
    top = counts.max() / BIN
    for when, what, node in faults:
        marker, meaning = MARKS[what]
        axis.plot(when, 1.08 * top, marker, color=LIGHT[meaning], markersize=8, clip_on=False)
        axis.annotate(f"{node} {what}", (when, 1.08 * top), xytext=(0, 8), textcoords="offset points", ha="center", fontsize=LABEL - 1.5,
                      color=LIGHT["ink"], rotation=20)
    for _, _, _, (begin, end) in stops:
        axis.plot([begin, end], [-0.04 * top] * 2, color=LIGHT["lost"], linewidth=4, solid_capstyle="butt")
        axis.annotate(f"{end - begin:.2g} s", ((begin + end) / 2, 0), xytext=(0, 5), textcoords="offset points", ha="center", fontsize=LABEL)
    axis.set_ylim(-0.08 * top, 1.5 * top)
    words(axis, "seconds since the recording began", "acknowledgements a second")
    return figure


def _story(history: History, stops) -> tuple[str, str]:
    told = [f"{node} was {what} at {when:.1f} s and acknowledgements paused for {end - begin:.2g} s" for when, what, node, (begin, end) in stops]
    longest = max((end - begin for *_, (begin, end) in stops), default=0.0)
    title = f"Without a leader nothing is acknowledged: the longest pause was {longest:.1f} s"
    caption = (f"Acknowledgements a second in bins of {BIN:g} s, {plural(len(history.acknowledged()), 'record')} in all. {'; '.join(told)}. "
               "The peak after each pause is the publisher working off the records that had fallen due meanwhile. Measured on this machine.")
    return title, caption


def failover(model: np.ndarray, measured=(), *, seed: int = 0) -> Picture:
    """The model's distribution of the time without acknowledgements, and the times measured after killing a real leader."""
    low, middle, high = np.quantile(model, (0.05, 0.5, 0.95))
    inside = sum(low <= seconds <= high for seconds in measured)
    title = (f"{inside} of {plural(len(measured), 'measured fail-over')} inside the model's middle 90 %" if len(measured) else
             f"The model expects a pause of {low:.1f} to {high:.1f} s, and never one under {model.min():.0f} s")
    told = f" Measured on this machine: {', '.join(f'{seconds:.1f} s' for seconds in measured)}." if len(measured) else ""
    figure, (axis,) = picture(title, sentence(f"{plural(len(model), 'simulated fail-over')}: median {middle:.1f} s, nine in ten between "
                                              f"{low:.1f} and {high:.1f} s (shaded).{told}", seed), height=2.2)
    axis.hist(model, np.arange(0, model.max() + 0.25, 0.25), weights=np.full(len(model), 100 / len(model)), color=LIGHT["consumer"])
    axis.axvspan(low, high, color=LIGHT["rule"], alpha=0.5, zorder=0)
    axis.axvline(middle, color=LIGHT["ink"], linestyle="--", linewidth=1)
    for number, seconds in enumerate(measured):
        axis.plot(seconds, 0.6, "D", color=LIGHT["lost"], markersize=9, clip_on=False, label="measured" if not number else None)
    axis.set_xlim(0, max(10, *measured, model.max()) if len(measured) else max(10, model.max()))
    words(axis, "seconds without acknowledgements", "% of simulated fail-overs")
    if len(measured):
        axis.legend(frameon=False, fontsize=LABEL, loc="upper left")
    return figure
