"""Broker and database: a batch that does not conform is refused, and a broker that was not heard of is gone."""

from __future__ import annotations

from ..warpstream.agent import Agent
from ..warpstream.files import OVERHEAD, Batch, File, Request
from ..warpstream.metadata import Metadata

INVALID = -2     # instead of an offset: the batch is refused, and will be whenever it comes again
RESTART = 2.0    # seconds until a broker that stopped by itself is started again


class Broker(Agent):
    """An agent that can read records, and that keeps a session with the database."""

    def __init__(self, *args):
        super().__init__(*args)
        self.node.on_start = self._renew
        self._renew()

    def on_produce(self, request: Request, event: int) -> None:
        """Takes out the batches that do not conform, and the rest of the request goes its way."""
        for batch in filter(self.system.schema.refuses, request.batches):
            request.size -= batch.size
            sender = request.producer.node.code
            self.world.trace.add(self.world.now, self.kinds.invalid, self.node.code, sender, batch.key, event, -1,
                                 batch.count, -1, batch.value)
        super().on_produce(request, event)

    def _again(self, file: File) -> None:
        """A commit takes long. Version 0.1.0 then told producers an offset that nobody had given out."""
        if file.name in self.committing and self.config.version == "0.1.0":
            zero = self.note("zero", file.event, sum(batch.count for batch in file.batches), file.name)
            for request in file.requests:
                self._answer(request, [0] * len(request.batches), zero)
        super()._again(file)

    # The session

    def _renew(self) -> None:
        """Tells the database that it is there, in this life."""
        link = self.world.network.link(self.node, self.system.metadata.node)
        link.send(self.kinds.renew, self.system.metadata.on_renew, (self, self.node.incarnation), OVERHEAD)
        self.node.after(self.config.session_ttl / 3, self._renew)

    def on_renewed(self, alive: bool, event: int) -> None:
        """A broker whose session has ended stops, so that whoever runs it starts it again."""
        if not alive:
            self.node.crash()
            self.world.after(RESTART, self.node.restart)


class Database(Metadata):
    """The metadata database: the order of all commits, and who is there."""

    def __init__(self, *args):
        self.sessions: dict[int, tuple[int, float]] = {}    # broker -> which of its lives, and when it was heard of
        super().__init__(*args)
        self.node.on_start = self._started

    def _started(self) -> None:
        """Nobody is held to the time in which it could not be heard."""
        self.sessions = {number: (life, self.world.now) for number, (life, _) in self.sessions.items()}

    def _append(self, batch: Batch, file: File, event: int) -> int:
        """What is refused gets no offset; its place in its producer's sequence is used up all the same."""
        return INVALID if self.system.schema.refuses(batch) else super()._append(batch, file, event)

    def _note(self, kind: str, batch: Batch, cause: int, offset: int, text: str = "") -> None:
        if offset != INVALID:    # refused once more: the broker has said so
            super()._note(kind, batch, cause, offset, text)

    def on_renew(self, message: tuple[Broker, int], event: int) -> None:
        """A broker is there. One that comes too late stays gone for its lifetime; version 0.1.0 did not tell it."""
        broker, life = message
        alive = self._here(broker.number) or life != self.sessions[broker.number][0]
        if alive:
            self.sessions[broker.number] = (life, self.world.now)
        if alive or self.system.config.version != "0.1.0":
            kind = self.kinds.renewed if alive else self.kinds.expired
            self._answer(broker, kind, broker.on_renewed, alive, 0, event)

    def _here(self, number: int) -> bool:
        return self.world.now - self.sessions.get(number, (0, self.world.now))[1] <= self.system.config.session_ttl

    def _tell(self, message: tuple, event: int, even_if_none: bool = False) -> bool:
        """Where records are; to a broker that is taken for gone, that there are none."""
        broker, poll = message
        if self._here(broker.number):
            return super()._tell(message, event, even_if_none)
        if even_if_none:
            self._answer(broker, self.kinds.found, broker.on_found, (poll, []), 0, event)
        return even_if_none
