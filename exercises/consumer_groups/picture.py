"""Two pictures: the lag that a group of some size leaves, and what became of each record wherever the consumer died."""
from exercises.attack import walk
from exercises.attack.grid import Field, grid

from . import groups, rules
from .groups import Load
from .stage import Plan, perform

LOAD = Load(rate=100, partitions=12, mean=0.03, slowest=0.4, outage=60, within=100, max_poll_interval=20)
RECORDS = tuple((number - 1, f"a{number}") for number in (1, 2, 3, 4))
PLAN = Plan(log=(RECORDS, ()), poison=("a2",), hiccups=(("a3", 1),))
MOST = 13  # columns: a function that never gives up takes many steps, and looks the same at all of them
LOOKS = {"lost": ("#0072B2", "white"), "waits": ("#56B4E9", "black"), "done": ("#EEEEEE", "#333333"),
         "letter": ("#E69F00", "black")}


def lag(members: int, load: Load = LOAD):
    """Records that nobody has read yet, over time; dashed is when the backlog has to be gone. Printed in words too."""
    import matplotlib.pyplot as plt  # here, because a graded run needs no picture

    end = load.outage + load.within
    run = groups.after_the_outage(load, members, 20, 1, load.work, end + 20)
    rows = run.history.polls.rows
    times = [second / 2 for second in range(int(2 * end) + 40)]
    unread = [load.rate * time - rows["count"][rows["completed"] <= time].sum() for time in times]
    late = unread[int(2 * end)]
    finding = f"{members} members: {late:,.0f} records are unread after {end:g} s, {max(unread):,.0f} at worst"
    print(finding)
    figure, axes = plt.subplots(figsize=(7, 2.6), layout="constrained")
    axes.plot(times, unread, color="#0072B2")
    axes.axvline(end, color="#555555", linestyle="--")
    axes.set(xlabel="simulated time (s)", ylabel="unread records", ylim=(0, None), title=finding)
    axes.spines[["top", "right"]].set_visible(False)
    plt.close(figure)
    return figure


def fates(consume):
    """Four records, the second poisoned, the third fails once; one column a run, killed one step later each time.

    Of very many runs the first are drawn.
    """
    runs = list(walk([(PLAN, True)], lambda plan: perform(plan, {"consume": consume})))
    if any(map(rules.unattempted, runs)):
        print(f"{consume.__name__}: not attempted yet, nothing to draw")
        return None
    bad = [run for run in runs if any(fate(run, id) in ("lost", "waits") for _, id in RECORDS)]
    finding = f"{consume.__name__}: in {len(bad)} of {len(runs)} runs a record is lost or waits for ever"
    print(finding)
    return drawn(runs[:MOST], finding)


def fate(run, id: str) -> str:
    """What became of a record."""
    if id in run.applied:
        return "done"
    offset = dict((name, offset) for offset, name in RECORDS)[id]
    return "letter" if id in run.letters else "lost" if run.next[0] > offset else "waits"


def drawn(runs, finding: str):
    """The figure: runs from left to right, records from top to bottom, a word in each field."""
    names = [id for _, id in RECORDS]
    fields = [[Field(fate(run, id), *LOOKS[fate(run, id)], size=8) for run in runs] for id in names]
    return grid(fields, finding, size=(max(6, .5 * len(runs)), 2.6), across=[str(n) for n in range(len(runs))],
                down=names, xlabel="killed before this step (0: not killed)", small=10)
