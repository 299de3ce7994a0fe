"""The judge's answer: a verdict for each check, the anomalies behind it, and the whole in one sentence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from html import escape

HOLDS, BROKEN, UNKNOWN = "holds", "broken", "unknown"
SHOWN = 5  # anomalies a report prints; the rest is a call away

# A word and a symbol carry the meaning; the colour (Okabe-Ito: blue, vermillion, orange, grey) only repeats it.
MARKS = {"holds": ("✓", "#0072B2"), "broken": ("✗", "#D55E00"), "permitted": ("○", "#E69F00"),
         "unknown": ("?", "#999999")}

WEIGHT = ("broken", "unknown", "permitted", "holds")  # what a reader wants to know first

# What each check counts, and what became of it.
PHRASES = {
    "lost write": ("acknowledged record", "lost"),
    "unseen": ("acknowledged record", "never seen"),
    "vanished": ("acknowledged record", "lost after being read"),
    "expired": ("acknowledged record", "deleted by retention"),
    "lost": ("message", "lost"),
    "duplicate": ("record", "stored more than once"),
    "inconsistent offset": ("offset", "given to different records"),
    "log divergence": ("record", "left on a replica where its leader has others"),
    "aborted read": ("record", "read although the send failed"),
    "precommitted read": ("record", "read before the commit"),
    "internal poll skip": ("record", "skipped inside a poll"),
    "internal nonmonotonic poll": ("record", "read again inside a poll"),
    "external poll skip": ("record", "skipped between polls"),
    "external nonmonotonic poll": ("record", "read again between polls"),
    "internal send skip": ("record", "interleaved with those of one operation"),
    "internal nonmonotonic send": ("record", "reordered inside an operation"),
    "nonmonotonic send": ("record", "reordered between operations"),
    "phantom": ("message", "delivered without being published"),
    "conservation": ("message", "settled in more than one way"),
    "double possession": ("message", "held by two consumers at once"),
    "zombie": ("message", "delivered after an accepted ack"),
    "over-delivery": ("message", "delivered more often than allowed"),
    "unjustified redelivery": ("message", "redelivered for no reason"),
    "order inversion": ("delivery", "made out of order"),
    "redelivery": ("message", "delivered more than once"),
    "torn transaction": ("record", "missing from a transaction of which others are there"),
    "dirty read": ("record", "read before the commit was asked for"),
    "write cycle": ("transaction", "in a circle of writes (G0)"),
    "read cycle": ("transaction", "in a circle of reads (G1c)"),
    "mixed cycle": ("transaction", "in a circle of writes and reads (G1c)"),
}
LOSS = ("lost write", "unseen", "vanished", "lost")
PLURALS = {"delivery": "deliveries"}


@dataclass(frozen=True)
class Anomaly:
    """One thing that went wrong: what, where, to which records, when.

    `records` and `offsets` are inclusive ranges, ((first, last), ...); `count` is how many records are concerned,
    `time` is seconds,
    `event` is the trace event that began the send or answered the poll, -1 if there is none.
    """
    kind: str
    key: str
    process: str
    records: tuple[tuple[int, int], ...]
    offsets: tuple[tuple[int, int], ...]
    count: int
    time: float
    sentence: str
    event: int = -1
    permitted: bool = False

    def __str__(self) -> str:
        return f"{self.kind}: {self.sentence}"


@dataclass(frozen=True)
class Verdict:
    """What one check found: `holds`, `broken` or `unknown`; what is permitted is counted, and the promise holds."""
    kind: str
    verdict: str
    permitted: bool = False
    cases: int = 0
    records: int = 0
    reason: str = ""

    @property
    def word(self) -> str:
        """The verdict as shown: `permitted` if anomalies were found that break no promise."""
        return "permitted" if self.verdict == HOLDS and self.cases else self.verdict

    @property
    def finding(self) -> str:
        """What was found, in words."""
        return _counted(self) if self.cases else self.reason or "none found"

    def __str__(self) -> str:
        return f"{MARKS[self.word][0]} {self.word:<9}  {self.kind:<26}  {self.finding}"


@dataclass
class Findings:
    """What one check has found so far, and the largest cases of it."""
    cases: int = 0
    records: int = 0
    anomalies: list[Anomaly] = field(default_factory=list)
    unknown: str = ""

    def add(self, cases: int, records: int, anomalies: Iterable[Anomaly]) -> None:
        """Counts cases and the records they concern; `anomalies` may be only the largest of them."""
        self.cases, self.records = self.cases + int(cases), self.records + int(records)
        self.anomalies += anomalies

    def doubt(self, reason: str) -> None:
        """Without a case, the check proves nothing, for this reason; the first reason given stands."""
        self.unknown = self.unknown or reason


class Report:
    """Verdicts and anomalies of one history.

    `verdicts[kind]` is a Verdict; `anomalies` lists the largest of each kind, those that break a promise first; `ok` is
    True if every check holds, so neither a broken promise nor an unknown one passes for a good one.
    """

    def __init__(self, findings: dict[str, Findings], allowed: frozenset[str], limit: int | None = None):
        self.verdicts = {kind: _verdict(kind, found, kind in allowed) for kind, found in findings.items()}
        self.anomalies = [anomaly for kind in self._by_weight()
                          for anomaly in _largest(findings[kind], kind in allowed, limit)]

    def _by_weight(self) -> list[str]:
        """Kinds: broken, unknown, permitted, the rest; each in the order of the checks."""
        return sorted(self.verdicts, key=lambda kind: WEIGHT.index(self.verdicts[kind].word))

    @property
    def ok(self) -> bool:
        """True if every check holds."""
        return all(verdict.verdict == HOLDS for verdict in self.verdicts.values())

    @property
    def broken(self) -> list[str]:
        """The kinds of anomaly that break a promise."""
        return [kind for kind, verdict in self.verdicts.items() if verdict.verdict == BROKEN]

    def of(self, kind: str) -> list[Anomaly]:
        """The anomalies of one kind, largest first."""
        return [anomaly for anomaly in self.anomalies if anomaly.kind == kind]

    def __str__(self) -> str:
        verdicts = self._lines()
        clauses = [_counted(verdict) + " (permitted)" * verdict.permitted for verdict in verdicts if verdict.cases]
        lost = {verdict.kind for verdict in verdicts if verdict.cases and verdict.kind in LOSS}
        if not lost or lost == {"unseen"}:
            clauses.insert(0, _no_loss(verdicts))
        first = f": {self.anomalies[0].sentence}" if self.anomalies else ""
        return "; ".join(clauses) + first

    def __repr__(self) -> str:
        lines = [str(self), *map(str, self._lines())]
        lines += [f"- {anomaly}" for anomaly in self.anomalies[:SHOWN]]
        return "\n".join(lines + self._more())

    def _lines(self) -> list[Verdict]:
        return [self.verdicts[kind] for kind in self._by_weight()]

    def _more(self) -> list[str]:
        hidden = sum(verdict.cases for verdict in self.verdicts.values()) - len(self.anomalies[:SHOWN])
        return [f"(the largest shown; {hidden:,} more)"] if hidden > 0 else []

    def _repr_html_(self) -> str:
        """What was found as a table, and the checks that found nothing folded away under one line."""
        told = [verdict for verdict in self._lines() if verdict.word != HOLDS]
        quiet = [verdict for verdict in self._lines() if verdict.word == HOLDS]
        items = "".join(f"<li>{escape(str(anomaly))}</li>" for anomaly in self.anomalies[:SHOWN])
        more = "".join(f"<p>{escape(line)}</p>" for line in self._more())
        nothing = f"{MARKS[HOLDS][0]} {plural(len(quiet), 'check')} found nothing"
        return (f"<p><strong>{escape(str(self))}</strong></p>" + (_html_table(told) if told else "")
                + (f"<ul>{items}</ul>" if items else "") + more
                + f"<details><summary>{nothing}</summary>{_html_table(quiet)}</details>")


def _html_table(verdicts: list[Verdict]) -> str:
    head = "".join(f'<th scope="col">{column}</th>' for column in ("verdict", "check", "found"))
    return (f"<table><caption>Verdict of each check</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{''.join(map(_html_row, verdicts))}</tbody></table>")


def _verdict(kind: str, found: Findings, allowed: bool) -> Verdict:
    if found.cases:
        return Verdict(kind, HOLDS if allowed else BROKEN, allowed, found.cases, found.records)
    return Verdict(kind, UNKNOWN if found.unknown else HOLDS, allowed, reason=found.unknown)


def _largest(found: Findings, allowed: bool, limit: int | None) -> list[Anomaly]:
    largest = sorted(found.anomalies, key=lambda anomaly: -anomaly.count)[:limit]
    return [replace(anomaly, permitted=allowed) for anomaly in largest]


def _counted(verdict: Verdict) -> str:
    noun, fate = PHRASES[verdict.kind]
    return f"{plural(verdict.records, noun)} {'was' if verdict.records == 1 else 'were'} {fate}"


def _no_loss(verdicts: list[Verdict]) -> str:
    loss = [verdict for verdict in verdicts if verdict.kind in LOSS]
    doubt = next((verdict.reason for verdict in loss if verdict.verdict == UNKNOWN), "")
    if doubt:
        return f"whether anything was lost is unknown ({doubt})"
    return f"no acknowledged record {'is known to be' if any(verdict.cases for verdict in loss) else 'was'} lost"


def _html_row(verdict: Verdict) -> str:
    symbol, colour = MARKS[verdict.word]
    mark = f'<span aria-hidden="true" style="color:{colour};font-weight:bold">{symbol}</span>'
    return (f'<tr><td style="text-align:left">{mark} {verdict.word}</td>'
            f'<th scope="row" style="text-align:left">{escape(verdict.kind)}</th>'
            f'<td style="text-align:left">{escape(verdict.finding)}</td></tr>')


def plural(n: int, thing: str) -> str:
    """A number and its noun: "no records", "1 record", "41 records"."""
    return f"{n:,} {thing}" if n == 1 else f"{format(n, ',') if n else 'no'} {PLURALS.get(thing, thing + 's')}"


def spans(ranges: Iterable[tuple[int, int]], noun: str = "value", shown: int = 3) -> str:
    """Ranges in words: "value 7", "values 7-9 and 12"."""
    ranges = list(ranges)
    if not ranges:
        return f"no {noun}s"
    words = [str(first) if first == last else f"{first}–{last}" for first, last in ranges[:shown]]
    if len(ranges) > shown:
        words.append(f"{len(ranges) - shown} more ranges")
    one = len(ranges) == 1 and ranges[0][0] == ranges[0][1]
    return f"{noun if one else noun + 's'} " + (", ".join(words[:-1]) + " and " if len(words) > 1 else "") + words[-1]
