"""What the clients of a queue saw: publishes, deliveries under a lease, and how each message was settled.

A queue hands a message to one consumer at a time, who settles it: `ack` (done), `requeue` (a nack that puts it back),
`nack`, `reject` or `term` (never again). The queue itself may `deadletter` or `expire` it. Publishes and settlements
complete as `ok`, `fail` or `info` (nobody knows), as in `History`. Broadcast fits in too: each subscriber has a queue
of its own, to which every publish goes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from math import inf

import numpy as np

from .history import OK, TYPES
from .table import Names, Table

ACTIONS = ("ack", "requeue", "nack", "reject", "term", "deadletter", "expire")
ACK, REQUEUE = ACTIONS.index("ack"), ACTIONS.index("requeue")
QUEUE_MARKS = ("disconnect", "failover")
QUEUE = "queue"  # the process that settles what no consumer settles


class QueueHistory:
    """Publishes, deliveries, settlements and marks, numbered in the order in which they were invoked.

    `publishes.rows`: op, process, key, value, group (-1 if none), type, error, invoked, completed, event.
    `deliveries.rows`: op, process, key, value, attempt, lease (until when, inf without limit), time, event.
    `settlements.rows`: op, process, key, value, action, type, time, event.
    `marks.rows`: op, process (-1 for all), mark, time.
    A key is a queue; a value names a message and is unique within its queue. Messages of one group (a FIFO key) are to
    stay in order. Times are seconds. `created[key][value]` is the time at which a message came into being.
    """

    def __init__(self):
        self.processes, self.keys, self.groups, self.errors = Names(), Names(), Names(), Names("")
        self.publishes = Table(op="q", process="h", key="i", value="q", group="i", type="b", error="h",
                               invoked="d", completed="d", event="i")
        self.deliveries = Table(op="q", process="h", key="i", value="q", attempt="i", lease="d", time="d", event="i")
        self.settlements = Table(op="q", process="h", key="i", value="q", action="b", type="b", time="d", event="i")
        self.marks = Table(op="q", process="h", mark="b", time="d")
        self.created: dict[int, np.ndarray] = {}
        self.drained = False  # True once everything left in the queues has been handed out and settled
        self._ops = 0

    # Fast path: codes in, one row out. Simulated clients use these.

    def op(self) -> int:
        """The number of the next operation; operations are numbered in the order of their invocation."""
        self._ops += 1
        return self._ops - 1

    def published(self, op, process, key, value, group, type, error, invoked, completed, event=-1) -> None:
        """Records that a publish completed."""
        self.publishes.append(op, process, key, value, group, type, error, invoked, completed, event)

    def delivered(self, op, process, key, value, attempt, lease, time, event=-1) -> None:
        """Records that a message was handed to a consumer, for the `attempt`-th time, until `lease`."""
        self.deliveries.append(op, process, key, value, attempt, lease, time, event)

    def settled(self, op, process, key, value, action, type, time, event=-1) -> None:
        """Records that a message was acknowledged, put back, given up, ... (a code into ACTIONS)."""
        self.settlements.append(op, process, key, value, action, type, time, event)

    # Readable path: names in.

    def publish(self, process: str, key: str | Iterable[str], value: int, group: str = "", type: str = "ok",
                time: float | None = None, invoked: float | None = None, error: str = "") -> int:
        """A message published to a queue, or to several that each get a copy; its operation number."""
        op, code = self.op(), self.processes.code(process)
        time = float(op) if time is None else time
        for name in [key] if isinstance(key, str) else key:
            self.published(op, code, self.keys.code(name), value, self.groups.code(group) if group else -1, _type(type),
                           self.errors.code(error), time if invoked is None else invoked, time)
        return op

    def deliver(self, process: str, key: str, value: int, attempt: int = 1, lease_until: float = inf,
                auto_ack: bool = False, time: float | None = None) -> int:
        """A message handed to a consumer; with `auto_ack` that settles it."""
        op, time = self._now(time)
        self.delivered(op, self.processes.code(process), self.keys.code(key), value, attempt, lease_until, time)
        if auto_ack:
            self.ack(process, key, value, time=time)
        return op

    def ack(self, process: str, key: str, value: int, type: str = "ok", time: float | None = None) -> int:
        """The consumer is done with the message; `ok` if the queue accepted that."""
        return self._settle("ack", process, key, value, type, time)

    def nack(self, process: str, key: str, value: int, requeue: bool = True, type: str = "ok",
             time: float | None = None) -> int:
        """The consumer could not handle the message: back into the queue, or away with it."""
        return self._settle("requeue" if requeue else "nack", process, key, value, type, time)

    def reject(self, process: str, key: str, value: int, requeue: bool = False, type: str = "ok",
               time: float | None = None) -> int:
        """The consumer refuses the message."""
        return self._settle("requeue" if requeue else "reject", process, key, value, type, time)

    def term(self, process: str, key: str, value: int, type: str = "ok", time: float | None = None) -> int:
        """The consumer never wants to see the message again."""
        return self._settle("term", process, key, value, type, time)

    def deadletter(self, key: str, value: int, time: float | None = None) -> int:
        """The queue gave up on the message and put it aside."""
        return self._settle("deadletter", QUEUE, key, value, "ok", time)

    def expire(self, key: str, value: int, time: float | None = None) -> int:
        """The message was too old, or the queue too full: policy removed it."""
        return self._settle("expire", QUEUE, key, value, "ok", time)

    def disconnect(self, process: str, time: float | None = None) -> int:
        """A consumer lost its connection, and with it all it held."""
        return self._mark("disconnect", self.processes.code(process), time)

    def failover(self, time: float | None = None) -> int:
        """Another node took the queues over and may not know what was handed out."""
        return self._mark("failover", -1, time)

    def _now(self, time: float | None) -> tuple[int, float]:
        op = self.op()
        return op, float(op) if time is None else time

    def _settle(self, action, process, key, value, type, time) -> int:
        op, time = self._now(time)
        self.settled(op, self.processes.code(process), self.keys.code(key), value, ACTIONS.index(action), _type(type),
                     time)
        return op

    def _mark(self, mark, process, time) -> int:
        op, time = self._now(time)
        self.marks.append(op, process, QUEUE_MARKS.index(mark), time)
        return op

    # Reading

    def acknowledged(self) -> np.ndarray:
        """The rows of publishes that were confirmed."""
        return self.publishes.rows[self.publishes.rows["type"] == OK]

    def records_sent(self) -> int:
        """How many messages were published, whatever came of them."""
        return len(self.publishes)

    def latencies(self, what: str = "produce") -> np.ndarray:
        """Seconds from a message's creation to its confirmation (`produce`) or first delivery (`end_to_end`)."""
        if what not in ("produce", "end_to_end"):
            raise ValueError(f"what: {what!r} is not one of 'produce', 'end_to_end'")
        if what == "produce":
            rows = self.acknowledged()
            return rows["completed"] - self._creation(rows)
        rows = self.publishes.rows  # delivered is delivered, whether or not the publisher was told
        backwards = _columns(self.deliveries.rows[::-1], "key", "value", "time")
        first = {(key, value): time for key, value, time in backwards}
        done = np.array([first.get(message, np.nan) for message in _columns(rows, "key", "value")], float)
        return (done - self._creation(rows))[~np.isnan(done)]

    def flow(self, what: str = "acknowledged") -> tuple[np.ndarray, np.ndarray]:
        """When messages were `acknowledged`, `delivered` or `settled`: times in seconds, and a 1 for each."""
        times = {"acknowledged": lambda: self.acknowledged()["completed"],
                 "delivered": lambda: self.deliveries.rows["time"],
                 "settled": lambda: self.settlements.rows["time"]}[what]()
        return times, np.ones(len(times), int)

    def _creation(self, rows: np.ndarray) -> np.ndarray:
        created = rows["invoked"].copy()
        for key, times in self.created.items():
            created[rows["key"] == key] = times[rows["value"][rows["key"] == key]]
        return created

    def events(self) -> Iterator[dict]:
        """The history as one dict an event, in order of invocation."""
        rows = [(row, "publish", row["completed"]) for row in self.publishes.rows]
        rows += [(row, "deliver", row["time"]) for row in self.deliveries.rows]
        rows += [(row, ACTIONS[row["action"]], row["time"]) for row in self.settlements.rows]
        for row, f, time in sorted(rows, key=lambda entry: entry[0]["op"]):
            event = {"index": int(row["op"]), "process": self.processes[row["process"]], "f": f,
                     "key": self.keys[row["key"]], "value": int(row["value"]), "time": float(time)}
            yield event | (_lease(row) if f == "deliver" else {"type": TYPES[row["type"]]})

    def to_jsonl(self) -> str:
        """The history as JSON lines; a lease without limit is null."""
        return "".join(json.dumps(event) + "\n" for event in self.events())

    def to_pandas(self):
        """The history as a DataFrame, a row an event, in order of invocation."""
        import pandas as pd
        return pd.DataFrame(list(self.events()))

    def __repr__(self) -> str:
        return (f"QueueHistory: {len(self.publishes):,} messages published, {len(self.deliveries):,} deliveries, "
                f"{len(self.settlements):,} settlements, {len(self.keys)} queues")


def _lease(row: np.void) -> dict:
    return {"attempt": int(row["attempt"]), "lease": float(row["lease"]) if row["lease"] < inf else None}


def _columns(rows: np.ndarray, *names: str) -> Iterator[tuple]:
    return zip(*(rows[name].tolist() for name in names))


def _type(type: str) -> int:
    if type not in TYPES:
        raise ValueError(f"type: {type!r} is not one of 'ok', 'fail', 'info'")
    return TYPES.index(type)
