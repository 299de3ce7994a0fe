"""What a month of a topic uses, by meter: the quantities that a bill needs, from a description instead of a run.

    topic = Topic(rate=50e6, groups=3)
    book = price_book("msk")
    bill(usage(topic, book), book)

How records get from zone to zone depends on who keeps the copies (`PriceBook.copies`). Brokers send each other each
record; in a bucket the provider of the bucket does that, unpaid. Leaders and clients are spread evenly over the zones,
clients of a bucket's agents talk to an agent of their own zone, and nothing ever peaks: all this is averages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from numbers import Real

from .prices import DAY, MONTH, PriceBook

MIB = 2.0 ** 20
EVENT = 65_536  # bytes: where records are charged by number, a larger one counts as several
FLUSH, FILE = 0.25, 8 * MIB  # s, bytes: an agent writes a file after this long, or when it is this large


@dataclass(frozen=True)
class Topic:
    """What a business asks for: `rate` bytes a second on the wire, kept for `retention` seconds, read by `groups`.

    `near`: consumers read from the nearest replica (KIP-392), where that is to be had. `compression`: a byte on the
    wire was so many before.
    """
    rate: float = 10e6
    retention: float = 7 * DAY
    groups: int = 2
    replication: int = 3
    zones: int = 3
    partitions: int = 60
    record_bytes: float = 1_000.0
    near: bool = False
    compression: float = 1.0

    def __post_init__(self):
        for name, least in (("rate", 0.0), ("retention", 0.0), ("groups", 0), ("replication", 1), ("zones", 1),
                            ("partitions", 1), ("record_bytes", 1.0), ("compression", 1.0)):
            value = getattr(self, name)
            whole = isinstance(least, int)
            if not isinstance(value, int if whole else Real) or isinstance(value, bool) or not least <= value < 1e18:
                raise ValueError(f"{name}: {value!r} of a topic is not allowed; "
                                 f"it must be a {'whole ' if whole else ''}number, at least {least:g}")


def crossings(topic: Topic, copies: str = "brokers") -> dict[str, float]:
    """Bytes that change zone for each byte produced, by why: to the leader, to its followers, to the consumers."""
    if copies == "bucket":
        return {"produce": 0.0, "replicate": 0.0, "consume": 0.0}
    zones, replicas = topic.zones, topic.replication
    here = [replicas // zones + (zone < replicas % zones) for zone in range(zones)]  # copies in each zone
    elsewhere = (zones - 1) / zones
    return {"produce": elsewhere, "replicate": sum(copy * (replicas - copy) for copy in here) / replicas,
            "consume": topic.groups * (here.count(0) / zones if topic.near else elsewhere)}


def usage(topic: Topic, book: PriceBook) -> dict[str, float]:
    """What a month of this topic uses under this book, by meter."""
    if topic.retention > book.longest * DAY or topic.zones > len(book.zones):
        raise ValueError(f"topic: {topic.retention / DAY:g} days in {topic.zones} zones are not sold by {book.name!r}; "
                         f"it must be at most {book.longest:g} days in {len(book.zones)} zones")
    rate, stored = topic.rate, topic.rate * topic.retention
    records = rate / topic.record_bytes * ceil(topic.record_bytes / EVENT)
    load = {"bytes in": rate, "records in": records, "bytes out": rate * topic.groups, "stored bytes": stored,
            "partitions": topic.partitions}
    rented = [(capacity, capacity.pieces(load)) for capacity in book.capacities]
    kept = {limit: max(0.0, load[limit] - sum(pieces * piece.includes.get(limit, 0.0) for piece, pieces in rented))
            for limit in ("stored bytes", "partitions")}
    used = {"cluster seconds": MONTH, "partition seconds": kept["partitions"] * MONTH,
            "bytes produced": rate * MONTH, "records produced": records * MONTH,
            "bytes consumed": load["bytes out"] * MONTH,
            "uncompressed bytes produced": topic.compression * rate * MONTH,
            "stored byte-seconds": kept["stored bytes"] * MONTH,
            "uncompressed stored byte-seconds": topic.compression * stored * MONTH}
    used |= {piece.meter: pieces * MONTH for piece, pieces in rented}
    used |= _between_zones(replace(topic, near=topic.near and book.nearby), book.copies)
    if book.copies == "bucket":
        return used | _in_bucket(topic, sum(pieces for _, pieces in rented))
    return used | {"disk byte-seconds": topic.replication * stored * MONTH}


def _between_zones(topic: Topic, copies: str) -> dict[str, float]:
    """Bytes between zones in both directions, as a whole and by who sends them."""
    each = crossings(topic, copies)
    among = {"": sum(each.values()), "server ": each["replicate"], "client ": each["produce"] + each["consume"]}
    return {f"{whose}bytes {way} zones": bytes_each * topic.rate * MONTH
            for whose, bytes_each in among.items() for way in ("out of", "into")}


def _in_bucket(topic: Topic, agents: int) -> Mapping[str, float]:
    """What agents ask of a bucket: a file each time one is full or old, read once in each zone and once to compact."""
    files = max(agents / FLUSH, topic.rate / FILE) * MONTH
    readers = topic.zones * (topic.groups > 0)
    return {"object-store byte-seconds": topic.rate * topic.retention * MONTH,
            "object-store PUT requests": files, "object-store GET requests": files * (readers + 1)}
