"""What a rebalance cost: pure functions of a trace or a history.

A partition is served while a member owns it that runs, is not paused, and has not been put out of the group.
"""

from __future__ import annotations

from collections.abc import Iterator

from ....evidence.history import OK, values_of

_GONE = ("crash", "power_loss")


def _ownership(trace) -> Iterator[tuple[float, int, int, int]]:
    """Every change: the time, the partition, how many members own it now, and how many of those can serve it."""
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
        changed = [int(row["key"])] if row["key"] >= 0 else [key for key, of in owners.items() if any(owner[0] == who for owner in of)]
        for key in changed:
            of = owners.setdefault(key, {})
            if kind in ("revoked", "left_behind", "removed"):
                of.pop((who, value), None)
            elif kind in _GONE:
                of = owners[key] = {owner: None for owner in of if owner[0] != who}
            yield time, key, len(of), sum(not paused.get(owner[0], False) for owner in of)


def _end(trace, until: float | None) -> float:
    return float(trace.events.rows["time"][-1]) if until is None else until


def owners_at_once(trace) -> int:
    """The most members that the group ever let own one partition at the same time: 1 is right."""
    return max((owners for _, _, owners, _ in _ownership(trace)), default=0)


def paused_partition_seconds(trace, since: float = 0.0, until: float | None = None) -> float:
    """Seconds between `since` and `until` in which nobody served a partition, summed over the partitions."""
    until, served = _end(trace, until), dict.fromkeys(range(len(trace.keys)), 0)
    paused_from, total = dict.fromkeys(served, 0.0), 0.0
    changes = list(_ownership(trace)) + [(until, key, 1, 1) for key in served]
    for time, key, _, serving in changes:
        time = min(time, until)
        if not served[key]:
            total += max(0.0, time - max(paused_from[key], since))
        served[key], paused_from[key] = serving, time
    return total


def time_to_stable(trace, since: float = 0.0, until: float | None = None) -> float:
    """Seconds from `since` to the last change of ownership before `until`; infinite if a partition is unserved then."""
    until, last, served = _end(trace, until), since, dict.fromkeys(range(len(trace.keys)), 0)
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
    rows = history.polls.rows[history.polls.rows["type"] == OK]
    values = [values_of(rows[rows["key"] == key]) for key in range(len(history.keys))]
    return sum(len(of_key) - len(set(of_key.tolist())) for of_key in values)
