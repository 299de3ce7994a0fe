"""Why an anomaly came about: the few events that decided it, in words; and a whole trace told as a story.

A trace says of each event what caused it, and of each record where it went. An explanation follows one record of the
anomaly through both, adds what happened meanwhile to the nodes that held it, and leaves out everything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from math import inf

import numpy as np

from .history import History
from .report import LOSS, PHRASES, Anomaly, plural
from .trace import Trace

REFUSALS = ("refused", "commit_failed")  # what a redelivery comes to for whoever had the records first
LINES = 12  # more than this nobody reads
RECOVERIES = ("start", "restart", "resume", "healed", "unfenced")  # a node that is well again explains nothing
# What to leave out first if there is too much to tell: what is named later, and last what is not named at all.
TELLING = ("truncate", "lost_unflushed", "crash", "power_loss", "isolate", "pause", "elected", "fenced", "append",
           "acknowledged", "drop", "retry", "timeout", "produce", "publish", "deliver", "delivered", "reset", "offline",
           "gave_up", "marker", "transaction", "marker_refused", "aborted", "committed", "uncertain",
           "replicate", "isr")
SHAPES = ("state", "drop", "local")  # what a story tells, the most important first


@dataclass(frozen=True)
class Line:
    """One event of a story: when, where, what; `event` is its id in the trace, -1 if it is none."""
    time: float
    node: str
    sentence: str
    event: int = -1


@dataclass(frozen=True)
class Explanation:
    """A story line by line, and what it comes to. `str` gives it as text; a notebook shows it as a table."""
    title: str
    lines: tuple[Line, ...]
    ending: str

    def __str__(self) -> str:
        width = max((len(line.node) for line in self.lines), default=0)
        rows = [f"{line.time:11.4f} s  {line.node:<{width}}  {line.sentence}" for line in self.lines]
        return "\n".join([self.title, *rows, self.ending])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td>{line.time:.4f} s</td>"
                       f'<th scope="row" style="text-align:left">{escape(line.node)}</th>'
                       f'<td style="text-align:left">{escape(line.sentence)}</td></tr>' for line in self.lines)
        return (f'<table><caption style="text-align:left"><strong>{escape(self.title)}</strong></caption><thead><tr>'
                '<th scope="col">time</th><th scope="col">node</th>'
                '<th scope="col" style="text-align:left">what happened</th></tr></thead>'
                f"<tbody>{rows}</tbody></table><p>{escape(self.ending)}</p>")


def why(history: History, trace: Trace, anomaly: Anomaly) -> Explanation:
    """The chain of causes behind one anomaly: its first record followed through the trace, and what its nodes met."""
    noun, became = PHRASES[anomaly.kind]
    noun = "message" if noun.endswith("message") else "value"
    what = f"{noun} {anomaly.records[0][0]} of {anomaly.key}" if anomaly.records else anomaly.key
    title = f"Why was {what} {became}?"
    ending = f"So: {anomaly.sentence}."
    if not len(trace):
        return Explanation(title, (), f"{ending} (No trace was kept that could say why.)")
    search = _Search(trace, anomaly)
    trail = search.trail(_own_events(history, anomaly))
    lines = [_line(trace, event) for event in search.most_telling(search.turning_points(trail))]
    lines += search.never_copied(trail) + search.never_cut()
    return Explanation(title, tuple(sorted(lines, key=lambda line: line.time)), ending)


def _own_events(history: History, anomaly: Anomaly) -> np.ndarray:
    """The trace events that the history names for the anomaly: its own, and those of the sends of its first record."""
    sends = getattr(history, "sends", None)
    if sends is None or not anomaly.records or anomaly.key not in history.keys:
        return np.array([anomaly.event])
    rows, value = sends.rows, anomaly.records[0][0]
    rows = rows[rows["key"] == history.keys.code(anomaly.key)]
    mine = rows[(rows["value"] <= value) & (value < rows["value"] + rows["count"])]
    return np.append(mine["event"], anomaly.event)


class _Search:
    """The search for the events that decided one anomaly."""

    def __init__(self, trace: Trace, anomaly: Anomaly):
        self.trace, self.anomaly, self.rows = trace, anomaly, trace.events.rows
        self.key = trace.keys.code(anomaly.key) if anomaly.key in trace.keys else -2
        self.shape = np.array([kind.shape for kind in trace.kinds])[self.rows["kind"]]
        self.names = [kind.name for kind in trace.kinds]

    def trail(self, own: np.ndarray) -> np.ndarray:
        """What happened to the first record: the events that name it, their causes, and what was said of it in vain."""
        events = set(own[(own >= 0) & (own < len(self.rows))].tolist()) | set(self._naming().tolist())
        events |= {cause for event in list(events) for cause in self.trace.causes(event)[-3:]}  # a send, its arrival
        known = np.fromiter(events, np.int64, len(events))
        lost = (self.shape == "drop") & np.isin(self.rows["cause"], known)
        return np.union1d(known, np.flatnonzero(lost))

    def _naming(self) -> np.ndarray:
        """Events about the first record, found by its value, or by its offset where that was given out twice."""
        rows, anomaly = self.rows, self.anomaly
        about = (rows["key"] == self.key) & (rows["count"] >= 1) & (self.shape != "receive")
        starts = [(rows["value"], first) for first, _ in anomaly.records[:1]]
        if anomaly.kind in ("inconsistent offset", "log divergence"):
            starts += [(rows["offset"], first) for first, _ in anomaly.offsets[:1]]
        named = np.zeros(len(rows), bool)
        for start, first in starts:
            named |= about & (start >= 0) & (start <= first) & (first < start + rows["count"])
        return np.flatnonzero(named)

    def turning_points(self, trail: np.ndarray) -> np.ndarray:
        """The trail, and what happened meanwhile to the key and to the nodes on the trail; with the causes of that."""
        if not len(trail):
            return trail
        rows, start = self.rows, self.rows["time"][trail].min()
        end = max(self.rows["time"][trail].max(), self.anomaly.time)
        nodes = np.union1d(rows["node"][trail], self._named())
        state = (self.shape == "state") & (rows["time"] <= end)
        here = np.isin(rows["node"], nodes) | np.isin(rows["peer"], nodes)
        chosen = state & (rows["time"] >= start) & ((rows["key"] == self.key) | (rows["key"] < 0) & here)
        found = set(trail.tolist()) | set(np.flatnonzero(chosen).tolist())
        found |= self._trouble(state & (rows["time"] < start), nodes, -1)
        if self.anomaly.kind in LOSS and not np.any(self.shape[trail] == "state"):  # nothing said that it was removed
            found |= self._trouble((self.shape == "state") & (rows["time"] > end), nodes, 0)
        if self.anomaly.kind == "redelivery":
            refusals = [self.names.index(name) for name in REFUSALS if name in self.names]
            late = here & (rows["time"] > end) & np.isin(rows["kind"], refusals)
            found |= set(np.flatnonzero(late)[:1].tolist())
        found |= {cause for event in list(found) for cause in self.trace.causes(event) if self.shape[cause] == "state"}
        return np.array(sorted(found))

    def _named(self) -> list[int]:
        """The nodes that the anomaly itself names: its process, or a subscriber whose queue it is about."""
        return [code for code, node in enumerate(self.trace.nodes)
                if node.name in (self.anomaly.process, self.anomaly.key)]

    def _trouble(self, chosen: np.ndarray, nodes: np.ndarray, which: int) -> set[int]:
        """For each node its first (0) or last (-1) change of state among the chosen events, if that is no recovery."""
        rows, troubles = self.rows, set()
        for node in nodes:
            events = np.flatnonzero(chosen & (rows["node"] == node) & (rows["key"] < 0))
            if len(events) and self._name(events[which]) not in RECOVERIES:
                troubles.add(int(events[which]))
        return troubles

    def never_copied(self, trail: np.ndarray) -> list[Line]:
        """A line for what did not happen: no follower ever got the record."""
        happened = {self._name(event): event for event in trail.tolist()}
        if "replicate" not in self.names or "replicate" in happened or self.anomaly.kind not in LOSS:
            return []
        stored = happened.get("acknowledged", happened.get("append"))
        sentence = f"no other replica ever copied value {self.anomaly.records[0][0]}"
        return [] if stored is None else [Line(float(self.rows["time"][stored]), "", sentence)]

    def never_cut(self) -> list[Line]:
        """A line for what did not happen: a replica that holds another record than its leader never gave it up."""
        if self.anomaly.kind != "log divergence":
            return []
        rows, first = self.rows, self.anomaly.offsets[0][0]
        taken = self.trace.where("append", "replicate", key=self.anomaly.key, node=self.anomaly.process)
        taken = taken[(rows["offset"][taken] <= first) & (first < rows["offset"][taken] + rows["count"][taken])]
        sentence = f"{self.anomaly.process} writes offset {first}, and never cuts it off again"
        return [Line(float(rows["time"][event]), self.anomaly.process, sentence) for event in taken[-1:].tolist()]

    def most_telling(self, events: np.ndarray) -> list[int]:
        """At most LINES of the events, in the order in which they happened."""
        kept = [event for event in events.tolist()
                if self.shape[event] in SHAPES or self._name(event) in ("produce", "publish")]
        kept = self._first_and_last(kept)
        return sorted(sorted(kept, key=lambda event: (self._rank(event), event))[:LINES])

    def _name(self, event: int) -> str:
        return self.names[self.rows["kind"][event]]

    def _rank(self, event: int) -> int:
        return TELLING.index(self._name(event)) if self._name(event) in TELLING else len(TELLING)

    def _first_and_last(self, events: list[int]) -> list[int]:
        """Of events that differ only in time, the first and the last."""
        alike: dict[tuple, list[int]] = {}
        for event in events:
            row = self.rows[event]
            alike.setdefault((int(row["kind"]), int(row["node"]), int(row["peer"])), []).append(event)
        return [event for group in alike.values() for event in {group[0], group[-1]}]


def _line(trace: Trace, event: int) -> Line:
    row = trace.events.rows[event]
    node = trace.nodes[row["node"]].name if row["node"] >= 0 else ""
    return Line(float(row["time"]), node, trace.describe(event), event)


def story(trace: Trace, limit: int = 200, node: str | None = None, key: str | None = None, since: float = 0.0,
          until: float = inf) -> Explanation:
    """The trace as text, one line an event: in as much detail as `limit` lines have room for, and saying what was left
    out.

    In full that is every state change, every step of a record and every lost message; next come state changes and
    losses; then state changes alone.
    """
    rows = trace.events.rows
    shape = np.array([kind.shape for kind in trace.kinds] or [""])[rows["kind"]]
    chosen = trace.where(key=key, node=node)
    chosen = chosen[(rows["time"][chosen] >= since) & (rows["time"][chosen] <= until)]
    levels = [chosen[np.isin(shape[chosen], shapes)] for shapes in (SHAPES, SHAPES[:2], SHAPES[:1])]
    shown = next((events for events in levels if len(events) <= limit), levels[-1])[:limit]
    hidden = len(levels[0]) - len(shown)
    ending = (f"({plural(hidden, 'event')} left out: narrow it down with node=, key=, since=, until=, or raise limit=)"
              if hidden else "(all of it)")
    return Explanation(f"{trace!r}", tuple(_line(trace, event) for event in shown.tolist()), ending)
