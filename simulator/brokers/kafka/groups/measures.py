"""What a rebalance cost: pure functions of a trace or a history.

A partition is served while a member owns it that runs, is not paused, and has not been put out of the group.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ....evidence.history import OK
from ....evidence.report import Anomaly

_GONE = ("crash", "power_loss")


def _ownership(trace) -> Iterator[tuple[float, int, tuple[int, ...], tuple[int, ...]]]:
    """Every change: the time, the partition, which members own it now, and which of those can serve it."""
    names = ("assigned", "revoked", "left_behind", "removed", "pause", "resume", *_GONE)
    owners: dict[int, dict[tuple[int, int], None]] = {}
    paused: dict[int, bool] = {}
    rows = trace.events.rows
    for event in trace.where(*names):
        row = rows[event]
        kind, node, time = trace.kinds[row["kind"]].name, int(row["node"]), float(row["time"])
        who, value = (int(row["peer"]) if kind == "removed" else node), int(row["value"])
        paused[node] = kind == "pause" or paused.get(node, False) and kind not in ("resume", *_GONE)
        if kind == "assigned":
            owners.setdefault(int(row["key"]), {})[who, value] = None
        if row["key"] >= 0:
            changed = [int(row["key"])]
        else:
            changed = [key for key, of in owners.items() if any(owner[0] == who for owner in of)]
        for key in changed:
            of = owners.setdefault(key, {})
            if kind in ("revoked", "left_behind", "removed"):
                of.pop((who, value), None)
            elif kind in _GONE:
                of = owners[key] = {owner: None for owner in of if owner[0] != who}
            now = tuple(owner[0] for owner in of)
            yield time, key, now, tuple(node for node in now if not paused.get(node, False))


def _end(trace, until: float | None) -> float:
    return float(trace.events.rows["time"][-1]) if until is None else until


def owners_at_once(trace) -> int:
    """The most members that the group ever let own one partition at the same time: 1 is right."""
    return max((len(owners) for _, _, owners, _ in _ownership(trace)), default=0)


def ownership(trace, since: float = 0.0, until: float | None = None) -> dict[str, list[tuple[str, float, float]]]:
    """By partition: the member that served it, from when and until when; nobody did in the gaps."""
    until, spans = _end(trace, until), {key: [] for key in trace.keys}
    served: dict[int, tuple[int, float]] = {}
    changes = [*_ownership(trace), *((until, key, (), ()) for key in range(len(trace.keys)))]
    for time, key, _, serving in changes:
        server, start = served.pop(key, (-1, time))
        if serving and serving[0] == server:
            served[key] = server, start
            continue
        if server >= 0 and time > since and start < until:
            spans[trace.keys[key]].append((trace.nodes[server].name, max(start, since), min(time, until)))
        if serving:
            served[key] = serving[0], time
    return spans


def paused_partition_seconds(trace, since: float = 0.0, until: float | None = None) -> float:
    """Seconds between `since` and `until` in which nobody served a partition, summed over the partitions."""
    until = _end(trace, until)
    served = sum(end - start for spans in ownership(trace, since, until).values() for _, start, end in spans)
    return (until - since) * len(trace.keys) - served


def time_to_stable(trace, since: float = 0.0, until: float | None = None) -> float:
    """Seconds from `since` to the last change of ownership before `until`; infinite if a partition is unserved then."""
    until, last, served = _end(trace, until), since, dict.fromkeys(range(len(trace.keys)), ())
    for time, key, _, serving in _ownership(trace):
        if time <= until:
            last, served[key] = max(last, time), serving
    return last - since if all(served.values()) else float("inf")


def rebalances(trace, since: float = 0.0) -> int:
    """How often the coordinator began a rebalance; under KIP-848, how often the group epoch rose."""
    events = trace.where("rebalance")
    return int((trace.events.rows["time"][events] >= since).sum())


def duplicates(history) -> int:
    """Deliveries of records that had been delivered before."""
    return sum(found.count for found in redeliveries(history))


def redeliveries(history) -> list[Anomaly]:
    """Each poll that brought records which somebody had got before; `run.why` explains them."""
    rows = history.polls.rows[history.polls.rows["type"] == OK]
    found = []
    for key, name in enumerate(history.keys):
        of_key = rows[rows["key"] == key]
        seen = np.zeros(int((of_key["value"] + of_key["count"]).max(initial=0)), bool)
        for row in of_key:
            values = np.arange(row["value"], row["value"] + row["count"])
            again = values[seen[values]]
            seen[values] = True
            if len(again):
                found.append(_redelivery(history, name, row, int(again[0]), int(again[-1])))
    return found


def _redelivery(history, key: str, row, first: int, last: int) -> Anomaly:
    process, count = history.processes[row["process"]], last - first + 1
    sentence = f"{process} got {count} records of {key}, from offset {first} on, that had been delivered before"
    where = ((first, last),)
    return Anomaly("redelivery", key, process, where, where, count, float(row["completed"]), sentence,
                   int(row["event"]), permitted=True)
