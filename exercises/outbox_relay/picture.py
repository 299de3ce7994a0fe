"""A picture of every schedule: a row for each order of two writers' actions, a column for each place of two looks."""
from exercises.attack.grid import Field, grid
from exercises.attack.visibility import LOOK, schedules

from . import rules
from .check import APART, TOGETHER, text
from .stage import Plan, perform

LOOKS = {"fine": ("#EEEEEE", "#888888", ""), "lost": ("#0072B2", "white", "L"),
         "late for ever": ("#56B4E9", "black", "W"), "out of order": ("#E69F00", "black", "O"),
         "wrong": ("#D55E00", "white", "X")}
FATES = {"lost": "lost", "stalled": "late for ever", "inverted": "out of order"}


def every_order(poll, a: str = "SXC", b: str = "SXC"):
    """All schedules of two writers who act in the orders `a` and `b`; one aggregate if they lock. None for a stub."""
    aggregates = TOGETHER if "L" in a else APART
    runs = {}
    for schedule in schedules(a, b):
        actions = " ".join(f"{who}{action}" for who, action in schedule if (who, action) != LOOK)
        run = perform(Plan("poll", text(schedule), aggregates), {"poll": poll})
        if rules.unattempted(run):
            print(f"{poll.__name__}: not attempted yet, nothing to draw")
            return None
        runs.setdefault(actions, []).append(fate(run))
    total = [each for row in runs.values() for each in row]
    counts = ", ".join(f"{total.count(each)} {each}" for each in LOOKS if each != "fine" and each in total)
    finding = f"{poll.__name__}, writers {a} and {b}: {len(total)} schedules, {counts or 'all fine'}"
    print(finding)
    return drawn(runs, finding)


def fate(run) -> str:
    """What one schedule comes to."""
    found = rules.finding(run, (rules.error, rules.lost, rules.stalled, rules.inverted, rules.repeated))
    return FATES.get(found.rule, "wrong") if found else "fine"


def drawn(runs: dict[str, list[str]], finding: str):
    """The figure, with a letter in each field that is not fine."""
    fields = [[Field(LOOKS[each][2], *LOOKS[each][:2], size=7) for each in fates] for fates in runs.values()]
    seen = [each for each in LOOKS if any(each in fates for fates in runs.values())]
    names = {f"{each} ({LOOKS[each][2]})" if LOOKS[each][2] else each: LOOKS[each][0] for each in seen}
    figure = grid(fields, finding, size=(3 + .2 * max(map(len, fields)), 1.1 + .2 * len(runs)), down=list(runs),
                  legend=names, xlabel="where the relay looks twice, from early to late", small=7)
    figure.axes[0].tick_params(labelfontfamily="monospace")
    return figure
