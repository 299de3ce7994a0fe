"""Chapter 05: what a log on object storage costs, what it makes one wait, and which topics that suits.

A batch window is a timer: requests for each TB fall with it, and the wait grows. All quantities are metered in runs of
the model; prices are those of two price books.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

import simulator.evidence as evidence
from simulator import Workload, simulate, warpstream
from simulator.evidence.bill import MONTH, UNITS, Bill, bill, price_book, quantities
from simulator.evidence.prices import DAY
from simulator.evidence.usage import Topic, usage
from simulator.run import Run
from simulator.views import style
from simulator.views.picture import Picture, picture, sentence, words

from .curves import SEED, panels
from .warpstream import stacked

BOOK = price_book()
EXPRESS_BOOK = price_book(Path(evidence.__file__).with_name("prices-s3-express.toml"))
BOOKS = {"s3-standard": BOOK, "s3-express": EXPRESS_BOOK}
FEES = price_book("warpstream").only("cluster", "written", "stored")
NAMES = {"s3-standard": "S3 Standard", "s3-express": "S3 Express"}
BY_USE = ("s3-put", "s3-get", "s3-list", "s3-upload", "s3-retrieval")
LINES = {"machines": ("instances",), "storage": ("disks", "s3-storage"), "zones": ("zone-out", "zone-in"),
         "requests": ("s3-put", "s3-get", "s3-list"), "a vendor's fee": ("cluster", "written", "stored")}
RATE = 10e6    # bytes a second, where nothing else is said


def run_of(window: float, store: str = "s3-standard", seconds: float = 2.0, agents: int = 6,
           mb_per_s: float = RATE / 1e6, **settings) -> Run:
    """A log that takes so much, in records of 10 kB, read once."""
    system = warpstream.Cluster(agents=agents, batch_timeout=window, store=store, producers=12,
                                compaction_interval=None)
    workload = Workload(rate=mb_per_s * 100, record_bytes=10_000, seconds=seconds, consumers=3)
    return simulate(replace(system, **settings), workload, seed=SEED, trace=False)


# A month of Kafka, a month of this

@cache
def month_of_a_log(days: float = 7.0, window: float = 0.25) -> dict[str, float]:
    """What a month uses, by meter: three agents on three machines; compaction reads small files once more."""
    run = run_of(window, seconds=10.0, agents=3, compaction_interval=1.0)
    times = RATE * MONTH / produced(run)
    used = {name: amount * times for name, amount in quantities(run.meters, BOOK.zones).items()}
    return used | {"broker seconds": 3 * MONTH, "object-store byte-seconds": RATE * days * DAY * MONTH}


def lines(made: Bill) -> list[float]:
    """The bill in five parts."""
    return [sum(line.amount for line in made.lines if line.price.name in names) for names in LINES.values()]


@cache
def month(name: str, days: float = 7.0) -> list[float]:
    """Dollars for each part of the month of Kafka, of "a log on S3", and of "the same, rented"."""
    topic = Topic(rate=RATE, retention=days * DAY, groups=1)
    if name == "Kafka":
        return lines(bill(usage(topic, BOOK), BOOK))
    own = lines(bill(month_of_a_log(days), BOOK))
    fee = lines(bill(usage(topic, price_book("warpstream")), FEES))
    return own if name == "a log on S3" else [one + other for one, other in zip(own, fee)]


def where_money_goes() -> Picture:
    """The same month on disks and on object storage, part by part."""
    parts = {name: month(name) for name in ("Kafka", "a log on S3", "the same, rented")}
    kafka, own, rented = map(sum, parts.values())
    told = "; ".join(f"{name}: " + ", ".join(
        f"{part} {value:,.0f}" for part, value in zip(LINES, values) if value >= 0.5)
        + f", {sum(values):,.0f} in all" for name, values in parts.items())
    figure, (axis,) = picture(
        f"{kafka / own:.1f} times cheaper, or {kafka / rented:.1f} times if you rent it",
        sentence(f"Dollars a month for {RATE / 1e6:g} MB/s kept 7 days and read once, three machines each, list "
                 f"prices; the fee as somebody transcribed it. {told}.", SEED), height=1.7, left=1.4)
    stacked(axis, parts, LINES)
    words(axis, "dollars a month")
    return figure


def produced(run: Run) -> float:
    """Bytes of all records sent."""
    return run.history.records_sent() * run.workload.record_bytes


# Window x storage class

@dataclass(frozen=True)
class Setting:
    """One run, what its records waited, and what its requests and bytes cost for each TB."""
    run: Run

    @property
    def p99(self) -> float:
        return self.run.latency.p99

    @property
    def store(self) -> str:
        return self.run.system.store

    @property
    def bill(self) -> Bill:
        return bill(self.run.meters, BOOKS[self.store], times=UNITS["TB"] / produced(self.run))

    @property
    def dollars(self) -> float:
        """For each TB: PUTs, GETs and, on Express, bytes. What is stored, machines and zones are not in it."""
        return sum(line.amount for line in self.bill.lines if line.price.name in BY_USE)

    def picture(self) -> Picture:
        run, made = self.run, self.bill
        waits = {"produce, median": run.latency.p50, "produce, p99": run.latency.p99,
                 "end to end, median": run.end_to_end.p50, "end to end, p99": run.end_to_end.p99}
        costs = {"PUT": made["s3-put"], "GET": made["s3-get"],
                 "bytes": sum(made[name] for name in ("s3-upload", "s3-retrieval") if self.store == "s3-express")}
        told = "; ".join([f"{name} {style.seconds(value)}" for name, value in waits.items()]
                         + [f"{name} {value:.2f} dollars a TB" for name, value in costs.items()])
        system = run.system
        figure, axes = panels(
            f"p99 {style.seconds(self.p99)} for {self.dollars:.0f} dollars a TB: "
            f"{1000 * system.batch_timeout:g} ms, {NAMES[self.store]}",
            sentence(f"{system.agents} agents, {run.workload.rate / 100:g} MB/s, {system.max_in_flight:,} requests in "
                     f"flight. {told}.", SEED), 2, height=1.5)
        figure.subplots_adjust(left=0.17, wspace=0.28)
        dots(axes[0], waits, (0.02, 3.0), {0.03: "30 ms", 0.1: "100 ms", 0.3: "300 ms", 1: "1 s", 3: "3 s"})
        dots(axes[1], costs | {"together": self.dollars}, (0.3, 300), {1: "1", 10: "10", 100: "100"})
        words(axes[0], "wait")
        words(axes[1], "dollars a TB")
        return figure

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return self.picture()._repr_mimebundle_()


def dots(axis, values: dict[str, float], limits: tuple[float, float], ticks: dict[float, str]) -> None:
    """A dot for each value on a logarithmic axis that never moves; nothing below its left end."""
    for row, value in enumerate(values.values()):
        look = style.series(row)
        axis.hlines(row, limits[0], max(value, limits[0]), color=look["color"], linewidth=1.6)
        if value >= limits[0]:
            axis.plot(value, row, look["marker"], color=look["color"], markersize=8)
    axis.set(xscale="log", xlim=limits)
    axis.set_xticks(list(ticks), list(ticks.values()))
    axis.minorticks_off()
    axis.set_yticks(range(len(values)), list(values))
    axis.set_ylim(len(values) - 0.5, -0.5)


def turn(window_ms: int = 250, store: str = "s3-standard", agents: int = 6, mb_per_s: int = 10,
         max_in_flight: int = 1_000) -> Setting:
    """A second of a log with these settings."""
    return Setting(run_of(window_ms / 1000, store, 1.0, agents, mb_per_s, max_in_flight=max_in_flight))


# The price of waiting

WINDOWS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)


@cache
def measured(store: str) -> tuple[Setting, ...]:
    """A run for each window, at 10 MB/s."""
    return tuple(Setting(run_of(window, store)) for window in WINDOWS)


def requests(setting: Setting, mb_per_s: float) -> float:
    """Dollars a TB at another rate: the timer makes as many files, whatever is in them; bytes cost what they cost."""
    made = setting.bill
    by_byte = sum(made[price.name] for price in made.book.prices if price.name in ("s3-upload", "s3-retrieval"))
    return by_byte + (setting.dollars - by_byte) * RATE / 1e6 / mb_per_s


class Waiting:
    """What a TB costs in requests and in waiting by batch window, on both storage classes."""

    def __init__(self, price_of_a_second: float, mb_per_s: float):
        self.price, self.mb_per_s = price_of_a_second, mb_per_s
        self.asked = {store: np.array([requests(one, mb_per_s) for one in measured(store)]) for store in BOOKS}
        self.waited = {store: price_of_a_second * np.array([one.run.latency.mean for one in measured(store)])
                       for store in BOOKS}
        self.together = {store: self.asked[store] + self.waited[store] for store in BOOKS}
        self.best = {store: WINDOWS[int(np.argmin(line))] for store, line in self.together.items()}

    @property
    def cheapest(self) -> str:
        """The storage class whose best window costs least."""
        return min(self.together, key=lambda store: self.together[store].min())

    def picture(self) -> Picture:
        told = "; ".join(f"{NAMES[store]}: {', '.join(f'{value:.0f}' for value in line)} dollars together, "
                         f"{self.asked[store][0]:.0f} to {self.asked[store][-1]:.0f} of it requests"
                         for store, line in self.together.items())
        figure, axes = panels(
            f"Cheapest at {self.price:g} dollars for a TB and second: "
            f"{style.seconds(self.best[self.cheapest])} on {NAMES[self.cheapest]}",
            sentence(f"Dollars a TB by batch window ({', '.join(map(style.seconds, WINDOWS))}), 6 agents, "
                     f"{self.mb_per_s:g} MB/s; dotted: the least. {told}.", SEED), 2)
        for axis, store in zip(axes, BOOKS):
            self._panel(axis, store)
        words(axes[0], "batch window", "dollars a TB")
        axes[0].legend(fontsize=style.SMALL, frameon=False)
        return figure

    def _panel(self, axis, store: str) -> None:
        shown = {"requests": self.asked, "waiting": self.waited, "together": self.together}
        for number, (name, by_store) in enumerate(shown.items()):
            axis.plot(WINDOWS, by_store[store], label=name, linewidth=1.8, **style.series(number))
        axis.axvline(self.best[store], color=style.LIGHT["muted"], linestyle=":", linewidth=1.2)
        axis.set(xscale="log", ylim=(0, 1.15 * max(line.max() for line in self.together.values())))
        axis.set_title(f"{NAMES[store]}: least at {style.seconds(self.best[store])}", loc="left", fontsize=style.LABEL)
        axis.set_xticks(WINDOWS, ["25 ms", "50", "100", "250", "500", "1 s", "2"])
        axis.minorticks_off()
        words(axis, "batch window")

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return self.picture()._repr_mimebundle_()


def u_curve(price_of_a_second: float = 50.0, mb_per_s: float = 10.0) -> Waiting:
    """The two prices of a window, added; up to 25 MB/s, where a file of two seconds reaches its 8 MiB."""
    return Waiting(price_of_a_second, mb_per_s)


# Which topics could live here

def best_setting(store: str, p99: float) -> Setting | None:
    """The longest window whose 99th percentile is not above this; longer is cheaper."""
    return next((one for one in reversed(measured(store)) if one.p99 <= p99), None)


def could_live_here(p99_ms: int = 500, mb_per_s: int = 10, days: int = 7, rented: bool = False) -> Picture:
    """A topic that may wait so long, on disks and on object storage: dollars a month."""
    topic = Topic(rate=mb_per_s * 1e6, retention=days * DAY, groups=1)
    on_disks = usage(topic, BOOK)
    rows = {"Kafka": lines(bill(on_disks, BOOK))}
    kept = lines(bill({"broker seconds": on_disks["broker seconds"],
                       "object-store byte-seconds": topic.rate * topic.retention * MONTH}, BOOK))
    fee = lines(bill(usage(topic, price_book("warpstream")), FEES)) if rented else [0.0] * len(LINES)
    for store, name in NAMES.items():
        fits = best_setting(store, p99_ms / 1000)
        if fits is None:
            rows[f"{name}: too slow"] = [0.0] * len(LINES)
        else:
            asked = [0.0, 0.0, 0.0, topic.rate * MONTH / UNITS["TB"] * requests(fits, mb_per_s), 0.0]
            window = style.seconds(fits.run.system.batch_timeout)
            rows[f"{name}, {window}"] = [sum(parts) for parts in zip(kept, fee, asked)]
    what = f"{mb_per_s} MB/s kept {days} days and read once, p99 of a send at most {p99_ms} ms"
    return _month_beside_kafka(rows, what)


def _month_beside_kafka(rows: dict[str, list[float]], what: str) -> Picture:
    totals = {name: sum(values) for name, values in rows.items() if any(values)}
    cheapest = min(totals, key=totals.get)
    title = ("No window is quick enough: this topic stays on disks" if len(totals) == 1 else
             "It could live here, and would be dearer than on disks" if cheapest == "Kafka" else
             f"It could live here: {cheapest}, {totals['Kafka'] / totals[cheapest]:.1f} times cheaper than on disks")
    told = "; ".join(f"{name}: {total:,.0f}" for name, total in totals.items())
    figure, (axis,) = picture(title, sentence(
        f"Dollars a month for {what}. {told}. Waits are those measured at 10 MB/s, storage is S3 Standard's on both "
        "classes.", SEED), height=1.7, left=1.7)
    stacked(axis, rows, LINES)
    words(axis, "dollars a month")
    return figure
