"""A picture of races: two agents commit a batch each, and each way to be overtaken by the other one is a field."""
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
    import matplotlib.pyplot as plt  # here, because a graded run needs no picture

    figure, axes = plt.subplots(figsize=(3 + 1.1 * len(columns), 1.7 + .42 * len(rows)), layout="constrained")
    for y, line in enumerate(fates):
        for x, each in enumerate(line):
            colour, ink, letter = FATES[each]
            axes.add_patch(plt.Rectangle((x - .47, y - .45), .94, .9, facecolor=colour, edgecolor="#999999"))
            axes.text(x, y, letter, ha="center", va="center", color=ink, fontsize=11)
    axes.set(xlim=(-.6, len(columns) - .4), ylim=(len(rows) - .4, -.6), xticks=range(len(columns)),
             yticks=range(len(rows)), xlabel="agent-2 has got as far as", ylabel="agent-1 stops before")
    axes.set_xticklabels(columns, fontsize=8)
    axes.set_yticklabels(rows, fontsize=8)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    used = [each for each in FATES if any(each in line for line in fates)]
    marks = [plt.Rectangle((0, 0), 1, 1, facecolor=FATES[each][0], edgecolor="#999999") for each in used]
    figure.legend(marks, [f"{each} ({FATES[each][2]})" if FATES[each][2] else each for each in used],
                  loc="outside lower center", ncols=len(used), frameon=False, fontsize=9)
    figure.suptitle(finding, fontsize=11)
    plt.close(figure)
    return figure
