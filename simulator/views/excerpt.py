"""Which events of a long trace are worth carrying to a reader: stretches around what explains the run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.evidence.trace import Trace

from . import reading

_LOG = ("append", "replicate", "truncate")
_PROGRESS = ("high_watermark", "acknowledged", "deliver")
_DEPTH = 16  # batches of a log that a reader sees below its end


@dataclass(frozen=True)
class Excerpt:
    """Events of a trace: `ids` in order; `shown` is False where they only tell the state that a stretch starts from.

    `gaps` are the stretches of time (start, end) from which events were left out; `total` is how many events the window
    held.
    """
    ids: np.ndarray
    shown: np.ndarray
    gaps: list[tuple[float, float]]
    total: int

    def notice(self, key: str | None = None) -> str:
        """What the reader does not see, in a sentence; empty if everything is shown."""
        shown = int(self.shown.sum())
        if shown >= self.total:
            return ""
        where = "around the faults and what explains the run" if self.gaps else "of the chosen partition"
        return (f"{shown:,} of {self.total:,} events are shown here, those {where}; "
                "hatched stretches of time hold the others.")


def excerpt(trace: Trace, limit: int, *, focus=(), key: str | None = None,
            window: tuple[float, float] | None = None) -> Excerpt:
    """At most about `limit` events: all if they fit, else equal stretches around `focus` and every change of state."""
    rows = trace.events.rows
    start, end = (0, len(rows)) if window is None else np.searchsorted(rows["time"], window) + np.array([0, 1])
    pool = np.arange(start, min(end, len(rows)))
    total = len(pool)
    if total > limit and key is not None:
        pool = pool[_concerns(trace, pool, key)]
    if len(pool) > limit:
        pool = _around(trace, pool, focus, int(limit * 0.85))  # the rest is for the far ends of messages
    ids = _whole_messages(trace, pool)
    starts, gaps = _stretches(trace, ids, start, total)
    everything = np.union1d(ids, _state_before(trace, starts, key)).astype(int)
    return Excerpt(everything, np.isin(everything, ids), gaps, total)


def _concerns(trace: Trace, pool, key: str):
    """Events of this key or of none, and every change of state."""
    of_key = np.isin(trace.events.rows["key"][pool], [-1, trace.keys.code(key) if key in trace.keys else -2])
    return of_key | (reading.shapes(trace)[pool] == reading.STATE)


def _around(trace: Trace, pool, focus, budget: int):
    """The events within the largest radius of a focus that keeps to the budget; the last ones if there is no focus."""
    states = pool[reading.shapes(trace)[pool] == reading.STATE]
    points = np.union1d(np.asarray(focus, int), _thinned(states, budget // 20))
    points = np.unique(np.searchsorted(pool, points[(points >= pool[0]) & (points <= pool[-1])]))
    if not len(points):
        return pool[-budget:]
    points = _thinned(points, budget)
    low, high = 0, len(pool)
    while low < high:
        radius = (low + high + 1) // 2
        low, high = (radius, high) if _covered(points, radius, len(pool)).sum() <= budget else (low, radius - 1)
    return pool[_covered(points, low, len(pool))]


def _thinned(ids, most: int):
    """At most so many of these, evenly spread."""
    return ids if len(ids) <= most else ids[np.linspace(0, len(ids) - 1, max(most, 1)).astype(int)]


def _covered(points, radius: int, size: int):
    """Which of `size` positions lie within the radius of a point."""
    change = np.zeros(size + 1, int)
    np.add.at(change, np.maximum(points - radius, 0), 1)
    np.add.at(change, np.minimum(points + radius + 1, size), -1)
    return np.cumsum(change[:-1]) > 0


def _whole_messages(trace: Trace, ids):
    """These events and the other ends of their messages, so that nothing seems lost that is merely not shown."""
    found = reading.messages(trace)
    inside = np.zeros(len(trace) + 1, bool)  # the last place stands for "has not arrived"
    inside[ids] = True
    seen = inside[found.send] | inside[found.arrival]
    inside[found.send[seen]] = inside[found.arrival[seen]] = True
    return np.flatnonzero(inside[:-1])


def _stretches(trace: Trace, ids, start: int, total: int) -> tuple[list[int], list[tuple[float, float]]]:
    """The events that stretches begin with, and the times between; a stretch ends where 50 events were left out."""
    if not len(ids):
        return [], []
    time = trace.events.rows["time"]
    breaks = np.flatnonzero(np.diff(ids) > 50)
    gaps = [(float(time[a]), float(time[b])) for a, b in zip(ids[breaks], ids[breaks + 1])]
    if ids[0] - start > 50:
        gaps.insert(0, (float(time[start]), float(time[ids[0]])))
    if start + total - 1 - ids[-1] > 50:
        gaps.append((float(time[ids[-1]]), float(time[start + total - 1])))
    return [int(ids[0]), *ids[breaks + 1].tolist()], [gap for gap in gaps if gap[1] > gap[0]]


def _state_before(trace: Trace, starts, key: str | None):
    """The last events before each stretch that say how logs, leaders and nodes stood."""
    code = trace.keys.code(key) if key is not None and key in trace.keys else -1
    states = [kind.name for kind in trace.kinds if kind.shape == "state"]
    found = [np.empty(0, int)]
    for ids in _groups(trace, _LOG, "node", "key"):
        found += _last_before(ids, starts, _DEPTH if trace.events.rows["key"][ids[0]] == code else 1)
    for names in (*((name,) for name in _PROGRESS), *((name,) for name in states)):
        for ids in _groups(trace, names, "node", "key"):
            found += _last_before(ids, starts, 1)
    return np.unique(np.concatenate(found))


def _groups(trace: Trace, names, *columns) -> list[np.ndarray]:
    """The events of these kinds, one array for each combination of the columns."""
    ids = trace.where(*names)
    if not len(ids):
        return []
    _, which = np.unique(np.stack([trace.events.rows[column][ids] for column in columns]), axis=1, return_inverse=True)
    order = np.argsort(which.ravel(), kind="stable")
    return np.split(ids[order], np.flatnonzero(np.diff(which.ravel()[order])) + 1)


def _last_before(ids, starts, depth: int) -> list[np.ndarray]:
    return [ids[max(0, at - depth):at] for at in np.searchsorted(ids, starts)]
