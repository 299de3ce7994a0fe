"""A bill: what was metered, times what it costs. A pure function of meters and a price book; every line shows
quantity x price.

    book = price_book()                              # prices.toml: each price with its unit, region, source and date
    bill(run.meters, book, times=MONTH / run.seconds)    # a month of days like this run
    bill({"disk byte-seconds": 3e12 * MONTH}, book.with_prices(disks=0.05))

A price book is data: another provider, another way of charging, is another file. It names a meter for each price and
nothing else, so that throughput, instance hours, cluster hours or requests to somebody's own bucket are all lines of
the same kind.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from html import escape
from numbers import Real
from pathlib import Path

from .meters import Meters

MONTH = 730 * 3600.0  # seconds: clouds bill 730 hours a month

# How much of a meter (bytes, seconds, byte-seconds, requests) one unit is.
UNITS = {"GB": 1e9, "GiB": 2.0 ** 30, "TB": 1e12, "GB-month": 1e9 * MONTH, "GiB-month": 2.0 ** 30 * MONTH,
         "hour": 3600.0, "month": MONTH, "request": 1.0, "1,000 requests": 1e3, "1,000,000 requests": 1e6}
FIELDS = {"meter", "value", "unit", "source", "date"}


@dataclass(frozen=True)
class Price:
    """What one unit of a meter costs, who says so and when."""
    name: str
    meter: str
    value: float
    unit: str
    region: str
    source: str
    date: str
    about: str = ""

    def __post_init__(self):
        def refuse(field: str, allowed: str):
            value = getattr(self, field)
            raise ValueError(f"{field}: {value!r} of the price {self.name!r} is not allowed; it must be {allowed}")
        if not isinstance(self.value, Real) or isinstance(self.value, bool) or not 0 <= self.value < float("inf"):
            refuse("value", "a number, at least 0")
        if self.unit not in UNITS:
            refuse("unit", f"one of {', '.join(UNITS)}")
        for field in ("meter", "source", "date"):
            if not isinstance(getattr(self, field), str) or not getattr(self, field).strip():
                refuse(field, "given: a price without it cannot be checked")


@dataclass(frozen=True)
class PriceBook:
    """Prices of one provider in one region, and the zones that region has."""
    name: str
    region: str
    zones: tuple[str, ...]
    prices: tuple[Price, ...]
    currency: str = "dollars"

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
            edited[price.name] = replace(price, value=value, source=source)
        return replace(self, prices=tuple(edited.get(price.name, price) for price in self.prices))

    def to_pandas(self):
        """One row a price: all that is known of it."""
        import pandas as pd
        return pd.DataFrame([vars(price) for price in self.prices])


def price_book(path: str | Path | None = None) -> PriceBook:
    """The price book in a TOML file, by default `prices.toml`; a price that lacks something is refused."""
    path = Path(path) if path else Path(__file__).with_name("prices.toml")
    entries = tomllib.loads(path.read_text(encoding="utf-8"))
    book = entries.pop("book", {})
    for field in ("name", "region", "zones"):
        if not book.get(field):
            raise ValueError(f"{field}: {path.name} is not a price book without it; "
                             "its [book] must give name, region and zones")
    prices = tuple(_price(name, entry, book["region"]) for name, entry in entries.items())
    return PriceBook(book["name"], book["region"], tuple(book["zones"]), prices, book.get("currency", "dollars"))


def _price(name: str, entry: Mapping, region: str) -> Price:
    missing = sorted(FIELDS - set(entry))
    if missing:
        raise ValueError(f"{missing[0]}: the price {name!r} has none; it must have {', '.join(sorted(FIELDS))}")
    allowed = FIELDS | {"about", "region"}
    unknown = sorted(set(entry) - allowed)
    if unknown:
        raise ValueError(f"{unknown[0]}: the price {name!r} cannot have it; it may have {', '.join(sorted(allowed))}")
    return Price(name, **({"region": region} | entry))


@dataclass(frozen=True)
class Line:
    """One line of a bill: so many units at so much each."""
    price: Price
    quantity: float

    @property
    def amount(self) -> float:
        return self.quantity * self.price.value

    def __str__(self) -> str:
        price = self.price
        return f"{price.name}: {self.quantity:,.6g} {_several(price.unit)} x {price.value:g} = {self.amount:,.2f}"


@dataclass(frozen=True)
class Bill:
    """Lines and their sum. `free` are the meters that this book has no price for: nothing goes missing unseen."""
    book: PriceBook
    lines: tuple[Line, ...]
    free: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        return sum(line.amount for line in self.lines)

    def __getitem__(self, name: str) -> float:
        """What the line of this price comes to, 0 if there is none."""
        self.book[name]
        return sum(line.amount for line in self.lines if line.price.name == name)

    def share(self, *names: str) -> float:
        """The share of these lines in the total."""
        return sum(self[name] for name in names) / self.total if self.total else 0.0

    def to_pandas(self):
        """One row a line: price, quantity, unit, value, amount, source, date."""
        import pandas as pd
        return pd.DataFrame([{"line": line.price.name, "quantity": line.quantity, "unit": line.price.unit,
                              "price": line.price.value, "amount": line.amount, "source": line.price.source,
                              "date": line.price.date} for line in self.lines])

    def __repr__(self) -> str:
        book = self.book
        total = f"total: {self.total:,.2f} {book.currency} ({book.name}, {book.region})"
        return "\n".join([*map(str, self.lines), total])

    def _repr_html_(self) -> str:
        book, rows = self.book, "".join(map(_row, self.lines))
        names = ("line", "quantity", "unit", "price", book.currency, "source of the price")
        heads = "".join(f"<th scope='col'>{name}</th>" for name in names)
        caption = f"{book.name}, {book.region}: {self.total:,.2f} {book.currency}"
        free = f"<p>Not charged in this book: {escape(', '.join(self.free))}.</p>" if self.free else ""
        return (f"<table><caption>{escape(caption)}</caption><thead><tr>{heads}</tr></thead>"
                f"<tbody>{rows}</tbody></table>{free}")


def _row(line: Line) -> str:
    price, left = line.price, "style='text-align:left'"
    return (f"<tr><th scope='row' {left}>{escape(price.name)}</th><td>{line.quantity:,.6g}</td>"
            f"<td {left}>{escape(_several(price.unit))}</td><td>{price.value:g}</td><td>{line.amount:,.2f}</td>"
            f"<td {left}>{escape(price.source)}, {escape(price.date)}</td></tr>")


def bill(meters: Meters | Mapping[str, float], book: PriceBook, times: float = 1.0) -> Bill:
    """The bill for these meters, `times` over: a month of what was metered in a minute is `times=MONTH / 60`."""
    if isinstance(times, bool) or not isinstance(times, Real) or not 0 < times < float("inf"):
        raise ValueError(f"times: {times!r} is not allowed; it must be a number greater than 0")
    used = quantities(meters, book.zones) if isinstance(meters, Meters) else dict(meters)
    for name, amount in used.items():
        if not 0 <= amount < float("inf"):
            raise ValueError(f"{name}: {amount!r} is not allowed; a quantity must be a number, at least 0")
    lines = tuple(Line(price, used[price.meter] * times / UNITS[price.unit])
                  for price in book.prices if used.get(price.meter))
    charged = {price.meter for price in book.prices}
    return Bill(book, lines, tuple(name for name, amount in sorted(used.items()) if amount and name not in charged))


def quantities(meters: Meters, zones: Iterable[str]) -> dict[str, float]:
    """What was metered, by name: counts and integrals as they are, traffic by direction; no zones but these."""
    zones = tuple(zones)
    for zone in sorted({zone for pair in meters.traffic for zone in pair} - set(zones)):
        raise ValueError(f"zone: {zone!r} is not allowed; "
                         f"it must be one of {', '.join(zones)}, the zones of the price book")
    used = dict(meters.counts) | dict(meters.integrals)
    crossing = {pair: amount for pair, amount in sorted(meters.traffic.items()) if pair[0] != pair[1]}
    used["bytes out of zones"] = used["bytes into zones"] = sum(crossing.values())
    for zone in zones:
        used[f"bytes out of zone {zone}"] = sum(amount for (source, _), amount in crossing.items() if source == zone)
        used[f"bytes into zone {zone}"] = sum(amount for (_, target), amount in crossing.items() if target == zone)
    return used


def _several(unit: str) -> str:
    """A unit as one counts it: "GB-months", "hours", "x 1,000 requests"."""
    return f"x {unit}" if unit[0].isdigit() else unit if unit in ("GB", "GiB", "TB") else f"{unit}s"
