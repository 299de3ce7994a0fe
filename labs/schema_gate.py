"""One bad release of a checkout, with the check of its records in one of four places, on a real broker; what it costs.

Orders fall due at a steady rate. At RELEASE the new version goes live, in which `total` is a string: the registered
schema has a message there. Whoever finds out first raises the alarm; REACT later somebody has taken the release back
and lets stopped consumers skip what they cannot read, into the dead letters. Two consumers read in order: `billing`
adds up totals, `shipping` needs only ids, but both have to read the whole record.

    producer   the producers' library looks at each record before it is sent, and raises
    CI         `buf breaking` looks at the release before it goes live, and the release stays away
    broker     a front looks at each record before the stream stores it (`schema_front.py`)
    nowhere    nobody looks

Every number is counted from what the broker stored and from what the consumers did with it. Made up are the rate, the
prices and REACT: people take longer than 0.6 s, and every minute of theirs multiplies what the table says.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field

import nats
from google.protobuf.message import DecodeError
from nats.js.api import AckPolicy, ConsumerConfig, StorageType
from nats.js.errors import APIError

from simulator.evidence.checks import check as judge
from simulator.evidence.history import FINAL_READER, History

from . import buf
from .recorders.background import Background
from .schema_changes import CHANGES
from .schema_check import ByHand, Check, Release, as_text, cents
from .schema_front import BEHIND, PATIENCE, Front

PLACES = ("producer", "CI", "broker", "nowhere")
CONSUMERS = ("billing", "shipping")
RATE, RELEASE, REACT, END = 40, 0.4, 0.6, 1.7  # orders a second; seconds
USUAL, RARE, SHARE = ("12.50", "14.90", "19.00"), ("24.00", "7.20"), 0.08  # prices, and how often a rare one comes


class Refused(Exception):
    """A producer's own library would not send a record."""


@dataclass
class Sent:
    """One order: when it was sent, what it cost, what came of it (`stored`, `refused`), and its place in the stream."""
    at: float
    price: str
    bad: bool
    result: str
    seconds: float
    sequence: int = 0


@dataclass
class Reader:
    """What a consumer did: cents it read by sequence number, dead letters, and when it stood still."""
    name: str
    order: type
    cents: dict[int, int] = field(default_factory=dict)
    dead: list[int] = field(default_factory=list)
    stops: list[tuple[float, float]] = field(default_factory=list)


class Scene:
    """The bad release, with the check in one place; `run` plays it, the rest counts."""

    def __init__(self, cluster, place: str, seed: int = 27):
        if place not in PLACES:
            raise ValueError(f"place: {place!r} is not one of {', '.join(PLACES)}")
        self.cluster, self.place, self.random = cluster, place, random.Random(seed)
        self.check, self.subject = Check(buf.build(buf.module())), f"orders-{place.lower()}"
        self.old, self.new = Release(), Release(CHANGES["total becomes a string"], as_text)
        self.live, self.sent, self.alarm = self.old, [], None
        self.readers = [Reader(name, self.check.order) for name in CONSUMERS]
        self.history, self.ended = History(), False

    def run(self) -> Scene:
        """Plays the scene from the first order to the last one read."""
        background = Background()
        try:
            background.do(self._play(), 60)
        finally:
            background.close()
        return self

    async def _play(self) -> None:
        self.nats = await nats.connect(self.cluster.urls)
        self.stream, self.skip = self.nats.jetstream(), asyncio.Event()
        await create(self.stream, self.subject, self.place == "broker")
        if self.place == "broker":
            await Front(self.nats, self.subject, self.check).start()
        self.began = time.monotonic()
        reading = [asyncio.create_task(self._read(reader)) for reader in self.readers]
        releasing = asyncio.create_task(self._release())
        await self._send()
        await releasing
        self.ended = True
        await asyncio.gather(*reading)
        await self._read_all()
        await self.nats.close()

    def clock(self) -> float:
        """Seconds since the first order."""
        return time.monotonic() - self.began

    # Who does what

    async def _send(self) -> None:
        for number in range(round(RATE * END)):
            await asyncio.sleep(number / RATE - self.clock())
            price = self.random.choice(RARE if self.random.random() < SHARE else USUAL)
            at, bad, payload = self.clock(), self.live is self.new, self.live.payload(f"o-{number}", "ada", price)
            try:
                if self.place == "producer" and (why := self.check.objection(payload)):
                    raise Refused(why)
                ack = await self.stream.publish(self.subject, payload)
                self._note(Sent(at, price, bad, "stored", self.clock() - at, ack.seq))
            except (Refused, APIError) as no:
                self._note(Sent(at, price, bad, "refused", self.clock() - at))
                self._raise_alarm(f"the producer, told by {'its library' if isinstance(no, Refused) else 'the broker'}")

    def _note(self, order: Sent) -> None:
        self.history.send("checkout", self.subject, len(self.sent), order.sequence or -1, invoked=order.at,
                          type="ok" if order.result == "stored" else "fail", time=order.at + order.seconds)
        self.sent.append(order)

    async def _release(self) -> None:
        """The new version goes live, unless CI looks at it first and objects."""
        await asyncio.sleep(RELEASE - self.clock())
        if self.place != "CI":
            self.live = self.new
        elif await asyncio.to_thread(buf.breaking, self.new.change.module(), buf.module()):
            self._raise_alarm("whoever made the change, told by the build")

    def _raise_alarm(self, who: str) -> None:
        if not self.alarm:
            self.alarm = (self.clock(), who)
            self.reaction = asyncio.create_task(self._react())

    async def _react(self) -> None:
        """A human being: takes the release back, and lets stopped consumers pass over what they cannot read."""
        await asyncio.sleep(REACT)
        self.live = self.old
        self.skip.set()

    async def _read(self, reader: Reader) -> None:
        """A consumer reads in order, and stops at what it cannot read until it may skip it."""
        subscription = await pull(self.stream, self.subject, reader.name)
        while True:
            try:
                records = await subscription.fetch(20, timeout=0.1)
            except TimeoutError:
                if self.ended:
                    return
                continue
            for record in records:
                await self._read_one(reader, record)

    async def _read_one(self, reader: Reader, record) -> None:
        sequence = record.metadata.sequence.stream
        try:
            reader.cents[sequence] = reader.order.FromString(record.data).total.cents
        except DecodeError:
            stopped = self.clock()
            self._raise_alarm(f"{' and '.join(CONSUMERS)}, which stop")
            await self.skip.wait()
            reader.dead.append(sequence)
            reader.stops.append((stopped, self.clock()))
        await record.ack()

    async def _read_all(self) -> None:
        """Whoever replays the stream later: what it can read goes into the history, where the checks look for it."""
        subscription, reader = await pull(self.stream, self.subject, "replay"), self.check.order
        self.unreadable = []
        for number, order in enumerate(self.sent):
            if order.sequence:
                (record,) = await subscription.fetch(1, timeout=PATIENCE)
                try:
                    reader.FromString(record.data)
                    self.history.poll(FINAL_READER, {self.subject: [(order.sequence, number)]}, time=self.clock())
                except DecodeError:
                    self.unreadable.append(order.sequence)
        self.history.drained = True

    # What it cost

    def misread(self) -> list[int]:
        """The stored orders that readers take for something else than was sold, by sequence number."""
        billing = self.readers[0]
        true = {order.sequence: cents(order.price) for order in self.sent if order.sequence}
        return [sequence for sequence, read in billing.cents.items() if read != true[sequence]]

    def refused(self) -> list[Sent]:
        """Orders that a customer placed and nobody took."""
        return [order for order in self.sent if order.result == "refused"]

    def noticed(self) -> float:
        """Seconds from the first bad record, or where there was none from the release, until somebody knew."""
        return self.alarm[0] - min((order.at for order in self.sent if order.bad), default=RELEASE)

    def stopped(self) -> float:
        """Consumer-seconds of standing still."""
        return sum(end - begin for reader in self.readers for begin, end in reader.stops)

    def answer(self) -> float:
        """Median seconds until a good order was acknowledged."""
        times = sorted(order.seconds for order in self.sent if not order.bad)
        return times[len(times) // 2]

    def report(self):
        """What the course's checks say of a consumer that reads the whole stream afterwards."""
        return judge(self.history)


async def create(stream, subject: str, fronted: bool) -> None:
    """A stream for a subject, or for the place behind its front."""
    await stream.add_stream(name=subject, storage=StorageType.MEMORY,
                            subjects=[f"{BEHIND}.{subject}" if fronted else subject])


async def pull(stream, subject: str, name: str):
    """A durable consumer of everything in a stream, in order."""
    config = ConsumerConfig(ack_policy=AckPolicy.EXPLICIT, ack_wait=30)
    return await stream.pull_subscribe("", durable=name, stream=subject, config=config)
