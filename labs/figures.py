"""Pictures of an outage: what clients of a real stream lived through, and the prediction beneath the measurement."""

from __future__ import annotations

import numpy as np

from simulator.evidence.history import History
from simulator.views.picture import Picture, picture, sentence, words
from simulator.views.style import LABEL, LIGHT, plural, seconds

from .outage import ELECTION_TIMEOUT, outage_after

BIN = 0.1  # seconds
MARKS = {"killed": ("X", "lost"), "asked to stop": ("D", "watermark"), "paused": ("P", "watermark"),
         "restarted": ("^", "leader"), "resumed": ("^", "leader")}
ENDS = ("killed", "asked to stop")


def acknowledgements(history: History, faults: list[tuple[float, str, str]]) -> Picture:
    """Acknowledgements a second over time, every outage as a bar below, and what was done to which node."""
    stops = [(when, what, node, outage_after(history, when)) for when, what, node in faults if what in ENDS]
    figure, (axis,) = picture(*_story(history, stops), height=2.6)
    acks = np.sort(history.acknowledged()["completed"])
    counts, edges = np.histogram(acks, np.arange(0, acks[-1] + BIN, BIN))
    axis.stairs(counts / BIN, edges, fill=True, color=LIGHT["broker"], alpha=0.75)
    top = counts.max() / BIN
    for number, (when, what, node) in enumerate(faults):
        marker, meaning = MARKS[what]
        height = (1.08 + 0.2 * (number % 3)) * top  # three rows, so that the words of faults close together stay apart
        axis.plot(when, height, marker, color=LIGHT[meaning], markersize=8, clip_on=False)
        axis.annotate(f"{node} {what}", (when, height), xytext=(7, 0), textcoords="offset points", va="center",
                      fontsize=LABEL - 1.5, color=LIGHT["ink"])
    for _, _, _, (begin, end) in stops:
        axis.plot([begin, end], [-0.04 * top] * 2, color=LIGHT["lost"], linewidth=4, solid_capstyle="butt")
        axis.annotate(f"{end - begin:.1f} s", ((begin + end) / 2, 0), xytext=(0, 5), textcoords="offset points",
                      ha="center", fontsize=LABEL)
    axis.set_ylim(-0.08 * top, 1.65 * top)
    words(axis, "seconds since the recording began", "acknowledgements a second")
    return figure


def _story(history: History, stops) -> tuple[str, str]:
    told = [f"{node} was {what} at {when:.1f} s and acknowledgements paused for {end - begin:.1f} s"
            for when, what, node, (begin, end) in stops]
    longest = max((end - begin for *_, (begin, end) in stops), default=0.0)
    title = f"Without a leader nothing is acknowledged: the longest pause was {longest:.1f} s"
    count = plural(len(history.acknowledged()), "record")
    caption = (f"Acknowledgements a second in bins of {BIN:g} s, {count} in all. {'; '.join(told)}. The peak "
               "after each pause is the publisher working off what had fallen due meanwhile. Measured on this machine.")
    return title, caption


def failover(model: np.ndarray, measured=(), *, seed: int = 0) -> Picture:
    """The model's distribution of the time without acknowledgements, and the times measured on a real stream."""
    low, middle, high = np.quantile(model, (0.05, 0.5, 0.95))
    figure, (axis,) = picture(*_prediction(model, measured, low, middle, high, seed), height=2.2)
    shares = np.full(len(model), 100 / len(model))
    axis.hist(model, np.arange(0, model.max() + 0.25, 0.25), weights=shares, color=LIGHT["consumer"])
    axis.axvspan(low, high, color=LIGHT["rule"], alpha=0.5, zorder=0)
    axis.axvline(middle, color=LIGHT["ink"], linestyle="--", linewidth=1)
    axis.set_xlim(0, 1.05 * max(9.5, *measured, 0))
    words(axis, "seconds without acknowledgements", "% of simulated fail-overs")
    if len(measured):
        axis.plot(measured, [0.6] * len(measured), "D", color=LIGHT["lost"], markersize=9, label="measured")
        axis.legend(frameon=False, fontsize=LABEL, loc="upper left")
    return figure


def _prediction(model, measured, low, middle, high, seed) -> tuple[str, str]:
    title = f"The model expects a pause of {low:.1f} to {high:.1f} s, and none under {model.min():.0f} s"
    late = np.mean(model > ELECTION_TIMEOUT[1] + 0.2)
    told = (f"{plural(len(model), 'simulated fail-over')}: median {middle:.1f} s (dashed), nine in ten between "
            f"{low:.1f} and {high:.1f} s (shaded), {late:.1%} later still, after a split vote.")
    if len(measured):
        inside = sum(low <= pause <= high for pause in measured)
        title = f"{inside} of {plural(len(measured), 'measured fail-over')} inside the model's middle 90 %"
        told += f" Measured on this machine: {', '.join(f'{pause:.1f} s' for pause in measured)}."
    return title, sentence(told, seed)


def losses(predicted: dict, measured: dict | None = None, *, seed: int = 0) -> Picture:
    """Acknowledged records that were lost under each `acks`: predicted by the model and, if there, measured."""
    series = [("predicted", predicted, "consumer", "")] + [("measured", measured, "lost", "//")] * bool(measured)
    figure, (axis,) = picture(*_losses(predicted, measured, seed), height=0.5 + 0.6 * len(predicted))
    top = max(max(counts.values()) for _, counts, _, _ in series) or 1
    for row, (name, counts, colour, hatch) in enumerate(series):
        places = np.arange(len(predicted)) + (row - (len(series) - 1) / 2) * 0.38
        axis.barh(places, [counts[acks] for acks in predicted], 0.34, color=LIGHT[colour], hatch=hatch,
                  edgecolor=LIGHT["paper"], label=name)
        for place, acks in zip(places, predicted):
            axis.annotate(f"{counts[acks]:,}", (counts[acks], place), xytext=(5, 0), textcoords="offset points",
                          va="center", fontsize=LABEL)
    axis.set_yticks(range(len(predicted)), [f"acks={acks}" for acks in predicted])
    axis.set_xlim(0, 1.12 * top)
    axis.invert_yaxis()
    words(axis, "acknowledged records lost", "")
    if measured:
        axis.legend(frameon=False, fontsize=LABEL, loc="lower right")
    return figure


def _losses(predicted: dict, measured: dict | None, seed: int) -> tuple[str, str]:
    def told(counts: dict) -> str:
        return ", ".join(f"{count:,} under acks={acks}" for acks, count in counts.items())
    title = f"A leader that dies alone takes {max(predicted.values()):,} acknowledged records along: predicted"
    caption = f"Acknowledged records lost, predicted by the model: {told(predicted)}."
    if measured:
        caption += f" Measured on this machine: {told(measured)}."
        title = (f"A leader that died alone took {max(measured.values()):,} acknowledged records along, "
                 f"{measured['all']:,} of acks=all")
    return title, sentence(caption, seed)


def speed(latencies: np.ndarray) -> str:
    """Latencies of one publisher that waits for every acknowledgement, in words."""
    middle, tail = np.quantile(latencies, (0.5, 0.99))
    return f"median {seconds(middle)}, p99 {seconds(tail)}, {1 / latencies.mean():,.0f} acknowledged a second"
