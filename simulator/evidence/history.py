"""What the clients of a log saw: sends and polls, each `ok`, `fail` or `info`.

The vocabulary is that of Jepsen's Kafka tests (github.com/jepsen-io/jepsen, jepsen/src/jepsen/tests/kafka.clj): an
operation is invoked by a process and completes as `ok` (it happened), `fail` (it did not and never will) or `info`
(nobody knows). A key is a topic-partition; a value is an integer, unique within its key. The same class holds a
simulated run of ten million records, a history recorded from a real broker and a three-line history written by hand;
the checks cannot tell them apart.

One row stands for a *batch*: `count` records with consecutive values at consecutive offsets. A record is never an
object, yet each keeps its own times: creation in `created`, acknowledgement and delivery in the rows it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from math import inf

import numpy as np

from .table import Names, Table

OK, FAIL, INFO = 0, 1, 2
TYPES = ("ok", "fail", "info")
MARKS = ("assign", "subscribe", "crash", "rebalance")
UNKNOWN = -1  # an offset nobody was told


class History:
    """Sends, polls and assignments in the order in which they were invoked.

    `sends.rows`: op, process, key, value, count, offset (-1 if unknown), type, error, invoked, completed, event.
    `polls.rows`: op, process, key, value, count, offset, type, invoked, completed, event. `marks.rows`: op, process,
    key (-1 if none), mark, time. `replicas.rows`: replica, key, offset, count, epoch, value, time: what each replica in
    touch with its leader held and took for committed when the run was over, the leader first. Only a simulation can
    look there. `transactions.rows`: op, process, type, began, asked, completed, event; an operation named here was
    atomic: all its sends or none, `ok` if it was committed, `fail` if it never will be. `asked` is when its process
    first asked for the commit, inf if it never did. `process`, `replica`, `key` and `error` are codes into the name
    lists; `event` is the id of the trace event that began the send or answered the poll, -1 if there is none. Times are
    seconds. `created[key][value]` is the time at which a record came into being.
    """

    def __init__(self):
        self.processes, self.keys, self.errors = Names(), Names(), Names("")
        self.sends = Table(op="q", process="h", key="i", value="q", count="i", offset="q", type="b", error="h",
                           invoked="d", completed="d", event="i")
        self.polls = Table(op="q", process="h", key="i", value="q", count="i", offset="q", type="b",
                           invoked="d", completed="d", event="i")
        self.marks = Table(op="q", process="h", key="i", mark="b", time="d")
        self.replicas = Table(replica="h", key="i", offset="q", count="i", epoch="i", value="q", time="d")
        self.transactions = Table(op="q", process="h", type="b", began="d", asked="d", completed="d", event="i")
        self.created: dict[int, np.ndarray] = {}
        self.drained = False  # True once a final reader has read every key from its beginning
        self._ops = 0

    # Fast path: codes in, one row out. Simulated clients use these two.

    def op(self) -> int:
        """The number of the next operation; operations are numbered in the order of their invocation."""
        self._ops += 1
        return self._ops - 1

    def sent(self, op, process, key, value, count, offset, type, error, invoked, completed, event=-1) -> None:
        """Records that a send of `count` records, the first of them `value`, completed."""
        self.sends.append(op, process, key, value, count, offset, type, error, invoked, completed, event)

    def polled(self, op, process, key, value, count, offset, type, invoked, completed, event=-1) -> None:
        """Records that a poll returned `count` records of a key, from `offset` and `value` on."""
        self.polls.append(op, process, key, value, count, offset, type, invoked, completed, event)

    # Readable path: names in. Recorders of real brokers and hand-written histories use these.

    def txn(self, process: str, *micro_ops, type: str = "ok", time: float | None = None, invoked: float | None = None,
            error: str = "") -> int:
        """One operation of several micro-operations; the number of the operation.

        A micro-operation is ("send", key, value[, offset]) or ("poll", {key: [(offset, value), ...]}) or ("rebalance",
        key).
        """
        op, code, kind = self.op(), self.processes.code(process), _type_code(type)
        time = float(op) if time is None else time
        invoked = time if invoked is None else invoked
        for micro_op in micro_ops:
            if micro_op[0] == "send":
                _, key, value, *offset = micro_op
                self.sent(op, code, self.keys.code(key), value, 1, offset[0] if offset else UNKNOWN, kind,
                          self.errors.code(error), invoked, time)
            elif micro_op[0] == "poll":
                for key, records in micro_op[1].items():
                    for offset, value in records:
                        self.polled(op, code, self.keys.code(key), value, 1, offset, kind, invoked, time)
            elif micro_op[0] == "rebalance":
                self.marks.append(op, code, self.keys.code(micro_op[1]), MARKS.index("rebalance"), time)
            else:
                raise ValueError(f"micro-operation: {micro_op[0]!r} is not one of 'send', 'poll', 'rebalance'")
        return op

    def transaction(self, process: str, *micro_ops, type: str = "ok", began: float | None = None,
                    asked: float | None = None, time: float | None = None) -> int:
        """One atomic operation (see `txn`): `ok` committed, `fail` aborted, `info` unknown; its number."""
        op = self.txn(process, *micro_ops, type=type, time=time, invoked=began)
        time = float(op) if time is None else time
        asked = (inf if type == "fail" else time) if asked is None else asked
        self.transactions.append(op, self.processes.code(process), _type_code(type), time if began is None else began,
                                 asked, time, -1)
        return op

    def send(self, process: str, key: str, value: int, offset: int = UNKNOWN, type: str = "ok", **times) -> int:
        """One record sent by a process; its operation number."""
        return self.txn(process, ("send", key, value, offset), type=type, **times)

    def poll(self, process: str, records: dict[str, list[tuple[int, int]]], type: str = "ok", **times) -> int:
        """One poll that returned `{key: [(offset, value), ...]}`; its operation number."""
        return self.txn(process, ("poll", records), type=type, **times)

    def assign(self, process: str, keys: Iterable[str], time: float | None = None) -> int:
        """The process now reads exactly these keys, chosen by itself."""
        return self._mark("assign", process, keys, time)

    def subscribe(self, process: str, keys: Iterable[str], time: float | None = None) -> int:
        """The process now reads these keys as a member of a group, which may move them at any time."""
        return self._mark("subscribe", process, keys, time)

    def crash(self, process: str, time: float | None = None) -> int:
        """The process died; whoever carries on does so under another name."""
        return self._mark("crash", process, (), time)

    def _mark(self, mark, process, keys, time):
        op, code = self.op(), self.processes.code(process)
        time = float(op) if time is None else time
        for key in [self.keys.code(key) for key in keys] or [-1]:
            self.marks.append(op, code, key, MARKS.index(mark), time)
        return op

    # Reading

    def acknowledged(self) -> np.ndarray:
        """The rows of sends that completed `ok`."""
        return self.sends.rows[self.sends.rows["type"] == OK]

    def records_sent(self) -> int:
        """How many records were sent, whatever came of them."""
        return int(self.sends.rows["count"].sum())

    def latencies(self, what: str = "produce") -> np.ndarray:
        """Seconds from creation to acknowledgement (`produce`) or first delivery (`end_to_end`), one per record.

        Records that were never acknowledged, or never delivered, have none. A history without creation times counts
        from the invocation.
        """
        if what not in ("produce", "end_to_end"):
            raise ValueError(f"what: {what!r} is not one of 'produce', 'end_to_end'")
        rows = self.acknowledged() if what == "produce" else self._deliveries()
        parts = [self._since_creation(key, rows[rows["key"] == key], once=what == "end_to_end")
                 for key in range(len(self.keys))]
        return np.concatenate(parts) if parts else np.empty(0)

    def flow(self, what: str = "acknowledged") -> tuple[np.ndarray, np.ndarray]:
        """When records were `acknowledged`, or `delivered` to a consumer: times in seconds, and how many at each."""
        rows = {"acknowledged": self.acknowledged, "delivered": self._deliveries}[what]()
        return rows["completed"], rows["count"]

    def _since_creation(self, key: int, rows: np.ndarray, once: bool) -> np.ndarray:
        """From creation to completion, for each record in these rows, or only for its first completion."""
        values, done = values_of(rows), np.repeat(rows["completed"], rows["count"])
        created = self.created.get(key)
        since = done - (np.repeat(rows["invoked"], rows["count"]) if created is None else created[values])
        return since[_first_of_each(values, done)] if once else since

    def _deliveries(self) -> np.ndarray:
        rows = self.polls.rows[self.polls.rows["type"] == OK]
        return rows[rows["process"] != self.processes.code(FINAL_READER)] if FINAL_READER in self.processes else rows

    def events(self) -> Iterator[dict]:
        """The history as Jepsen-style completions, one dict an operation in order of invocation; for `export`.

        `value` lists [f, key, first value, count, first offset].
        """
        rows = [(int(r["op"]), ["send", self.keys[r["key"]], int(r["value"]), int(r["count"]), int(r["offset"])], r)
                for r in self.sends.rows]
        rows += [(int(r["op"]), ["poll", self.keys[r["key"]], int(r["value"]), int(r["count"]), int(r["offset"])], r)
                 for r in self.polls.rows]
        for op, group in groupby(sorted(rows, key=lambda row: row[0]), key=lambda row: row[0]):
            group = list(group)
            first = group[0][2]
            yield {"index": op, "process": self.processes[first["process"]], "type": TYPES[first["type"]],
                   "invoked": float(first["invoked"]), "time": float(first["completed"]),
                   "value": [micro_op for _, micro_op, _ in group]}

    def to_pandas(self):
        """Sends and polls as one DataFrame, a row a batch, in order of invocation."""
        import pandas as pd
        frames = [pd.DataFrame(table.rows).assign(f=f) for f, table in (("send", self.sends), ("poll", self.polls))]
        frame = pd.concat(frames, ignore_index=True)
        for column, names in (("process", self.processes), ("key", self.keys), ("type", TYPES)):
            frame[column] = [names[code] for code in frame[column]]
        return frame.sort_values("op", kind="stable", ignore_index=True)

    def __repr__(self) -> str:
        return (f"History: {self.records_sent():,} records sent in {len(self.sends):,} batches, "
                f"{int(self.polls.rows['count'].sum()):,} delivered, {len(self.keys)} keys")


FINAL_READER = "final-reader"  # the process that reads every key from the beginning once the run is over


def values_of(rows: np.ndarray) -> np.ndarray:
    """The values of the records that these rows stand for, one per record."""
    ends = np.cumsum(rows["count"])
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(rows["value"] - (ends - rows["count"]), rows["count"])


def _first_of_each(values: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Where each value comes first in time."""
    in_time = np.argsort(times, kind="stable")
    if not len(values) or values.min() < 0 or values.max() > 16 * len(values) + 1024:  # too sparse to count off
        return np.sort(in_time[np.unique(values[in_time], return_index=True)[1]])
    first = np.full(values.max() + 1, -1)
    first[values[in_time][::-1]] = in_time[::-1]  # the earliest is written last and stays
    return np.sort(first[first >= 0])


def _type_code(type: str) -> int:
    if type not in TYPES:
        raise ValueError(f"type: {type!r} is not one of 'ok', 'fail', 'info'")
    return TYPES.index(type)
