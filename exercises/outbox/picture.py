"""A picture of an attack: one row a run, killed one step later each time, with what became of the orders."""
from exercises.attack import walk

from . import rules
from .stage import Order, Plan, perform

STEPS = {  # what it is called, marker, colour (Okabe-Ito), filled
    "INSERT": ("write", "o", "#56B4E9", True), "COMMIT": ("commit", "s", "#0072B2", True),
    "publish": ("publish", ">", "#E69F00", True), "confirm": ("confirmation", ">", "#E69F00", False),
}
CRASH = ("crash", "X", "#000000", True)
PLAN = Plan((Order("o1", "ada", 10), Order("o2", "bob", 20)))


def crash_map(place_order):
    """Two orders, killed before every step; printed in words too. None as long as nothing is there to attack."""
    runs = list(walk([(PLAN, True)], lambda plan: perform(plan, {"place_order": place_order})))
    if any(map(rules.unattempted, runs)):
        print(f"{place_order.__name__}: not attempted yet, nothing to draw")
        return None
    bad = [fate(run) for run in runs if rules.finding(run)]
    finding = f"{place_order.__name__}: {len(bad)} of {len(runs)} runs end with an order and its event apart"
    print(finding + "".join(f"\n  {text}" for text in bad))
    return drawn(runs, finding)


def drawn(runs, finding: str):
    """The figure: steps from left to right, runs from top to bottom."""
    import matplotlib.pyplot as plt  # here, because a graded run needs no picture

    figure, axes = plt.subplots(figsize=(8, 1.2 + .32 * len(runs)), layout="constrained")
    for row, run in enumerate(runs):
        marks = [kind(event) for event in run.events if kind(event)]
        axes.plot(range(1, len(marks) + 1), [row] * len(marks), color="#999999", linewidth=.8, zorder=1)
        for x, (name, marker, colour, filled) in enumerate(marks, start=1):
            inside = colour if filled else "white"
            axes.scatter(x, row, s=60, marker=marker, zorder=2, edgecolors=colour, facecolors=inside, label=name)
        apart = rules.finding(run)
        axes.annotate(fate(run), (1.01, row), xycoords=("axes fraction", "data"), va="center", fontsize=9,
                      color="#D55E00" if apart else "#333333", weight="bold" if apart else "normal")
    legend = dict(zip(*reversed(axes.get_legend_handles_labels())))
    axes.legend(legend.values(), legend.keys(), ncols=5, loc="lower center", bbox_to_anchor=(.5, 1), frameon=False,
                fontsize=9)
    axes.set(xlabel="step", ylabel="run", yticks=range(len(runs)), xticks=range(1, max(run.steps for run in runs) + 1))
    axes.invert_yaxis()
    figure.suptitle(finding, fontsize=11)
    plt.close(figure)
    return figure


def kind(event: dict):
    """How an event is drawn; None for what is no step."""
    return CRASH if event["what"] == "crash" else STEPS.get(event["what"].split()[0])


def fate(run) -> str:
    """What became of the orders, in a few words."""
    found = rules.finding(run)
    crash = next((event for event in run.events if event["what"] == "crash"), None)
    at = f"killed before step {crash['step']}: " if crash else "not killed: "
    if not found:
        return at + "together"
    who = next((order for order, *_ in run.plan["orders"] if f"order {order} " in found.sentence.lower()), "")
    return f"{at}{found.rule} {who}"
