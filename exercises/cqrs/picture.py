"""A picture of an attack: one column a run, the projector killed one step later each time, and what the model says."""
from exercises.attack import walk
from exercises.attack.grid import Field, deaths, killed

from . import rules
from .log import Event, totals_at
from .stage import Plan, perform

LOG = tuple(Event(number, number, "placed", "ada", 10 ** (number - 1)) for number in (1, 2, 3))
PLAN = Plan(LOG, (), visible=3)
LOOKS = {0: ("#0072B2", "white", "lost"), 1: ("#EEEEEE", "#333333", "once"), 2: ("#E69F00", "black", "twice")}
NAMES = {f"{times}: {name}": colour for times, (colour, _, name) in LOOKS.items()}


def effects(project, position, read):
    """Three orders of 1, 10 and 100, killed before every step; printed in words too. None for a stub."""
    given = {"project": project, "position": position, "read": read}
    runs = [run for run in walk([(PLAN, True)], lambda plan: perform(plan, given)) if not elsewhere(run)]
    if any(map(rules.unattempted, runs)):
        print(f"{project.__name__}: not attempted yet, nothing to draw")
        return None
    right = totals_at(LOG, 3)["ada"][1]
    bad = [run for run in runs if spent(run) != right]
    finding = f"{project.__name__}: in {len(bad)} of {len(runs)} runs the model is wrong"
    print(finding + "".join(f"\n  {killed(run)}: {spent(run)} instead of {right}" for run in bad))
    return drawn(runs, finding)


def elsewhere(run) -> bool:
    """Whether it was the other replica's projector that was killed."""
    return any(event["what"] == "crash" and event["who"].endswith("1") for event in run.events)


def spent(run, replica: int = 0) -> int:
    return next((row[2] for row in run.models[replica]["totals"]), 0)


def drawn(runs, finding: str):
    """The figure: runs from left to right, events from top to bottom, how often each counted."""
    times = [[spent(run) // event.amount % 10 for run in runs] for event in LOG]
    fields = [[Field(each, *LOOKS[min(each, 2)][:2]) for each in row] for row in times]
    return deaths(runs, fields, finding, 2.9, down=[f"event {event.position}" for event in LOG], legend=NAMES)
