"""A picture of an attack: one column a run, some service killed one step later each time, with what is left behind."""
import re

from exercises.attack import walk

from . import rules
from .services import Order
from .stage import Plan, perform

PLAN = Plan((Order("o1", "ada", "tea", 40, 0),), pieces=5, purse=100, rejects=(("o1", "shipping"),))
GREY, ORANGE = ("#EEEEEE", "#333333"), ("#E69F00", "black")


def effects(stock, payment, orders):
    """An order that the carrier rejects, some service killed at every step; printed too. None for a stub."""
    given = {"stock": stock, "payment": payment, "orders": orders}
    runs = list(walk([(PLAN, True)], lambda plan: perform(plan, given)))
    if any(map(rules.unattempted, runs)):
        print(f"{stock.__name__}: not attempted yet, nothing to draw")
        return None
    bad = [run for run in runs if taken(run) != [0, 0] or status(run) != "failed"]
    finding = f"in {len(bad)} of {len(runs)} runs the refused order leaves something behind, or never ends"
    print(finding + "".join(f"\n  {killed(run)}: {left(run)}" for run in bad))
    return drawn(runs, finding)


def taken(run) -> list[int]:
    """How many pieces and how much money are gone in the end; negative if there are more than there were."""
    return [thing.taken for thing in rules.things(run)]


def status(run) -> str:
    return run.orders.get("o1", "unknown")


def killed(run) -> str:
    """Where a run was killed, in words."""
    crash = next((event for event in run.events if event["what"] == "crash"), None)
    if crash is None:
        return "not killed"
    return f"{crash['who'].partition('-')[0]} killed before step {crash['step']}, {crash['before']}"


def left(run) -> str:
    """The order's status and what is gone, in words."""
    pieces, money = taken(run)
    return f"{status(run)}; pieces gone: {pieces}, money gone: {money}"


def drawn(runs, finding: str):
    """The figure: runs from left to right; what is gone and the status from top to bottom."""
    import matplotlib.pyplot as plt  # here, because a graded run needs no picture

    rows = ("pieces gone", "money gone", "status")
    figure, axes = plt.subplots(figsize=(max(6, .62 * len(runs)), 3), layout="constrained")
    for x, run in enumerate(runs):
        for y, value in enumerate((*taken(run), status(run))):
            colour, ink = GREY if value in (0, "failed") else ORANGE
            axes.add_patch(plt.Rectangle((x - .47, y - .45), .94, .9, facecolor=colour, edgecolor="#999999"))
            axes.text(x, y, value, ha="center", va="center", color=ink, fontsize=11 if y < 2 else 7)
    labels = [re.sub(r" killed before step \d+,| o1.*", "", killed(run)) for run in runs]
    axes.set(xlim=(-.6, len(runs) - .4), ylim=(len(rows) - .4, -.6), xticks=range(len(runs)),
             yticks=range(len(rows)), yticklabels=rows, xlabel="killed before this step")
    axes.set_xticklabels([label.replace(" ", "\n") for label in labels], fontsize=7)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    figure.suptitle(finding, fontsize=11)
    plt.close(figure)
    return figure
