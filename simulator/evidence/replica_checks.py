"""The check of replicas: what is committed is the same record, written in the same epoch, wherever it is held.

Kafka's log matching: two logs that hold an offset below the high watermark hold the same record there. A replica that
is merely behind agrees. The check needs to see into the replicas (`History.replicas`), so it speaks of simulations
only.
"""

from __future__ import annotations

import numpy as np

from .history import History, values_of
from .report import Anomaly, Findings, spans

KIND = "log divergence"


def replica_findings(history: History) -> dict[str, Findings]:
    """Where a replica in touch with its leader holds other records than the leader; nothing to say if nobody looked."""
    if not len(history.replicas):
        return {}
    rows, found = history.replicas.rows, Findings()
    for key in np.unique(rows["key"]):
        of_key = rows[rows["key"] == key]
        leader, others = of_key["replica"][0], np.unique(of_key["replica"])
        for replica in others[others != leader]:
            theirs, own = (of_key[of_key["replica"] == one] for one in (leader, replica))
            for run in _runs(_offsets_that_differ(theirs, own)):
                found.add(1, len(run), [_anomaly(history, theirs, own, run)])
    return {KIND: found}


def _offsets_that_differ(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The offsets, ascending, at which both logs hold something and not the same."""
    columns = ["offset", "count", "epoch", "value"]
    shorter = min(len(one), len(other))
    if np.array_equal(one[columns][:shorter], other[columns][:shorter]):
        return np.empty(0, np.int64)
    (offsets, *mine), (places, *theirs) = _records(one), _records(other)
    both, here, there = np.intersect1d(offsets, places, return_indices=True)
    return both[np.any([a[here] != b[there] for a, b in zip(mine, theirs)], axis=0)]


def _records(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Offset, epoch and value of each record."""
    values = values_of(rows)
    offsets = values + np.repeat(rows["offset"] - rows["value"], rows["count"])
    return offsets, np.repeat(rows["epoch"], rows["count"]), values


def _runs(offsets: np.ndarray) -> list[np.ndarray]:
    """Stretches of neighbouring offsets."""
    return [run for run in np.split(offsets, np.flatnonzero(np.diff(offsets) != 1) + 1) if len(run)]


def _anomaly(history: History, leaders: np.ndarray, own: np.ndarray, run: np.ndarray) -> Anomaly:
    first, last = int(run[0]), int(run[-1])
    key, name = history.keys[own["key"][0]], history.processes[own["replica"][0]]
    (theirs, _), (mine, values) = _held(leaders, run), _held(own, run)
    leader, hold = history.processes[leaders["replica"][0]], "holds" if first == last else "hold"
    where = f"{spans([(first, last)], 'offset')} of {key}"
    sentence = f"{where} {hold} {mine} on {name}, and {theirs} on its leader {leader}"
    return Anomaly(KIND, key, name, values, ((first, last),), len(run), float(own["time"][0]), sentence)


def _held(rows: np.ndarray, run: np.ndarray) -> tuple[str, tuple[tuple[int, int], ...]]:
    """What a log holds at these offsets: in words, and as ranges of values."""
    offsets, epochs, values = (column for column in _records(rows))
    here = np.isin(offsets, run)
    ranges = tuple((int(part[0]), int(part[-1])) for part in _runs(values[here]))
    return f"{spans(ranges)} of {spans([(int(e), int(e)) for e in np.unique(epochs[here])], 'epoch')}", ranges
