"""A bill: what was metered, times what it costs. A pure function of meters and a price book; every line shows
quantity x price.

    book = price_book()                              # see prices.py: each price with its unit, region, source and date
    bill(run.meters, book, times=MONTH / run.seconds)    # a month of days like this run
    bill({"disk byte-seconds": 3e12 * MONTH}, book.with_prices(disks=0.05))
    bill(usage(Topic(rate=50e6), book), book)        # see usage.py: no run, a topic's description
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from numbers import Real

from .meters import Meters
from .prices import MONTH, UNITS, Capacity, Price, PriceBook, price_book, price_books

__all__ = ["MONTH", "UNITS", "Bill", "Capacity", "Line", "Price", "PriceBook", "bill", "price_book", "price_books",
           "quantities"]
SERVERS = {"broker", "controller"}  # what they send each other is replication and its like
SAME = (("bytes produced", "uncompressed bytes produced", "records produced"),  # one thing that books count differently
        ("stored byte-seconds", "uncompressed stored byte-seconds", "disk byte-seconds", "object-store byte-seconds"))


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
        """One row a line: price, quantity, unit, value, amount, source, date, assumed."""
        import pandas as pd
        return pd.DataFrame([{"line": line.price.name, "quantity": line.quantity, "unit": line.price.unit,
                              "price": line.price.value, "amount": line.amount, "source": line.price.source,
                              "date": line.price.date, "assumed": line.price.assumed} for line in self.lines])

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
            f"<td {left}>{escape(price.origin)}</td></tr>")


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
    return Bill(book, lines, tuple(_free(used, {price.meter for price in book.prices})))


def _free(used: Mapping[str, float], charged: set[str]) -> list[str]:
    """The meters without a price. What has several names is named once, and not at all if one of them has a price."""
    whole = any(" zone" in meter and not meter.startswith(("client", "server")) for meter in charged)
    zones = () if whole else ("client bytes out of zones", "server bytes out of zones")
    silent = {name for names in SAME for name in (names if charged.intersection(names) else names[1:])}
    return [name for name, amount in sorted(used.items()) if amount and name not in charged and name not in silent
            and (" zone" not in name or name in zones)]


def quantities(meters: Meters, zones: Iterable[str]) -> dict[str, float]:
    """What was metered, by name: counts and integrals as they are, traffic by direction; no zones but these.

    Bytes between zones come by zone and as a whole, and that again by who pays for them in some books: "server bytes"
    are those that servers sent each other, "client bytes" all others.
    """
    zones = tuple(zones)
    for zone in sorted({zone for pair in meters.traffic for zone in pair} - set(zones)):
        raise ValueError(f"zone: {zone!r} is not allowed; "
                         f"it must be one of {', '.join(zones)}, the zones of the price book")
    used = dict(meters.counts) | dict(meters.integrals)
    crossing = {pair: amount for pair, amount in sorted(meters.traffic.items()) if pair[0] != pair[1]}
    roles = sorted(meters.crossings.items())
    among = {"server ": sum(amount for pair, amount in roles if SERVERS.issuperset(pair)),
             "client ": sum(amount for pair, amount in roles if not SERVERS.issuperset(pair)),
             "": sum(crossing.values())}
    for whose, amount in among.items():
        used[f"{whose}bytes out of zones"] = used[f"{whose}bytes into zones"] = amount
    for zone in zones:
        used[f"bytes out of zone {zone}"] = sum(amount for (source, _), amount in crossing.items() if source == zone)
        used[f"bytes into zone {zone}"] = sum(amount for (_, target), amount in crossing.items() if target == zone)
    return used


def _several(unit: str) -> str:
    """A unit as one counts it: "GB-months", "hours", "x 1,000 requests"."""
    return f"x {unit}" if unit[0].isdigit() else unit if unit in ("GB", "GiB", "TB") else f"{unit}s"
