"""Chapter 03: six providers' bills for one workload, what moves them, and where they cross.

Everything here reads price books; their numbers are in `simulator/evidence/price_books`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from matplotlib.ticker import NullLocator

from simulator.evidence.bill import MONTH, UNITS, Bill, PriceBook, bill, price_books
from simulator.evidence.prices import DAY
from simulator.evidence.usage import FILE, Topic, crossings, usage
from simulator.views import style
from simulator.views.picture import Picture, picture, words

BOOKS = price_books()
OWN = "self-managed"
SHORT = {"self-managed": "your own machines", "confluent": "Confluent Standard", "aiven": "Aiven Standard",
         "msk": "MSK Standard", "event-hubs": "Event Hubs Standard", "redpanda": "Redpanda Dedicated",
         "warpstream": "WarpStream BYOC"}
PARTS = ("capacity", "in and out", "kept", "requests", "between zones")
LOOK = dict(zip(PARTS, (("broker", ""), ("consumer", "//"), ("watermark", ".."), ("producer", "xx"), ("lost", "\\\\"))))


def part(meter: str) -> str:
    """Which part of a bill a meter belongs to."""
    named = {"zone": "between zones", "requests": "requests", "byte-seconds": "kept", "seconds": "capacity"}
    return next((name for word, name in named.items() if word in meter), "in and out")


def topic(mb_per_s: float = 10.0, days: float = 7.0, groups: int = 2, replication: int = 3, zones: int = 3,
          near: bool = False, compression: float = 1.0) -> Topic:
    """A topic in the units of the sliders."""
    return Topic(rate=mb_per_s * 1e6, retention=days * DAY, groups=groups, replication=replication, zones=zones,
                 near=near, compression=compression)


def bill_of(name: str, book: PriceBook | None = None, **workload) -> Bill:
    """One provider's bill for a month of this workload."""
    book = book or BOOKS[name]
    return bill(usage(topic(**workload), book), book)


# Side by side

class Bills:
    """All books' bills for one workload; a provider that does not sell it is in `refused`, with its reason."""

    def __init__(self, wanted: Topic, books: Mapping[str, PriceBook] = BOOKS, note: str = ""):
        self.topic, self.books, self.note = wanted, books, note
        self.bills: dict[str, Bill] = {}
        self.refused: dict[str, str] = {}
        for name, book in books.items():
            try:
                self.bills[name] = bill(usage(wanted, book), book)
            except ValueError as error:
                self.refused[name] = str(error)

    @property
    def changed(self) -> bool:
        """Whether a price is not what its book says."""
        return bool(self.note)

    @property
    def spread(self) -> float:
        """How many times the smallest bill the largest is."""
        return self.bills[self.order[-1]].total / self.bills[self.order[0]].total

    @property
    def order(self) -> list[str]:
        """The providers, the smallest bill first."""
        return sorted(self.bills, key=lambda name: self.bills[name].total)

    def parts(self, name: str) -> dict[str, float]:
        """One bill's dollars by part."""
        lines = self.bills[name].lines
        return {kind: sum(line.amount for line in lines if part(line.price.meter) == kind) for kind in PARTS}

    def assumed(self, name: str) -> float:
        """Dollars of one bill that rest on a guess: of a price, or of how many machines above the least it takes."""
        least = {piece.meter: piece.at_least * MONTH for piece in self.books[name].capacities if piece.assumed}
        return sum(line.amount for line in self.bills[name].lines if line.price.assumed
                   or line.quantity * UNITS[line.price.unit] > 1.001 * least.get(line.price.meter, float("inf")))

    def picture(self) -> Picture:
        names = self.order
        least, most = (self.bills[name].total for name in (names[0], names[-1]))
        told = "; ".join(f"{SHORT[name]} {self.bills[name].total:,.0f} ({self.assumed(name):,.0f})" for name in names)
        missing = "".join(f" Not sold: {SHORT[name]}." for name in self.refused)
        figure, (axis,) = picture(
            f"From {least:,.0f} dollars a month ({SHORT[names[0]]}) to {most:,.0f} ({SHORT[names[-1]]})",
            f"A month of {describe(self.topic)}; {self.note}dollars (of which assumed): {told}. Lines: "
            f"everything assumed halved and doubled.{missing}", height=0.38 * len(names) + 0.3, left=1.75, head=0.22)
        self._bars(axis, names)
        return figure

    def _bars(self, axis, names: list[str]) -> None:
        for number, kind in enumerate(PARTS):
            values = np.array([self.parts(name)[kind] for name in names])
            left = np.array([sum(list(self.parts(name).values())[:number]) for name in names])
            meaning, hatch = LOOK[kind]
            axis.barh(range(len(names)), values, left=left, height=0.62, color=style.LIGHT[meaning], hatch=hatch,
                      edgecolor="white", linewidth=0, label=kind)
        totals = np.array([self.bills[name].total for name in names])
        assumed = np.array([self.assumed(name) for name in names])
        axis.errorbar(totals, range(len(names)), xerr=[assumed / 2, assumed], fmt="none", capsize=3, linewidth=1.1,
                      ecolor=style.LIGHT["ink"])
        axis.set_yticks(range(len(names)), [SHORT[name] for name in names])
        axis.set_ylim(len(names) - 0.5, -0.6)
        axis.legend(fontsize=style.SMALL, frameon=False, ncols=5, loc="lower left", bbox_to_anchor=(-0.02, 0.98),
                    columnspacing=1.2)
        words(axis, "dollars a month")

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return self.picture()._repr_mimebundle_()


def describe(wanted: Topic) -> str:
    """A topic in words."""
    return (f"{wanted.rate / 1e6:g} MB/s, kept {style.plural(wanted.retention / DAY, 'day')}, "
            f"read by {style.plural(wanted.groups, 'group')}, {style.plural(wanted.replication, 'replica')} in "
            f"{style.plural(wanted.zones, 'zone')}{', read from the nearest' if wanted.near else ''}")


def side_by_side(mb_per_s: float = 10.0, days: float = 7.0, groups: int = 2, replication: int = 3, zones: int = 3,
                 near: bool = False, compression: float = 1.0) -> Bills:
    """Six providers' bills and one's own, for a workload."""
    return Bills(topic(mb_per_s, days, groups, replication, zones, near, compression))


# What moves which bill

def one_more(**workload):
    """What one more MB/s, day, group and 500 partitions add to each bill, in dollars a month (pandas)."""
    import pandas as pd
    base = topic(**workload)
    changes = {"1 MB/s": replace(base, rate=base.rate + 1e6), "a day": replace(base, retention=base.retention - DAY),
               "a group": replace(base, groups=base.groups + 1),
               "500 partitions": replace(base, partitions=base.partitions + 500)}
    before, after = Bills(base), {name: Bills(changed) for name, changed in changes.items()}
    rows = [{"bill": SHORT[book], "charged by": BOOKS[book].model} |
            {name: round(abs(bills.bills[book].total - before.bills[book].total)) for name, bills in after.items()}
            for book in before.order]
    return pd.DataFrame(rows).set_index("bill")


def read_again(name: str, **workload) -> float:
    """Dollars for reading all that is kept once more, on the capacity that is there anyway."""
    wanted, book = topic(**workload), BOOKS[name]
    stored = wanted.rate * wanted.retention
    between = crossings(replace(wanted, groups=1), book.copies)["consume"] * stored
    more = {"bytes consumed": stored, "object-store GET requests": stored / FILE if book.copies == "bucket" else 0.0}
    more |= {f"{whose}bytes {way} zones": between for whose in ("", "client ") for way in ("out of", "into")}
    return bill(more, book).total


def read_again_everywhere(**workload):
    """The same for all providers (pandas)."""
    import pandas as pd
    rows = [{"bill": SHORT[name], "dollars": round(read_again(name, **workload), 2)} for name in BOOKS]
    return pd.DataFrame(rows).set_index("bill").sort_values("dollars")


def share_of_zones(name: str = OWN, **workload) -> float:
    """The share of bytes between zones in a bill."""
    made = bill_of(name, **workload)
    return sum(line.amount for line in made.lines if part(line.price.meter) == "between zones") / made.total


# Break-even

RATES = np.geomspace(0.1, 300.0, 50)


class BreakEven:
    """Dollars for each terabyte produced against the rate, for all books; `people` a month is added to one's own."""

    def __init__(self, people: float = 0.0, **workload):
        self.people, self.topic = people, topic(**workload)
        seconds = RATES * 1e6 * MONTH / UNITS["TB"]
        self.curves = {name: np.array([self._month(name, rate) for rate in RATES]) / seconds for name in BOOKS}

    def _month(self, name: str, mb_per_s: float) -> float:
        book = BOOKS[name]
        try:
            month = bill(usage(replace(self.topic, rate=mb_per_s * 1e6), book), book).total
        except ValueError:  # not sold at this rate
            return float("nan")
        return month + (self.people if name == OWN else 0.0)

    def pays_from(self, name: str, other: str = OWN) -> float | None:
        """The MB/s from which this book costs less than another one, up to the end; None if it does not there."""
        saved = np.log(self.curves[other] / self.curves[name])
        if not saved[-1] > 0:
            return None
        last = np.flatnonzero(saved <= 0).max(initial=-1)  # the last rate at which it does not
        around = slice(last, last + 2)
        return float(np.exp(np.interp(0.0, saved[around], np.log(RATES[around])))) if last >= 0 else float(RATES[0])

    def picture(self) -> Picture:
        start = self.pays_from("warpstream")
        title = (f"Agents and a bucket cost less than your own machines "
                 f"{f'from {start:.1f} MB/s on' if start > RATES[0] else 'at any rate'}" if start else
                 "Agents and a bucket never cost less than your own machines here")
        ends = "; ".join(f"{SHORT[name]} {self._at(name, 1.0)} and {self._at(name, 100.0)}" for name in BOOKS)
        figure, (axis,) = picture(
            title, f"Dollars for each terabyte produced; {describe(self.topic).split(', ', 1)[1]}; {self.people:,.0f} "
            f"dollars a month for people added to your own machines. At 1 and at 100 MB/s: {ends}.", height=3.2)
        for number, (name, curve) in enumerate(self.curves.items()):
            look = style.series(number)
            axis.plot(RATES, curve, linewidth=1.8, markevery=(2 * number % 9, 9), markersize=5, label=SHORT[name],
                      **look)
        axis.set(xscale="log", yscale="log", xlim=(RATES[0], RATES[-1]))
        for scale, ticks in ((axis.xaxis, (0.1, 1, 10, 100)), (axis.yaxis, (10, 100, 1000))):
            scale.set_ticks(ticks, [f"{tick:,g}" for tick in ticks])
            scale.set_minor_locator(NullLocator())
        axis.legend(fontsize=style.SMALL, frameon=False, ncols=2)
        words(axis, "MB/s produced", "dollars for a TB")
        return figure

    def _at(self, name: str, mb_per_s: float) -> str:
        value = np.interp(np.log(mb_per_s), np.log(RATES), self.curves[name])
        return f"{value:,.0f}" if np.isfinite(value) else "not sold"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return self.picture()._repr_mimebundle_()


def break_even(days: float = 7.0, groups: int = 2, near: bool = False, people: float = 0.0) -> BreakEven:
    """What a terabyte costs by rate, for all providers."""
    return BreakEven(people, days=days, groups=groups, near=near)


def hours_bought(name: str, wage: float = 100.0, **workload) -> float:
    """Hours of work a month that a provider may save before it costs more than one's own machines."""
    return (bill_of(name, **workload).total - bill_of(OWN, **workload).total) / wage


# Any price

EDITABLE = [f"{name}: {price.name}" for name, book in BOOKS.items() for price in book.prices]


def with_price(price: str = "self-managed: zone-out", times: float = 1.0, mb_per_s: float = 10.0) -> Bills:
    """The same bills with one price so many times what its book says."""
    if times == 1:
        return Bills(topic(mb_per_s))
    name, line = price.split(": ")
    value = BOOKS[name][line].value * times
    books = BOOKS | {name: BOOKS[name].with_prices(**{line.replace("-", "_"): value})}
    return Bills(topic(mb_per_s), books, note=f"{SHORT[name]}, {line}: {value:.4g}; ")
