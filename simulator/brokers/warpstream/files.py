"""What travels: batches, the requests that carry them, the files that hold them, and the events that a trace tells."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...evidence.trace import Trace

OVERHEAD = 100          # bytes of a request or an answer besides its records
A_BATCH = 40            # bytes that a batch adds to the metadata of its file
JOURNAL, COMPACTED = "files/", "compacted/"

SENTENCES = {
    "produce": ("send", "{node} sends {records} to {peer}"),
    "produced": ("send", "{node} answers {peer}: {records}"),
    "commit": ("send", "{node} asks {peer} to commit a file with {records}"),
    "committed": ("send", "{node} tells {peer} what became of {records}"),
    "find": ("send", "{node} asks {peer} where the next records are"),
    "found": ("send", "{node} tells {peer} in which files {records} are"),
    "poll": ("send", "{node} asks {peer} for records"),
    "polled": ("send", "{node} hands {records} to {peer}"),
    "scan": ("send", "{node} asks {peer} which of its files nobody needs"),
    "scanned": ("send", "{node} tells {peer} which files nobody needs: {count}"),
    "replace": ("send", "{node} asks {peer} to replace {count} small files by a large one"),
    "replaced": ("send", "{node} tells {peer} that the large file is in place"),
    "flush": ("local", "{node} closes {note} with {records}"),
    "written": ("local", "{node} has {note} in the object store"),
    "append": ("local", "{node} gives {records} of {key} the {offsets}"),
    "deduplicated": ("local", "{node} recognises a repeated batch of {key}: it is at {offsets} already"),
    "refused": ("local", "{node} refuses {records} of {key}: {note}"),
    "acknowledged": ("local", "{node} is told that {key} holds {offsets}"),
    "accepted": ("local", "{node} is told: {records} of {key} written, at offsets that nobody knows yet"),
    "deliver": ("local", "{node} gets {offsets} of {key}"),
    "failed": ("state", "{node} gives up on {note}: {count} requests will be sent again"),
    "retry": ("state", "{node} will send {count} requests again: {note}"),
    "orphan": ("state", "{node} finds {note}, which nobody committed, and {peer} forbids that anybody does"),
    "recovered": ("state", "{node} finds {note}, acknowledged and never committed, and commits it"),
    "compacted": ("local", "{node} has written {count} small files as one: {note}"),
}


class Kinds:
    """The codes of these kinds in one trace, as attributes."""

    def __init__(self, trace: Trace, sentences: dict[str, tuple[str, str]]):
        for name, (shape, sentence) in sentences.items():
            setattr(self, name, trace.kind(name, shape, sentence))


@dataclass(slots=True, eq=False)
class Batch:
    """Consecutive records of one producer for one partition; their sequence counts from 0 in each of its epochs."""
    producer: int
    epoch: int          # of the producer: which of its lives
    key: int
    value: int
    sequence: int
    count: int
    size: int
    op: int
    invoked: float
    event: int = -1     # the send that carried it last


@dataclass(slots=True, eq=False)
class Request:
    """What a producer sends at once: a batch for each partition that has records."""
    producer: object
    attempt: int
    batches: list[Batch]
    size: int
    life: int = 0
    event: int = -1


@dataclass(slots=True, eq=False)
class Entry:
    """Where a batch lies: its offsets, and the file that holds it now."""
    offset: int
    count: int
    value: int
    size: int
    file: File


@dataclass(slots=True, eq=False)
class File:
    """An object with batches of many partitions. `requests` wait for it; the object in the store is its `name`."""
    name: str
    made: float
    requests: list[Request] = field(default_factory=list)
    size: int = 0
    state: str = "writing"     # then "written" or "failed"
    event: int = -1
    entries: list[Entry] = field(default_factory=list)

    @property
    def batches(self) -> list[Batch]:
        return [batch for request in self.requests for batch in request.batches]

    @property
    def records(self) -> int:
        """How many records it holds."""
        return sum(batch.count for batch in self.batches)


def age(name: str, now: float) -> float:
    """Seconds since a file of this name was made: names begin with their time."""
    return now - int(name.rpartition("/")[2].partition("-")[0]) / 1e6


def name_of(folder: str, now: float, agent: str, number: int) -> str:
    """A name that no other file has and that sorts by time."""
    return f"{folder}{int(now * 1e6):012d}-{agent}-{number}"
