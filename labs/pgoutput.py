"""The messages of PostgreSQL's logical decoding plugin `pgoutput`, protocol version 1, taken apart by hand.

PostgreSQL documentation, "Logical Replication Message Formats". A committed transaction arrives as
Begin, its changes in the order in which they were made, Commit; transactions arrive in the order of their commits, and
those rolled back never do. Before the first change of a table a Relation message names its columns. Numbers are big
endian, strings end with a zero byte, a value is text with its length in front.

psycopg does not speak the replication protocol, but the server also hands out changes through SQL functions
("Replication Management Functions"): `peek` shows them and leaves them in the slot, `get` removes them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Begin(NamedTuple):
    """A transaction begins; `lsn` is where its commit stands in the log."""
    lsn: int
    microseconds: int  # of the commit, since 2000-01-01 UTC
    xid: int


class Commit(NamedTuple):
    """It ends; whoever has dealt with all of it confirms `end_lsn`."""
    lsn: int
    end_lsn: int
    microseconds: int


class Relation(NamedTuple):
    """The columns of a table, as long as no other Relation message says otherwise."""
    oid: int
    table: str
    columns: tuple[str, ...]


class Insert(NamedTuple):
    """A new row; None is NULL, everything else text."""
    table: str
    row: dict[str, str | None]


class Update(NamedTuple):
    """A changed row, with the new values."""
    table: str
    row: dict[str, str | None]


class Delete(NamedTuple):
    """A row that is gone: the columns of its replica identity."""
    table: str
    row: dict[str, str | None]


class Message(NamedTuple):
    """What `pg_logical_emit_message` put into the log: an announcement without a table."""
    prefix: str
    content: bytes
    transactional: bool


class Unknown(NamedTuple):
    """A message that these relays have no use for, such as Truncate, Type or Origin."""
    kind: str


class Change(NamedTuple):
    """One decoded message, where it stands in the log, and whose it is."""
    lsn: str
    xid: int
    message: NamedTuple


class Reader:
    """Reads numbers, strings and rows off a message, one after another."""

    def __init__(self, data: bytes):
        self.data, self.at = bytes(data), 0

    def take(self, form: str) -> tuple[int, ...]:
        """Big-endian numbers, `form` as in `struct`."""
        values = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return values

    def bytes(self, count: int) -> bytes:
        """So many bytes."""
        self.at += count
        return self.data[self.at - count:self.at]

    def string(self) -> str:
        """Text up to a zero byte."""
        end = self.data.index(0, self.at)
        text, self.at = self.data[self.at:end].decode(), end + 1
        return text

    def row(self, columns: Iterable[str]) -> dict[str, str | None]:
        """The values of a row; one too large to be sent again although unchanged (`u`) is left out."""
        self.take("H")
        row = {}
        for column in columns:
            kind = self.bytes(1)
            if kind == b"t":
                row[column] = self.bytes(*self.take("i")).decode()
            elif kind == b"n":
                row[column] = None
        return row


class Decoder:
    """Turns the bytes of messages into messages; remembers which relation has which columns."""

    def __init__(self):
        self.relations: dict[int, Relation] = {}

    def decode(self, data: bytes) -> NamedTuple:
        """One message."""
        reader = Reader(data)
        kind = reader.bytes(1).decode()
        read = {"B": self._begin, "C": self._commit, "R": self._relation, "I": self._insert, "U": self._update,
                "D": self._delete, "M": self._message}.get(kind)
        return read(reader) if read else Unknown(kind)

    def _begin(self, reader: Reader) -> Begin:
        return Begin(*reader.take("QqI"))

    def _commit(self, reader: Reader) -> Commit:
        return Commit(*reader.take("xQQq"))

    def _relation(self, reader: Reader) -> Relation:
        (oid,) = reader.take("I")
        _, table = reader.string(), reader.string()
        _, count = reader.take("BH")
        columns = []
        for _ in range(count):
            reader.take("B")  # whether it is part of the key
            columns.append(reader.string())
            reader.take("Ii")  # its type
        self.relations[oid] = Relation(oid, table, tuple(columns))
        return self.relations[oid]

    def _insert(self, reader: Reader) -> Insert:
        oid, _ = reader.take("Ic")
        return Insert(self.relations[oid].table, reader.row(self.relations[oid].columns))

    def _update(self, reader: Reader) -> Update:
        oid, kind = reader.take("Ic")
        relation = self.relations[oid]
        if kind != b"N":  # the old key or the old row comes first
            reader.row(relation.columns)
            reader.take("c")
        return Update(relation.table, reader.row(relation.columns))

    def _delete(self, reader: Reader) -> Delete:
        oid, _ = reader.take("Ic")
        return Delete(self.relations[oid].table, reader.row(self.relations[oid].columns))

    def _message(self, reader: Reader) -> Message:
        flags, _ = reader.take("BQ")
        prefix = reader.string()
        return Message(prefix, reader.bytes(*reader.take("I")), bool(flags & 1))


def decoded(db, slot: str, publication: str, *, keep: bool = True, changes: int | None = None) -> Iterator[Change]:
    """What a slot holds: all, or at least so many changes, to the end of a transaction; it stays there if `keep`."""
    function = "pg_logical_slot_peek_binary_changes" if keep else "pg_logical_slot_get_binary_changes"
    rows = db.execute(f"SELECT lsn::text, xid::text::bigint, data FROM {function}(%s, NULL, %s, 'proto_version', '1',"
                      " 'publication_names', %s, 'messages', 'true')", [slot, changes, publication]).fetchall()
    decoder = Decoder()
    return (Change(lsn, xid, decoder.decode(data)) for lsn, xid, data in rows)


def text_lsn(lsn: int) -> str:
    """A position in the log as PostgreSQL writes it, 0/16B3748."""
    return f"{lsn >> 32:X}/{lsn & 0xFFFFFFFF:X}"
