"""Chapter 02e: what a retry does, how long readers wait for a commit, what becomes of a record worked on twice.

Everything here reads recorded evidence; how transactions work is in `simulator/brokers/kafka/transactions`, and nowhere
else.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from simulator import Workload, distributions, faults, kafka, simulate
from simulator.evidence.history import FINAL_READER, TYPES
from simulator.evidence.why import Explanation, Line
from simulator.run import Run
from simulator.views import style
from simulator.views.picture import Picture, picture, sentence, words

IMPATIENT = dict(request_timeout=1.0, delivery_timeout=20.0)
CLUSTER = kafka.Cluster(partitions=2, producer=kafka.Producer(**IMPATIENT))
ORDERS = Workload(rate=50, seconds=6, keys=20)
LENGTHS = (0.05, 0.2, 0.5, 1.0, 3.0)  # seconds a transaction is open
ISOLATIONS = ("read_committed", "read_uncommitted")


# Retries

LOST_REQUEST = faults.drop(["producer-1"], ["broker-1"], at=1, lasts=0.01)
LOST_ANSWERS = faults.mute("broker-1", ["producer-1"], at=2.5, lasts=1.5)


def retries(max_in_flight: int = 5, idempotence: bool = False, lost: str = "a request", seed: int = 7) -> Run:
    """One producer, one partition, 200 records a second; a request is lost, or answers are for a second and a half."""
    producer = kafka.Producer(max_in_flight=max_in_flight, idempotence=idempotence, **IMPATIENT)
    trouble = {"a request": [LOST_REQUEST], "answers": [LOST_ANSWERS], "both": [LOST_REQUEST, LOST_ANSWERS]}[lost]
    run = simulate(kafka.Cluster(partitions=1, producer=producer), Workload(rate=200, seconds=4, keys=50),
                   faults=trouble, seed=seed)
    return run.shown_as(order)


def harm(run: Run) -> dict[str, int]:
    """How many records of a log are there twice, and how many come after a later one."""
    values = _log(run)
    behind = np.diff(np.maximum.accumulate(values), prepend=-1) == 0
    repeated = len(values) - len(np.unique(values))
    return {"twice": repeated, "out of order": int(np.count_nonzero(behind)) - repeated}


def _log(run: Run) -> np.ndarray:
    """The values of the first partition in the order of their offsets, as the final reader found them."""
    rows = run.history.polls.rows
    final = rows[(rows["process"] == run.history.processes.code(FINAL_READER)) & (rows["key"] == 0)]
    return np.concatenate([np.arange(row["value"], row["value"] + row["count"]) for row in final])


def retry_table():
    """Every way to retry, and what it does to the log (pandas)."""
    import pandas as pd
    ways = [(1, False), (2, False), (5, False), (1, True), (5, True)]
    rows = [{"in flight": flying, "idempotence": "on" if once else "off"} | harm(retries(flying, once, "both"))
            for flying, once in ways]
    return pd.DataFrame(rows)


def order(run: Run) -> Picture:
    """The log as a line: it climbs by one from record to record, unless something is there twice or out of order."""
    values, found = _log(run), harm(run)
    title = f"{found['twice']} records twice, {found['out of order']} out of order"
    settings = run.system.producer
    caption = sentence(f"Each point is a record: its place in the log, and its number. With {settings.max_in_flight} "
                       f"in flight and idempotence {'on' if settings.idempotent else 'off'}: {title}. Dashed: where it "
                       "should be.", run.seed)
    figure, (axis,) = picture(title, caption, height=2.8)
    place = np.arange(len(values))
    wrong = _disturbed(values)
    axis.plot(place, place, color=style.LIGHT["muted"], linestyle="--", linewidth=1, zorder=0)
    axis.plot(place[~wrong], values[~wrong], ".", color=style.LIGHT["broker"], markersize=2)
    axis.plot(place[wrong], values[wrong], "x", color=style.LIGHT["lost"], markersize=4)
    words(axis, "place in the log", "number of the record")
    return figure


def _disturbed(values: np.ndarray) -> np.ndarray:
    """Records that do not come after everything before them."""
    return np.append(False, values[1:] <= np.maximum.accumulate(values)[:-1])


# Transactions

def transactions(*trouble, workload: Workload = ORDERS, seed: int = 7, **settings) -> Run:
    """One producer of transactions that are open for 0.3 s, unless something else is asked for."""
    return simulate(kafka.Transactions(**dict(cluster=CLUSTER, commit_interval=0.3) | settings), workload,
                    faults=trouble, seed=seed)


def log_of(run: Run, key: str, until: float):
    """What a partition's log holds, offset by offset: records and markers (pandas)."""
    import pandas as pd
    trace, rows = run.trace, run.trace.events.rows
    written = []
    for event in trace.where("append", "marker", key=key).tolist():
        row = rows[event]
        if row["time"] <= until and trace.kinds[row["kind"]].name == "marker":
            written[-1] = (int(row["offset"]), f"{trace.notes[event]} marker", float(row["time"]))
        elif row["time"] <= until:
            written += [(int(row["offset"]) + i, f"record {row['value'] + i}", float(row["time"]))
                        for i in range(row["count"])]
    return pd.DataFrame(written, columns=["offset", "what", "written at (s)"]).round(3)


def outcomes(run: Run) -> dict[str, int]:
    """How many transactions of each process were committed, aborted, or ended in doubt."""
    names = {"ok": "committed", "fail": "aborted", "info": "in doubt"}
    return dict(Counter(names[TYPES[kind]] for kind in run.history.transactions.rows["type"].tolist()))


# How long readers wait

def waiting(intervals=LENGTHS, seed: int = 7) -> dict[str, list[float]]:
    """Mean seconds from a record's creation to its first delivery, for transactions of these lengths, by isolation."""
    workload = Workload(rate=25, seconds=12, keys=20, arrivals="even")

    def mean(interval: float, isolation: str) -> float:
        run = transactions(commit_interval=interval, isolation=isolation, workload=workload, seed=seed)
        return run.end_to_end.mean
    return {isolation: [mean(interval, isolation) for interval in intervals] for isolation in ISOLATIONS}


def waits(intervals=LENGTHS, seed: int = 7) -> Picture:
    """End-to-end latency against the length of transactions, and half that length beside it."""
    found = waiting(intervals, seed)
    committed, uncommitted = found["read_committed"], found["read_uncommitted"]
    title = (f"Transactions of {intervals[-1]:g} s: {committed[-1]:.2g} s until committed, "
             f"{1000 * uncommitted[-1]:.0f} ms until there")
    told = "; ".join(f"{i:g} s: {c:.3f} s and {1000 * u:.0f} ms" for i, c, u in zip(intervals, committed, uncommitted))
    caption = sentence("Mean end-to-end latency against the time a transaction is open, read_committed and "
                       f"read_uncommitted. {told}. Dotted: half the time.", seed)
    figure, (axis,) = picture(title, caption, height=3.0)
    axis.loglog(intervals, committed, "o-", color=style.LIGHT["consumer"], label="read_committed")
    axis.loglog(intervals, uncommitted, "s--", color=style.LIGHT["producer"], label="read_uncommitted")
    axis.loglog(intervals, np.array(intervals) / 2, ":", color=style.LIGHT["muted"], label="half a transaction")
    words(axis, "seconds a transaction is open", "mean end-to-end latency (s)")
    axis.legend(frameon=False, fontsize=style.LABEL)
    return figure


def stall(commit_interval: float = 0.3, stands_still: float = 2.0, isolation: str = "read_committed",
          seed: int = 7) -> Run:
    """Two producers; the second one stands still in the middle of a transaction."""
    still = faults.pause("producer-2", at=2.05, lasts=stands_still)
    run = transactions(still, producers=2, commit_interval=commit_interval, isolation=isolation, seed=seed)
    return run.shown_as(lambda run: arrivals({isolation: run}, run.title))


def silence(run: Run) -> float:
    """The longest time for which readers got nothing."""
    rows = run.history.polls.rows
    return float(np.diff(np.sort(rows["completed"][rows["process"] != run.history.processes.code(FINAL_READER)])).max())


def arrivals(runs: dict[str, Run], title: str = "") -> Picture:
    """How many records readers had got by when."""
    told = "; ".join(f"{name}: {silence(run):.1f} s without a record" for name, run in runs.items())
    figure, (axis,) = picture(told, sentence(f"Records delivered so far; a flat stretch is readers waiting. {told}.",
                                             next(iter(runs.values())).seed), height=2.6)
    for line, hue, (name, run) in zip(("-", "--"), ("consumer", "producer"), runs.items()):
        times, counts = run.history.flow("delivered")
        in_time = np.argsort(times, kind="stable")
        axis.step(times[in_time], np.cumsum(counts[in_time]), line, where="post", color=style.LIGHT[hue], label=name)
    words(axis, "simulated time (s)", "records delivered")
    axis.legend(frameon=False, fontsize=style.LABEL)
    return figure


# Zombies and stragglers

def zombie(version: int = 2, **more) -> Run:
    """`producer-1` stands still from 2.05 s to 4.05 s; at 3 s another instance of its transactional id starts."""
    return transactions(faults.pause("producer-1", at=2.05, lasts=2), transaction_version=version,
                        replace_at=3.0, **more)


def delayed(version: int, at: float = 1.57, late: float = 1.55) -> Run:
    """Every third transaction is aborted; what is sent within 30 ms arrives late, and given up after a second."""
    return transactions(faults.slow_network("producer-1", extra=late, at=at, lasts=0.03), transaction_version=version,
                        abort_every=3)


def decisions(run: Run, since: float, until: float) -> Explanation:
    """What was decided about transactions, and what their producers believed, one line an event."""
    trace, rows = run.trace, run.trace.events.rows
    events = [event for event in trace.where("transaction", "marker", "began", "committed", "aborted", "uncertain",
                                             "fenced_producer", "pause", "resume", "slow_network").tolist()
              if since <= rows["time"][event] <= until]
    lines = [Line(float(rows["time"][event]), trace.nodes[rows["node"][event]].name, trace.describe(event), event)
             for event in events]
    return Explanation("What was decided, and what was believed", tuple(lines), f"({run.title})")


# Consume, transform, produce

WORK = Workload(rate=50, seconds=6, keys=20, work=distributions.Exponential(0.004))
KILLED = faults.crash("worker-1", at=2.03, lasts=1)
STUNNED = faults.pause("worker-1", at=2.03, lasts=3)


def pipeline(exactly_once: bool = True, *trouble, seed: int = 7, **settings) -> Run:
    """Two workers turn orders into totals, one for one."""
    settings = dict(cluster=CLUSTER, session_timeout=1.0, transaction_timeout=5.0, timeout_check=0.5) | settings
    return simulate(kafka.Pipeline(exactly_once=exactly_once, **settings), WORK, faults=trouble, seed=seed)


def effects(run: Run) -> dict[str, int]:
    """How many orders have no total, exactly one, or more, as the final reader found them."""
    history, half = run.history, len(run.history.keys) // 2
    rows = history.polls.rows
    final = rows[rows["process"] == history.processes.code(FINAL_READER)]
    found: Counter = Counter()
    for row in final:
        for value in range(row["value"], row["value"] + row["count"]):
            found[int(row["key"]) % half, int(value)] += 1
    times = [count - 1 for count in found.values()]  # the order itself is one of them
    return {"never": times.count(0), "once": times.count(1), "more than once": sum(count > 1 for count in times)}


def compare_pipelines(*trouble):
    """Both kinds of pipeline under the same trouble: effects, and how old a total is when it can be read (pandas)."""
    import pandas as pd
    names = {"exactly once": pipeline(True, *trouble), "at least once": pipeline(False, *trouble)}
    return pd.DataFrame({name: effects(run) | {"mean age (ms)": round(1000 * _age(run))}
                         for name, run in names.items()}).T


def _age(run: Run) -> float:
    """Mean seconds from an order's creation to the first delivery of its total."""
    history = run.history
    rows = history.polls.rows
    mine = rows[(rows["key"] >= len(history.keys) // 2) & (rows["process"] != history.processes.code(FINAL_READER))]
    since = np.concatenate([row["completed"]
                            - history.created[int(row["key"])][row["value"]:row["value"] + row["count"]]
                            for row in mine])
    return float(since.mean())
