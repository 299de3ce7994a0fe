"""Pictures of outbox relays: which cursors hold, what a death and a relay cost, what a slot keeps."""

from __future__ import annotations

import numpy as np
import pandas as pd

from exercises.attack import visibility
from simulator.views.picture import Picture, picture, words
from simulator.views.style import LABEL, LIGHT, SMALL, plural, seconds

from .outbox_load import Load, median
from .relay_trials import Trial

VARIANTS = {  # columns of the table: the writers' actions, and what is judged
    "loses (S, X, C)": ("SXC", "SXC", "loses"), "loses (X, S, C)": ("XSC", "XSC", "loses"),
    "stuck (one rolls back)": ("SXC", "SXR", "loses"), "inverts (one aggregate)": ("XLSC", "LSXC", "inverts")}


def census_table() -> pd.DataFrame:
    """For each cursor, the schedules in which it loses, is stuck or inverts, of all there are."""
    columns = {}
    for title, (a, b, judge) in VARIANTS.items():
        total = len(list(visibility.schedules(a, b)))
        columns[f"{title} of {total}"] = visibility.census(a, b, judge)
    return pd.DataFrame(columns).rename_axis("the relay remembers")


def deaths(trials: dict[str, list[Trial]]) -> Picture:
    """How often messages were sent and how many are stored, for each step before which a relay died."""
    every = [trial for each in trials.values() for trial in each]
    committed, worst = len(every[0].history.acknowledged()), max(trial.sent for trial in every)
    lost, copies = sum(trial.lost for trial in every), sum(trial.copies for trial in every)
    title = f"{plural(len(every), 'death')}, {lost} events lost, {copies} stored twice"
    caption = ("Each relay was killed (SIGKILL) before the step named, then another one finished the work. "
               f"{committed} events were committed; up to {worst} messages were sent, since a batch that was not "
               "marked or confirmed is sent again. Measured on this machine.")
    figure, axes = picture(title, caption, height=2.6, columns=len(trials), head=0.15,
                           sharey=True)
    figure.subplots_adjust(bottom=figure.subplotpars.bottom + 0.12)
    for axis, (name, each) in zip(axes, trials.items()):
        places = np.arange(len(each))
        axis.bar(places, [trial.sent for trial in each], 0.62, color=LIGHT["watermark"], hatch="//",
                 edgecolor="white", label="sent")
        axis.plot(places, [trial.stored for trial in each], "D", color=LIGHT["broker"], label="stored")
        steps = [trial.died_before.replace("publish placed-", "publish ") for trial in each]
        axis.set_xticks(places, steps, rotation=40, ha="right", fontsize=SMALL)
        axis.set_title(name, fontsize=LABEL, color=LIGHT["ink"])
    words(axes[0], "", "messages")
    axes[0].set_ylim(0, worst * 1.3)
    axes[0].legend(frameon=False, fontsize=LABEL, ncols=2, loc="upper left")
    return figure


def name(load: Load) -> str:
    """A relay in a few words."""
    return "sent the changes" if load.interval is None else f"asks every {seconds(load.interval)}"


def costs(loads: list[Load]) -> Picture:
    """Latency from commit to acknowledgement, and transactions a second, of each relay."""
    pushed = next((load for load in loads if load.interval is None), loads[-1])
    title = f"Asking trades delay for load; being told takes {seconds(median(pushed))} in the median"
    told = "; ".join(map(_in_words, loads))
    figure, (left, right) = picture(title, f"{told}. Measured on this machine, one run each.", height=2.2, columns=2,
                                    left=1.6, sharey=True)
    places = np.arange(len(loads))[::-1]
    for place, load in zip(places, loads):
        low, middle, high = np.quantile(load.latencies, (0.05, 0.5, 0.99))
        left.plot([low, high], [place] * 2, color=LIGHT["broker"], linewidth=5, alpha=0.4, solid_capstyle="butt")
        left.plot(middle, place, "D", color=LIGHT["broker"])
    left.set_xscale("log")
    left.set_xlim(left=0.5 * min(np.quantile(load.latencies, 0.05) for load in loads))
    left.set_yticks(places, [name(load) for load in loads], fontsize=LABEL)
    right.barh(places, [load.transactions for load in loads], 0.5, color=LIGHT["watermark"], hatch="//",
               edgecolor="white")
    words(left, "seconds from commit to acknowledgement\n(p5 to p99, median)")
    words(right, "transactions a second")
    return figure


def _in_words(load: Load) -> str:
    return (f"{name(load)}: median {seconds(median(load))}, p99 {seconds(float(np.quantile(load.latencies, 0.99)))}, "
            f"{load.transactions:.0f} transactions a second, {load.wal:,.0f} bytes of log and {load.dead:.0f} dead "
            "row versions an order")


def retained(lines: dict[str, list[tuple[float, float]]]) -> Picture:
    """What the server keeps of its log for each slot, while the log grows."""
    (read, kept), (unread, unkept) = lines.items()
    title = f"A slot that nobody reads keeps everything: {unkept[-1][1]:.1f} MB after {unkept[-1][0]:.0f} MB of data"
    most = max(megabytes for _, megabytes in kept)
    caption = (f"Bytes of log between each slot's restart position and the log's end. {read} is advanced after every "
               f"megabyte and never keeps more than {most:.1f} MB; {unread} is not. The log holds more than the "
               "data: every record has a head, every transaction a commit. Measured on this machine.")
    figure, (axis,) = picture(title, caption, height=2.2)
    for points, style, label in ((unkept, dict(color=LIGHT["lost"], marker="X"), f"{unread}: never read"),
                                 (kept, dict(color=LIGHT["broker"], marker="o", linestyle="--"), f"{read}: read")):
        axis.plot(*zip(*points), label=label, **style)
    axis.set_ylim(bottom=0)
    axis.legend(frameon=False, fontsize=LABEL)
    words(axis, "MB of data written", "MB of log kept for the slot")
    return figure
