"""The rules of the exercise, each a generator of sentences about one recorded run that breaks it.

A rule about a log sees the steps, what the service took, the dead letters and where the group reads on. A rule about
numbers simulates the group that they describe, here and now, and measures it.

    safety    skipped, reordered, hasty: nothing is lost, overtaken or given up too early
    liveness  error, stuck, stubborn, blocked, behind: a program that does nothing breaks these
"""
from collections import Counter
from collections.abc import Iterator

from exercises.attack import Finding
from exercises.attack.story import first_broken

from . import groups
from .groups import MOST, PROTOCOLS, Deployment, Load
from .log import LIMIT
from .stage import ROUNDS, Run
from .story import words

NEEDLESS = 1.6  # times the least possible pause that is still good settings


def calls(run: Run) -> list[dict]:
    """The calls of a run."""
    return [event for event in run.events if event["what"] == "call"]


def error(run: Run) -> Iterator[str]:
    """A call raised something its caller cannot be expected to handle."""
    for call in calls(run):
        if call["outcome"] == "fail" and call["error"] not in ("Failed", "NotSent"):
            yield f"{call['call']}({call['about']}) raised {call['error']}: {call['message'][:200]}."


# How large a group

def sized(run: Run) -> tuple[Load, tuple[int, int]]:
    """The load that was asked about, and the answer."""
    return Load(**run.plan["load"]), tuple(run.answer)


def no_size(run: Run) -> Iterator[str]:
    """The answer is not two whole numbers."""
    pair = run.answer if isinstance(run.answer, list) else []
    if len(pair) != 2 or any(type(each) is not int or each < 1 for each in pair):
        yield f"size returned {run.answer!r}, not (members, max_poll_records), two whole numbers of at least 1."


def asked(load: Load) -> str:
    """The load in words."""
    return (f"{load.rate:g} records/s over {load.partitions} partitions, {load.mean * 1000:.3g} ms each, after an "
            f"outage of {load.outage:g} s, to be made up for in {load.within:g} s")


def late(run: Run) -> Iterator[str]:
    """The backlog is not gone in time."""
    load, (members, _) = sized(run)
    left = groups.left_over(load, min(members, load.partitions), run.plan["seed"])
    if left > 0.15:
        yield f"With {members} members {left:.0%} of a partition's backlog is left in the end ({asked(load)})."


def spendthrift(run: Run) -> Iterator[str]:
    """One member fewer would do."""
    load, (members, _) = sized(run)
    if members > load.partitions:
        yield f"{members} members for {load.partitions} partitions: {members - load.partitions} of them own nothing."
    elif members > 1 and groups.left_over(load, members - 1, run.plan["seed"]) < 0.05:
        yield f"{members} members, and {members - 1} would do it in time too ({asked(load)})."


def expelled(run: Run) -> Iterator[str]:
    """A batch can take longer than the poll interval."""
    load, (_, records) = sized(run)
    members = max(1, load.partitions // 2)
    times = groups.put_out(load, members, records, run.plan["seed"])
    if times:
        yield (f"While every record takes {load.slowest:g} s, batches of {records} take {records * load.slowest:.3g} s;"
               f" max.poll.interval is {load.max_poll_interval:g} s, and members were put out {times} times.")


def timid(run: Run) -> Iterator[str]:
    """Far fewer records are taken at a time than could be."""
    load, (_, records) = sized(run)
    most = min(MOST, int(load.max_poll_interval / load.slowest))
    if records < most / 2:
        yield (f"{records} records a poll, where {most} fit into the poll interval even if each takes {load.slowest:g} "
               "s.")


# Settings for a restart

def chosen(run: Run) -> tuple[Deployment, tuple[str, bool, float]]:
    """The deployment that was asked about, and the answer."""
    protocol, static, timeout = (run.answer[name] for name in ("protocol", "group_instance_id", "session_timeout"))
    return Deployment(**run.plan["deployment"]), (protocol, bool(static) or protocol == "static", float(timeout))


def no_settings(run: Run) -> Iterator[str]:
    """The answer is not a dictionary of these three settings."""
    names = {"protocol", "group_instance_id", "session_timeout"}
    if not isinstance(run.answer, dict) or run.answer.keys() != names:
        yield f"settings returned {run.answer!r}, not a dictionary with the keys {', '.join(sorted(names))}."
        return
    protocol, static, timeout = (run.answer[name] for name in ("protocol", "group_instance_id", "session_timeout"))
    good = protocol in PROTOCOLS and isinstance(static, bool) and type(timeout) in (int, float) and 6 <= timeout <= 1800
    if not good:
        yield (f"settings returned {run.answer}: protocol is one of {', '.join(PROTOCOLS)}, group_instance_id True or"
               " False, session_timeout 6 to 1800 seconds.")


def planned(deployment: Deployment) -> str:
    """The deployment in words."""
    return (f"{deployment.members} members, {deployment.partitions} partitions, each member {deployment.away:g} s away,"
            f" {deployment.warm_up:g} s to load a partition's state")


def abandoned(run: Run) -> Iterator[str]:
    """A dead member is missed too late."""
    deployment, (protocol, static, timeout) = chosen(run)
    took = groups.replacement(deployment, protocol, static, timeout, run.plan["seed"])
    if took > deployment.replaced_within:
        yield (f"A member died, and its partitions were read again after {took:.0f} s; {deployment.replaced_within:g} s"
               f" are allowed (session_timeout {timeout:g} s).")


def needless(run: Run) -> Iterator[str]:
    """The restart costs more than it has to."""
    deployment, (protocol, static, timeout) = chosen(run)
    paid = groups.cost(deployment, protocol, static, timeout, run.plan["seed"])
    least = groups.least(deployment, run.plan["seed"])
    if paid > NEEDLESS * least:
        name = f"{protocol}{' with' if static else ' without'} instance ids, session_timeout {timeout:g} s"
        yield (f"{name}: the restart costs {paid:.0f} partition-seconds, and {least:.0f} would do"
               f" ({planned(deployment)}).")


# A log with poison in it

def places(run: Run) -> dict[str, tuple[int, int]]:
    """Where each record stands: partition and offset."""
    return {id: (partition, offset) for partition, log in enumerate(run.plan["log"]) for offset, id in log}


def named(run: Run, id: str) -> str:
    """A record with its place."""
    partition, offset = places(run)[id]
    return f"record {id} (partition {partition}, offset {offset})"


def struck(run: Run, *faults: str) -> int:
    """How often faults of these kinds took place."""
    return sum(event["what"] in faults for event in run.events if event.get("fault"))


def stuck(run: Run) -> Iterator[str]:
    """A call never comes back."""
    for call in calls(run):
        if call["outcome"] == "endless":
            yield f"{call['call']}({call['about']}) went on and on without returning."


def skipped(run: Run) -> Iterator[str]:
    """A record was neither taken by the service nor put among the dead letters, and nobody will read it again."""
    for id, (partition, offset) in places(run).items():
        if id not in run.applied and id not in run.letters and run.next[partition] > offset:
            yield (f"{named(run, id).capitalize()} is committed, but the service does not have it, and no dead letter"
                   " says so.")


def hasty(run: Run) -> Iterator[str]:
    """A record was given up before it had been tried as often as it should be."""
    for id in run.letters:
        tried = run.tried.get(id, 0)
        if tried + struck(run, "crash") < LIMIT:  # who dies between counting and trying has counted in vain
            yield f"{named(run, id).capitalize()} is among the dead letters after {tried} of {LIMIT} tries."


def reordered(run: Run) -> Iterator[str]:
    """A record reached the service before one that stands in front of it had reached it, or had been given up."""
    where, done = places(run), {}
    for event, after in zip(run.events, [*run.events[1:], {}]):
        what, _, id = event["what"].rpartition(" ")
        if what == "dead letter" or what == "apply" and after.get("record") != id:  # else a fault of this very try
            done[id] = done.get(id, event["step"])
    for id, (partition, offset) in where.items():
        behind = [other for other in run.applied if where[other][0] == partition and where[other][1] > offset]
        for later in behind:
            if done[later] < done.get(id, 0):
                yield f"{named(run, later).capitalize()} was applied before {id}, which stands in front, was done."


def stubborn(run: Run) -> Iterator[str]:
    """A record was tried more often than it may be."""
    for id, tried in run.tried.items():
        if tried > LIMIT + struck(run, "crash") and id not in run.applied:
            yield f"{named(run, id).capitalize()} was tried {tried} times; {LIMIT} times are enough to know."


def blocked(run: Run) -> Iterator[str]:
    """A record was never dealt with, and whatever stands behind it waits."""
    for id, (partition, offset) in places(run).items():
        if id not in run.applied and id not in run.letters and run.next[partition] <= offset:
            yield f"{named(run, id).capitalize()} is undone after {ROUNDS} rounds, and its partition waits behind it."


def copied(run: Run) -> Iterator[str]:
    """A dead letter was stored more often than the faults of the run explain."""
    # A letter that is lost, too: it ends the call, and who commits once a batch sends the letters before it again.
    excused = struck(run, "crash", "killed", "confirmation lost", "letter lost")
    for id, copies in Counter(run.letters).items():
        if copies > 1 + excused:
            yield (f"{named(run, id).capitalize()} is among the dead letters {copies} times; {excused} faults excuse"
                   f" {excused}.")


def behind(run: Run) -> Iterator[str]:
    """All is quiet, and a restarted consumer would read records again that were dealt with long ago."""
    for partition, log in enumerate(run.plan["log"]):
        if log and run.next[partition] <= log[-1][0]:
            yield (f"Everything in partition {partition} was dealt with up to offset {log[-1][0]}, but a restarted"
                   f" consumer would begin at offset {run.next[partition]} again.")


def unfired(run: Run) -> Iterator[str]:
    """The faults of the plan never happened, so the run proves nothing."""
    planned = any(run.plan[kind] for kind in ("crashes", "hiccups", "poison", "killers", "losses"))
    if planned and not any(event.get("fault") for event in run.events):
        yield "The attack found nothing to attack: none of its faults took place."


# Causes before their consequences: the first broken rule is the one worth telling.
RULES = (error, no_size, no_settings, stuck, expelled, timid, late, spendthrift, abandoned, needless,
         hasty, reordered, skipped, stubborn, blocked, copied, behind, unfired)


def finding(run: Run, rules=RULES) -> Finding | None:
    """The first broken rule of a run, explained; None if all hold."""
    return first_broken(run, [rule for rule in RULES if rule in rules], words)


def unattempted(run: Run) -> bool:
    """Whether a function still is the stub of the exercise."""
    return any(call.get("error") == "NotImplementedError" for call in calls(run))
