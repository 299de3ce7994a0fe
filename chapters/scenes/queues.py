"""Chapter 02d: the same records read by partition and as a queue, what a lock costs either way, and who overtakes whom.

Everything here reads recorded evidence; how share groups work is in `simulator/brokers/kafka/share`, and nowhere else.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from simulator import Workload, distributions, faults, kafka, simulate, theory
from simulator.views import style
from simulator.views.picture import Picture, picture, sentence, words

share = kafka.share
ONE_BY_ONE = {"acknowledgement_mode": "explicit", "acquire_mode": "record_limit", "max_poll_records": 1}
UNLUCKY = 200  # the odd record, by its place among all
ORDERS = Workload(rate=20, seconds=40, keys=None, consumers=4, work=distributions.Exponential(0.1))
RETRIES = 100  # of readers that never give up: long enough for somebody to notice


# One odd record, and the records behind it

def head_of_line(kind: str = "slow", seconds: float = 20.0, members: int = 4, shared_partitions: int = 1,
                 partition_max_record_locks: int = 2_000) -> Picture:
    """How long each record took, under four partitions with a reader each and under a share group."""
    readers = by_partition(kind, seconds)
    group = as_a_queue(kind, seconds, members=members, partitions=shared_partitions,
                       partition_max_record_locks=partition_max_record_locks)
    count = "1 partition" if shared_partitions == 1 else f"{shared_partitions} partitions"
    return side_by_side({"4 partitions, 4 readers": readers, f"share group: {count}, {members} members": group})


@cache
def by_partition(kind: str = "slow", seconds: float = 20.0):
    """Four partitions, each with one reader, who takes its records in order."""
    odd = share.slow(UNLUCKY, seconds) if kind == "slow" else share.poison(UNLUCKY)
    return simulate(share.Partitions(partitions=4, odd=(odd,), attempts=RETRIES), ORDERS, seed=7,
                    settle=60, trace=False)


def as_a_queue(kind: str = "slow", seconds: float = 20.0, members: int = 4, **settings):
    """A share group over the same records."""
    odd = share.slow(UNLUCKY, seconds) if kind == "slow" else share.poison(UNLUCKY)
    workload = Workload(ORDERS.rate, ORDERS.record_bytes, None, ORDERS.seconds, consumers=members, work=ORDERS.work)
    return simulate(kafka.ShareGroup(odd=(odd,), **ONE_BY_ONE | settings), workload, seed=7, settle=60, trace=False)


def took(run) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each record: when it was made, how long until it was done with, and its partition."""
    keys = range(len(run.history.keys))
    created = [run.history.created[key] for key in keys]
    number = [np.full(len(times), key) for key, times in zip(keys, created)]
    seconds = [share.sojourn(run.history, key) for key in keys]
    return np.concatenate(created), np.concatenate(seconds), np.concatenate(number)


def longest_of_the_others(run) -> float:
    """The longest time that any record took but the odd one."""
    return float(np.sort(took(run)[1])[-2 if run.system.odd[0].kind == "slow" else -1])


def held_up(run, longer: float = 5.0) -> int:
    """How many records took longer than so many seconds, besides the odd one."""
    return int((took(run)[1] > longer).sum()) - (run.system.odd[0].kind == "slow")


def side_by_side(runs: dict) -> Picture:
    """How long each record took by when it was made, one panel a run, the odd record as a cross."""
    count = {name: held_up(run) for name, run in runs.items()}
    longest = {name: longest_of_the_others(run) for name, run in runs.items()}
    told = "; ".join(f"{name}: longest of the others {style.seconds(longest[name])}, "
                     f"{style.plural(count[name], 'record')} over 5 s" for name in runs)
    names = list(runs)
    title = f"Records held up for more than 5 s: {count[names[0]]} by partition, {count[names[1]]} in the share group"
    caption = sentence("Each mark is a record: from its creation until it was done with. Colour and shape: partition; "
                       f"cross: the odd one. {told}.", 7)
    figure, axes = picture(title, caption, columns=len(runs), sharex=True, sharey=True, head=0.2, height=2.9)
    for axis, (name, run) in zip(axes, runs.items()):
        _draw_records(axis, run)
        axis.set_title(name, loc="left", fontsize=style.LABEL, y=1)
        words(axis, "record made at (s)", "seconds until it was done with" if axis is axes[0] else "")
    axes[0].set_ylim(0)
    axes[0].locator_params(nbins=5)
    return figure


def _draw_records(axis, run) -> None:
    created, seconds, partition = took(run)
    odd = int(np.argsort(created, kind="stable")[UNLUCKY])
    for key in range(run.system.partitions):
        look, mine = style.series((0, 2, 4, 5, 3, 6, 7, 1)[key % 8]), partition == key
        axis.plot(created[mine], seconds[mine], look["marker"], color=look["color"], markersize=2.6, alpha=0.75)
    axis.plot(created[odd], seconds[odd], "X", color=style.LIGHT["lost"], markersize=9)


# Locks

LOCKS = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0)
WORK = distributions.Lognormal.from_percentiles(p50=5.0, p99=25.0)  # seconds


def locked(lock: float, trouble=(), work=WORK, seconds: float = 200.0, renew: bool = False):
    """Thirty members, far more than the load needs, so that nobody waits for a free one."""
    group = kafka.ShareGroup(record_lock_duration=lock, renew=renew, **ONE_BY_ONE)
    workload = Workload(rate=2, seconds=seconds, keys=None, consumers=30, work=work)
    return simulate(group, workload, faults=trouble, seed=7, trace=False)


def deliveries(lock: float, limit: int = 5) -> float:
    """Deliveries to a record by theory: a geometric distribution, cut off at the limit."""
    late = too_long(lock)
    return (1 - late ** limit) / (1 - late)


def too_long(lock: float) -> float:
    """The share of records that take longer than the lock lasts."""
    t = np.linspace(1e-6, 1 - 1e-6, 200_001)
    return float(np.mean(WORK.quantile(t) > lock))


def silence(lock: float):
    """A member loses power for good just after it was given a record of three seconds; the run."""
    return locked(lock, [faults.power_loss(just_given(), at=DARK)], work=3.0, seconds=60)


DARK = 33.0  # s


@cache
def just_given() -> str:
    """Who was last given a record before it gets dark."""
    history = locked(30.0, work=3.0, seconds=DARK).history
    return history.processes[history.deliveries.rows["process"][history.deliveries.rows["time"] < DARK][-1]]


def stuck(run) -> float:
    """Seconds from the fault until somebody else was given what the faulty member held."""
    rows, at, name = run.history.deliveries.rows, run.faults[0].at, run.faults[0].nodes[0]
    mine = run.history.processes.names.index(name)
    held = rows[(rows["process"] == mine) & (rows["time"] <= at)][-1]
    again = rows[(rows["value"] == held["value"]) & (rows["op"] > held["op"])]
    return float(again["time"][0]) - at


def lock_trade_off() -> Picture:
    """Work done more than once, and time stuck after a silent death, against the lock duration."""
    runs = [locked(lock) for lock in LOCKS]
    extra = [100 * share.repeated(run.history) / len(run.history.publishes) for run in runs]
    stalls = [stuck(silence(lock)) for lock in LOCKS]
    told = ", ".join(f"{lock:g} s: {repeats:.0f} % and {wait:.0f} s"
                     for lock, repeats, wait in zip(LOCKS, extra, stalls))
    caption = sentence("Half of the records take 5 s, one in a hundred 25 s. Lock, extra deliveries, time stuck: "
                       f"{told}. Dashed: a geometric distribution cut off at five deliveries.", 7)
    title = f"A lock of 5 s repeats {extra[0]:.0f} % of the work, one of 60 s loses a minute to a silent death"
    figure, (left, right) = picture(title, caption, columns=2, height=2.7, head=0.2)
    left.plot(LOCKS, extra, **style.series(0), label="measured")
    fine = np.linspace(LOCKS[0], LOCKS[-1], 60)
    left.plot(fine, [100 * (deliveries(lock) - 1) for lock in fine], "--", color=style.LIGHT["lost"], label="theory")
    left.legend(fontsize=style.SMALL, frameon=False)
    left.set_title("deliveries beyond the first, in % of records", loc="left", fontsize=style.LABEL)
    right.plot(LOCKS, stalls, **style.series(2))
    right.set_title("seconds until another member gets the record", loc="left", fontsize=style.LABEL)
    for axis in (left, right):
        words(axis, "record_lock_duration (s)")
        axis.set_ylim(0)
    figure.subplots_adjust(wspace=0.2)
    return figure


def given_up(run) -> int:
    """How many records were archived although somebody could have done them."""
    return len(share.settled_by(run.history, "deadletter"))


# The crash to watch

def one_dies(how: str = "power_loss", at: float = 4.0, member: str = "consumer-2"):
    """Three members and batches of ten records; one member loses power, or is killed, in the middle of a batch."""
    fault = faults.power_loss(member, at=at) if how == "power_loss" else faults.crash(member, at=at)
    group = kafka.ShareGroup(record_lock_duration=10.0, acknowledgement_mode="explicit", batch_records=10)
    return simulate(group, Workload(rate=8, seconds=20, keys=None, consumers=3, work=0.25), faults=[fault], seed=7)


def taken_back(run) -> tuple[int, float]:
    """How many records the dead member held, and how many seconds after its death the leader took them back."""
    rows = run.trace.events.rows[run.trace.where("lock_expired", "session_closed")]
    return int(rows["count"].sum()), float(rows["time"][0]) - run.faults[0].at


# Order

def out_of_order(members: int, work, poll: int = 1) -> float:
    """The share of records that are done with only after a later one, with members 70 % busy."""
    workload = Workload(rate=7 * members, seconds=120 / members ** 0.5, keys=None, consumers=members, work=work)
    group = kafka.ShareGroup(acknowledgement_mode="explicit", acquire_mode="record_limit", max_poll_records=poll)
    run = simulate(group, workload, seed=7, trace=False)
    return share.overtaken(run.history) / len(run.history.publishes)


def inversions() -> Picture:
    """Records overtaken by a later one, against the number of members."""
    members = (1, 2, 3, 4, 6, 8, 12)
    works = {"work always 0.1 s": distributions.Fixed(0.1),
             "work 0.1 s on average, exponential": distributions.Exponential(0.1)}
    lines = {name: [100 * out_of_order(count, work) for count in members] for name, work in works.items()}
    ends = "; ".join(f"{name}: {values[1]:.0f} % with 2 members, {values[-1]:.0f} % with {members[-1]}"
                     for name, values in lines.items())
    most = max(line[-1] for line in lines.values())
    caption = sentence(f"Share of records done with after a later one; members are 70 % busy. {ends}.", 7)
    title = f"With one member nobody is overtaken, with {members[-1]} up to {most:.0f} % are"
    figure, (axis,) = picture(title, caption, height=2.6)
    for number, (name, values) in enumerate(lines.items()):
        axis.plot(members, values, **style.series(number), label=name)
    axis.legend(fontsize=style.SMALL, frameon=False)
    words(axis, "members of the share group", "% of records overtaken")
    axis.set_ylim(0)
    return figure


# More members than partitions

MEMBERS = (4, 5, 6, 8, 10, 12)
RATE, MEAN_WORK, PARTITIONS = 30.0, 0.1, 4


def mean_seconds(system, members: int) -> float:
    """How long a record takes on average, from its creation until it is done with."""
    workload = Workload(rate=RATE, seconds=120, keys=None, consumers=members, work=distributions.Exponential(MEAN_WORK))
    return float(np.nanmean(took(simulate(system, workload, seed=7, trace=False))[1]))


SYSTEMS = {"4 partitions, one reader each": share.Partitions(partitions=PARTITIONS),
           "share group, 4 partitions": kafka.ShareGroup(partitions=PARTITIONS, **ONE_BY_ONE),
           "share group, 1 partition": kafka.ShareGroup(partitions=1, **ONE_BY_ONE)}


def with_members() -> dict[str, list[float]]:
    """The mean seconds of each system, for each number of consumers."""
    return {name: [mean_seconds(system, members) for members in MEMBERS] for name, system in SYSTEMS.items()}


def beyond_partitions(lines: dict[str, list[float]]) -> Picture:
    """Mean time of a record against the number of consumers: readers stop helping at the number of partitions."""
    told = "; ".join(f"{name}: {style.seconds(values[0])} with 4, {style.seconds(values[-1])} with 12"
                     for name, values in lines.items())
    alone, shared, _ = (values[-1] for values in lines.values())
    caption = sentence(f"Mean seconds from creation to done; {RATE:g} records/s, {MEAN_WORK:g} s of work. {told}. "
                       "Dotted: M/M/1 for each partition, M/M/c for one queue.", 7)
    title = f"With 12 consumers the share group is {alone / shared:.1f} times as fast as one reader a partition"
    figure, (axis,) = picture(title, caption, height=2.9)
    for number, (name, values) in enumerate(lines.items()):
        axis.plot(MEMBERS, values, **style.series((1, 0, 2)[number]), label=name)
    for means in ([theory.mm1_sojourn(RATE / PARTITIONS, 1 / MEAN_WORK)] * len(MEMBERS),
                  [theory.mmc_wait(RATE, 1 / MEAN_WORK, members) + MEAN_WORK for members in MEMBERS]):
        axis.plot(MEMBERS, means, ":", color=style.LIGHT["ink"])
    axis.legend(fontsize=style.SMALL, frameon=False)
    words(axis, "consumers", "mean seconds to done")
    axis.set_ylim(0)
    return figure


# A record that kills

def killer(seconds: float = 60.0):
    """Three members, a record that kills whoever works on it, and an orchestrator that restarts them after 5 s."""
    workload = Workload(rate=10, seconds=seconds, keys=None, consumers=3, work=0.05)
    return simulate(kafka.ShareGroup(odd=(share.deadly(50),), **ONE_BY_ONE), workload, seed=7, settle=0)


def killings(run):
    """Who was killed when, and what the delivery count said (pandas)."""
    import pandas as pd
    rows, kills = run.trace.events.rows, run.trace.where("killed")
    counts = rows["epoch"][rows["cause"][kills]]
    names = [run.trace.nodes[node].name for node in rows["node"][kills]]
    return pd.DataFrame({"time (s)": rows["time"][kills].round(2), "killed": names, "delivery count": counts})


# A leader that dies

def leader_dies():
    """A record takes a minute, its lock five seconds; the leader dies during its second delivery."""
    group = kafka.ShareGroup(odd=(share.slow(20, 60.0),), record_lock_duration=5.0, **ONE_BY_ONE)
    workload = Workload(rate=5, seconds=20, keys=None, consumers=6, work=0.05)
    return simulate(group, workload, faults=[faults.crash("broker-1", at=10)], seed=7)


def attempts(run, offset: int) -> list[int]:
    """What the delivery count said at each delivery of a record."""
    rows = run.history.deliveries.rows
    return rows["attempt"][rows["value"] == offset].tolist()
