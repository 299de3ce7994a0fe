"""What the nodes did: messages, appends, elections, crashes; each event with the id of the event that caused it.

A trace is columns, not objects. The one thing it knows about a protocol is a sentence per kind of event, given by the
model that writes it, so that any trace can be told as a story, drawn and searched for causes without knowing which
broker wrote it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from itertools import count

import numpy as np

from .table import Names, Table

NO_CAUSE = -1


@dataclass(frozen=True)
class NodeInfo:
    """A node as a picture needs it: its name, its role (producer, broker, controller, consumer, queue) and its zone."""
    name: str
    role: str
    zone: str = "a"


@dataclass(frozen=True)
class Kind:
    """A kind of event: its name, its shape and the sentence that tells it.

    shape: `send` (a message leaves for `peer`), `receive` (a message arrives from `peer`; its cause is the send),
    `drop` (it never will; its cause is the send), `local` (something happened at the node) or `state` (local, and worth
    a mark on a timeline). The sentence may use {node} {peer} {key} {offset} {last} {count} {epoch} {value} {note}, and
    in words {records} ("3 records") and {offsets} ("offsets 4–6"); {last} is the last of `count` offsets.
    """
    name: str
    shape: str
    sentence: str


class Trace:
    """Events in the order in which they happened; an event's id is its position.

    `events.rows`: time (s), kind, node, peer, key, cause, offset, count, epoch, value; codes index `kinds`, `nodes` and
    `keys`, -1 is none. `value` is the first record's value where records are on the move (it names them even when
    offsets are given out anew), otherwise whatever the kind's sentence makes of it. `notes[id]` is a text that belongs
    to one event.
    """

    def __init__(self, enabled: bool = True):
        self.kinds: list[Kind] = []
        self.nodes: list[NodeInfo] = []
        self.keys = Names()
        self.notes: dict[int, str] = {}
        self.events = Table(time="d", kind="h", node="h", peer="h", key="i", cause="i", offset="q", count="i",
                            epoch="i", value="q")
        self.enabled = enabled
        self.add = self._adder() if enabled else _ignore

    def kind(self, name: str, shape: str, sentence: str) -> int:
        """Declares a kind of event and gives its code; declaring the same kind again gives the same code."""
        for code, known in enumerate(self.kinds):
            if known.name == name:
                return code
        self.kinds.append(Kind(name, shape, sentence))
        return len(self.kinds) - 1

    def node(self, name: str, role: str, zone: str = "a") -> int:
        """Declares a node and gives its code."""
        self.nodes.append(NodeInfo(name, role, zone))
        return len(self.nodes) - 1

    def _adder(self):
        """The function `add`, which records an event and gives its id.

        It is called millions of times: so it is a closure, and does itself what `Table.append` would do.
        """
        pack, extend, notes, ids = self.events.pack, self.events.extend, self.notes, count()

        def add(time, kind, node, peer=-1, key=-1, cause=NO_CAUSE, offset=-1, count=0, epoch=-1, value=-1,
                note="") -> int:
            extend(pack(time, kind, node, peer, key, cause, offset, count, epoch, value))
            event = next(ids)
            if note:
                notes[event] = note
            return event
        return add

    def __len__(self) -> int:
        return len(self.events)

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "add"}

    def __setstate__(self, state):
        """A trace that travelled between processes is for reading."""
        vars(self).update(state)
        self.add = _ignore

    def code(self, kind_name: str) -> int:
        """The code of a kind, -1 if this trace has no such kind."""
        return next((code for code, kind in enumerate(self.kinds) if kind.name == kind_name), -1)

    def where(self, *kind_names: str, key: str | None = None, node: str | None = None) -> np.ndarray:
        """The ids of the events of these kinds (of all kinds if none is named), optionally of one key or node."""
        rows = self.events.rows
        kinds = [self.code(name) for name in kind_names]
        chosen = np.isin(rows["kind"], kinds) if kinds else np.ones(len(rows), bool)
        if key is not None:
            chosen &= rows["key"] == (self.keys.code(key) if key in self.keys else -2)
        if node is not None:
            names = [info.name for info in self.nodes]
            chosen &= rows["node"] == (names.index(node) if node in names else -2)
        return np.flatnonzero(chosen)

    def causes(self, event: int) -> list[int]:
        """The chain of causes that ends in this event, first cause first."""
        chain, cause = [], self.events.rows["cause"]
        while event >= 0:
            chain.append(event)
            event = int(cause[event])
        return chain[::-1]

    def describe(self, event: int) -> str:
        """One event in words."""
        row = self.events.rows[event]
        name = lambda code: self.nodes[code].name if code >= 0 else ""
        first, count, last = row["offset"], row["count"], row["offset"] + row["count"] - 1
        return self.kinds[row["kind"]].sentence.format(
            node=name(row["node"]), peer=name(row["peer"]), key=self.keys[row["key"]], offset=first, last=last,
            count=count, epoch=row["epoch"], value=row["value"], note=self.notes.get(event, ""),
            records="1 record" if count == 1 else f"{count:,} records",
            offsets=f"offset {first}" if count == 1 else f"offsets {first}–{last}")

    def digest(self) -> str:
        """SHA-256 of everything recorded: two runs are the same run exactly if their digests agree."""
        names = [[(k.name, k.shape) for k in self.kinds], [(n.name, n.role, n.zone) for n in self.nodes],
                 self.keys.names, sorted(self.notes.items())]
        return hashlib.sha256(json.dumps(names).encode() + self.events.rows.tobytes()).hexdigest()

    def __repr__(self) -> str:
        return f"Trace: {len(self):,} events of {len(self.kinds)} kinds on {len(self.nodes)} nodes"


def _ignore(time, kind, node, peer=-1, key=-1, cause=-1, offset=-1, count=0, epoch=-1, value=-1, note="") -> int:
    """What `add` is when tracing is off."""
    return NO_CAUSE
