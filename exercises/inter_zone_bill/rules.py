"""The rules of the exercise, each a generator of sentences about one recorded run that breaks it.

A rule about bytes counts every journey itself, or lays the topology into the simulator and reads the meters; a rule
about a repair simulates both topologies, and the loss of a zone, here and now.

    numbers   inside, mirrored, miscounted, mismeasured, mischarged, impossible, wasteful
    repairs   touched, unread, thinner, overloaded, too_dear
    a zone    lost, refusing, unreachable: what must hold while it is gone
    liveness  error, no_answer
"""
from collections.abc import Iterator

from exercises.attack import Finding
from exercises.attack.story import first_broken

from . import count, laid
from .count import KINDS
from .stage import Run
from .story import words
from .tariffs import AWS, Tariff
from .topology import MIN_INSYNC, Topology

SHARE = 2.0        # times the even share that a broker may hold, or a member may read
METERS = 0.02      # of what a pair of zones carries, and
OVERHEAD = 0.1     # MB/s: requests, answers, heartbeats, which are no records
EXACT = 0.001      # of an exact number: room for rounding


def asked(run: Run) -> Topology:
    """The topology that was asked about."""
    return Topology.of(run.plan["topology"])


def repaired(run: Run) -> Topology:
    """The topology that was answered."""
    return Topology.of(run.answer)


def calls(run: Run) -> list[dict]:
    """The calls of a run."""
    return [event for event in run.events if event["what"] == "call"]


def error(run: Run) -> Iterator[str]:
    """The call raised something."""
    for call in calls(run):
        if call["outcome"] != "ok":
            yield f"{call['call']} raised {call.get('error')}: {call.get('message', '')[:200]}."


# How many bytes

def is_rate(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf")


def no_crossings(run: Run) -> Iterator[str]:
    """The answer is not a dictionary of rates."""
    rows = run.answer if isinstance(run.answer, list) else [run.answer]
    for row in rows:
        good = isinstance(row, list) and len(row) == 4 and row[0] in KINDS and is_rate(row[3])
        if not good or not all(isinstance(zone, str) for zone in row[1:3]):
            yield (f"The answer holds {row!r:.80}. It must be a dictionary of MB/s by (kind, from zone, to zone); the"
                   f" kinds are {', '.join(KINDS)}.")


def said(run: Run) -> dict[tuple[str, str, str], float]:
    """The answer: MB/s by kind and direction."""
    return {tuple(way): rate for *way, rate in run.answer}


def inside(run: Run) -> Iterator[str]:
    """Bytes that never leave their zone are among those that cross."""
    for (kind, source, target), rate in said(run).items():
        if source == target:
            yield (f"{kind} from zone {source} to zone {target}: {rate:g} MB/s, and these never change zone: nobody"
                   " charges them.")


def differ(one: float, other: float) -> bool:
    return abs(one - other) > EXACT * max(one, other) + 1e-6


def mirrored(run: Run) -> Iterator[str]:
    """All bytes of a kind are there, and go the wrong way."""
    right = count.crossing(asked(run))
    for kind in KINDS:
        mine = {way: rate for way, rate in said(run).items() if way[0] == kind and rate}
        theirs = {way: rate for way, rate in right.items() if way[0] == kind}
        turned = {(kind, target, source): rate for (_, source, target), rate in mine.items()}
        if mine.keys() != theirs.keys() and turned.keys() == theirs.keys() and not any(
                differ(turned[way], theirs[way]) for way in theirs):
            _, source, target = next(iter(theirs))
            yield (f"{kind}: the bytes are right and go the wrong way; they travel from zone {source} to zone {target},"
                   " whoever asked for them.")


def miscounted(run: Run) -> Iterator[str]:
    """Of a kind, more or fewer bytes go one way than the topology sends that way."""
    topology, answer = asked(run), said(run)
    right = count.crossing(topology)
    for kind, source, target in sorted(right.keys() | answer.keys(), key=lambda way: (KINDS.index(way[0]), way)):
        mine, theirs = answer.get((kind, source, target), 0.0), right.get((kind, source, target), 0.0)
        if differ(mine, theirs):
            ways = [each for each in count.journeys(topology) if each[:3] == (kind, source, target)]
            listed = "; ".join(f"{each.who}, {each.rate:g} MB/s" for each in ways) or "nothing takes this way"
            yield (f"Too {'much' if mine > theirs else 'little'} {kind} from zone {source} to zone {target}:"
                   f" {mine:g} MB/s instead of {theirs:g} ({listed}).")


def mismeasured(run: Run) -> Iterator[str]:
    """The meters of a simulated second say something else."""
    answer, metered = said(run), laid.metered(asked(run))
    ways = sorted(metered.pairs.keys() | {way[1:] for way in answer})
    for source, target in ways:
        mine = sum(rate for way, rate in answer.items() if way[1:] == (source, target))
        measured = metered.pairs.get((source, target), 0.0)
        if abs(mine - measured) > METERS * measured + OVERHEAD:
            over = {kind: answer.get((kind, source, target), 0.0) - metered.kinds.get((kind, source, target), 0.0)
                    for kind in KINDS}
            kind = max(KINDS, key=lambda kind: abs(over[kind]))
            yield (f"From zone {source} to zone {target} the simulator's meters counted {measured:.2f} MB/s; you say"
                   f" {mine:.2f}, too {'much' if over[kind] > 0 else 'little'} {kind} above all.")


# The bill

def mischarged(run: Run) -> Iterator[str]:
    """The bill is not what these bytes cost."""
    if not is_rate(run.answer):
        yield f"The bill is {run.answer!r:.80}, not a number of dollars."
        return
    tariff, rates = Tariff(**run.plan["tariff"]), count.crossing(asked(run))
    right = tariff.month(rates)
    if abs(run.answer - right) > 0.002 * right + 0.005:
        times = f", {run.answer / right:.3g} times what it is" if right else ""
        free = "" if tariff.replication else ", replication not charged"
        yield (f"The month costs {right:,.2f} dollars ({tariff.name}: {tariff.leaving:g} for a GB that leaves a zone,"
               f" {tariff.entering:g} for one that enters{free}), not {run.answer:,.2f}{times}.")


# The least

def no_number(run: Run) -> Iterator[str]:
    """The answer is not a rate."""
    if not is_rate(run.answer):
        yield f"The answer is {run.answer!r:.80}, not a number of MB/s."


def impossible(run: Run) -> Iterator[str]:
    """No placement that survives the loss of a zone gets along with so little."""
    right = count.least(asked(run))
    if run.answer < right and differ(run.answer, right):
        yield (f"{run.answer:g} MB/s is out of reach: of all placements in which each partition has {MIN_INSYNC}"
               f" replicas left whichever zone is lost, the best lets {right:g} MB/s cross.")


def wasteful(run: Run) -> Iterator[str]:
    """There is a placement that does with less."""
    topology = asked(run)
    right = count.least(topology)
    if run.answer > right and differ(run.answer, right):
        best = "; ".join(f"{name} on {', '.join(count.cheapest(topology, name)[1])}" for name in topology.partitions)
        yield f"{run.answer:g} MB/s is not the least: {right:g} MB/s is, with {best}, and whoever can reading nearby."


# Repairs: what may change, and what must hold

def no_topology(run: Run) -> Iterator[str]:
    """The answer is not a topology that can be laid out."""
    try:
        topology = repaired(run)
        for name, replicas in topology.partitions.items():
            unknown = [each for each in replicas if each not in topology.brokers]
            if unknown or len(set(replicas)) < len(replicas) or not replicas:
                yield f"{name} has the replicas {', '.join(replicas) or 'none'}: not different brokers of this cluster."
    except (KeyError, TypeError, ValueError, AttributeError):
        yield f"The answer is {run.answer!r:.80}, not a Topology; dataclasses.replace(topology, ...) makes one."


def touched(run: Run) -> Iterator[str]:
    """Something was changed that is not ours to change here."""
    before, after = asked(run), repaired(run)
    reading = run.plan["program"] == "read_nearer"

    def who(consumers):
        return [(each.name, each.group, each.zone) if reading else each for each in consumers]
    fixed = {"brokers": before.brokers == after.brokers, "producers": before.producers == after.producers,
             "consumers": who(before.consumers) == who(after.consumers),
             "partitions": (before.partitions == after.partitions if reading
                            else before.partitions.keys() == after.partitions.keys()),
             "nearest": reading or before.nearest == after.nearest}
    for name, same in fixed.items():
        if not same:
            may = "what each consumer reads, and `nearest`" if reading else "each partition's replicas and their order"
            yield f"`{name}` is not as it was; this repair may change {may}, and nothing else."


def unread(run: Run) -> Iterator[str]:
    """A group no longer reads every partition exactly once."""
    before, after = asked(run), repaired(run)
    for group in sorted({each.group for each in before.consumers}):
        mine = [name for each in after.consumers if each.group == group for name in each.reads]
        for name in before.partitions:
            if mine.count(name) != 1:
                yield f"Group {group} reads {name} {mine.count(name)} times; every group reads each partition once."


def thinner(run: Run) -> Iterator[str]:
    """A partition has fewer replicas, or more."""
    before, after = asked(run), repaired(run)
    for name, replicas in before.partitions.items():
        now = after.partitions[name]
        if len(now) != len(replicas):
            yield f"{name} has {len(now)} replicas, {', '.join(now)}; it had {len(replicas)}, and that must stay."


def overloaded(run: Run) -> Iterator[str]:
    """A broker holds, or a member reads, more than twice an even share of the partitions."""
    after = repaired(run)
    share = sum(map(len, after.partitions.values())) / len(after.brokers)
    for broker in after.brokers:
        number = sum(broker in replicas for replicas in after.partitions.values())
        if number > SHARE * share:
            yield f"{broker} holds {number} replicas, more than twice its even share of {share:.3g}."
    for each in after.consumers:
        share = len(after.partitions) / sum(other.group == each.group for other in after.consumers)
        if len(each.reads) > SHARE * share:
            yield f"{each.name} reads {len(each.reads)} partitions, more than twice its even share of {share:.3g}."


def too_dear(run: Run) -> Iterator[str]:
    """By the meters, more than half of the bill is left."""
    before, after = laid.metered(asked(run)), laid.metered(repaired(run))
    if after.total > 0.505 * before.total:
        left = count.crossing(repaired(run))
        kinds = ", ".join(f"{kind} {sum(rate for way, rate in left.items() if way[0] == kind):g}" for kind in KINDS)
        yield (f"By the meters {after.total:.1f} of {before.total:.1f} MB/s still cross"
               f" ({after.total / before.total:.0%}; {kinds}): {AWS.month({('', '', ''): after.total}):,.0f} of"
               f" {AWS.month({('', '', ''): before.total}):,.0f} dollars a month.")


# A zone is gone

def zone_lost(run: Run) -> list[str]:
    """The zones that are lost in this run."""
    return [event["zone"] for event in run.events if event.get("fault")]


def lost(run: Run) -> Iterator[str]:
    """Acknowledged records are gone."""
    for zone in zone_lost(run):
        after = repaired(run)
        for name, records in laid.without(after, zone).lost.items():
            yield (f"With zone {zone}, {records} acknowledged records of {name} are lost: its replicas were"
                   f" {held(after, name)}.")


def refusing(run: Run) -> Iterator[str]:
    """Producers cannot write."""
    for zone in zone_lost(run):
        after = repaired(run)
        for name, records in laid.without(after, zone).refused.items():
            yield (f"Without zone {zone} nobody can write to {name}, {records} records were refused: its replicas are"
                   f" {held(after, name)}, and min.insync.replicas is {MIN_INSYNC}.")


def held(topology: Topology, name: str) -> str:
    """Who has a partition, with zones."""
    return ", ".join(f"{each} ({topology.brokers[each]})" for each in topology.partitions[name])


def unreachable(run: Run) -> Iterator[str]:
    """Consumers cannot read what was acknowledged."""
    for zone in zone_lost(run):
        for (consumer, name), records in laid.without(repaired(run), zone).unread.items():
            yield f"Without zone {zone}, {consumer} never reads {records} acknowledged records of {name}."


def unfired(run: Run) -> Iterator[str]:
    """The zone of the plan was never lost, so the run proves nothing."""
    if len(zone_lost(run)) != len(run.plan["crashes"]):
        yield "A zone was to be lost and was not: nothing is proved."


# Causes before their consequences: the first broken rule is the one worth telling.
RULES = (error, no_crossings, inside, mirrored, miscounted, mismeasured, mischarged, no_number, impossible, wasteful,
         no_topology, touched, unread, thinner, overloaded, lost, refusing, unreachable, too_dear, unfired)


def finding(run: Run, rules=RULES) -> Finding | None:
    """The first broken rule of a run, explained; None if all hold."""
    return first_broken(run, [rule for rule in RULES if rule in rules], words)


def unattempted(run: Run) -> bool:
    """Whether a function still is the stub of the exercise."""
    return any(call.get("error") == "NotImplementedError" for call in calls(run))
