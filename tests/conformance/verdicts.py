"""What a history says, in three words: lost, duplicated, fenced."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

import numpy as np

from simulator.evidence.checks import check
from simulator.evidence.history import FINAL_READER, History, values_of

SCENARIOS = tomllib.loads(Path(__file__).with_name("scenarios.toml").read_text())
LOSSES = ("lost write", "vanished")


def of_log(history: History, fenced: bool = False) -> frozenset[str]:
    """The verdicts on a log that a final reader has read from its beginning."""
    if not history.drained:
        raise ValueError("the final reader did not reach the end of the log, so nothing can be said about losses")
    found = check(history).verdicts
    lost = any(found[kind].records for kind in LOSSES)
    return _named(lost=lost, duplicated=found["duplicate"].records, fenced=fenced)


def of_group(history: History, fenced: bool = False) -> frozenset[str]:
    """The verdicts on a group that has read all: what no member was given, and what was given twice."""
    polls = history.polls.rows
    members = polls[[history.processes[code] != FINAL_READER for code in polls["process"]]]
    given = Counter(_records(members))
    lost = set(_records(history.acknowledged())) - given.keys()
    return _named(lost=lost, duplicated=max(given.values(), default=0) > 1, fenced=fenced)


def _records(rows) -> list[tuple[int, int]]:
    """Every (key, value) in these rows."""
    return list(zip(np.repeat(rows["key"], rows["count"]).tolist(), values_of(rows).tolist()))


def _named(**verdicts) -> frozenset[str]:
    return frozenset(name for name, found in verdicts.items() if found)
