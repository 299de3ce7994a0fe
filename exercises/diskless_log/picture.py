"""A picture of races: two agents commit a batch each, and each way to be overtaken by the other one is a field."""
from exercises.attack.grid import Field, grid

from . import rules
from .stage import Plan, perform, produced

PLAN = Plan(((1, (produced("shop-1", "orders", 0),)), (2, (produced("shop-2", "orders", 0),))))
MOST = 8  # steps of either agent that are looked at
FATES = {"fine": ("#EEEEEE", "#888888", ""), "lost": ("#0072B2", "white", "L"), "duplicate": ("#E69F00", "black", "D"),
         "wrong": ("#D55E00", "white", "X")}


def races(flush, read):
    """Every way to overtake and be overtaken again; printed in words too. None for a stub."""
    functions = {"flush": flush, "read": read}
    calm = perform(PLAN, functions)
    if rules.unattempted(calm):
        print(f"{flush.__name__}: not attempted yet, nothing to draw")
        return None
    rows, columns = (steps(calm, f"agent-{number}")[:MOST] for number in (1, 2))
    fates = [[fate(perform(overtaken(row, column), functions)) for column in range(1, len(columns) + 1)]
             for row in range(1, len(rows) + 1)]
    total = [each for line in fates for each in line]
    counts = ", ".join(f"{total.count(each)} {each}" for each in FATES if each in total and each != "fine")
    finding = f"{flush.__name__}: {len(total)} races, {counts or 'all fine'}"
    print(finding + "".join(f"\n  agent-1 stops before {row}, agent-2 gets as far as {column}: {each}"
                            for row, line in zip(rows, fates) for column, each in zip(columns, line) if each != "fine"))
    return drawn(rows, columns, fates, finding)


def steps(run, who: str) -> list[str]:
    """What an agent does, one short name a step."""
    did = [event["what"] for event in run.events if event["who"] == who and "step" in event]
    return [" ".join(each.split()[:2]) for each in did]


def overtaken(row: int, column: int) -> Plan:
    """The first agent stops before its step `row`, until the second has done `column` of its own."""
    return Plan(PLAN.flushes, switches=((row, "agent-2"), (row + column, "agent-1")))


def fate(run) -> str:
    """What becomes of the two batches."""
    found = rules.finding(run)
    return found.rule if found and found.rule in FATES else "wrong" if found else "fine"


def drawn(rows: list[str], columns: list[str], fates: list[list[str]], finding: str):
    """The figure, with a letter in each field that is not fine."""
    fields = [[Field(FATES[each][2], *FATES[each][:2]) for each in line] for line in fates]
    seen = [each for each in FATES if any(each in line for line in fates)]
    names = {f"{each} ({FATES[each][2]})" if FATES[each][2] else each: FATES[each][0] for each in seen}
    return grid(fields, finding, size=(3 + 1.1 * len(columns), 1.7 + .42 * len(rows)), across=columns, down=rows,
                legend=names, xlabel="agent-2 has got as far as", ylabel="agent-1 stops before")
