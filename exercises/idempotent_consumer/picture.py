"""A picture of an attack: one column a run, killed one step later each time, with how often each event took effect."""
from exercises.attack import walk

from . import rules
from .log import Event
from .stage import Plan, perform

EVENTS = tuple((number - 1, Event(f"ada-{number}", "ada", number, 10 ** (number - 1))) for number in (1, 2, 3))
PLAN = Plan((EVENTS, ()))
LOOKS = {0: ("#0072B2", "white", "lost"), 1: ("#EEEEEE", "#333333", "once"), 2: ("#E69F00", "black", "twice")}


def effects(handle):
    """Three events, killed before every step; printed in words too. None as long as nothing is there to attack."""
    runs = list(walk([(PLAN, True)], lambda plan: perform(plan, {"handle": handle})))
    if any(map(rules.unattempted, runs)):
        print(f"{handle.__name__}: not attempted yet, nothing to draw")
        return None
    bad = [run for run in runs if set(rules.effects(run).values()) != {1}]
    finding = f"{handle.__name__}: in {len(bad)} of {len(runs)} runs the balance is wrong"
    print(finding + "".join(f"\n  {killed(run)}: balance {run.balances['ada']}" for run in bad))
    return drawn(runs, finding)


def killed(run) -> str:
    """Where a run was killed, in words."""
    crash = next((event for event in run.events if event["what"] == "crash"), None)
    return f"killed before step {crash['step']}, {crash['before']}" if crash else "not killed"


def drawn(runs, finding: str):
    """The figure: runs from left to right, events from top to bottom, a number in each field."""
    import matplotlib.pyplot as plt  # here, because a graded run needs no picture

    figure, axes = plt.subplots(figsize=(max(6, .62 * len(runs)), 2.9), layout="constrained")
    for x, run in enumerate(runs):
        for y, times in enumerate(rules.effects(run).values()):
            colour, ink, _ = LOOKS[min(times, 2)]
            axes.add_patch(plt.Rectangle((x - .47, y - .45), .94, .9, facecolor=colour, edgecolor="#999999"))
            axes.text(x, y, times, ha="center", va="center", color=ink, fontsize=11)
    labels = [killed(run).rpartition(", ")[2].replace(" ", "\n", 1) for run in runs]
    axes.set(xlim=(-.6, len(runs) - .4), ylim=(len(EVENTS) - .4, -.6), xticks=range(len(runs)),
             yticks=range(len(EVENTS)), yticklabels=[event.id for _, event in EVENTS], xlabel="killed before this step")
    axes.set_xticklabels(labels, fontsize=8)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    handles = [plt.Rectangle((0, 0), 1, 1, facecolor=colour, edgecolor="#999999") for colour, *_ in LOOKS.values()]
    axes.legend(handles, [f"{times}: {name}" for times, (*_, name) in LOOKS.items()], ncols=3, loc="lower center",
                bbox_to_anchor=(.5, 1), frameon=False, fontsize=9)
    figure.suptitle(finding, fontsize=11)
    plt.close(figure)
    return figure
