"""The rules of a relay, each a generator of sentences about one recorded run that breaks it.

A rule sees only what could be observed: the steps, the rows that were committed, the broker's log, what was kept.

    safety    lost, unrecognised, repeated, inverted, hasty
    liveness  error, stuck, stalled, held_up, hoards: a program that does nothing breaks these

Legal: a copy of an event that was published and not yet settled (marked, confirmed, or its cursor stored) when its
process died, was paused for longer than a lease, or got no confirmation; one that a snapshot brings again; and a copy
behind a later version, since only first deliveries have to be in order.
"""
from collections import Counter
from collections.abc import Iterator

from exercises.attack import Finding
from exercises.attack.story import EVERY_TIME, first_broken

from .stage import KEEP, LEASE, Run
from .story import words

IN_THIS_ORDER = "No fault was needed: transactions in this order are enough."
MOST_CURSOR = 150  # characters of JSON when all is quiet


def calls(run: Run) -> list[dict]:
    """The calls of a run."""
    return [event for event in run.events if event["what"] == "call"]


def error(run: Run) -> Iterator[str]:
    """A call raised something its caller cannot be expected to handle, or returned what nobody can use."""
    for call in calls(run):
        if call["outcome"] == "fail" and call["error"] not in ("NotConfirmed", "Fenced"):
            yield f"{call['call']}({call['about']}) raised {call['error']}: {call['message'][:200]}."


def stuck(run: Run) -> Iterator[str]:
    """A call never comes back."""
    for call in calls(run):
        if call["outcome"] == "endless":
            yield f"{call['call']}({call['about']}) went on and on without returning."


def named(run: Run, id: str) -> str:
    """A row with its place."""
    position = next(row[1] for row in run.rows if row[0] == id)
    return f"event {id} (position {position})"


def unpublished(run: Run) -> list[str]:
    """The committed rows that the broker never got."""
    there = {id for _, id in run.published}
    return [] if run.plan["program"] == "cleanup" else [row[0] for row in run.rows if row[0] not in there]


def lost(run: Run) -> Iterator[str]:
    """An event was never published, and nobody will do so any more."""
    how = {"poll": "the relay has gone past it" + overtaken(run), "relay": "it is marked as published",
           "follow": "the log behind it is confirmed"}
    for id in unpublished(run):
        if id in run.done:
            yield f"{named(run, id).capitalize()} is committed and lost: {how[run.plan['program']]}."
    for id, _, published in deletions(run):
        if published is None:
            yield f"{named(run, id).capitalize()} was deleted before it was published."


def overtaken(run: Run) -> str:
    """By which xid a lost row of a growing table was overtaken."""
    rows = {row[0]: row for row in run.rows}
    missing = [row for row in run.rows if row[0] in unpublished(run)]
    if run.plan["program"] != "poll" or not missing or not run.published:
        return ""
    passed = max((rows[id] for _, id in run.published), key=lambda row: row[1])
    return f", to a higher position with a {'lower' if passed[4] < missing[0][4] else 'higher'} xid"


def deletions(run: Run) -> list[list]:
    """Every deleted row as [id, time, when it was published or None]."""
    return [row for event in run.events for row in event.get("deleted", ())]


def stalled(run: Run) -> Iterator[str]:
    """An event waits for ever."""
    for id in unpublished(run):
        if id not in run.done:
            yield f"{named(run, id).capitalize()} is committed, and still not published long after all was quiet."


def unrecognised(run: Run) -> Iterator[str]:
    """A consumer that knows events by their names takes a copy for a new event, or a new event for a copy."""
    names, owners = {}, {}
    for name, id in run.published:
        if names.setdefault(id, name) != name:
            yield f"Event {id} was published as {names[id]!r} and as {name!r}: no consumer sees that they are one."
        if owners.setdefault(name, id) != id:
            yield f"Events {owners[name]} and {id} were both published as {name!r}: a consumer drops the second."


def repeated(run: Run) -> Iterator[str]:
    """A copy that no fault explains."""
    times = Counter(id for _, id in run.published)
    already = {"poll": "the cursor behind it was stored already", "relay": "it was marked already",
               "follow": "its transaction was confirmed already"}
    began, graves, losses, latest, settled = {}, [], [], {}, set()
    for place, event in enumerate(run.events):
        who = event["who"]
        if event["what"] == "call":
            began[who] = place
        if event.get("fault") and event["what"] in ("event lost", "confirmation lost"):
            losses.append((who, place))
        elif event["what"] == "crash" or (event["what"] == "pause" and event["seconds"] >= LEASE):
            graves.append((who, place))
        settled.update(event.get("settles", ()))
        id = event.get("publishes")
        if id in latest:
            before, publisher, call = latest[id]
            struck = (any(whose == publisher and when > before for whose, when in graves)
                      or any(whose == publisher and when > call for whose, when in losses))
            if id in settled or not struck:
                why = already[run.plan["program"]] if id in settled else "nothing had happened to whoever published it"
                yield f"{named(run, id).capitalize()} was published {times[id]} times: {why}."
        if id:
            latest[id] = place, who, began.get(who, 0)


def inverted(run: Run) -> Iterator[str]:
    """The first deliveries of an aggregate are not in the order of its versions."""
    place = {id: (aggregate, version) for id, _, aggregate, version, _ in run.rows}
    latest: dict[str, int] = {}
    for id in dict.fromkeys(id for _, id in run.published):
        aggregate, version = place.get(id, ("", 0))
        if version < latest.get(aggregate, 0):
            yield (f"{named(run, id).capitalize()} was published behind {aggregate}-{latest[aggregate]}, a later change"
                   f"{compared(run, id, f'{aggregate}-{latest[aggregate]}')}.")
        latest[aggregate] = max(version, latest.get(aggregate, 0))


def compared(run: Run, early: str, late: str) -> str:
    """How the numbers of a later change compare with those of an earlier one."""
    rows = {row[0]: row for row in run.rows}
    position, xid = ("lower" if rows[late][n] < rows[early][n] else "higher" for n in (1, 4))
    among = f", among {len(run.plan['aggregates'])} transactions" * (run.plan["program"] == "poll")
    return f" with a {position} position and a {xid} xid{among}"


def held_up(run: Run) -> Iterator[str]:
    """A short pause of one relay keeps more than one aggregate waiting, although there is another relay."""
    if run.plan["losses"] or run.plan["late"] or run.plan["crashes"]:
        return
    for event in run.events:
        if len(event.get("waiting", ())) > 1:
            yield (f"While one relay was paused, the other one left {' and '.join(event['waiting'])} waiting; a paused"
                   " relay may hold up only the aggregate it is working on.")


def hasty(run: Run) -> Iterator[str]:
    """A row was deleted while it was still to be kept."""
    for id, now, published in deletions(run):
        if published is not None and now - published < KEEP:
            yield f"Event {id} was deleted {now - published:g} s after it was published; {KEEP} s were asked for."


def hoards(run: Run) -> Iterator[str]:
    """What is kept grows with everything that ever was."""
    program = run.plan["program"]
    overdue = max((event.get("overdue", 0) for event in run.events), default=0)
    if program == "cleanup" and overdue:
        yield f"{overdue} rows were still in the table long after the {KEEP} s for which they were to be kept."
    if program == "poll" and run.kept > MOST_CURSOR:
        yield (f"After {len(run.rows)} rows, and nobody writing any more, the cursor takes {run.kept} characters;"
               f" {MOST_CURSOR} are plenty.")
    if program == "relay" and run.kept:
        yield f"{run.kept} rows are still not marked, so they will be published again and again."
    if program == "follow" and run.kept:
        yield f"{run.kept} transactions are still not confirmed: the server keeps its log from there on for ever."


def unfired(run: Run) -> Iterator[str]:
    """The faults of the plan never happened, so the run proves nothing."""
    planned = any(run.plan[kind] for kind in ("crashes", "pauses", "losses"))
    if planned and not any(event.get("fault") for event in run.events):
        yield "The attack found nothing to attack: none of its faults took place."


# Causes before their consequences: the first broken rule is the one worth telling.
RULES = (error, stuck, lost, inverted, unrecognised, repeated, stalled, held_up, hasty, hoards, unfired)


def finding(run: Run, rules=RULES) -> Finding | None:
    """The first broken rule of a run, explained; None if all hold."""
    chosen = [rule for rule in RULES if rule in rules]
    return first_broken(run, chosen, words, IN_THIS_ORDER if run.plan["program"] == "poll" else EVERY_TIME)


def unattempted(run: Run) -> bool:
    """Whether a function still is the stub of the exercise."""
    return any(call.get("error") == "NotImplementedError" for call in calls(run))
