"""A picture of an attack: one column a run, one writer paused a step later each time, with the balance that is left."""
from exercises.attack import walk
from exercises.attack.grid import Field, grid

from . import rules
from .history import SCHEMA, Stored, state_after
from .stage import Plan, perform

HISTORY = (Stored("ada", 0, "ada-0", "opened", SCHEMA, {"owner": "ada"}),
           Stored("ada", 1, "ada-1", "deposited", SCHEMA, {"cents": 10_000, "channel": "branch"}))
PLAN = Plan(HISTORY, ((("withdraw", "w1", "ada", 7_000),), (("withdraw", "w2", "ada", 7_000),)))
FINE, BROKEN = ("#EEEEEE", "#333333"), ("#D55E00", "white")


def balances(withdraw, **others):
    """Two withdrawals of 70.00 from 100.00, one paused at every step; printed in words too. None for a stub."""
    functions = {"withdraw": withdraw, **others}
    runs = list(walk([(PLAN, "pauses")], lambda plan: perform(plan, functions)))
    if any(map(rules.unattempted, runs)):
        print(f"{withdraw.__name__}: not attempted yet, nothing to draw")
        return None
    left = [state_after(rules.stream_of(run, "ada"))["balance"] / 100 for run in runs]
    finding = f"{withdraw.__name__}: in {sum(each < 0 for each in left)} of {len(runs)} runs the account is overdrawn"
    print(finding + "".join(f"\n  {paused(run)}: balance {each:.2f}" for run, each in zip(runs, left)))
    return drawn([paused(run) for run in runs], left, finding)


def paused(run) -> str:
    """Where the first writer was paused, in words."""
    pause = next((event for event in run.events if event["what"] == "pause"), None)
    return f"{pause['who']} paused before {pause['before']}" if pause else "nobody paused"


def drawn(names: list[str], left: list[float], finding: str):
    """The figure: runs from left to right, the balance in each field."""
    fields = [[Field(f"{balance:.2f}", *(BROKEN if balance < 0 else FINE)) for balance in left]]
    labels = [name.replace(" paused ", "\npaused ").replace(" before ", "\nbefore ") for name in names]
    return grid(fields, finding, size=(max(6, 1.3 * len(left)), 1.9), across=labels)
