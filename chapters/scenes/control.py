"""Chapter 02b: who decided what and when, who was in office, and how long a fail-over takes with so many partitions.

Everything but the fail-over times reads recorded evidence; how the control plane works is in
`simulator/brokers/kafka/control`.
"""

from __future__ import annotations


import numpy as np

from simulator import Workload, faults, kafka, simulate
from simulator.brokers.kafka.control.failover import GRID, MEASURED, fail_over
from simulator.evidence.statistics import mean_interval
from simulator.views import style
from simulator.views.picture import Picture, picture, sentence, words

METADATA = "__cluster_metadata"
ERAS = {"KRaft": kafka.KRaft(), "ZooKeeper": kafka.ZooKeeper()}
DOWN = ("crash", "power_loss")


# What was decided

def decisions(run):
    """The decisions of controllers in the order in which they were made, and when each was committed (pandas)."""
    import pandas as pd
    trace = run.trace
    found = [(trace.events.rows[event], trace.notes[int(event)]) for event in trace.where("decided")]
    return pd.DataFrame([{"time": f"{row['time']:.3f} s", "controller": trace.nodes[row["node"]].name,
                          "epoch": row["epoch"], "offset": row["offset"], "decision": note,
                          "committed": _committed(trace, row)}
                         for row, note in found])


class Decided:
    """The decisions of a run as a table that cuts no sentence short."""

    def __init__(self, run):
        self.table = decisions(run)

    def _repr_html_(self) -> str:
        import pandas as pd
        with pd.option_context("display.max_colwidth", None):
            table = self.table.to_html(index=False, border=0, justify="left")
        return table.replace("<td>", '<td style="text-align: left">')

    def __repr__(self) -> str:
        return self.table.to_string(index=False)


def _committed(trace, decision) -> str:
    """How long after the decision its controller learned that a majority has it; "never" if it never did."""
    marks = trace.events.rows[trace.where("high_watermark", key=METADATA)]
    mine = marks[(marks["node"] == decision["node"]) & (marks["epoch"] == decision["epoch"])]
    mine = mine[(mine["offset"] > decision["offset"]) & (mine["time"] >= decision["time"])]
    return f"{1000 * (mine['time'].min() - decision['time']):.0f} ms later" if len(mine) else "never"


# How long it took

def waited(run) -> float:
    """How long the slowest acknowledged record waited, in seconds."""
    return float(run.latency.seconds.max())


def vacancy(run) -> float:
    """How long there was no active controller after the first had gone, in seconds."""
    starts, ends = zip(*((start, end) for _, start, end in offices(run.trace)))
    return starts[1] - ends[0]


def leaderless(run, key: str = "orders-0") -> float:
    """Seconds without a leader once the partition's first has gone, up to the run's end; 0 if it never had one."""
    spells = leaderships(run.trace, key)
    if not spells:
        return 0.0
    return (spells[1][1] if len(spells) > 1 else run.seconds) - spells[0][2]


def both_died(run) -> bool:
    """Whether the first leader and the first controller both crashed."""
    return len(offices(run.trace)) > 1 and len(run.trace.where("crash", "power_loss")) > 1


def offices(trace) -> list[tuple[int, float, float]]:
    """Who was the active controller, from when to when, in its own belief: (node, start, end)."""
    return _spells(trace, trace.where("active"), ("step_down", *DOWN))


def leaderships(trace, key: str) -> list[tuple[int, float, float]]:
    """Who led a partition, from when to when; a leader that was replaced unawares leads on until it follows."""
    return _spells(trace, trace.where("elected", key=key), ("follow", *DOWN))


def _spells(trace, begins, ends: tuple[str, ...]) -> list[tuple[int, float, float]]:
    rows = trace.events.rows
    over, last = rows[trace.where(*ends)], float(rows["time"].max())
    spells = []
    for begin in begins:
        node, start = int(rows["node"][begin]), float(rows["time"][begin])
        after = over[(over["node"] == node) & (over["time"] > start)]["time"]
        spells.append((node, start, float(after.min(initial=last))))
    return spells


def acknowledged(run, since: float, until: float) -> int:
    """How many records their producer was told to be safe in that time."""
    rows = run.history.acknowledged()
    return int(rows["count"][(rows["completed"] >= since) & (rows["completed"] < until)].sum())


def two_at_once(run) -> float:
    """For how many seconds two controllers believed to be the active one."""
    spells = sorted((start, end) for _, start, end in offices(run.trace))
    return sum(max(0.0, min(one[1], other[1]) - other[0]) for one, other in zip(spells, spells[1:]))


# Who was in office

def timeline(run, key: str = "orders-0") -> Picture:
    """Who was the active controller and who led a partition, over time; dotted: faults."""
    trace, decide, lead = run.trace, offices(run.trace), leaderships(run.trace, key)
    nodes = [code for role in ("controller", "broker") for code, info in enumerate(trace.nodes) if info.role == role]
    troubles = "; ".join(map(str, run.faults)) or "no faults"
    told = "; ".join([_told(trace, spell, "decides") for spell in decide]
                     + [_told(trace, spell, "leads") for spell in lead])
    figure, (axis,) = picture(_finding(run, key), sentence(f"{told}. Dotted: {troubles}.", run.seed),
                              height=0.35 * len(nodes) + 0.5, left=1.1)
    for node, start, end in decide:
        axis.barh(nodes.index(node) - 0.2, end - start, left=start, height=0.36,
                  color=style.LIGHT["controller"], hatch="//", edgecolor="white", linewidth=0)
    for node, start, end in lead:
        axis.barh(nodes.index(node) + 0.2, end - start, left=start, height=0.36,
                  color=style.LIGHT["broker"], linewidth=0)
    for fault in run.faults:
        axis.axvline(fault.at, color=style.LIGHT["lost"], linestyle=":", linewidth=1.2)
    axis.set_yticks(range(len(nodes)), [trace.nodes[node].name for node in nodes])
    axis.set(ylim=(len(nodes) - 0.4, -0.6), xlim=(0, float(trace.events.rows["time"].max())))
    words(axis, "simulated time (s); hatched: active controller, plain: leader of " + key)
    return figure


def _told(trace, spell: tuple[int, float, float], what: str) -> str:
    return f"{trace.nodes[spell[0]].name} {what} {spell[1]:.1f} to {spell[2]:.1f} s"


def _finding(run, key: str) -> str:
    decide, lead = offices(run.trace), leaderships(run.trace, key)
    told = ", ".join(filter(None, [_hand_over(decide, "decides", "decide"), _hand_over(lead, "leads", "lead")]))
    return told[:1].upper() + told[1:] or "Controller and leader stay in office"


def _hand_over(spells: list[tuple[int, float, float]], one: str, several: str) -> str:
    """What the first hand-over was like: a gap, or two at once."""
    if len(spells) < 2:
        return ""
    gap = spells[1][1] - spells[0][2]
    return f"nobody {one} for {gap:.1f} s" if gap > 0 else f"two {several} at once for {-gap:.1f} s"


# What is to be turned

def deaths(controller_dies_at: float = 10.0, leader_dies_at: float = 10.0, combined: bool = False):
    """A leader and the active controller die; in a combined node they die together, when the leader does."""
    cluster = kafka.Cluster(partitions=1, control=kafka.KRaft(combined=combined))
    trouble = [faults.crash("broker-1", at=leader_dies_at)]
    if not combined:
        trouble.append(faults.crash("controller-1", at=controller_dies_at))
    run = simulate(cluster, Workload(rate=5, seconds=30, keys=50), faults=trouble, seed=7)
    return run.shown_as(timeline)


# Fail-over by the number of partitions

PARTS = {"detect": "notice", "elect": "elect", "load": "read everything", "tell": "tell the brokers"}


def fail_over_at(thousand_partitions: int = 200) -> Picture:
    """The four parts of a fail-over in both eras, at one number of partitions."""
    partitions = 1000 * thousand_partitions
    parts = {name: fail_over(control, partitions, seed=7) for name, control in ERAS.items()}
    told = "; ".join(f"{name}: " + ", ".join(f"{label} {style.seconds(getattr(one, part))}"
                                             for part, label in PARTS.items())
                     for name, one in parts.items())
    times = ", ".join(f"{name} {style.seconds(one.seconds)}" for name, one in parts.items())
    figure, (axis,) = picture(f"{partitions:,} partitions: {times}", sentence(f"{told}.", 7), height=1.6, left=0.9)
    for row, one in enumerate(parts.values()):
        left = 0.0
        for number, (part, label) in enumerate(PARTS.items()):
            look = style.series(number)
            axis.barh(row, getattr(one, part), left=left, height=0.5, color=look["color"], hatch=HATCHES[number],
                      edgecolor="white", linewidth=0, label=label if row == 0 else None)
            left += getattr(one, part)
    axis.set_yticks(range(len(parts)), list(parts))
    axis.set(ylim=(len(parts) - 0.4, -0.6), xlim=(0, 1.05 * max(one.seconds for one in parts.values())))
    axis.legend(fontsize=style.SMALL, frameon=False, ncols=2, loc="upper right")
    words(axis, "seconds after the death of the controller")
    return figure


HATCHES = ("", "//", "..", "xx")


def fail_over_curves(seeds: int = 20) -> Picture:
    """How long nobody decides after the controller's death, up to two million partitions, with what was measured."""
    taken = lambda era, partitions: [fail_over(ERAS[era], partitions, seed).seconds for seed in range(seeds)]
    times = {era: np.array([taken(era, partitions) for partitions in GRID]) for era in ERAS}
    slow, quick = times["ZooKeeper"][-1].mean(), times["KRaft"][-1].mean()
    measured = ", ".join(f"{point.version} {point.seconds:g} s at {point.partitions:,}" for point in MEASURED)
    figure, (axis,) = picture(f"At {GRID[-1]:,} partitions: KRaft {quick:.1f} s, ZooKeeper {slow / 60:.1f} minutes", (
        f"Seconds from a controller's death until brokers have another, mean and 95 % confidence over seeds 0 to "
        f"{seeds - 1}, from {GRID[0]:,} to {GRID[-1]:,} partitions: KRaft {times['KRaft'][0].mean():.1f} to "
        f"{quick:.1f} s, ZooKeeper {times['ZooKeeper'][0].mean():.1f} to {slow:.0f} s. Diamonds: published, reading "
        f"from ZooKeeper alone: {measured}."))
    for number, (era, found) in enumerate(times.items()):
        look, bands = style.series(number), [mean_interval(values) for values in found]
        axis.plot(GRID, [band.value for band in bands], label=era, linewidth=1.6, markersize=5, **look)
        axis.fill_between(GRID, [band.low for band in bands], [band.high for band in bands], color=look["color"],
                          alpha=0.18, linewidth=0)
    axis.plot(*zip(*((point.partitions, point.seconds) for point in MEASURED)), "D", color=style.LIGHT["ink"],
              markersize=5, label="measured, reading alone")
    axis.set(xscale="log", yscale="log")
    axis.set_yticks([1, 3, 10, 30, 100, 300], ["1", "3", "10", "30", "100", "300"])
    axis.set_xticks([10 ** power for power in (3, 4, 5, 6)], ["1,000", "10,000", "100,000", "1,000,000"])
    axis.minorticks_off()
    axis.legend(fontsize=style.SMALL, frameon=False)
    words(axis, "partitions", "seconds without a controller")
    return figure


def mean_fail_over(era: str, partitions: int, seeds: int = 20) -> float:
    """Seconds without a controller, on average."""
    return float(np.mean([fail_over(ERAS[era], partitions, seed).seconds for seed in range(seeds)]))
