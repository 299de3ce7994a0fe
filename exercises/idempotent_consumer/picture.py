"""A picture of an attack: one column a run, killed one step later each time, with how often each event took effect."""
from exercises.attack import walk
from exercises.attack.grid import Field, deaths, killed

from . import rules
from .log import Event
from .stage import Plan, perform

EVENTS = tuple((number - 1, Event(f"ada-{number}", "ada", number, 10 ** (number - 1))) for number in (1, 2, 3))
PLAN = Plan((EVENTS, ()))
LOOKS = {0: ("#0072B2", "white", "lost"), 1: ("#EEEEEE", "#333333", "once"), 2: ("#E69F00", "black", "twice")}
NAMES = {f"{times}: {name}": colour for times, (colour, _, name) in LOOKS.items()}


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


def drawn(runs, finding: str):
    """The figure: runs from left to right, events from top to bottom, a number in each field."""
    times = [rules.effects(run).values() for run in runs]
    fields = [[Field(each, *LOOKS[min(each, 2)][:2]) for each in row] for row in zip(*times)]
    return deaths(runs, fields, finding, 2.9, down=[event.id for _, event in EVENTS], legend=NAMES)
