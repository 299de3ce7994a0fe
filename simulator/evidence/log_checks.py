"""The checks of a log: what no reader and no writer of a topic-partition should ever see.

Names and definitions follow Jepsen's Kafka tests (github.com/jepsen-io/jepsen, jepsen/src/jepsen/tests/kafka.clj),
restated for batches. Inference is conservative: an operation of unknown outcome counts as done only if something it
sent was read, and two records of which one has no known place are taken for neighbours. What is reported has happened;
what is not reported may still have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from .history import FAIL, FINAL_READER, INFO, OK, History
from .keylog import KeyLog
from .pieces import HUGE, Entangled, distinct
from .report import Anomaly, Findings, plural, spans
from .steps import OPS, Marks, Steps, moments, steps

# What is said of a run of records; the checks on offsets and on steps say it themselves.
SENTENCES = {
    "lost write": "no reader saw {records} of {key} ({offsets}; sent by {process}, acknowledged at {time}), {although}",
    "unseen": "nobody saw {records} of {key} ({offsets}; sent by {process}, acknowledged at {time}) yet",
    "vanished": "the final reader did not find {records} of {key} ({offsets}), acknowledged and once read by {process}",
    "aborted read": "{process} at {time} read {records} of {key}, although {failed}",
    "duplicate": "the log holds {records} of {key} more than once, at {offsets}",
    "precommitted read": "{process} at {time} read {records} of {key} in the very operation that sent them, "
                         "before it was over",
}
ON_READS = (*SENTENCES, "inconsistent offset", "internal poll skip", "internal nonmonotonic poll", "external poll skip",
            "external nonmonotonic poll")
KINDS = (*ON_READS, "internal nonmonotonic send", "nonmonotonic send", "internal send skip")


EXPIRED = ("{records} of {key} ({offsets}; sent by {process}, acknowledged at {time}) are older than the retention, "
           "and gone")


def log_findings(history: History, limit: int | None, retention: float | None = None) -> dict[str, Findings]:
    """What each check finds in a history, with the `limit` largest cases of each key.

    With a retention (seconds) the log may begin later than it did: what is missing from its beginning and older is
    `expired`, not lost.
    """
    findings = {kind: Findings() for kind in (KINDS if retention is None else (*KINDS, "expired"))}
    sends, odd_sends = _sound(history.sends.rows, history)
    polls, odd_polls = _sound(history.polls.rows, history)
    if not np.any(polls["type"] == OK):
        _doubt(findings, ON_READS, "no poll returned a record")
    if odd_sends + odd_polls:
        _doubt(findings, KINDS, f"{plural(odd_sends + odd_polls, 'row')} could not be read")
    proven, final_reader = _proven(sends, polls, history.transactions.rows["op"]), _final_reader(history)
    marks = Marks(_sound(history.marks.rows, history)[0])
    mixed = distinct(polls["op"][np.isin(polls["op"], sends["op"])]) if len(sends) and len(polls) else sends["op"]
    for key, of_key in _by_key(sends, polls, len(history.keys)):
        try:
            log = KeyLog(sends[of_key[0]], polls[of_key[1]], proven[of_key[0]], final_reader)
        except Entangled as problem:
            _doubt(findings, KINDS, f"{history.keys[key]}: {problem}")
            continue
        _Judge(history, key, log, limit, retention).judge(findings, marks, mixed)
    return findings


def _final_reader(history: History) -> int:
    """The code of the process that read every key from its beginning once all was over; -1 if there is none."""
    return history.processes.code(FINAL_READER) if history.drained and FINAL_READER in history.processes else -1


def _last_look(history: History) -> float:
    """When the final reader read, in seconds; without one, when anybody did last."""
    final = _final_reader(history)
    times = [table.rows[name][table.rows["process"] == final]
             for table, name in ((history.polls, "completed"), (history.marks, "time"))]
    found = np.concatenate(times)
    return float(found.max() if len(found) else history.polls.rows["completed"].max(initial=0.0))


def _doubt(findings: dict[str, Findings], kinds, reason: str) -> None:
    for kind in kinds:
        findings[kind].doubt(reason)


def _sound(rows: np.ndarray, history: History) -> tuple[np.ndarray, int]:
    """The rows that make sense, and how many do not: the recorder may have been wrong, the judge must not fall over."""
    good = (rows["process"] >= 0) & (rows["process"] < len(history.processes)) & (rows["op"] >= 0) & (rows["op"] < OPS)
    good &= rows["key"] < len(history.keys)
    if "count" in rows.dtype.names:
        good &= (rows["count"] >= 1) & (rows["key"] >= 0) & (rows["type"] >= OK) & (rows["type"] <= INFO)
        good &= (np.abs(rows["value"]) < HUGE) & (rows["offset"] < HUGE)
    return (rows if good.all() else rows[good]), int(np.count_nonzero(~good))


def _proven(sends: np.ndarray, polls: np.ndarray, transactions: np.ndarray) -> np.ndarray:
    """Which sends certainly happened: `ok`, or unknown and a part of the operation was read, which proves all.

    An application sends the records of an aborted transaction again: a transaction is proven only where a read had its
    very offset.
    """
    proven = sends["type"] == OK
    unsure = np.flatnonzero(sends["type"] == INFO)
    if len(unsure):
        rows, read = sends[unsure], polls[polls["type"] == OK]
        shown = _overlap(rows, read)
        atomic = np.flatnonzero(np.isin(rows["op"], transactions))
        for row in atomic[shown[atomic]]:
            there = read["offset"] - read["value"] == rows["offset"][row] - rows["value"][row]
            shown[row] = rows["offset"][row] >= 0 and _overlap(rows[row:row + 1], read[there])[0]
        proven[unsure] = np.isin(rows["op"], rows["op"][shown])
    return proven


def _overlap(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Which rows share a value of their key with one of the others."""
    found = np.zeros(len(rows), bool)
    for key in np.unique(rows["key"]):
        mine, theirs = rows["key"] == key, others[others["key"] == key]
        theirs = theirs[np.argsort(theirs["value"], kind="stable")]
        reach = np.append(-HUGE, np.maximum.accumulate(theirs["value"] + theirs["count"]))
        value = rows["value"][mine]
        found[mine] = reach[np.searchsorted(theirs["value"], value + rows["count"][mine])] > value
    return found


def _by_key(sends: np.ndarray, polls: np.ndarray, keys: int) -> Iterator[tuple[int, tuple[np.ndarray, np.ndarray]]]:
    """Each key with its sends and polls, by process and in the order of their invocation."""
    groups = [_grouped(rows, keys) for rows in (sends, polls)]
    for key in range(keys):
        yield key, tuple(order[borders[key]:borders[key + 1]] for order, borders in groups)


def _grouped(rows: np.ndarray, keys: int) -> tuple[np.ndarray, np.ndarray]:
    """The rows' order by key, process and operation, and where each key begins in it."""
    op, key = rows["op"], rows["key"]
    order = np.arange(len(rows)) if np.all(op[1:] >= op[:-1]) else np.argsort(op, kind="stable")
    for column in (rows["process"], key):
        narrow = column.astype(np.int16) if column.max(initial=0) < 1 << 15 else column  # 16 bits: a radix sort
        order = order[np.argsort(narrow[order], kind="stable")]
    return order, np.searchsorted(key[order], np.arange(keys + 1))


def _runs(numbers: np.ndarray) -> list[np.ndarray]:
    """Ascending numbers, apart wherever one is missing."""
    return np.split(numbers, np.flatnonzero(np.diff(numbers) != 1) + 1)


class _Judge:
    """The checks on one key."""

    def __init__(self, history: History, key: int, log: KeyLog, limit: int | None, retention: float | None = None):
        self.history, self.code, self.key, self.log, self.limit = history, key, history.keys[key], log, limit
        self.expires = None if retention is None else log.sent_at() + retention

    def judge(self, findings: dict[str, Findings], marks: Marks, mixed: np.ndarray) -> None:
        """Adds to the findings what this key has to say; `mixed` are the operations that both sent and polled."""
        log = self.log
        lost, unseen = log.lost(), np.flatnonzero(log.acknowledged & ~log.read)
        if self.history.drained:  # the final reader got past everything: what it did not see is not merely late
            lost = np.union1d(lost, unseen)
        vanished = lost[:0]
        if _final_reader(self.history) >= 0:
            vanished = np.flatnonzero(log.acknowledged & log.read & ~log.left)
        if self.expires is not None:
            gone = self._expired()
            self._add(findings, "expired", np.intersect1d(np.union1d(lost, vanished), gone), log.writer)
            lost, unseen, vanished = (np.setdiff1d(stretches, gone) for stretches in (lost, unseen, vanished))
        self._add(findings, "lost write", lost, log.writer)
        self._add(findings, "unseen", np.setdiff1d(unseen, lost), log.writer)
        self._add(findings, "vanished", vanished, log.reader)
        self._add(findings, "aborted read", np.flatnonzero(log.failed & log.read), log.reader)
        self._add(findings, "duplicate", log.repeated, log.witness)
        self._precommitted(findings, mixed)
        self._conflicts(findings["inconsistent offset"])
        self._polls(findings, marks)
        self._sends(findings)

    def _expired(self) -> np.ndarray:
        """The stretches that retention may have deleted: old at the last reading, and before all that is left."""
        log = self.log
        begins = log.first[log.left & (log.first >= 0)].min(initial=len(log.offset))
        return np.flatnonzero((self.expires <= _last_look(self.history)) & (log.last < begins))

    # Checks on records: a run of neighbouring stretches is one anomaly.

    def _add(self, findings: dict[str, Findings], kind: str, stretches: np.ndarray, witness: Callable) -> None:
        if not len(stretches):
            return
        runs = _runs(stretches)
        sizes = np.array([self.log.size[run].sum() for run in runs])
        findings[kind].add(len(runs), sizes.sum(),
                           [self._on_run(kind, runs[i], witness(runs[i][0])) for i in self._largest(sizes)])

    def _largest(self, sizes: np.ndarray) -> np.ndarray:
        return np.argsort(-sizes, kind="stable")[:self.limit]

    def _anomaly(self, kind, row, records, offsets, count, sentence) -> Anomaly:
        return Anomaly(kind, self.key, self.history.processes[row["process"]], records, offsets, int(count),
                       float(row["completed"]), sentence, int(row["event"]))

    def _on_run(self, kind: str, run: np.ndarray, row: np.void) -> Anomaly:
        records, offsets = self.log.values(run), self.log.offsets(self._places(run))
        sentence = (EXPIRED if kind == "expired" else SENTENCES[kind]).format(
            records=spans(records), offsets=spans(offsets, "offset"), key=self.key, time=f"{row['completed']:.3f} s",
            process=self.history.processes[row["process"]],
            failed="its transaction was aborted" if len(self.history.transactions) else "the send had failed",
            although="not even the final one" if self.history.drained else "although readers got further")
        return self._anomaly(kind, row, records, offsets, self.log.size[run].sum(), sentence)

    def _places(self, run: np.ndarray) -> np.ndarray:
        """All places at which the stretches of a run lie."""
        ends = np.concatenate((self.log.first[run], self.log.last[run]))
        return np.unique(ends[ends >= 0])

    def _precommitted(self, findings: dict[str, Findings], mixed: np.ndarray) -> None:
        if not len(mixed):
            return
        log = self.log
        sent_in, polled_in = log.sends["op"][log.send_row], log.polls["op"][log.poll_row]
        for op in np.intersect1d(np.intersect1d(mixed, sent_in), polled_in):
            own = np.intersect1d(log.stretch[log.of_send[sent_in == op]], log.stretch[log.of_poll[polled_in == op]])
            row = log.polls[log.polls["op"] == op][0]
            self._add(findings, "precommitted read", own, lambda stretch: row)

    # Checks on offsets.

    def _conflicts(self, found: Findings) -> None:
        if not len(self.log.conflicting):
            return
        runs = _runs(self.log.conflicting)
        sizes = np.array([self.log.width[run].sum() for run in runs])
        found.add(len(runs), sizes.sum(), [self._conflict(runs[i], sizes[i]) for i in self._largest(sizes)])

    def _conflict(self, run: np.ndarray, size: int) -> Anomaly:
        log = self.log
        held = np.unique(log.stretch[np.isin(log.place, run)])
        offsets, records = log.offsets(run), log.values(held)
        sentence = f"{spans(offsets, 'offset')} of {self.key} held different records: {spans(records)}"
        return self._anomaly("inconsistent offset", log.witness(held[-1]), records, offsets, size, sentence)

    # Checks on steps.

    def _polls(self, findings: dict[str, Findings], marks: Marks) -> None:
        log = self.log
        odd = steps(moments(log.polls)[log.poll_row], (log.polls["type"] == OK)[log.poll_row],
                    log.known_position[log.of_poll], log.pieces.count[log.of_poll],
                    marks.drops(self.code), marks.rebalances(self.code))
        if self.expires is not None:
            odd = odd.without([i for i in np.flatnonzero(odd.gap > 1) if self._over_expired(odd, i)])
        for where, inside in (("internal", odd.internal), ("external", ~odd.internal)):
            for kind, moved in ((f"{where} poll skip", odd.gap > 1), (f"{where} nonmonotonic poll", odd.gap < 1)):
                self._add_steps(findings[kind], kind, odd, inside & moved, self._moved)

    def _over_expired(self, odd: Steps, i: int) -> bool:
        """Whether all that a reader jumped over was older than the retention by then."""
        row, position = self._poll(odd.after[i])
        skipped = self.log.holder[self.log.between(position - int(odd.gap[i]) + 1, position)]
        return bool(np.all(self.expires[skipped] <= row["completed"]))

    def _add_steps(self, found: Findings, kind: str, odd: Steps, chosen: np.ndarray, tell: Callable) -> None:
        chosen = np.flatnonzero(chosen)
        sizes = np.abs(odd.gap[chosen] - 1)
        found.add(len(chosen), sizes.sum(), [tell(kind, odd, chosen[i]) for i in self._largest(sizes)])

    def _moved(self, kind: str, odd: Steps, i: int) -> Anomaly:
        row, position, gap = *self._poll(odd.after[i]), int(odd.gap[i])
        low, high = (position - gap + 1, position) if gap > 1 else (position, position + 1 - gap)
        places = self.log.between(low, high)
        records = self.log.values(np.unique(self.log.holder[places]))
        sentence = (f"{self._who(row)} {'jumped' if gap > 1 else 'went back'} over {spans(records)} of {self.key} "
                    f"{'inside one operation' if odd.internal[i] else 'between two operations'}")
        return self._anomaly(kind, row, records, self.log.offsets(places), high - low, sentence)

    def _poll(self, piece: int) -> tuple[np.void, int]:
        """The row and the position of a polled piece."""
        return self.log.polls[self.log.poll_row[piece]], int(self.log.known_position[self.log.of_poll[piece]])

    def _who(self, row: np.void) -> str:
        return f"{self.history.processes[row['process']]} at {row['completed']:.3f} s"

    def _sends(self, findings: dict[str, Findings]) -> None:
        log = self.log
        none = np.zeros(0, np.int64)
        position = log.known_position[log.of_send]
        position = np.where(position < log.undisputed(), position, -1)  # a rewritten log has no one order of its sends
        odd = steps(moments(log.sends)[log.send_row], (log.sends["type"] != FAIL)[log.send_row], position,
                    log.pieces.count[log.of_send], none, none)
        for kind, chosen in (("internal send skip", odd.internal & (odd.gap > 1)),
                             ("internal nonmonotonic send", odd.internal & (odd.gap < 1)),
                             ("nonmonotonic send", ~odd.internal & (odd.gap < 1))):
            self._add_steps(findings[kind], kind, odd, chosen, self._reordered)

    def _reordered(self, kind: str, odd: Steps, i: int) -> Anomaly:
        log, row = self.log, self.log.sends[self.log.send_row[odd.after[i]]]
        before, after = (int(log.stretch[log.of_send[piece[i]]]) for piece in (odd.before, odd.after))
        pair = np.unique((before, after))
        last, first = int(log.start[before] + log.size[before] - 1), int(log.start[after])
        gap = int(odd.gap[i])
        found = (f"{plural(gap - 1, 'record')} of others between them" if gap > 1 else
                 f"it {plural(1 - gap, 'position')} too early")
        sentence = f"{self._who(row)} sent value {first} of {self.key} after value {last}, but the log has {found}"
        records = tuple(sorted(((last, last), (first, first))))
        return self._anomaly(kind, row, records, log.offsets(self._places(pair)), abs(int(odd.gap[i]) - 1), sentence)
