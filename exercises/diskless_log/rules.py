"""The rules of a log, each a generator of sentences about one recorded run that breaks it.

A rule sees only what could be observed: the steps, what was acknowledged, what readers were told, and how the log reads
in the end. A record is named by where it belongs: `orders.shop-1.3` is record 3 of shop-1 in the partition orders.

    safety    unreadable, mixed, duplicate, reordered, lost, holes, changed, stale, misinformed, swollen
    liveness  error, stuck, unacked, left: a log that does nothing breaks these
"""
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from exercises.attack import Finding
from exercises.attack.story import first_broken

from .stage import Run
from .story import words


def calls(run: Run, name: str = "") -> list[dict]:
    """The calls of a run, or of one function."""
    return [event for event in run.events if event["what"] == "call" and event["call"].startswith(name)]


def batches(run: Run) -> list[dict]:
    """What was sent, each batch once."""
    sent = {(each[0], each[1], each[2]): each for _, flushed in run.plan["flushes"] for each in flushed}
    return [dict(zip(("producer", "partition", "sequence", "records"), each)) for each in sent.values()]


def named(batch: dict) -> str:
    """A batch as a story names it."""
    first, last = batch["sequence"], batch["sequence"] + len(batch["records"]) - 1
    return f"{batch['partition']}.{batch['producer']}.{first}" + f"-{last}" * (last > first)


def pairs(returned) -> list | None:
    """What a read returned as pairs of offset and record; None if it is anything else."""
    fine = isinstance(returned, list) and all(isinstance(each, list) and len(each) == 2 and type(each[0]) is int
                                              and isinstance(each[1], str) for each in returned)
    return returned if fine else None


def log(run: Run) -> dict[str, list]:
    """The log as it reads when all is over: pairs of offset and record for each partition."""
    return {partition: pairs(returned) or [] for partition, returned in run.log.items()}


def told(run: Run) -> list[dict]:
    """The reads that returned what a read has to return."""
    return [read for read in run.reads if read["outcome"] == "ok" and pairs(read["returned"]) is not None]


def error(run: Run) -> Iterator[str]:
    """A call raised something its caller cannot be expected to handle, or returned what nobody can use."""
    for call in calls(run):
        missing = call["call"] == "read" and call.get("error") == "NotFound"
        if call["outcome"] == "fail" and call["error"] != "NoAnswer" and not missing:
            yield f"{call['call']}({call['about']}) raised {call['error']}: {call['message'][:200]}."
    for read in run.reads:
        if read["outcome"] == "ok" and pairs(read["returned"]) is None:
            yield f"read returned {read['returned']!r:.200}, not pairs of offset and record."


def stuck(run: Run) -> Iterator[str]:
    """A call never comes back."""
    for call in calls(run):
        if call["outcome"] == "endless":
            yield f"{call['call']}({call['about']}) went on and on without returning."


def unreadable(run: Run) -> Iterator[str]:
    """A reader looked for an object that is not there."""
    for call in calls(run, "read"):
        if call.get("error") == "NotFound":
            yield f"{call['who']} cannot read {call['about'].split(',')[0]}: {call['message']}."


def mixed(run: Run) -> Iterator[str]:
    """The log of a partition holds what was never sent there."""
    sent = {record: batch["partition"] for batch in batches(run) for record in batch["records"]}
    for partition, records in log(run).items():
        for _, record in records:
            if sent.get(record) != partition:
                yield f"{record!r} stands in the log of {partition}."


def duplicate(run: Run) -> Iterator[str]:
    """A record stands in the log more than once."""
    for partition, records in log(run).items():
        for record, times in Counter(record for _, record in records).items():
            if times > 1:
                at = ", ".join(str(offset) for offset, each in records if each == record)
                yield f"{record} stands in the log {times} times, at the offsets {at}."


def reordered(run: Run) -> Iterator[str]:
    """A producer's records do not stand in the order in which it sent them."""
    for partition, records in log(run).items():
        latest: dict[str, int] = {}
        for _, record in records:
            producer, _, number = record[len(partition) + 1:].rpartition(".")
            if int(number) < latest.get(producer, -1):
                yield f"{record} stands behind {partition}.{producer}.{latest[producer]}."
            latest[producer] = max(int(number), latest.get(producer, -1))


def lost(run: Run) -> Iterator[str]:
    """A batch was acknowledged and is not there."""
    for batch in batches(run):
        there = {record for _, record in log(run).get(batch["partition"], ())}
        missing = [record for record in batch["records"] if record not in there]
        if missing and acked(run, batch):
            yield f"{named(batch)} was acknowledged, and when all is over {missing[0]} is not in the log."


def acked(run: Run, batch: dict) -> list[list]:
    """The acknowledgements of a batch, as (offset, when)."""
    who = [batch["producer"], batch["partition"], batch["sequence"]]
    return [[offset, place] for *whose, offset, place in run.acks if whose == who]


def holes(run: Run) -> Iterator[str]:
    """Offsets do not begin where they were asked for, or do not go on one by one."""
    for read in told(run):
        offsets = [offset for offset, _ in read["returned"]]
        if offsets and offsets[0] != read["offset"]:
            yield (f"{read['who']} asked for {read['partition']} from offset {read['offset']} and got {offsets[0]}"
                   " first.")
        for one, following in pairwise(offsets):
            if following != one + 1:
                yield f"{read['who']} got offset {following} of {read['partition']} behind offset {one}."


def changed(run: Run) -> Iterator[str]:
    """A reader was shown what the log does not hold when all is over: it was not committed, or did not stay."""
    for read in told(run):
        final = dict(map(tuple, log(run).get(read["partition"], ())))
        for offset, record in read["returned"]:
            if final.get(offset) != record:
                stands = f"{final[offset]} stands" if offset in final else "nothing stands"
                yield f"{read['who']} saw {record} at offset {offset}; when all is over {stands} there."


def stale(run: Run) -> Iterator[str]:
    """A reader was not shown what had been acknowledged before it began."""
    for read in told(run):
        seen = {record for _, record in read["returned"]}
        for batch in batches(run):
            earlier = [offset for offset, place in acked(run, batch) if place <= read["begun"]]
            here = batch["partition"] == read["partition"] and earlier and earlier[0] >= read["offset"]
            if here and not seen.issuperset(batch["records"]):
                yield f"{named(batch)} was acknowledged, and {read['who']}, who began to read later, did not see it."


def misinformed(run: Run) -> Iterator[str]:
    """A producer was told another offset than that of its batch."""
    for batch in batches(run):
        place = {record: offset for offset, record in log(run).get(batch["partition"], ())}
        for offset, _ in acked(run, batch):
            if place.get(batch["records"][0], offset) != offset:
                yield f"{named(batch)} was acknowledged at offset {offset}; it stands at {place[batch['records'][0]]}."


def swollen(run: Run) -> Iterator[str]:
    """Records travel with every commit."""
    for key in run.swollen:
        yield f"The object {key} holds records: whoever loses a race for it has to send them all again."


def unacked(run: Run) -> Iterator[str]:
    """A producer sends and sends, and is never answered."""
    for batch in batches(run):
        if not acked(run, batch):
            yield f"{named(batch)} was sent again and again, and never acknowledged."


def left(run: Run) -> Iterator[str]:
    """Files that nobody needs stay for ever."""
    for key in run.left:
        yield f"All is quiet, the collector has been there, and {key} is still in the store, though nobody needs it."


def unfired(run: Run) -> Iterator[str]:
    """The faults of the plan never happened, so the run proves nothing."""
    planned = any(run.plan[kind] for kind in ("crashes", "pauses", "losses"))
    if planned and not any(event.get("fault") for event in run.events):
        yield "The attack found nothing to attack: none of its faults took place."


# Causes before their consequences: the first broken rule is the one worth telling.
RULES = (error, stuck, unreadable, mixed, duplicate, reordered, lost, holes, changed, misinformed, stale, swollen,
         unacked, left, unfired)


def finding(run: Run, rules=RULES) -> Finding | None:
    """The first broken rule of a run, explained; None if all hold."""
    return first_broken(run, [rule for rule in RULES if rule in rules], words)


def unattempted(run: Run) -> bool:
    """Whether a function still is the stub of the exercise."""
    return any(call.get("error") == "NotImplementedError" for call in calls(run))
