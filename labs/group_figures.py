"""Pictures of rebalances: what each act cost, beside what was predicted, and who owned which partition when."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulator.brokers.kafka.groups.measures import ownership as served, paused_partition_seconds
from simulator.evidence.history import TYPES
from simulator.views.picture import Picture, picture, sentence, words
from simulator.views.style import LABEL, LIGHT, OKABE_ITO, SMALL, plural, seconds

from .rebalances import ACTS, Cost, inside

Costs = dict[str, dict[str, list[Cost]]]  # by group, then by act
FILLS = ((OKABE_ITO["sky"], ""), (OKABE_ITO["orange"], "//"), (OKABE_ITO["purple"], ".."), (OKABE_ITO["yellow"], "xx"))
NAMES = {"paused": "paused (partition-s)", "stable": "stable after (s)", "again": "records again"}
LEAST = 0.1  # partition-seconds; the axis is logarithmic


def table(act: str, measured: dict[str, Cost], mock: Costs, kafka: Costs) -> pd.DataFrame:
    """One act: measured, and the ranges that the two models predict."""
    rows = {}
    for group, cost in measured.items():
        for measure, name in NAMES.items():
            rows[group, name] = [_range(costs, measure) for costs in ([cost], mock[group][act], kafka[group][act])]
    columns = ["measured", "model of the mock", "model of Kafka"]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return frame.set_axis(pd.MultiIndex.from_tuples(rows, names=[act, ""]))


def _range(costs: list[Cost], measure: str) -> str:
    digits, found = 0 if measure == "again" else 1, [getattr(cost, measure) for cost in costs]
    low, high = f"{min(found):.{digits}f}", f"{max(found):.{digits}f}"
    return low if len(found) == 1 else f"{low} to {high}"


def paused(kafka: Costs, mock: Costs, measured: dict[str, dict[str, Cost]] | None = None, *, seed=None) -> Picture:
    """Partition-seconds without an owner, by act and group; `measured` is by act, then by group."""
    groups, measured = list(kafka), measured or {}
    said = _finding(kafka, mock, measured, seed)
    figure, axes = picture(*said, height=1.9, columns=len(ACTS), left=1.25, head=0.22, sharey=True)
    for axis, act in zip(axes, ACTS):
        for row, group in enumerate(groups):
            for costs, hue, shift, shape in ((kafka, "broker", -0.2, "o"), (mock, "watermark", 0.2, "s")):
                found = np.maximum([cost.paused for cost in costs[group][act]], LEAST)
                axis.plot([found.min(), found.max()], [row + shift] * 2, color=LIGHT[hue], linewidth=5, alpha=0.5,
                          solid_capstyle="butt")
                axis.plot(np.median(found), row + shift, shape, color=LIGHT[hue], markersize=5)
            if act in measured:
                axis.plot(max(measured[act][group].paused, LEAST), row + 0.2, "D", color=LIGHT["lost"], markersize=6,
                          markeredgecolor="white")
        axis.set_xscale("log")
        axis.set_xlim(LEAST, 100)
        axis.set_xticks([0.1, 1, 10], ["0.1", "1", "10"])
        axis.set_title(act, fontsize=LABEL, color=LIGHT["ink"])
        axis.set_yticks(range(len(groups)), groups, fontsize=SMALL)
    axes[0].set_ylim(len(groups) - 0.4, -0.6)
    words(axes[0], "partition-seconds without an owner")
    return figure


def _finding(kafka: Costs, mock: Costs, measured, seed) -> tuple[str, str]:
    told = ("Blue circles: the model of Kafka; orange squares: the model of the mock, whose classic barrier stands for "
            "its whole time; bars: all seeds.")
    if not measured:
        pauses = {name: np.median([cost.paused for cost in acts["rolling restart"]]) for name, acts in kafka.items()}
        (first, most), *_, (last, least) = pauses.items()
        title = f"Rolling restart on Kafka: {first} pauses {most:.1f}, {last} {least:.1f} partition-seconds"
        return title, sentence(told, seed)
    points = [(act, group, cost) for act, costs in measured.items() for group, cost in costs.items()]
    far = [f"{group}, {act}: {cost.paused:.1f}" for act, group, cost in points
           if not inside(cost.paused, [one.paused for one in mock[group][act]])]
    hits = len(points) - len(far)
    told += " Diamonds: measured on this machine." + (f" Outside: {'; '.join(far)}." if far else "")
    title = f"{hits} of {plural(len(points), 'measurement')} lie where the model of the mock expects them"
    return title, sentence(told, seed)


def ownership(traces: dict[str, object], acts: dict[str, float], until: float, *, seed=None) -> Picture:
    """Who owned each partition over time, one axis for each trace; white is nobody. `acts` are marked."""
    first = next(iter(traces.values()))
    names = sorted({node.name for trace in traces.values() for node in trace.nodes if node.role == "consumer"})
    fills = dict(zip(names, FILLS))
    height = 0.2 * len(first.keys) * len(traces) + 0.2 * (len(traces) - 1)
    said = _owned(traces, acts, until, seed)
    figure, axes = picture(*said, height=height, rows=len(traces), left=1.0, head=0.42, sharex=True)
    for axis, (title, trace) in zip(axes, traces.items()):
        for row, spans in enumerate(served(trace, min(acts.values()) - 1, until).values()):
            for owner, begin, end in spans:
                colour, hatch = fills[owner]
                axis.broken_barh([(begin, end - begin)], (row - 0.4, 0.8), facecolor=colour, hatch=hatch,
                                 edgecolor="white", linewidth=0)
        for when in acts.values():
            axis.axvline(when, color=LIGHT["ink"], linestyle="--", linewidth=0.9)
        axis.set_ylim(len(trace.keys) - 0.4, -0.6)
        axis.set_yticks(range(len(trace.keys)), list(trace.keys), fontsize=SMALL - 1.5)
        axis.set_ylabel(title, fontsize=SMALL, color=LIGHT["ink"], fontweight="bold")
        axis.grid(axis="y", visible=False)
    for act, when in acts.items():
        axes[0].annotate(act, (when, 1), xycoords=("data", "axes fraction"), xytext=(3, 4),
                         textcoords="offset points", fontsize=SMALL)
    axes[0].set_xlim(min(acts.values()) - 1, until)
    handles = [axes[0].broken_barh([(0, 0)], (0, 0), facecolor=colour, hatch=hatch, edgecolor="white")
               for colour, hatch in fills.values()]
    figure.legend(handles, fills, loc="upper right", ncols=len(fills), frameon=False, fontsize=SMALL,
                  bbox_to_anchor=(0.99, 1 - 0.26 / figure.get_figheight()))
    axes[-1].set_xlabel("seconds", fontsize=LABEL, color=LIGHT["muted"])
    return figure


def answers(history) -> str:
    """What a producer was told about each record, and after how long."""
    told = ((row, seconds(row["completed"] - row["invoked"])) for row in history.sends.rows)
    return "\n".join(f"record {row['value']}: {TYPES[row['type']]} {history.errors[row['error']]} after {after}"
                     for row, after in told)


def _owned(traces, acts, until, seed) -> tuple[str, str]:
    idle = {title: paused_partition_seconds(trace, min(acts.values()), until) for title, trace in traces.items()}
    told = "; ".join(f"{title}: {away:.1f} partition-seconds without an owner" for title, away in idle.items())
    worst, best = max(idle, key=idle.get), min(idle, key=idle.get)
    return (f"Nobody owns what is white: {idle[worst]:.0f} partition-seconds ({worst}), {idle[best]:.0f} ({best})",
            sentence(f"Each row is a partition, each pattern a member. {told}.", seed))
