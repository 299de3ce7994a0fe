"""The checks of transactions: all or nothing, nothing before its time, and no circles.

Names and definitions follow Adya's phenomena as Jepsen uses them for Kafka (github.com/jepsen-io/jepsen,
jepsen/src/jepsen/tests/kafka.clj): G0 is a cycle of writes, G1a an aborted read, G1c a circle of information. An
operation counts as a transaction if the history names it one. Inference is conservative: a record that several
operations have sent proves nothing about any of them, and a transaction of unknown outcome counts as committed only if
something that it alone has sent was read.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from .history import FAIL, FINAL_READER, INFO, OK, History, values_of
from .pieces import ranges
from .report import Anomaly, Findings, plural, spans

KINDS = ("torn transaction", "dirty read", "write cycle", "read cycle", "mixed cycle")
MOST_RECORDS = 5_000_000  # beyond this many the checks give up rather than fill the memory
OUTCOMES = ("committed", "aborted", "of unknown outcome")


def transaction_findings(history: History, limit: int | None) -> dict[str, Findings]:
    """What each check finds, with the `limit` largest cases; nothing at all for a history without transactions."""
    if not len(history.transactions):
        return {}
    findings = {kind: Findings() for kind in KINDS}
    if history.sends.rows["count"].sum() + history.polls.rows["count"].sum() > MOST_RECORDS:
        for found in findings.values():
            found.doubt(f"more than {MOST_RECORDS:,} records are too many for the checks of transactions")
        return findings
    judge = _Judge(history, limit)
    judge.torn(findings["torn transaction"])
    judge.dirty(findings["dirty read"])
    judge.cycles(findings)
    return findings


class _Judge:
    """Transactions with the records that each of them, and nobody else, has sent; and who read them when."""

    def __init__(self, history: History, limit: int | None):
        self.history, self.limit = history, limit
        rows = history.transactions.rows
        self.rows = rows[np.sort(np.unique(rows["op"], return_index=True)[1])]
        sends, polls = self._sound(history.sends.rows), self._sound(history.polls.rows)
        self.polls = polls[polls["type"] == OK]
        self._number_records(sends, self.polls)
        self.place = {int(op): number for number, op in enumerate(self.rows["op"])}
        self._find_writers(sends)
        self._find_committed()

    def _sound(self, rows: np.ndarray) -> np.ndarray:
        good = (rows["count"] >= 1) & (rows["key"] >= 0) & (rows["key"] < len(self.history.keys))
        return rows[good]

    def _number_records(self, sends: np.ndarray, polls: np.ndarray) -> None:
        """One number for each record, that is each key and value: `sent` and `read` list the records of all rows."""
        key = np.concatenate([np.repeat(rows["key"], rows["count"]) for rows in (sends, polls)]).astype(np.int64)
        value = np.concatenate([values_of(rows) for rows in (sends, polls)])
        pairs, number = np.unique(np.stack((key, value)), axis=1, return_inverse=True)
        self.key, self.value = pairs
        border = int(sends["count"].sum())
        self.sent, self.read = number.reshape(-1)[:border], number.reshape(-1)[border:]
        self.sent_by, self.read_by = (np.repeat(np.arange(len(rows)), rows["count"]) for rows in (sends, polls))

    def _find_writers(self, sends: np.ndarray) -> None:
        """`writer[record]` is the transaction that alone has sent it; -1 if none did, or others did too."""
        ops = sends["op"][self.sent_by]
        low, high = np.full(len(self.key), np.iinfo(np.int64).max), np.full(len(self.key), -1, np.int64)
        np.minimum.at(low, self.sent, ops)
        np.maximum.at(high, self.sent, ops)
        self.writer = np.array([self.place.get(int(op), -1) if op == other else -1 for op, other in zip(low, high)],
                               np.int64)
        self.offset = np.full(len(self.key), -1, np.int64)
        for rows, numbers, by in ((sends, self.sent, self.sent_by), (self.polls, self.read, self.read_by)):
            first = np.cumsum(rows["count"]) - rows["count"]
            known = rows["offset"][by] >= 0
            self.offset[numbers[known]] = (rows["offset"][by] + np.arange(len(by)) - first[by])[known]

    def _find_committed(self) -> None:
        shown = np.zeros(len(self.rows), bool)
        writers = self.writer[self.read]
        shown[writers[writers >= 0]] = True
        self.committed = (self.rows["type"] == OK) | (self.rows["type"] == INFO) & shown

    def _name(self, transaction: int) -> str:
        row = self.rows[transaction]
        return f"the transaction that {self.history.processes[row['process']]} began at {row['began']:.3f} s"

    def _records(self, numbers: np.ndarray) -> str:
        """Records in words, key by key."""
        return ", ".join(f"{spans(self._ranges(numbers[self.key[numbers] == key]))} of {self.history.keys[key]}"
                         for key in np.unique(self.key[numbers]))

    def _ranges(self, numbers: np.ndarray) -> tuple[tuple[int, int], ...]:
        return ranges(np.sort(self.value[numbers]), np.ones(len(numbers), np.int64))

    def _anomaly(self, kind: str, numbers: np.ndarray, count: int, row: np.void, sentence: str) -> Anomaly:
        """An anomaly about these records; those of the first key stand for all."""
        of_key = numbers[self.key[numbers] == self.key[numbers].min()]
        offsets = np.sort(self.offset[of_key][self.offset[of_key] >= 0])
        return Anomaly(kind, self.history.keys[self.key[of_key[0]]], self.history.processes[row["process"]],
                       self._ranges(of_key), ranges(offsets, np.ones(len(offsets), np.int64)), count,
                       float(row["completed"]), sentence, int(row["event"]))

    # All or nothing

    def torn(self, found: Findings) -> None:
        """Transactions of which the final reader found a part; those that were aborted are aborted reads."""
        if not self.history.drained or FINAL_READER not in self.history.processes:
            found.doubt("no final reader has read everything")
            return
        final = self.polls["process"][self.read_by] == self.history.processes.code(FINAL_READER)
        left = np.zeros(len(self.key), bool)
        left[self.read[final]] = True
        mine = np.flatnonzero((self.writer >= 0))
        mine = mine[self.rows["type"][self.writer[mine]] != FAIL]
        there, gone = (np.bincount(self.writer[mine[left[mine] == shown]], minlength=len(self.rows))
                       for shown in (True, False))
        torn = np.flatnonzero((there > 0) & (gone > 0))
        found.add(len(torn), gone[torn].sum(),
                  [self._torn(t, mine[self.writer[mine] == t], left) for t in self._largest(torn, gone)])

    def _torn(self, transaction: int, records: np.ndarray, left: np.ndarray) -> Anomaly:
        row, there, gone = self.rows[transaction], records[left[records]], records[~left[records]]
        sentence = (f"of {self._name(transaction)} ({OUTCOMES[row['type']]}) the log holds {self._records(there)}, "
                    f"but not {self._records(gone)}")
        return self._anomaly("torn transaction", gone, len(gone), row, sentence)

    def _largest(self, cases: np.ndarray, size: np.ndarray) -> list[int]:
        return cases[np.argsort(-size[cases], kind="stable")][:self.limit].tolist()

    # Nothing before its time

    def dirty(self, found: Findings) -> None:
        """Records that were read before their transaction's process had even asked for the commit."""
        writer = self.writer[self.read]
        asked, op = self.rows["asked"][writer], self.rows["op"][writer]
        polls = self.polls[self.read_by]
        early = (writer >= 0) & (self.rows["type"][writer] != FAIL) & (polls["completed"] < asked) & (polls["op"] != op)
        cases = np.unique(np.stack((self.read_by[early], writer[early])), axis=1).T if early.any() else ()
        size = np.array([np.count_nonzero(early & (self.read_by == poll) & (writer == t)) for poll, t in cases[:2000]])
        found.add(len(cases), len(np.unique(self.read[early])),
                  [self._dirty(*cases[i], self.read[early & (self.read_by == cases[i][0]) & (writer == cases[i][1])])
                   for i in np.argsort(-size, kind="stable")[:self.limit]])

    def _dirty(self, poll: int, transaction: int, records: np.ndarray) -> Anomaly:
        row, asked = self.polls[poll], self.rows["asked"][transaction]
        reader, when = self.history.processes[row["process"]], f"at {asked:.3f} s" if np.isfinite(asked) else None
        sentence = (f"{reader} at {row['completed']:.3f} s read {self._records(records)} of {self._name(transaction)}, "
                    f"whose commit was {f'asked for {when}' if when else 'never asked for'}")
        return self._anomaly("dirty read", records, len(records), row, sentence)

    # No circles

    def cycles(self, findings: dict[str, Findings]) -> None:
        """Cycles of committed transactions: of writes alone, of reads alone, and of both."""
        writes, reads = self._write_edges(), self._read_edges()
        for kind, edges, must in (("write cycle", writes, writes), ("read cycle", reads, reads),
                                  ("mixed cycle", writes | reads, reads)):
            for members in self._strong(edges):
                inside = [edge for edge in must if edge[0] in members and edge[1] in members]
                if inside and not (kind == "mixed cycle"
                                   and not any(edge in writes for edge in self._within(edges, members))):
                    findings[kind].add(1, len(members), [self._cycle(kind, edges, members, inside[0])])

    def _within(self, edges: dict, members: set[int]) -> list[tuple[int, int]]:
        return [edge for edge in edges if edge[0] in members and edge[1] in members]

    def _write_edges(self) -> dict[tuple[int, int], tuple[int, int, str]]:
        """(a, b) if b's record follows a's in the log of a key, with the two records."""
        edges: dict[tuple[int, int], tuple[int, int, str]] = {}
        known = np.flatnonzero((self.writer >= 0) & (self.offset >= 0))
        known = known[self.committed[self.writer[known]]]
        known = known[np.lexsort((self.offset[known], self.key[known]))]
        for before, after in zip(known, known[1:]):
            a, b = int(self.writer[before]), int(self.writer[after])
            if self.key[before] == self.key[after] and a != b:
                edges.setdefault((a, b), (int(before), int(after), "overwrote"))
        return edges

    def _read_edges(self) -> dict[tuple[int, int], tuple[int, int, str]]:
        """(a, b) if b read what a had sent, with the record."""
        edges: dict[tuple[int, int], tuple[int, int, str]] = {}
        reader = self.read_by
        if len(reader):
            reader = np.array([self.place.get(int(op), -1) for op in self.polls["op"]], np.int64)[reader]
        writer = self.writer[self.read]
        for number in np.flatnonzero((reader >= 0) & (writer >= 0) & (reader != writer)):
            a, b = int(writer[number]), int(reader[number])
            if self.committed[a] and self.committed[b]:
                edges.setdefault((a, b), (int(self.read[number]), int(self.read[number]), "read"))
        return edges

    def _strong(self, edges: dict[tuple[int, int], tuple]) -> list[set[int]]:
        """Sets of transactions that can all reach each other."""
        if not edges:
            return []
        starts, ends = np.array(list(edges)).T
        graph = csr_matrix((np.ones(len(starts)), (starts, ends)), (len(self.rows), len(self.rows)))
        _, label = connected_components(graph, connection="strong")
        several = np.flatnonzero(np.bincount(label) > 1)
        return [set(np.flatnonzero(label == one).tolist()) for one in several]

    def _cycle(self, kind: str, edges: dict, members: set[int], edge: tuple[int, int]) -> Anomaly:
        """The shortest way back along one edge, in words."""
        way = _shortest(edges, members, edge[1], edge[0])
        steps = list(zip(way, way[1:])) + [edge]
        told = "; ".join(self._step(step, edges[step]) for step in steps)
        row = self.rows[edge[1]]
        records = np.array([edges[edge][1]])
        return self._anomaly(kind, records, len(members), row,
                             f"{plural(len(steps), 'transaction')} in a circle: {told}")

    def _step(self, step: tuple[int, int], how: tuple[int, int, str]) -> str:
        before, after, verb = how
        own, other = self._records(np.array([after])), self._records(np.array([before]))
        return (f"{self._name(step[1])} read {other} of {self._name(step[0])}" if verb == "read" else
                f"{self._name(step[1])} wrote {own} behind {other} of {self._name(step[0])}")


def _shortest(edges: dict, members: set[int], start: int, end: int) -> list[int]:
    """The shortest way from one transaction to another inside a strongly connected set."""
    came: dict[int, int | None] = {start: None}
    queue = deque([start])
    while queue and end not in came:
        here = queue.popleft()
        for a, b in edges:
            if a == here and b in members and b not in came:
                came[b] = here
                queue.append(b)
    way = [end]
    while came[way[-1]] is not None:
        way.append(came[way[-1]])
    return way[::-1]
