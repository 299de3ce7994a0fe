"""A front that checks records before a real broker stores them.

A JetStream publish is a request to a subject, answered by whoever stores it. Here the stream listens to another
subject, and the front answers in its place: it passes a good record on and returns the broker's own acknowledgement,
byte by byte; it answers a bad one with an error in the form of JetStream's (docs.nats.io, "JetStream wire API").
Producers cannot tell: their code is the same with and without it.
"""

from __future__ import annotations

import json

from .schema_check import Check

BEHIND = "behind-the-front"  # nobody else should be allowed to publish there; a broker that checks needs no such rule
INVALID = 400
PATIENCE = 5.0  # seconds in which the broker must have answered


class Front:
    """Takes records for a subject, has them checked, and hands the good ones to a stream behind it."""

    def __init__(self, nats, subject: str, check: Check):
        self.nats, self.subject, self.check = nats, subject, check

    async def start(self) -> None:
        """Begins to answer; several of these would share the work as one queue group."""
        await self.nats.subscribe(self.subject, queue="front", cb=self.answer)

    async def answer(self, record) -> None:
        """The broker's answer to a good record, an error to any other."""
        if why := self.check.objection(record.data):
            await record.respond(refusal(why))
        else:
            stored = await self.nats.request(f"{BEHIND}.{self.subject}", record.data, timeout=PATIENCE)
            await record.respond(stored.data)


def refusal(why: str) -> bytes:
    """An error as JetStream would say it."""
    return json.dumps({"error": {"code": INVALID, "description": why}}).encode()
