"""A picture of an attack: one column a run, the projector killed one step later each time, and what the model says."""
from exercises.attack import walk

from . import rules
from .log import Event, totals_at
from .stage import Plan, perform

LOG = tuple(Event(number, number, "placed", "ada", 10 ** (number - 1)) for number in (1, 2, 3))
PLAN = Plan(LOG, (), visible=3)
LOOKS = {0: ("#0072B2", "white", "lost"), 1: ("#EEEEEE", "#333333", "once"), 2: ("#E69F00", "black", "twice")}


def effects(project, position, read):
    """Three orders of 1, 10 and 100, killed before every step; printed in words too. None for a stub."""
    given = {"project": project, "position": position, "read": read}
    runs = [run for run in walk([(PLAN, True)], lambda plan: perform(plan, given))]
    if any(map(rules.unattempted, runs)):
        print(f"{project.__name__}: not attempted yet, nothing to draw")
        return None
    right = totals_at(LOG, 3)["ada"][1]
    bad = [run for run in runs if spent(run) != right]
    finding = f"{project.__name__}: in {len(bad)} of {len(runs)} runs the model is wrong"
    print(finding + "".join(f"\n  {killed(run)}: {spent(run)} instead of {right}" for run in bad))
    return drawn(runs, finding)


def spent(run, replica: int = 0) -> int:
    return next((row[2] for row in run.models[replica]["totals"]), 0)


def killed(run) -> str:
    """Where a run was killed, in words."""
    crash = next((event for event in run.events if event["what"] == "crash"), None)
    return f"killed before step {crash['step']}, {crash['before']}" if crash else "not killed"


def drawn(runs, finding: str):
    """The figure: runs from left to right, events from top to bottom, how often each counted."""
    import matplotlib.pyplot as plt  # here, because a graded run needs no picture

    runs = [run for run in runs if not any(e["who"].endswith("1") for e in run.events if e["what"] == "crash")]
    figure, axes = plt.subplots(figsize=(max(6, .62 * len(runs)), 2.9), layout="constrained")
    for x, run in enumerate(runs):
        for y, event in enumerate(LOG):
            times = spent(run) // event.amount % 10
            colour, ink, _ = LOOKS[min(times, 2)]
            axes.add_patch(plt.Rectangle((x - .47, y - .45), .94, .9, facecolor=colour, edgecolor="#999999"))
            axes.text(x, y, times, ha="center", va="center", color=ink, fontsize=11)
    labels = [killed(run).rpartition(", ")[2].replace(" ", "\n", 1) for run in runs]
    axes.set(xlim=(-.6, len(runs) - .4), ylim=(len(LOG) - .4, -.6), xticks=range(len(runs)), yticks=range(len(LOG)),
             yticklabels=[f"event {event.position}" for event in LOG], xlabel="killed before this step")
    axes.set_xticklabels(labels, fontsize=8)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    handles = [plt.Rectangle((0, 0), 1, 1, facecolor=colour, edgecolor="#999999") for colour, *_ in LOOKS.values()]
    axes.legend(handles, [f"{times}: {name}" for times, (*_, name) in LOOKS.items()], ncols=3, loc="lower center",
                bbox_to_anchor=(.5, 1), frameon=False, fontsize=9)
    figure.suptitle(finding, fontsize=11)
    plt.close(figure)
    return figure
