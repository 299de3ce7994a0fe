"""A picture of an attack: one column a run, some service killed one step later each time, with what is left behind."""
import re

from exercises.attack import walk
from exercises.attack.grid import Field, deaths

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
    fields = [[Field(each, *(ORANGE if each else GREY)) for each in row] for row in zip(*map(taken, runs))]
    fields.append([Field(each, *(GREY if each == "failed" else ORANGE), size=7) for each in map(status, runs)])
    labels = [re.sub(r" killed before step \d+,| o1.*", "", killed(run)).replace(" ", "\n") for run in runs]
    return deaths(runs, fields, finding, 3, across=labels, down=["pieces gone", "money gone", "status"], small=7)
