"""A picture of an attack: one column a run, killed one step later each time, with what is in effect in the end."""
from exercises.attack import walk
from exercises.attack.grid import Field, deaths, killed

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


def left(run) -> str:
    """The order's status and what is in effect for it, in words."""
    what = [f"{name} {times} times" if times > 1 else name for name, times in rules.net(run, "o1").items() if times]
    return f"{run.orders.get('o1', 'unknown')}, {' and '.join(what) or 'nothing'} in effect"


def drawn(runs, finding: str):
    """The figure: runs from left to right, services from top to bottom, how often each is in effect."""
    in_effect = zip(*(rules.net(run, "o1").values() for run in runs))
    fields = [[Field(times, *LOOKS[min(times, 2)]) for times in row] for row in in_effect]
    ends = [run.orders.get("o1", "unknown") for run in runs]
    fields.append([Field(status, *LOOKS[status != "failed"], size=7) for status in ends])
    return deaths(runs, fields, finding, 3.4, down=[*FORWARD, "status"], small=7)
