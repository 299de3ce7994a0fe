"""The checks of a queue: what goes in must come out, once at a time, in order.

After Jepsen's total-queue ("what goes in must come out", valid only once the queue is drained), with leases, redelivery
and dead letters. A message that was published, delivered and acknowledged once each needs no second look, and nearly
all are like that; only the others are followed event by event.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .history import FAIL, INFO, OK
from .pieces import HUGE, ranks
from .queue_history import ACK, ACTIONS, QUEUE_MARKS, REQUEUE, QueueHistory
from .policy import Guarantees
from .report import Anomaly, Findings, plural, spans
from .steps import OPS

KINDS = ("lost", "phantom", "conservation", "double possession", "zombie", "over-delivery", "unjustified redelivery",
         "order inversion", "redelivery")
NEED_DELIVERIES = KINDS[1:]
BY_QUEUE = (ACTIONS.index("deadletter"), ACTIONS.index("expire"))


def queue_findings(history: QueueHistory, guarantees: Guarantees, limit: int | None) -> dict[str, Findings]:
    """What each check finds in a history, with the `limit` largest cases."""
    findings = {kind: Findings() for kind in KINDS}
    tables = [_sound(table.rows, history) for table in (history.publishes, history.deliveries, history.settlements)]
    publishes, deliveries, settlements = (rows for rows, _ in tables)
    odd = sum(count for _, count in tables)
    _doubt(findings, NEED_DELIVERIES if not len(deliveries) else (), "nothing was delivered")
    _doubt(findings, KINDS if odd else (), f"{plural(odd, 'row')} could not be read")
    _doubt(findings, ("lost",) if not len(publishes) else (), "nothing was published")
    messages, (published, delivered, settled) = _messages(publishes, deliveries, settlements)
    interruptions = _Interruptions(history.marks.rows)
    odd_ones = np.flatnonzero(~_plain(messages, publishes, published, deliveries, delivered, settlements, settled))
    judge = _Judge(history, guarantees, findings, interruptions, limit)
    for message in _followed(odd_ones, (publishes, published), (deliveries, delivered), (settlements, settled)):
        judge.judge(message)
    judge.lost()
    judge.order(publishes, published, deliveries, delivered)
    return findings


def _doubt(findings: dict[str, Findings], kinds, reason: str) -> None:
    for kind in kinds:
        findings[kind].doubt(reason)


def _sound(rows: np.ndarray, history: QueueHistory) -> tuple[np.ndarray, int]:
    """The rows that make sense in the order of their invocation, and how many do not."""
    good = (rows["process"] >= 0) & (rows["process"] < len(history.processes)) & (rows["op"] >= 0) & (rows["op"] < OPS)
    good &= (rows["key"] >= 0) & (rows["key"] < len(history.keys)) & (np.abs(rows["value"]) < HUGE)
    if "type" in rows.dtype.names:
        good &= (rows["type"] >= OK) & (rows["type"] <= INFO)
    if "action" in rows.dtype.names:
        good &= (rows["action"] >= 0) & (rows["action"] < len(ACTIONS))
    rows = rows[good]
    return rows[np.argsort(rows["op"], kind="stable")], int(np.count_nonzero(~good))


def _messages(*tables: np.ndarray) -> tuple[int, list[np.ndarray]]:
    """How many messages there are, and for each row of each table the number of its message."""
    value = ranks(np.concatenate([rows["value"] for rows in tables]))[1]
    key = np.concatenate([rows["key"] for rows in tables]).astype(np.int64)
    found, message = ranks(key * (value.max(initial=0) + 1) + value)
    return len(found), np.split(message, np.cumsum([len(rows) for rows in tables])[:-1])


def _plain(messages, publishes, published, deliveries, delivered, settlements, settled) -> np.ndarray:
    """Which messages were confirmed, delivered at the first attempt and acknowledged, once each and in this order."""
    plain = np.ones(messages, bool)
    for numbers in (published, delivered, settled):
        plain &= np.bincount(numbers, minlength=messages) == 1
    plain[published[publishes["type"] != OK]] = False
    plain[delivered[deliveries["attempt"] > 1]] = False
    plain[settled[(settlements["action"] != ACK) | (settlements["type"] != OK)]] = False
    given, done = np.zeros(messages, np.int64), np.zeros(messages, np.int64)
    given[delivered], done[settled] = deliveries["op"], settlements["op"]
    return plain & (given < done)


class _Message(NamedTuple):
    """The rows of one message, each list in order of invocation."""
    publishes: list
    deliveries: list
    settlements: list


def _followed(chosen: np.ndarray, *tables: tuple[np.ndarray, np.ndarray]) -> list[_Message]:
    """The chosen messages with all their rows."""
    lists = {number: _Message([], [], []) for number in chosen.tolist()}
    for column, (rows, numbers) in enumerate(tables):
        picked = np.flatnonzero(np.isin(numbers, chosen))
        for i, number in zip(picked.tolist(), numbers[picked].tolist()):
            lists[number][column].append(rows[i])
    return list(lists.values())


class _Interruptions:
    """When consumers lost their connections, and when the queues moved to another node."""

    def __init__(self, marks: np.ndarray):
        self.disconnects = defaultdict(list)
        for row in marks[marks["mark"] == QUEUE_MARKS.index("disconnect")]:
            self.disconnects[int(row["process"])].append(int(row["op"]))
        self.failovers = marks["op"][marks["mark"] == QUEUE_MARKS.index("failover")].tolist()

    def disconnected(self, process: int, since: int, until: int) -> bool:
        return any(since < op < until for op in self.disconnects[process])

    def failed_over(self, since: int, until: int) -> bool:
        return any(since < op < until for op in self.failovers)


class _Judge:
    """The checks on one message after another."""

    def __init__(self, history, guarantees, findings, interruptions, limit):
        self.history, self.guarantees, self.findings = history, guarantees, findings
        self.interruptions, self.limit = interruptions, limit
        self.unsettled: dict[tuple[int, int, str], list[np.void]] = defaultdict(list)

    def judge(self, message: _Message) -> None:
        """Adds to the findings what this message went through."""
        self._outcome(message)
        self._deliveries(message)

    def _found(self, kind: str, row: np.void, sentence: str, count: int = 1) -> None:
        """One case; the sentence may use {message} and {who}."""
        value, key, process = int(row["value"]), self.history.keys[row["key"]], self.history.processes[row["process"]]
        time = float(row["time" if "time" in row.dtype.names else "completed"])
        words = sentence.format(message=f"message {value} of {key}", who=f"{process} at {time:.3f} s")
        anomaly = Anomaly(kind, key, process, ((value, value),), (), count, time, words, int(row["event"]))
        found = self.findings[kind]
        found.add(1, 1, [anomaly] if self.limit is None or len(found.anomalies) < self.limit else [])

    # What became of the message

    def _outcome(self, message: _Message) -> None:
        sent = [row for row in message.publishes if row["type"] == OK]
        if not self.guarantees.durable:  # nobody confirms anything: everything handed over counts
            sent = [row for row in message.publishes if row["type"] != FAIL]
        if sent and not any(row["action"] != REQUEUE and row["type"] != FAIL for row in message.settlements):
            self._unsettled(sent[0], message.deliveries)
        if message.deliveries and all(row["type"] == FAIL for row in message.publishes):
            why = "its publish had failed" if message.publishes else "nobody published it"
            self._found("phantom", message.deliveries[0], f"{{who}} was given {{message}}, although {why}")
        ends = [row for row in message.settlements if row["type"] == OK and row["action"] != REQUEUE]
        acks, others = [row for row in ends if row["action"] == ACK], [row for row in ends if row["action"] != ACK]
        if acks and others:
            how = ACTIONS[others[0]["action"]]
            self._found("conservation", others[0], f"{{message}} was acknowledged and also settled by {how}")

    def _unsettled(self, row: np.void, deliveries: list) -> None:
        if not self.history.drained:
            self.findings["lost"].doubt("messages were still on their way at the end")
            return
        fate = "delivered but never settled" if deliveries else "never delivered"
        self.unsettled[int(row["key"]), int(row["process"]), fate].append(row)

    def lost(self) -> None:
        """Adds the messages that were never settled, neighbours together."""
        for (key, process, fate), rows in self.unsettled.items():
            rows.sort(key=lambda row: row["value"])
            values = np.array([row["value"] for row in rows])
            borders = np.flatnonzero(np.diff(values) != 1) + 1
            for part in np.split(np.arange(len(rows)), borders):
                self._lost(self.history.keys[key], self.history.processes[process], fate, rows[part[0]], values[part])

    def _lost(self, key: str, process: str, fate: str, row: np.void, values: np.ndarray) -> None:
        stretch, time = (int(values[0]), int(values[-1])), float(row["completed"])
        sentence = f"{spans([stretch], 'message')} of {key}, published by {process} at {time:.3f} s, {fate}"
        anomaly = Anomaly("lost", key, process, (stretch,), (), len(values), time, sentence, int(row["event"]))
        self.findings["lost"].add(1, len(values), [anomaly])

    # Its deliveries, one after another

    def _deliveries(self, message: _Message) -> None:
        deliveries, limit = message.deliveries, self.guarantees.delivery_limit
        if len(deliveries) > 1:
            times = f"{len(deliveries)} times"
            self._found("redelivery", deliveries[-1], f"{{message}} was delivered {times}, last to {{who}}")
        attempts = [row["attempt"] if row["attempt"] > 0 else nth for nth, row in enumerate(deliveries, 1)]
        if limit and attempts and max(attempts) > limit:
            self._found("over-delivery", deliveries[-1],
                        f"{{message}} was given to {{who}} beyond its limit of {limit}")
        self._again(message, "double possession", self._holder, "while {other} held it")
        self._again(message, "unjustified redelivery", self._unjustified,
                    "again: no nack, no expired lease, no disconnect and no failover after {other} got it")
        acks = [row["op"] for row in message.settlements if row["action"] == ACK and row["type"] == OK]
        late = [row for row in deliveries if acks and row["op"] > acks[0]]
        if late:
            self._found("zombie", late[0], "{message} was given to {who} after its ack had been accepted")

    def _again(self, message: _Message, kind: str, culprit: Callable, reproach: str) -> None:
        """The first delivery with which an earlier one, the culprit, does not go together."""
        for i, row in enumerate(message.deliveries):
            other = culprit(message, message.deliveries[:i], row) if i else None
            if other is not None:
                words = reproach.format(other=self.history.processes[other["process"]])
                self._found(kind, row, f"{{message}} was given to {{who}} {words}")
                return

    def _holder(self, message: _Message, earlier: list, row: np.void):
        """An earlier delivery whose consumer still holds the message, if there is one."""
        return next((held for held in earlier
                     if held["lease"] > row["time"] and not self._released(message, held, row)), None)

    def _released(self, message: _Message, held: np.void, row: np.void) -> bool:
        since, until, process = int(held["op"]), int(row["op"]), int(held["process"])
        return self.interruptions.disconnected(process, since, until) or any(
            since < end["op"] < until and end["type"] != FAIL
            and (end["process"] == process or end["action"] in BY_QUEUE) for end in message.settlements)

    def _unjustified(self, message: _Message, earlier: list, row: np.void):
        """The delivery before this one, if nothing explains that there is another."""
        before = earlier[-1]
        since, until = int(before["op"]), int(row["op"])
        explained = (not before["lease"] > row["time"] or self._released(message, before, row)
                     or self.interruptions.failed_over(since, until)
                     or any(since < end["op"] < until and end["type"] != FAIL and end["action"] != ACK
                            for end in message.settlements))
        return None if explained else before

    # Order

    def order(self, publishes, published, deliveries, delivered) -> None:
        """Deliveries of a message after one that the same process published later, to the same queue and group."""
        rank, stream = _ranks_in_stream(publishes)
        place = np.full(max(published.max(initial=-1), delivered.max(initial=-1)) + 1, -1)
        place[published] = np.arange(len(published))
        of = place[delivered]
        known = np.flatnonzero(of >= 0)
        known = known[np.argsort(stream[of[known]], kind="stable")]
        streams, ranked = stream[of[known]], rank[of[known]]
        depth = _running_max(ranked, streams) - ranked
        late = np.flatnonzero(depth > 0)
        deepest = late[np.argsort(-depth[late], kind="stable")][:self.limit]
        for i in deepest:
            behind = plural(int(depth[i]), "place")
            self._found("order inversion", deliveries[known[i]],
                        f"{{message}} was given to {{who}}, {behind} behind one published later", int(depth[i]))
        self.findings["order inversion"].add(len(late) - len(deepest), len(late) - len(deepest), [])


def _ranks_in_stream(publishes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each publish its place among those of its process to its queue and group, and the number of that stream."""
    columns = (publishes["group"], publishes["process"], publishes["key"])
    order = np.lexsort(columns)  # stable: within a stream the order of invocation remains
    new = np.zeros(len(order), bool)
    for column in columns:
        new |= np.append(True, column[order][1:] != column[order][:-1])[:len(order)]
    number = np.cumsum(new) - 1
    rank, stream = np.empty(len(order), np.int64), np.empty(len(order), np.int64)
    rank[order], stream[order] = np.arange(len(order)) - np.flatnonzero(new)[number], number
    return rank, stream


def _running_max(ranked: np.ndarray, streams: np.ndarray) -> np.ndarray:
    """The largest rank so far in each stream; streams are neighbours and ascend."""
    base = streams * (ranked.max(initial=0) + 1)
    return np.maximum.accumulate(ranked + base) - base
