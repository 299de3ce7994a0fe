"""Price books: what one unit of a meter costs, who says so and when.

    price_book()                     # price_books/self-managed.toml: a cloud's machines, disks and zones
    price_book("warpstream")         # another provider's; price_books() are all of them
    price_book("mine.toml")          # your own: any path that ends in .toml
    price_book("msk").with_prices(storage=0.08)

A price book is data: another provider, another way of charging, is another file. It names a meter for each price and
nothing else, so that throughput, instance hours, cluster hours or requests to somebody's own bucket are all lines of
the same kind. Where something is rented by the piece, a `Capacity` says what one piece carries.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil
from numbers import Real
from pathlib import Path

BOOKS = Path(__file__).with_name("price_books")
MONTH = 730 * 3600.0  # seconds: clouds bill 730 hours a month

# How much of a meter (bytes, seconds, byte-seconds, requests) one unit is.
UNITS = {"GB": 1e9, "GiB": 2.0 ** 30, "TB": 1e12, "GB-month": 1e9 * MONTH, "GiB-month": 2.0 ** 30 * MONTH,
         "hour": 3600.0, "month": MONTH, "request": 1.0, "1,000 requests": 1e3, "1,000,000 requests": 1e6,
         "1,000,000 records": 1e6}
MODELS = ("your own machines", "throughput", "instance hours", "cluster hours", "agents and your own bucket")
FIELDS = {"meter", "value", "unit", "source", "date"}
LIMITS = {"bytes in", "records in", "bytes out", "stored bytes", "partitions"}  # a second; before any copies
DAY = 86_400.0


def _refuse(thing, what: str, name: str, allowed: str):
    raise ValueError(f"{name}: {getattr(thing, name)!r} of the {what} {thing.name!r} is not allowed; "
                     f"it must be {allowed}")


def _sourced(thing, what: str) -> None:
    for name in ("meter", "source", "date"):
        if not isinstance(getattr(thing, name), str) or not getattr(thing, name).strip():
            _refuse(thing, what, name, f"given: a {what} without it cannot be checked")


def _number(value) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and 0 <= value < float("inf")


@dataclass(frozen=True)
class Price:
    """What one unit of a meter costs. `assumed`: nobody was found who publishes it, or only in passing."""
    name: str
    meter: str
    value: float
    unit: str
    region: str
    source: str
    date: str
    about: str = ""
    assumed: bool = False

    def __post_init__(self):
        if not _number(self.value):
            _refuse(self, "price", "value", "a number, at least 0")
        if self.unit not in UNITS:
            _refuse(self, "price", "unit", f"one of {', '.join(UNITS)}")
        _sourced(self, "price")

    @property
    def origin(self) -> str:
        """Who says so and when, in one line."""
        return f"{'assumption: ' if self.assumed else ''}{self.source}, {self.date}"


@dataclass(frozen=True)
class Capacity:
    """What one piece carries of what is rented by the piece, and the meter of its seconds.

    `carries` limits "bytes in", "records in" and "bytes out" a second, "stored bytes" and "partitions"; `includes` is
    what one piece brings along and is not charged a second time. More than `at_most` pieces are not sold.
    """
    name: str
    meter: str
    carries: Mapping[str, float]
    source: str
    date: str
    at_least: int = 1
    at_most: int = 1_000_000
    includes: Mapping[str, float] = field(default_factory=dict)
    about: str = ""
    assumed: bool = False

    def __post_init__(self):
        _sourced(self, "capacity")
        for name in ("carries", "includes"):
            limits = getattr(self, name)
            if not isinstance(limits, Mapping) or set(limits) - LIMITS or not all(map(_number, limits.values())):
                _refuse(self, "capacity", name, f"numbers, at least 0, of {', '.join(sorted(LIMITS))}")
        if not self.carries or not all(self.carries.values()):
            _refuse(self, "capacity", "carries", "one limit at least, each of them greater than 0")
        for name, least in (("at_least", 1), ("at_most", self.at_least)):
            if not isinstance(getattr(self, name), int) or getattr(self, name) < least:
                _refuse(self, "capacity", name, f"a whole number, at least {least}")

    def pieces(self, load: Mapping[str, float]) -> int:
        """As many as the tightest limit asks for under this load."""
        needed = max(self.at_least, *(ceil(load.get(limit, 0.0) / most) for limit, most in self.carries.items()))
        if needed > self.at_most:
            raise ValueError(f"{self.name}: {needed} are not sold; "
                             f"this load must be one that at most {self.at_most} carry")
        return needed


@dataclass(frozen=True)
class PriceBook:
    """Prices of one provider in one region, the zones that region has, and what is rented by the piece.

    `copies`: the brokers copy records between zones themselves ("brokers"), or leave that to a bucket ("bucket").
    `nearby`: consumers may read from the nearest replica (KIP-392). `longest`: for how many days a record may be kept.
    """
    name: str
    region: str
    zones: tuple[str, ...]
    prices: tuple[Price, ...]
    currency: str = "dollars"
    capacities: tuple[Capacity, ...] = ()
    model: str = MODELS[0]
    copies: str = "brokers"
    nearby: bool = True
    longest: float = float("inf")
    about: str = ""

    def __post_init__(self):
        for name, allowed in (("model", MODELS), ("copies", ("brokers", "bucket")), ("nearby", (True, False))):
            if getattr(self, name) not in allowed:
                _refuse(self, "price book", name, f"one of {', '.join(map(str, allowed))}")
        if not isinstance(self.longest, Real) or not self.longest > 0:
            _refuse(self, "price book", "longest", "a number of days, greater than 0")
        for price in self.prices:
            named = re.search(r"bytes (?:out of|into) zone (.+)", price.meter)
            if named and named[1] not in self.zones:
                raise ValueError(f"zone: {named[1]!r} of the price {price.name!r} is not allowed; "
                                 f"it must be one of {', '.join(self.zones)}, the zones of {self.name!r}")

    def __getitem__(self, name: str) -> Price:
        known = {price.name: price for price in self.prices}
        if name not in known:
            raise ValueError(f"price: {name!r} is not in {self.name!r}, which has {', '.join(known)}")
        return known[name]

    def with_prices(self, **values: float) -> PriceBook:
        """The same book with other values (write `zone_out` for `zone-out`); each says that it was edited."""
        edited = {}
        for name, value in values.items():
            price = self[name.replace("_", "-")]
            source = f"edited, instead of {price.value:g} ({price.source})"
            edited[price.name] = replace(price, value=value, source=source, assumed=False)
        return replace(self, prices=tuple(edited.get(price.name, price) for price in self.prices))

    def only(self, *names: str) -> PriceBook:
        """The same book with these prices and no others."""
        return replace(self, prices=tuple(self[name] for name in names))

    def to_pandas(self):
        """One row a price: all that is known of it."""
        import pandas as pd
        return pd.DataFrame([vars(price) for price in self.prices])


def price_books() -> dict[str, PriceBook]:
    """All price books that come with the course, by the name of their file."""
    return {path.stem: price_book(path) for path in sorted(BOOKS.glob("*.toml"))}


def price_book(name: str | Path = "self-managed") -> PriceBook:
    """The price book of this name, or in this TOML file; one that lacks something is refused."""
    path = Path(name) if str(name).endswith(".toml") else BOOKS / f"{name}.toml"
    if not path.exists():
        known = ", ".join(sorted(path.stem for path in BOOKS.glob("*.toml")))
        raise ValueError(f"price book: {str(name)!r} is not there; it must be one of {known}, or a TOML file")
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"price book: {path.name} is not TOML: {error}") from None
    book, capacities = entries.pop("book", {}), entries.pop("capacity", {})
    for needed in ("name", "region", "zones"):
        if not book.get(needed):
            raise ValueError(f"{needed}: {path.name} is not a price book without it; "
                             "its [book] must give name, region and zones")
    return _made("price book", PriceBook, book.pop("name"), book | {
        "zones": tuple(book["zones"]),
        "prices": tuple(_made("price", Price, name, entry, FIELDS, region=book["region"])
                        for name, entry in entries.items()),
        "capacities": tuple(_made("capacity", Capacity, name, entry, {"meter", "carries", "source", "date"})
                            for name, entry in capacities.items())})


def _made(what: str, kind: type, name: str, entry: Mapping, needed: set[str] = frozenset(), **unless_given):
    """A part of a book from its table, which must have what is needed and nothing unknown."""
    if not isinstance(entry, Mapping):
        raise ValueError(f"{what}: {name!r} is {entry!r}; it must be a table, as in [{name}]")
    missing, unknown = sorted(needed - set(entry)), sorted(set(entry) - set(kind.__dataclass_fields__))
    if missing:
        raise ValueError(f"{missing[0]}: the {what} {name!r} has none; it must have {', '.join(sorted(needed))}")
    if unknown:
        allowed = sorted(set(kind.__dataclass_fields__) - {"name"})
        raise ValueError(f"{unknown[0]}: the {what} {name!r} cannot have it; it may have {', '.join(allowed)}")
    return kind(name, **unless_given | entry)
