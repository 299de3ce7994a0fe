"""Chapter 11: where a record is checked, who is hurt where nobody does, and two bugs of an old version.

Everything here reads recorded evidence; how Bufstream works is in `simulator/brokers/bufstream`, and nowhere else.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from simulator import Workload, bufstream, faults, simulate
from simulator.run import Run
from simulator.views import style
from simulator.views.picture import Picture, picture, sentence, words

from .curves import SEED, finish, marks, panels, theory_line

SHOP = Workload(rate=40, record_bytes=500, keys=50, seconds=12, consumers=3)
OUT = 5.0            # s, when the bad release goes out
LATE = 5.0           # s after its creation, a record comes late
SCHEMA = bufstream.Release(at=OUT, share=0.2)
VALUES = bufstream.Release(what="values", at=OUT, share=0.2)
BYPASS = bufstream.Release(what="values", at=OUT, share=0.2, library=False)
RELEASES = {"a changed schema": SCHEMA, "bad values": VALUES, "bad values, past the library": BYPASS}
PLACES = {"nowhere": (), "CI": ("ci",), "producer": ("producer",), "broker": ("broker",)}
NOTICES = {"stopped": "CI", "kept_back": "the producer", "rejected": "the producer", "poisoned": "a consumer",
           "skipped": "a consumer"}


@cache
def shop(*checks: str, release: bufstream.Release | None = SCHEMA, trouble: tuple = (), **settings) -> Run:
    """Three producers, three consumers, 40 records a second; producer-1 has a release at 5 s. Shown as `served`."""
    system = bufstream.Cluster(checks=checks, release=release, **dict(repair_time=15.0) | settings)
    return simulate(system, SHOP, faults=trouble, seed=SEED, settle=30).shown_as(served)


# What a run says

def stored(run) -> int:
    """Records in the log that do not conform."""
    return int(run.meters.counts["poison records stored"])


def deaths(run) -> int:
    """How often a consumer died of a record."""
    return int(run.meters.counts["consumer crashes"])


def refused(run) -> int:
    """Records that a producer was told are refused, or whose library kept them back."""
    return int(run.meters.counts["records refused"])


def company(run) -> int:
    """Those of them that conform, and were in a batch with one that does not."""
    return int(run.meters.counts["conforming records refused"])


def late(run) -> int:
    """Records that a consumer got more than five seconds after they came into being."""
    return int((run.end_to_end.seconds > LATE).sum())


def unserved(run) -> int:
    """Acknowledged records that no consumer ever got."""
    return run.latency.n - run.end_to_end.n


def noticed(run) -> tuple[float, str]:
    """Seconds from the release until somebody sees what is wrong, and who."""
    event = run.trace.where(*NOTICES)[0]
    row = run.trace.events.rows[event]
    return float(row["time"]) - OUT, NOTICES[run.trace.kinds[row["kind"]].name]


def slowest(run) -> float:
    """The longest that a record waited for its acknowledgement, in seconds."""
    return float(run.latency.seconds.max())


def longest(run) -> float:
    """The longest that a record waited for its reader, in seconds."""
    return float(run.end_to_end.seconds.max())


def offsets_twice(run) -> int:
    """Offsets that were told for two different records."""
    return run.report.verdicts["inconsistent offset"].records


# Pictures

SIGNS = {"poisoned": ("crosses: a consumer dies", "X", "lost", 1.12),
         "invalid": ("squares: a broker refuses a batch", "s", "watermark", 1.22),
         "kept_back": ("diamonds: a library refuses a record", "D", "watermark", 1.22)}


def served(run) -> Picture:
    """What consumers got in each second, with signs for deaths and refusals, and shades for faults."""
    found = {kind: run.trace.events.rows["time"][run.trace.where(kind)] for kind in SIGNS}
    caption = sentence(_told(run, [kind for kind in SIGNS if len(found[kind])]), run.seed)
    figure, (axis,) = picture(_finding(run), caption, height=2.2)
    times, counts = run.history.flow("delivered")
    seconds = np.arange(0, np.ceil(run.seconds) + 1)
    axis.hist(times, seconds, weights=counts, color=style.LIGHT["consumer"], histtype="stepfilled")
    top = axis.get_ylim()[1]
    for kind, (_, marker, hue, level) in SIGNS.items():
        axis.plot(found[kind], np.full(len(found[kind]), level * top), marker, color=style.LIGHT[hue], markersize=4)
    if run.system.release:
        axis.axvline(OUT, color=style.LIGHT["ink"], linestyle=":", linewidth=1)
    for fault in run.faults:
        axis.axvspan(fault.at, fault.ends, color=style.LIGHT["rule"], alpha=0.6, linewidth=0, zorder=0)
    words(axis, "time (s)", "records delivered in a second")
    axis.set_ylim(0, 1.3 * top)
    return figure


def _told(run, signs: list[str]) -> str:
    """The caption: what is drawn, and how many came late."""
    told = ["records that consumers get in each second", *(SIGNS[kind][0] for kind in signs)]
    told += ["dotted: the release goes out"] * bool(run.system.release) + [f"grey: {fault}" for fault in run.faults[:1]]
    came = f"{run.end_to_end.n:,} are delivered, {late(run):,} of them more than {LATE:g} s late"
    return f"{'; '.join(told)}. {came}.".replace("records", "Records", 1)


def _finding(run) -> str:
    if offsets_twice(run):
        never = f", and {unserved(run)} records never reach a consumer" if unserved(run) else ""
        return f"{offsets_twice(run)} offsets are told for two records{never}"
    if deaths(run):
        return f"{stored(run)} records in the log kill consumers {deaths(run)} times"
    if refused(run):
        return f"{refused(run)} records are refused, {company(run)} of them conform; consumers notice nothing"
    if stored(run):
        return f"{stored(run)} records are skipped, and nothing stops"
    if unserved(run):
        return f"{unserved(run)} acknowledged records never reach a consumer"
    return f"All {run.end_to_end.n:,} records reach a consumer"


def places(release: str = "a changed schema", late_readers: bool = False):
    """What a check in each place does about a release (pandas)."""
    import pandas as pd
    away = tuple(faults.crash(f"consumer-{n}", at=4, lasts=6) for n in (1, 2, 3)) if late_readers else ()
    rows = []
    for place, checks in PLACES.items():
        run = shop(*checks, release=RELEASES[release], trouble=away)
        seconds, who = noticed(run)
        rows.append({"check in": place, "refused": refused(run), "of them conforming": company(run),
                     "in the log": stored(run), "consumers' deaths": deaths(run),
                     "noticed after (s)": round(seconds, 1), "by": who})
    return pd.DataFrame(rows).set_index("check in")


def gate(check: str = "nowhere", release: str = "a changed schema", linger_ms: int = 25,
         on_poison: str = "crash") -> Run:
    """One place, one release, one linger: a run, shown by what consumers got."""
    return shop(*PLACES[check], release=RELEASES[release], linger=linger_ms / 1000, on_poison=on_poison)


# A whole batch

RATE, SECONDS, LINGERS = 400, 8, (0.0125, 0.025, 0.05, 0.1)


@cache
def _batches(linger: float, share: float) -> tuple[float, float]:
    """(records in a batch, share of the conforming records that are refused), of 3,200 records to one partition."""
    system = bufstream.Cluster(brokers=1, zones=1, partitions=1, producers=1, linger=linger, checks=("broker",),
                               release=bufstream.Release(at=0, share=share))
    even = Workload(rate=RATE, seconds=SECONDS, arrivals="even", keys=None, record_bytes=500, consumers=0)
    run = simulate(system, even, seed=SEED, trace=False)
    bad = refused(run) - company(run)
    return float(np.median(run.history.sends.rows["count"])), company(run) / (RATE * SECONDS - bad)


def neighbours(share: float = 0.05) -> Picture:
    """The share of conforming records that are refused, by the size of a batch."""
    found = np.array([_batches(linger, share) for linger in LINGERS])
    told = ", ".join(f"{100 * part:.0f} % at {size:.0f}" for size, part in found)
    title = f"At {found[-1][0]:.0f} records a batch, {100 * found[-1][1]:.0f} % of the conforming records are refused"
    caption = sentence(f"{100 * share:g} % of all records do not conform; a batch with one of them is refused. Marks: "
                       f"model, {told} records a batch; dashed: one minus the probability that all others conform.",
                       SEED)
    figure, (axis,) = panels(title, caption, 1, height=2.3)
    sizes = np.linspace(1, found[-1][0], 60)
    theory_line(axis, sizes, 100 * (1 - (1 - share) ** (sizes - 1)), "theory")
    marks(axis, {"model": (found[:, 0], 100 * found[:, 1])})
    finish(axis, "records in a batch", "conforming and refused (%)")
    return figure


# The switch

def killed() -> Run:
    """One of six brokers is killed for ten seconds, and nothing else is wrong."""
    return shop(release=None, trouble=(faults.crash("broker-1", at=5, lasts=10),))


def paused(version: str = "0.1.0", node: str = "database", lasts: float = 2.0) -> Run:
    """Something stands still at 5 s for a while, in an old version or a new one."""
    return shop(release=None, version=version, trouble=(faults.pause(node, at=5, lasts=lasts),))
