"""Changes pushed by PostgreSQL as they are committed: the streaming replication protocol, by hand.

PostgreSQL documentation, "Streaming Replication Protocol". After START_REPLICATION the
connection carries two kinds of messages from the server (`w`: a piece of the log, decoded; `k`: still there) and one
back (`r`: how far we are, which is what moves the slot). psycopg has no replication API, but passes on
libpq's: `PGconn`.
"""

from __future__ import annotations

import asyncio
import struct

from psycopg import pq

from labs.outbox import PUBLICATION, SLOT, Publisher, event_of
from labs.pgoutput import Commit, Decoder, Insert

COPY_BOTH = pq.ExecStatus.COPY_BOTH


class Stream:
    """A replication connection on which the server sends what is committed."""

    def __init__(self, url: str, slot: str = SLOT, publication: str = PUBLICATION):
        self.connection = pq.PGconn.connect(f"{url}?replication=database".encode())
        start = f"START_REPLICATION SLOT {slot} LOGICAL 0/0 (proto_version '1', publication_names '{publication}')"
        if self.connection.status != pq.ConnStatus.OK or self.connection.exec_(start.encode()).status != COPY_BOTH:
            raise ConnectionError(f"no replication from slot {slot}: {self.connection.get_error_message()}")
        self.connection.nonblocking = 1
        self.decoder = Decoder()

    def received(self) -> list:
        """The messages that have arrived, decoded; never waits."""
        self.connection.consume_input()
        messages = []
        while (length := (got := self.connection.get_copy_data(1))[0]) > 0:
            data = bytes(got[1])
            if data[:1] == b"w":
                messages.append(self.decoder.decode(data[25:]))  # behind the kind, two positions and a time
        if length < 0:
            raise ConnectionError("the server has ended the replication")
        return messages

    def confirm(self, lsn: int) -> None:
        """Tells the server that everything before `lsn` is dealt with: the slot may forget it."""
        self.connection.put_copy_data(b"r" + struct.pack(">QQQqB", lsn, lsn, lsn, 0, 0))
        self.connection.flush()

    def close(self) -> None:
        """Ends the connection; the slot stays."""
        self.connection.finish()


async def stream(source: Stream, publisher: Publisher, stopping) -> None:
    """The relay that need not ask: publishes each event as it arrives, and confirms a commit after that."""
    arrived, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(source.connection.socket, arrived.set)
    try:
        while not stopping():
            arrived.clear()
            for message in source.received():
                if isinstance(message, Insert):
                    await publisher.publish(event_of(message.row))
                elif isinstance(message, Commit):
                    source.confirm(message.end_lsn)
            try:
                await asyncio.wait_for(arrived.wait(), 0.1)  # now and then look whether to stop
            except TimeoutError:
                continue
    finally:
        loop.remove_reader(source.connection.socket)
