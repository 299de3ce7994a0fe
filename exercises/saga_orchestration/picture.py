"""A picture of an attack: one column a run, killed one step later each time, with what is in effect in the end."""
from exercises.attack import walk

from . import rules
from .services import FORWARD, Order
from .stage import Plan, perform

PLAN = Plan((Order("o1", "ada", 40),), rejects=(("o1", "ship"),))
LOOKS = {0: ("#EEEEEE", "#333333"), 1: ("#E69F00", "black"), 2: ("#0072B2", "white")}


def effects(start, resume):
    """An order that the carrier rejects, its worker killed at every step; printed too. None for a stub."""
    runs = list(walk([(PLAN, True)], lambda plan: perform(plan, {"start": start, "resume": resume})))
    if any(map(rules.unattempted, runs)):
        print(f"{start.__name__}: not attempted yet, nothing to draw")
        return None
    bad = [run for run in runs if any(rules.net(run, "o1").values()) or run.orders.get("o1") != "failed"]
    finding = f"in {len(bad)} of {len(runs)} runs the refused order leaves something behind, or never ends"
    print(finding + "".join(f"\n  {killed(run)}: {left(run)}" for run in bad))
    return drawn(runs, finding)


def killed(run) -> str:
    """Where a run was killed, in words."""
    crash = next((event for event in run.events if event["what"] == "crash"), None)
    return f"killed before step {crash['step']}, {crash['before']}" if crash else "not killed"


def left(run) -> str:
    """The order's status and what is in effect for it, in words."""
    what = [f"{name} {times} times" if times > 1 else name for name, times in rules.net(run, "o1").items() if times]
    return f"{run.orders.get('o1', 'unknown')}, {' and '.join(what) or 'nothing'} in effect"


def drawn(runs, finding: str):
    """The figure: runs from left to right, services from top to bottom, how often each is in effect."""
    import matplotlib.pyplot as plt  # here, because a graded run needs no picture

    rows = (*FORWARD, "status")
    figure, axes = plt.subplots(figsize=(max(6, .62 * len(runs)), 3.4), layout="constrained")
    for x, run in enumerate(runs):
        status = run.orders.get("o1", "unknown")
        for y, value in enumerate((*rules.net(run, "o1").values(), status)):
            bad = 0 if value in (0, "failed") else min(value, 2) if isinstance(value, int) else 1
            axes.add_patch(plt.Rectangle((x - .47, y - .45), .94, .9, facecolor=LOOKS[bad][0], edgecolor="#999999"))
            axes.text(x, y, value, ha="center", va="center", color=LOOKS[bad][1], fontsize=11 if y < 4 else 7)
    labels = [killed(run).rpartition(", ")[2].replace(" ", "\n", 1) for run in runs]
    axes.set(xlim=(-.6, len(runs) - .4), ylim=(len(rows) - .4, -.6), xticks=range(len(runs)),
             yticks=range(len(rows)), yticklabels=rows, xlabel="killed before this step")
    axes.set_xticklabels(labels, fontsize=7)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    figure.suptitle(finding, fontsize=11)
    plt.close(figure)
    return figure
