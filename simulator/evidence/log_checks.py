"""The checks of a log: what no reader and no writer of a topic-partition should ever see.

Names and definitions follow Jepsen's Kafka tests (github.com/jepsen-io/jepsen, jepsen/src/jepsen/tests/kafka.clj), restated for
batches. Inference is conservative: an operation of unknown outcome counts as done only if something it sent was read, and two records
of which one has no known place are taken for neighbours. What is reported has happened; what is not reported may still have.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .history import FAIL, FINAL_READER, INFO, OK, History
from .keylog import KeyLog
from .pieces import HUGE, Entangled, distinct
from .report import Anomaly, Findings, plural, spans
from .steps import OPS, Marks, Steps, moments, steps

KINDS = ("lost write", "unseen", "vanished", "inconsistent offset", "duplicate", "aborted read", "precommitted read",
         "internal poll skip", "internal nonmonotonic poll", "external poll skip", "external nonmonotonic poll",
         "internal nonmonotonic send", "nonmonotonic send", "internal send skip")
NEED_READS = ("lost write", "unseen", "vanished", "inconsistent offset", "duplicate", "aborted read", "precommitted read",
              "internal poll skip", "internal nonmonotonic poll", "external poll skip", "external nonmonotonic poll")


def log_findings(history: History, limit: int | None) -> dict[str, Findings]:
    """What each check finds in a history, with the `limit` largest cases of each key."""
    findings = {kind: Findings() for kind in KINDS}
    sends, odd_sends = _sound(history.sends.rows, history)
    polls, odd_polls = _sound(history.polls.rows, history)
    if not np.any(polls["type"] == OK):
        _doubt(findings, NEED_READS, "no poll returned a record")
    if odd_sends + odd_polls:
        _doubt(findings, KINDS, f"{plural(odd_sends + odd_polls, 'row')} could not be read")
    proven, final_reader = _proven(sends, polls), _final_reader(history)
    marks = Marks(_sound(history.marks.rows, history)[0])
    mixed = distinct(polls["op"][np.isin(polls["op"], sends["op"])]) if len(sends) and len(polls) else sends["op"]
    for key, of_key in _by_key(sends, polls, len(history.keys)):
        try:
            log = KeyLog(sends[of_key[0]], polls[of_key[1]], proven[of_key[0]], final_reader)
        except Entangled as problem:
            _doubt(findings, KINDS, f"{history.keys[key]}: {problem}")
            continue
        _Judge(history, key, log, limit).judge(findings, marks, mixed)
    return findings


def _final_reader(history: History) -> int:
    """The code of the process that read every key from its beginning once all was over; -1 if there is none."""
    return history.processes.code(FINAL_READER) if history.drained and FINAL_READER in history.processes else -1


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


def _proven(sends: np.ndarray, polls: np.ndarray) -> np.ndarray:
    """Which sends certainly happened: `ok`, or unknown and a value of the same operation was read (part of it proves all of it)."""
    proven = sends["type"] == OK
    unsure = np.flatnonzero(sends["type"] == INFO)
    if len(unsure):
        shown = sends["op"][unsure[_overlap(sends[unsure], polls[polls["type"] == OK])]]
        proven[unsure] = np.isin(sends["op"][unsure], shown)
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


class _Judge:
    """The checks on one key."""

    def __init__(self, history: History, key: int, log: KeyLog, limit: int | None):
        self.history, self.code, self.key, self.log, self.limit = history, key, history.keys[key], log, limit

    def judge(self, findings: dict[str, Findings], marks: Marks, mixed: np.ndarray) -> None:
        """Adds to the findings what this key has to say; `mixed` are the operations that both sent and polled."""
        log = self.log
        lost = log.lost()
        self._add(findings["lost write"], lost, self._lost)
        unseen = log.acknowledged & ~log.read
        unseen[lost] = False
        self._add(findings["unseen"], np.flatnonzero(unseen), self._unseen)
        if _final_reader(self.history) >= 0:
            self._add(findings["vanished"], np.flatnonzero(log.acknowledged & log.read & ~log.left), self._vanished)
        self._add(findings["aborted read"], np.flatnonzero(log.failed & log.read), self._aborted)
        self._add(findings["duplicate"], log.repeated, self._duplicate)
        self._conflicts(findings["inconsistent offset"])
        self._precommitted(findings["precommitted read"], mixed)
        self._polls(findings, marks)
        self._sends(findings)

    # Checks on records: a run of neighbouring stretches is one anomaly.

    def _add(self, found: Findings, stretches: np.ndarray, tell) -> None:
        if not len(stretches):
            return
        borders = np.flatnonzero(np.diff(stretches) != 1) + 1
        runs = np.split(stretches, borders)
        sizes = np.array([self.log.size[run].sum() for run in runs])
        found.add(len(runs), sizes.sum(), [tell(runs[i]) for i in self._largest(sizes)])

    def _largest(self, sizes: np.ndarray) -> np.ndarray:
        return np.argsort(-sizes, kind="stable")[:self.limit]

    def _anomaly(self, kind, row, records, offsets, count, sentence) -> Anomaly:
        return Anomaly(kind, self.key, self.history.processes[row["process"]], records, offsets, int(count),
                       float(row["completed"]), sentence, int(row["event"]))

    def _on_run(self, kind: str, run: np.ndarray, row: np.void, sentence: str) -> Anomaly:
        """An anomaly of the records of a run; the sentence may use {records} {key} {process} {time} {offsets}."""
        records, offsets = self.log.values(run), self.log.offsets(self._places(run))
        words = sentence.format(records=spans(records), key=self.key, process=self.history.processes[row["process"]],
                                time=f"{row['completed']:.3f} s", offsets=spans(offsets, "offset"))
        return self._anomaly(kind, row, records, offsets, self.log.size[run].sum(), words)

    def _places(self, run: np.ndarray) -> np.ndarray:
        """All places at which the stretches of a run lie."""
        ends = np.concatenate((self.log.first[run], self.log.last[run]))
        return np.unique(ends[ends >= 0])

    def _lost(self, run: np.ndarray) -> Anomaly:
        return self._on_run("lost write", run, self.log.writer(run[0]), "no reader saw {records} of {key} ({offsets}; sent by {process}, "
                            "acknowledged at {time}), although readers got further")

    def _unseen(self, run: np.ndarray) -> Anomaly:
        end = "not even the final reader: lost or stale" if self.history.drained else "yet"
        return self._on_run("unseen", run, self.log.writer(run[0]), "nobody saw {records} of {key} ({offsets}; sent by {process}, "
                            f"acknowledged at {{time}}), {end}")

    def _vanished(self, run: np.ndarray) -> Anomaly:
        return self._on_run("vanished", run, self.log.reader(run[0]), "the final reader did not find {records} of {key} ({offsets}), "
                            "acknowledged and once read by {process}")

    def _aborted(self, run: np.ndarray) -> Anomaly:
        return self._on_run("aborted read", run, self.log.reader(run[0]), "{process} at {time} read {records} of {key}, although the send "
                            "had failed")

    def _duplicate(self, run: np.ndarray) -> Anomaly:
        return self._on_run("duplicate", run, self.log.witness(run[0]), "the log holds {records} of {key} more than once, at {offsets}")

    # Checks on offsets and operations.

    def _conflicts(self, found: Findings) -> None:
        log, places = self.log, self.log.conflicting
        if not len(places):
            return
        runs = np.split(places, np.flatnonzero(np.diff(places) != 1) + 1)
        sizes = np.array([log.width[run].sum() for run in runs])
        found.add(len(runs), sizes.sum(), [self._conflict(runs[i]) for i in self._largest(sizes)])

    def _conflict(self, run: np.ndarray) -> Anomaly:
        log = self.log
        held = np.unique(log.stretch[np.isin(log.place, run)])
        offsets, records = log.offsets(run), log.values(held)
        sentence = f"{spans(offsets, 'offset')} of {self.key} held different records: {spans(records)}"
        return self._anomaly("inconsistent offset", log.witness(held[-1]), records, offsets, log.width[run].sum(), sentence)

    def _precommitted(self, found: Findings, mixed: np.ndarray) -> None:
        if not len(mixed):
            return
        log = self.log
        sent_in, polled_in = log.sends["op"][log.send_row], log.polls["op"][log.poll_row]
        for op in np.intersect1d(np.intersect1d(mixed, sent_in), polled_in):
            sent, seen = log.stretch[log.of_send[sent_in == op]], log.stretch[log.of_poll[polled_in == op]]
            self._add(found, np.intersect1d(sent, seen), self._own_read(log.polls[log.polls["op"] == op][0]))

    def _own_read(self, row: np.void):
        return lambda run: self._on_run("precommitted read", run, row, "{process} at {time} read {records} of {key} in the very "
                                        "operation that sent them, before it was over")

    # Checks on steps.

    def _polls(self, findings: dict[str, Findings], marks: Marks) -> None:
        log = self.log
        odd = steps(moments(log.polls)[log.poll_row], (log.polls["type"] == OK)[log.poll_row], log.known_position[log.of_poll],
                    log.pieces.count[log.of_poll], marks.drops(self.code), marks.rebalances(self.code))
        for where, inside in (("internal", odd.internal), ("external", ~odd.internal)):
            for kind, moved in ((f"{where} poll skip", odd.gap > 1), (f"{where} nonmonotonic poll", odd.gap < 1)):
                self._add_steps(findings[kind], kind, odd, inside & moved, self._moved)

    def _add_steps(self, found: Findings, kind: str, odd: Steps, chosen: np.ndarray, tell) -> None:
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
        position = np.where(position < log.undisputed(), position, -1)  # a log that was rewritten has no one order of its sends
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
        found = f"{plural(gap - 1, 'record')} of others between them" if gap > 1 else f"it {plural(1 - gap, 'position')} too early"
        sentence = f"{self._who(row)} sent value {first} of {self.key} after value {last}, but the log has {found}"
        records = tuple(sorted(((last, last), (first, first))))
        return self._anomaly(kind, row, records, log.offsets(self._places(pair)), abs(int(odd.gap[i]) - 1), sentence)
