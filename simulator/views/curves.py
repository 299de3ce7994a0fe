"""Curves over recorded data: latency distributions, throughput and lag over time, sweeps, systems side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulator.evidence.history import FINAL_READER, OK, History
from simulator.evidence.statistics import mean_interval
from simulator.evidence.queue_history import QueueHistory

from . import reading, style
from .picture import Picture, empty, picture, sentence, words

QUANTILES = (0.5, 0.9, 0.99, 0.999)
BINS = 120


# Latency


def latency_cdf(history: History | np.ndarray, *, what: str = "produce", theory=None, seed=None,
                title: str | None = None) -> Picture:
    """How long records took, as a distribution whose axis gives the tail as much room as the middle.

    `history` may also be an array of seconds. `theory` is (seconds, share no slower, label), drawn dashed.
    """
    values = latencies(history, what)
    if not len(values):
        return empty(title or "No latency to show", "No record completed, so there is no latency to show.", seed)
    marks = np.quantile(values, QUANTILES)
    figure, (axis,) = picture(title or _tail(marks), sentence(_latency_words(values, marks, what, theory), seed))
    _draw_cdf(axis, values, "broker")
    for quantile, mark, marker in zip(QUANTILES, marks, style.MARKERS):
        axis.plot(mark, _nines(quantile), marker, color=style.LIGHT["broker"], markersize=7)
        axis.annotate(f"p{quantile * 100:g}  {style.seconds(mark)}", (mark, _nines(quantile)), xytext=(9, -3),
                      textcoords="offset points", fontsize=style.LABEL, color=style.LIGHT["ink"], va="top")
    if theory is not None:
        _draw_theory(axis, theory)
    _latency_axes(axis, values)
    return figure


def latencies(history, what: str) -> np.ndarray:
    """The latencies of a history in seconds, shortest first; an array stands for itself."""
    values = history.latencies(what) if hasattr(history, "latencies") else np.asarray(history, float)
    return np.sort(values[np.isfinite(values)])


def _tail(marks) -> str:
    median, p99 = marks[0], marks[2]
    ratio = f"{p99 / median:.2g} times the median" if median > 0 else f"the median is {style.seconds(median)}"
    return f"p99 is {style.seconds(p99)}: {ratio}"


def _latency_words(values, marks, what, theory) -> str:
    span = {"produce": "creation to acknowledgement", "end_to_end": "creation to first delivery"}.get(what, what)
    told = ", ".join(f"p{q * 100:g} {style.seconds(m)}" for q, m in zip(QUANTILES, marks))
    line = f" The dashed line is {theory[2]}." if theory is not None else ""
    return (f"Seconds from {span} of {style.plural(len(values), 'record')}: {told}, "
            f"slowest {style.seconds(values.max())}.{line}")


def _nines(share):
    """A share on the axis of nines: 90 % is 1, 99 % is 2, 99.9 % is 3."""
    return -np.log10(np.maximum(1 - np.asarray(share), 1e-12))


def _draw_cdf(axis, values, hue: str, line: str = "-", label: str | None = None) -> None:
    heights = np.linspace(0, min(4.0, np.log10(len(values) + 1)), 200)
    ranks = np.ceil((1 - 10.0 ** -heights) * len(values)).astype(int) - 1
    axis.plot(values[np.maximum(ranks, 0)], heights, line, color=style.LIGHT.get(hue, hue), linewidth=1.8, label=label)


def _draw_theory(axis, theory) -> None:
    x, share, label = theory
    axis.plot(x, _nines(share), "--", color=style.LIGHT["lost"], linewidth=1.5, label=label)
    axis.legend(fontsize=style.SMALL, frameon=False, loc="lower right")


def _latency_axes(axis, values, few: bool = False) -> None:
    low, high = max(values.min(), 1e-7), max(values.max(), 1e-7)
    axis.set_xscale("log")
    axis.set_xlim(low / 1.3, high * 2.2)
    ticks = _log_ticks(low / 1.3, high * 2.2, few)
    axis.set_xticks(ticks, [style.seconds(tick) for tick in ticks])
    axis.minorticks_off()
    axis.set_ylim(0, 4.05)
    axis.set_yticks([0, 0.30103, 1, 2, 3, 4], ["0 %", "50 %", "90 %", "99 %", "99.9 %", "99.99 %"])
    words(axis, "latency", "records no slower")


def _log_ticks(low: float, high: float, few: bool) -> list[float]:
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    span = np.log10(high / low) * (2 if few else 1)
    steps = (1, 2, 5) if span < 2.5 else (1, 3) if span < 4 else (1,)
    decades = decades[::2] if span > 8 else decades
    return [step * 10.0 ** decade for decade in decades for step in steps if low <= step * 10.0 ** decade <= high]


# Throughput


def throughput(history: History, *, faults=(), seed=None, title: str | None = None,
               bin: float | None = None) -> Picture:
    """Records a second, acknowledged and delivered, over time; `faults` is (time, text) pairs to mark."""
    acknowledged, delivered = history.flow("acknowledged"), history.flow("delivered")
    times = np.concatenate([acknowledged[0], delivered[0]])
    if not len(times):
        return empty(title or "Nothing was acknowledged or delivered",
                     "No send and no poll succeeded, so there is no throughput to show.", seed)
    end = float(max(times.max(), 1e-9))
    edges = np.linspace(0, end, BINS + 1 if bin is None else max(2, int(np.ceil(end / bin)) + 1))
    rates = [np.histogram(at, edges, weights=count)[0] / (edges[1] - edges[0])
             for at, count in (acknowledged, delivered)]
    confirmed = len(acknowledged[0]) > 0
    finding = _outage(edges, rates[0] if confirmed else rates[1], "acknowledged" if confirmed else "delivered")
    figure, (axis,) = picture(
        title or finding,
        sentence(
            f"Records a second over {style.seconds(end)}: {_mean(acknowledged, end)} acknowledged (solid) and "
            f"{_mean(delivered, end)} delivered (dashed) on average. {finding}.", seed), height=2.6)
    for rate, label, hue, line in zip(rates, ("acknowledged", "delivered"), ("producer", "broker"), ("-", "--")):
        axis.stairs(rate, edges, color=style.LIGHT[hue], linestyle=line, linewidth=1.6, label=label)
    _over_time(axis, end, faults, "records/s")
    axis.legend(fontsize=style.SMALL, frameon=False, loc="lower left", ncols=2)
    return figure


def _deliveries(history: History) -> np.ndarray:
    rows = history.polls.rows
    rows = rows[rows["type"] == OK]
    return rows[rows["process"] != history.processes.code(FINAL_READER)] if FINAL_READER in history.processes else rows


def _mean(flow, end) -> str:
    return style.number(flow[1].sum() / end)


def _outage(edges, rate, verb: str) -> str:
    """The longest silence if there was one worth the name, else the level at which it went."""
    level = float(np.median(rate[rate > 0])) if (rate > 0).any() else 0.0
    start, length = _longest_run(rate < 0.05 * level)
    width = edges[1] - edges[0]
    if level and 2 <= length < len(rate) and start + length < len(rate):
        return f"Almost nothing {verb} for {style.seconds(length * width)} from {style.instant(edges[start])}"
    return f"{style.number(level)} records/s {verb}, without an outage" if level else f"No record was {verb}"


def _longest_run(flags) -> tuple[int, int]:
    """Where the longest run of True starts, and its length."""
    steps = np.diff(np.concatenate([[0], flags.astype(int), [0]]))
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    if not len(starts):
        return 0, 0
    longest = int(np.argmax(ends - starts))
    return int(starts[longest]), int((ends - starts)[longest])


def _over_time(axis, end: float, faults, y: str) -> None:
    axis.set_xlim(0, end)
    axis.set_ylim(0, axis.dataLim.y1 * (1.3 if faults else 1.08) or 1)
    axis.yaxis.set_major_formatter(lambda value, _: style.number(value))
    words(axis, "simulated time (s)", y)
    fault_marks(axis, faults)


def fault_marks(axis, faults) -> None:
    """A dotted line and a word at the time of each fault, in at most three rows so that words stay apart."""
    span, last = axis.get_xlim()[1] - axis.get_xlim()[0], [-np.inf] * 3
    for time, text in sorted(faults):
        axis.axvline(time, color=style.LIGHT["lost"], linestyle=":", linewidth=1.1)
        row = next((row for row in range(3) if time > last[row]), None)
        if row is not None:
            last[row] = time + span * 0.014 * (len(text) + 2)
            right = time > axis.get_xlim()[0] + span * (1 - 0.013 * len(text))
            axis.annotate(text, (time, 1), xycoords=("data", "axes fraction"),
                          xytext=(-3 if right else 3, -3 - 11 * row), textcoords="offset points",
                          ha="right" if right else "left", va="top", fontsize=style.SMALL, color=style.LIGHT["lost"])


# Lag

def lag(history: History, *, faults=(), seed=None, title: str | None = None) -> Picture:
    """How many acknowledged records nobody had read yet, over time."""
    grid, total = lag_over_time(history)
    if not len(grid):
        return empty(title or "No lag to show", "Nothing was acknowledged, so there is no lag to show.", seed)
    finding = _lag_finding(grid, total)
    figure, (axis,) = picture(
        title or finding,
        sentence(
            f"Acknowledged records not yet delivered, summed over {style.plural(len(history.keys), 'partition')}. "
            f"{finding}. At the end {style.plural(int(total[-1]), 'record')} still waited.", seed), height=2.6)
    axis.fill_between(grid, total, step="post", color=style.LIGHT["consumer"], alpha=0.35, linewidth=0)
    axis.step(grid, total, where="post", color=style.LIGHT["broker"], linewidth=1.5)
    _over_time(axis, grid[-1], faults, "records behind")
    return figure


def lag_over_time(history, points: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Times and, at each, the records acknowledged but not yet delivered: behind in each key's log, or in a queue."""
    if isinstance(history, QueueHistory):
        arrived, settled = np.sort(history.flow("acknowledged")[0]), np.sort(history.flow("settled")[0])
        grid = np.linspace(0, max(arrived.max(initial=0), settled.max(initial=0)), points if len(arrived) else 0)
        return grid, np.maximum(np.searchsorted(arrived, grid, "right") - np.searchsorted(settled, grid, "right"), 0)
    acknowledged, delivered = history.acknowledged(), _deliveries(history)
    if not len(acknowledged):
        return np.empty(0), np.empty(0)
    grid = np.linspace(0, max(acknowledged["completed"].max(), delivered["completed"].max(initial=0)), points)
    position = "offset" if (acknowledged["offset"] >= 0).all() else "value"
    total = sum(np.maximum(_reached(acknowledged, key, position, grid) - _reached(delivered, key, position, grid), 0)
                for key in range(len(history.keys)))
    return grid, total


def _reached(rows, key: int, position: str, grid) -> np.ndarray:
    """How far a key had been written or read at each time of the grid."""
    rows = rows[rows["key"] == key]
    rows = rows[np.argsort(rows["completed"], kind="stable")]
    reached = np.concatenate([[0], np.maximum.accumulate(rows[position] + rows["count"])]) if len(rows) else np.zeros(1)
    return reached[np.searchsorted(rows["completed"], grid, side="right")]


def _lag_finding(grid, total) -> str:
    peak = int(np.argmax(total))
    drained = np.flatnonzero(total[peak:] <= max(0.1 * total[peak], 1))
    after = " and does not drain"
    if len(drained):
        after = f", drained {style.seconds(grid[peak + drained[0]] - grid[peak])} later"
    return f"Lag peaks at {style.plural(int(total[peak]), 'record')} at {style.instant(grid[peak])}{after}"


# Sweeps and comparisons


def sweep(frame, x: str, y: str, *, by: str | None = None, low: str | None = None, high: str | None = None, theory=None,
          seed=None, title: str | None = None, log: str = "") -> Picture:
    """What a measure does as a setting changes, with the band in which 95 % of repeated experiments would put its mean.

    `frame` (pandas) either holds the band in columns `low` and `high` (by default y_low and y_high) or one row a seed,
    from which the band is computed. `by` draws one line a value. `theory` is (x values, y values, label). `log` may be
    "x", "y" or "xy".
    """
    if not len(frame):
        return empty(title or "Nothing was swept", "The sweep holds no run, so there is no curve to show.", seed)
    curves = {
        f"{by} = {name}" if by else y: _band(part, x, y, low or f"{y}_low", high or f"{y}_high")
        for name, part in (frame.groupby(by) if by else [(y, frame)])}
    finding = _sweep_finding(curves, x, y)
    figure, (axis,) = picture(
        title or finding, sentence(f"{y} against {x}; the band holds the mean with 95 % confidence. {finding}.", seed),
        height=3.0)
    for count, (name, (at, mean, below, above)) in enumerate(curves.items()):
        look = style.series(count)
        axis.plot(at, mean, label=name, linewidth=1.6, markersize=5, **look)
        axis.fill_between(at, below, above, color=look["color"], alpha=0.18, linewidth=0)
    if theory is not None:
        axis.plot(theory[0], theory[1], "--", color=style.LIGHT["ink"], linewidth=1.2, label=theory[2])
    axis.set(xscale="log" if "x" in log else "linear", yscale="log" if "y" in log else "linear")
    words(axis, x, y)
    if by or theory is not None:
        axis.legend(fontsize=style.SMALL, frameon=False)
    return figure


def _band(frame, x, y, low, high):
    if low in frame and high in frame:
        frame = frame.sort_values(x)
        return tuple(frame[column].to_numpy(float) for column in (x, y, low, high))
    found = [(at, mean_interval(part.to_numpy(float))) for at, part in frame.groupby(x)[y]]
    at, mean, below, above = np.array([(at, band.value, band.low, band.high) for at, band in found], float).T
    below, above = (np.where(np.isfinite(bound), bound, mean) for bound in (below, above))  # one run makes no band
    return at, mean, below, above


def _sweep_finding(curves, x, y) -> str:
    name, (at, mean, *_) = max(curves.items(), key=lambda item: float(np.ptp(item[1][1])))
    which = f"{y} at {name}" if len(curves) > 1 else y
    if np.ptp(mean) < 0.02 * abs(mean).max() or len(at) < 2:
        return f"{which} stays at {style.number(mean[0])} whatever {x} is"
    from_to = lambda values: f"from {style.number(values[0])} to {style.number(values[-1])}"
    return f"{which} goes {from_to(mean)} as {x} goes {from_to(at)}"


def compare(histories: Mapping[str, History | np.ndarray], *, what: str = "produce", seed=None,
            title: str | None = None, note: str = "") -> Picture:
    """Latency distributions of several systems as small multiples, each over the grey shadow of the others."""
    values = {name: latencies(history, what) for name, history in histories.items()}
    values = {name: found for name, found in values.items() if len(found)}
    if not values:
        return empty(title or "Nothing to compare",
                     "No record completed in any system, so there is nothing to compare.", seed)
    tails = {name: float(np.quantile(found, 0.99)) for name, found in values.items()}
    columns = 2 if len(values) in (2, 4) else min(3, len(values))
    rows = -(-len(values) // columns)
    told = "; ".join(f"{name}: median {style.seconds(np.median(found))}, p99 {style.seconds(tails[name])}"
                     for name, found in values.items())
    caption = sentence(f"Latency distributions on the same axes. {told}.{note}", seed)
    figure, axes = picture(title or _best(tails), caption,
                           height=1.9 * rows + 0.35, rows=rows, columns=columns, head=0.22, sharex=True, sharey=True)
    everything = np.concatenate([np.quantile(found, [0, 1]) for found in values.values()])
    for count, (axis, name) in enumerate(zip(axes, values)):
        for found in values.values():
            _draw_cdf(axis, found, style.LIGHT["rule"])
        _draw_cdf(axis, values[name], style.series(count)["color"], style.series(count)["linestyle"])
        axis.set_title(f"{name} · p99 {style.seconds(tails[name])}", fontsize=style.LABEL, loc="left",
                       color=style.LIGHT["ink"], pad=3)
    for place, axis in enumerate(axes):
        _latency_axes(axis, everything, few=True)
        axis.set_visible(place < len(values))
        axis.tick_params(labelbottom=True)
        words(axis, "latency" if place >= len(values) - columns else "",
              "records no slower" if place % columns == 0 else "")
    return figure


def _best(tails: dict[str, float]) -> str:
    order = sorted(tails, key=tails.get)
    if len(order) == 1:
        return f"{order[0]}: p99 is {style.seconds(tails[order[0]])}"
    ratio = tails[order[-1]] / tails[order[0]] if tails[order[0]] else np.inf
    shortest = f"{order[0]} has the shortest tail: p99 {style.seconds(tails[order[0]])}"
    return f"{shortest}, {ratio:.2g} times shorter than {order[-1]}"


def trace_faults(trace) -> list[tuple[float, str]]:
    """The faults of a trace, as marks for a figure over time."""
    return [(time, f"{kind.replace('_', ' ')} {node}")
            for time, kind, node in reading.marks(trace, "isr", "elected", "fenced", "truncate")]
