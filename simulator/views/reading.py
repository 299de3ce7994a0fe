"""How a picture reads a trace: messages with both their ends, who was down, who led, and events told in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.evidence.trace import Trace

SHAPES = ("send", "receive", "drop", "local", "state")
SEND, RECEIVE, DROP, LOCAL, STATE = range(5)
DOWN, UP = ("crash", "power_loss", "pause"), ("restart", "resume")


def shapes(trace: Trace) -> np.ndarray:
    """The shape of each event, as a code into SHAPES."""
    of_kind = np.array([SHAPES.index(kind.shape) for kind in trace.kinds] + [LOCAL])
    return of_kind[trace.events.rows["kind"]]


@dataclass(frozen=True)
class Messages:
    """Messages as columns: ids of their `send` and `arrival` events (-1: on its way), and whether they were `lost`."""
    send: np.ndarray
    arrival: np.ndarray
    lost: np.ndarray

    def __len__(self) -> int:
        return len(self.send)

    def where(self, chosen: np.ndarray) -> Messages:
        """Only the chosen messages."""
        return Messages(self.send[chosen], self.arrival[chosen], self.lost[chosen])


def messages(trace: Trace) -> Messages:
    """Every message of the trace; one that arrived twice counts twice."""
    shape, cause = shapes(trace), trace.events.rows["cause"]
    arrival = np.flatnonzero(((shape == RECEIVE) | (shape == DROP)) & (cause >= 0))
    arrival = arrival[shape[cause[arrival]] == SEND]
    open_ = shape == SEND
    open_[cause[arrival]] = False
    on_their_way = np.flatnonzero(open_)
    send = np.concatenate([cause[arrival], on_their_way]).astype(int)
    arrival = np.concatenate([arrival, np.full(len(on_their_way), -1)]).astype(int)
    order = np.argsort(send, kind="stable")
    return Messages(send[order], arrival[order], (arrival >= 0)[order] & (shape[arrival] == DROP)[order])


def end_of(trace: Trace) -> float:
    """The time of the last event."""
    return float(trace.events.rows["time"][-1]) if len(trace) else 0.0


def downtimes(trace: Trace) -> list[tuple[int, float, float, str]]:
    """When nodes were down or paused: node, start, end and the kind of event that began it."""
    open_, spans, rows = {}, [], trace.events.rows
    for event in trace.where(*DOWN, *UP):
        node, time, name = int(rows["node"][event]), float(rows["time"][event]), trace.kinds[rows["kind"][event]].name
        if name in DOWN:
            open_.setdefault(node, (time, name))
        elif node in open_:
            spans.append((node, open_[node][0], time, open_.pop(node)[1]))
    return sorted(spans + [(node, start, end_of(trace), name) for node, (start, name) in open_.items()],
                  key=lambda span: span[1])


def leaderships(trace: Trace, key: str) -> list[tuple[int, float, float]]:
    """Who led a key and when: node, start, end. A leader that dies leads no more, whoever has noticed."""
    rows, spans, leader, since = trace.events.rows, [], -1, 0.0
    appends = trace.where("append", key=key)
    if len(appends):
        leader = int(rows["node"][appends[0]])  # leads from the start unless an election says otherwise
    code = trace.keys.code(key) if key in trace.keys else -1
    for event in trace.where("elected", "offline", *DOWN):
        name, node = trace.kinds[rows["kind"][event]].name, int(rows["node"][event])
        if (rows["key"][event] != code if name in ("elected", "offline") else node != leader):
            continue
        time = float(rows["time"][event])
        if leader >= 0 and time > since:
            spans.append((leader, since, time))
        leader, since = (node, time) if name == "elected" else (-1, time)
    return spans + ([(leader, since, end_of(trace))] if leader >= 0 else [])


def in_sync(trace: Trace, key: str) -> dict[int, list[tuple[float, float]]]:
    """When each replica of a key was in sync: node -> spans. Until anything is said of it, all replicas are."""
    rows, events, end = trace.events.rows, trace.where("isr", key=key), end_of(trace)
    replicas = {int(node) for node in rows["node"][trace.where("append", "replicate", "elected", "isr", key=key)]}
    masks = [int(rows["value"][event]) for event in events]
    replicas |= {node for node in range(len(trace.nodes)) if any(mask >> node & 1 for mask in masks)}
    times = [0.0, *(float(rows["time"][event]) for event in events), end]
    masks = [sum(1 << node for node in replicas), *masks]
    return {node: _merged([(a, b) for a, b, mask in zip(times, times[1:], masks) if mask >> node & 1 and b > a])
            for node in sorted(replicas)}


def _merged(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    out = []
    for start, end in spans:
        if out and out[-1][1] == start:
            start = out.pop()[0]
        out.append((start, end))
    return out


def marks(trace: Trace, *but: str) -> list[tuple[float, str, str]]:
    """Changes of state: time, kind and node, without the kinds named."""
    rows = trace.events.rows
    states = np.flatnonzero(shapes(trace) == STATE)
    told = [(float(rows["time"][e]), trace.kinds[rows["kind"][e]].name, name_of(trace, rows["node"][e]))
            for e in states]
    return [mark for mark in told if mark[1] not in but]


def name_of(trace: Trace, node: int) -> str:
    """A node's name, empty for none."""
    return trace.nodes[node].name if node >= 0 else ""


def story(trace: Trace, events) -> list[tuple[float, str, str]]:
    """These events in words: time, node and sentence."""
    rows = trace.events.rows
    return [(float(rows["time"][e]), name_of(trace, rows["node"][e]), trace.describe(int(e))) for e in events]
