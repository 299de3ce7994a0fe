"""A failing run as a film: each process a line, each side effect an event, each fault a mark, in the course's player.

Time does not exist in an attack, only order: in the film one event follows the other after one second.
"""
from simulator.evidence.trace import Trace
from simulator.views.player import Player, player

from .story import line

MARKS = {"crash": "crash", "pause": "pause"}  # what a picture knows; other faults look alike
KINDS = {"call": ("local", "{node}: {note}"), "step": ("local", "{node}: {note}"),
         "commit": ("state", "{node}: {note}"), "crash": ("state", "{note}"),
         "restart": ("state", "{node} starts again with an empty memory"), "pause": ("state", "{note}"),
         "resume": ("state", "{note}"), "fault": ("state", "{note}"), "note": ("local", "{node}: {note}"),
         "ask": ("send", "{node} asks {peer}: {note}"), "asked": ("receive", "{node} is asked: {note}"),
         "answer": ("send", "{node} answers {peer}: {note}"),
         "lost": ("drop", "on the way to {node} this is lost: {note}"), "answered": ("receive", "{node} hears: {note}")}
OUTSIDE = "the outside"  # brokers, services, gateways: whatever a request goes to


def film(events: list[dict], words, *, title: str, question: str) -> Player:
    """The events of a run as a player, opened at the fault; `words(event)` tells a fault in a sentence."""
    trace, told, dead = Trace(), [], set()
    kinds = {name: trace.kind(name, shape, sentence) for name, (shape, sentence) in KINDS.items()}
    asked = [event.get("peer", OUTSIDE) for event in events if kind_of(event) == "ask"]
    named = [event["who"] for event in events] + asked
    nodes = {who: trace.node(who, role(who)) for who in dict.fromkeys(named)}
    for time, event in enumerate(events):
        who, kind = event["who"], kind_of(event)
        if who in dead and kind != "crash":
            trace.add(time - .25, kinds["restart"], nodes[who])
            dead.discard(who)
        note = words(event) if event.get("fault") else line(event, words).strip()
        if "peer" in event:
            request(trace, kinds, time, nodes[who], nodes[event["peer"]], event)
        elif kind == "ask":
            near = {each["what"] for each in events[max(0, time - 1):time + 2] if each.get("fault")}
            exchange(trace, kinds, time, nodes[who], nodes[OUTSIDE], event["what"], near)
        else:
            trace.add(time, kinds[kind], nodes[who], note=note)
        if event.get("fault"):
            told.append((float(time), who, note))
        if kind == "crash":
            dead.add(who)
    return player(trace, title=title, subtitle="one second is one event", verdicts=[(False, question)],
                  explanation=[*told, (None, "", title)], question=question)


def kind_of(event: dict) -> str:
    """What an event of a run is in the film."""
    if event.get("fault"):
        return MARKS.get(event["what"], "fault")
    if event["what"] == "call":
        return "call"
    if "wakes up" in event["what"]:
        return "resume"
    if "step" not in event:
        return "note"
    verb = event["what"].split()[0]
    return "commit" if verb == "COMMIT" else "step" if verb.isupper() else "ask"  # SQL is written in capitals


def exchange(trace: Trace, kinds: dict, time: float, who: int, outside: int, what: str, faults: set[str]) -> None:
    """A request that leaves a process, or an answer that comes back to it, as a message of half a second.

    What a fault beside it has lost is seen to get lost; nobody sends the answer to a lost request.
    """
    if what.startswith(("answer", "confirm")):
        if faults & {"request lost", "late"}:
            trace.add(time, kinds["note"], who, note=f"waits in vain: {what}")
            return
        start, end, sent, arrived, lost = outside, who, "answer", "answered", "answer lost" in faults
    else:
        start, end, sent, arrived, lost = who, outside, "ask", "asked", bool(faults & {"request lost", "late"})
    cause = trace.add(time, kinds[sent], start, peer=end, note=what)
    trace.add(time + .5, kinds["lost" if lost else arrived], end, peer=start, cause=cause, note=what)


def request(trace: Trace, kinds: dict, time: float, who: int, peer: int, event: dict) -> None:
    """A request to somebody by name, and the answer; an event that knows its peer knows what was lost as well."""
    def message(time: float, start: int, end: int, sent: str, arrived: str, note: str) -> None:
        cause = trace.add(time, kinds[sent], start, peer=end, note=note)
        trace.add(time + .3, kinds[arrived], end, peer=start, cause=cause, note=note)
    lost, answer = event.get("lost"), event.get("error") or event.get("answer")
    message(time, who, peer, "ask", "lost" if lost in ("request lost", "late") else "asked", event["what"])
    if answer or lost == "answer lost":
        message(time + .35, peer, who, "answer", "lost" if lost else "answered", f"{answer or 'whatever it was'}")


def role(who: str) -> str:
    """How a process is drawn: what writes like a producer, the outside world like a broker, the rest like consumers."""
    first = who.split()[0].split("-")[0]
    return {"writer": "producer", "shop": "producer", "the": "broker", "somebody": "broker", "an": "broker",
            "broker": "broker", "agent": "broker"}.get(first, "consumer")
