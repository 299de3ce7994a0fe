"""What became of records: pure functions of a queue's history."""

from __future__ import annotations

import numpy as np

from ....evidence.history import OK
from ....evidence.queue_history import ACTIONS, QueueHistory

FINAL = ("ack", "reject", "deadletter")


def settled_by(history: QueueHistory, *actions: str) -> np.ndarray:
    """The rows of settlements of these kinds, such as "ack" or "deadletter"."""
    rows = history.settlements.rows
    return rows[np.isin(rows["action"], [ACTIONS.index(action) for action in actions]) & (rows["type"] == OK)]


def sojourn(history: QueueHistory, key: int = 0) -> np.ndarray:
    """Seconds from the creation of each record of a partition until it was done with; NaN for those that never were."""
    times = np.full(len(history.created[key]), np.nan)
    rows = settled_by(history, *FINAL)
    rows = rows[rows["key"] == key][::-1]  # the first of several counts
    times[rows["value"]] = rows["time"] - history.created[key][rows["value"]]
    return times


def repeated(history: QueueHistory) -> int:
    """Deliveries of records that had been delivered before."""
    rows = history.deliveries.rows
    return len(rows) - len(np.unique(rows[["key", "value"]]))


def overtaken(history: QueueHistory, key: int = 0) -> int:
    """How many records of a partition were done with only after a later one was."""
    rows = settled_by(history, *FINAL)
    offsets = rows["value"][rows["key"] == key]
    return int((offsets < np.maximum.accumulate(offsets)).sum()) if len(offsets) else 0
