"""Chapter 12b: a checkpoint apart from its state, lag against load, what an outage leaves, reading one's own writes.

Everything here reads recorded evidence; how projections work is in `simulator/patterns/projection.py`.
"""

from __future__ import annotations

from functools import cache
from math import exp

import numpy as np

from simulator import Workload, distributions, faults, simulate, theory
from simulator.patterns import Projection
from simulator.views import style
from simulator.views.picture import Picture, sentence

from .curves import SEED, finish, marks, panels, theory_line

EVENTS = Workload(rate=8, keys=None, seconds=8, work=0.05)
WORK = 0.01  # s, mean work on one event: 100 a second
WORKS = {"constant": distributions.Fixed(WORK), "exponential": distributions.Exponential(WORK)}


# The crash between state and checkpoint

@cache
def crashed(checkpoint: str):
    """The projection is killed between its two writes, or, where there is one, at about the same time."""
    system = Projection(checkpoint, between=0.05)
    kind = {"before": "checkpoint", "after": "apply", "with": "both"}[checkpoint]
    times = simulate(system, EVENTS, seed=SEED).trace
    at = float(times.events.rows["time"][times.where(kind)][20]) + 0.02
    return simulate(system, EVENTS, faults=[faults.crash("projector", at=round(at, 6), lasts=1)], seed=SEED)


def counted(run) -> dict[str, int]:
    """Events stored, and events that the read model has counted."""
    final = run.history.processes.names.index("final-reader")
    return {"stored": run.history.records_sent(), "counted": int((run.history.polls.rows["process"] == final).sum())}


def window(run) -> tuple[float, float]:
    """The stretch around the crash that is worth a look."""
    at = run.faults[0].at
    return at - 0.4, at + 1.4


# Lag

@cache
def projected(load: float, work: str = "exponential", seconds: float = 120.0, seed: int = SEED):
    """A projection under this load, and nothing else."""
    workload = Workload(rate=load / WORK, keys=None, seconds=seconds, work=WORKS[work])
    return simulate(Projection(), workload, seed=seed, trace=False)


def lag(run) -> np.ndarray:
    """Seconds from each event's storage until the read model has it."""
    stored = run.history.sends.rows
    rows = run.history.polls.rows
    rows = rows[rows["process"] == run.history.processes.names.index("queries")]
    when = np.full(len(run.history.created[0]), np.nan)
    when[stored["value"]] = stored["completed"]
    return rows["completed"] - when[rows["value"]]


def lag_against_load(load: float = 0.8, work: str = "exponential") -> Picture:
    """Mean lag against the load of the projection: one run, and the two curves of theory."""
    seconds = lag(projected(round(load, 2), work, min(120.0, 96 / load)))  # not ever more events for more load
    fine = np.linspace(0.05, 0.95, 80)
    wait = {"exponential": theory.mm1_wait, "constant": theory.md1_wait}
    expected = wait[work](load / WORK, 1 / WORK) + WORK
    title = (f"{100 * load:.0f} % busy: the read model is {style.seconds(seconds.mean())} behind, "
             f"one event in a hundred {style.seconds(np.quantile(seconds, 0.99))}")
    caption = sentence(f"{style.seconds(WORK)} of work an event, {work}; {len(seconds):,} events. Measured mean "
                       f"{style.seconds(seconds.mean())}, computed {style.seconds(expected)}. Dashed: M/M/1 "
                       "(exponential work); dotted: M/D/1 (constant work).", SEED)
    figure, (axis,) = panels(title, caption, 1)
    theory_line(axis, 100 * fine, [1_000 * (theory.mm1_wait(each / WORK, 1 / WORK) + WORK) for each in fine],
                "exponential")
    constant = [1_000 * (theory.md1_wait(each / WORK, 1 / WORK) + WORK) for each in fine]
    axis.plot(100 * fine, constant, ":", color=style.LIGHT["ink"], label="constant")
    marks(axis, {"this run": ([100 * load], [1_000 * seconds.mean()])})
    finish(axis, "% of time that the projection is busy", "mean lag (ms)")
    return figure


BATCH = 0.04  # s, work on one event here: what is said below holds for any, and a quarter of the events draws faster
LEVEL = 0.8  # s of lag that counts as none


def outage(load: float = 0.8, seconds: float = 20.0) -> Picture:
    """The lag of each event around an outage of the projection, and how long it takes to be level again."""
    run = away(round(load, 2), seconds)
    made, behind = run.history.created[0], lag(run)
    until = level_again(run)
    expected = theory.catch_up_time(load / BATCH, 1 / BATCH, seconds)
    title = f"{style.seconds(seconds)} away at {100 * load:.0f} % load: another {until:.0f} s until it is level again"
    caption = sentence("Each mark is an event: when it was stored, and how much later the read model had it. Level "
                       f"(under {LEVEL:g} s) {until:.0f} s after the outage; computed {expected:.0f} s = outage x "
                       "load/(1 - load), as a fluid.", SEED)
    figure, (axis,) = panels(title, caption, 1)
    axis.plot(made, behind, linestyle="none", marker="o", markersize=2, color=style.LIGHT["broker"], label="measured")
    theory_line(axis, [30, 30 + seconds / (1 - load)], [seconds, 0])
    axis.axvspan(30, 30 + seconds, color=style.LIGHT["lost"], alpha=0.12, label="projection down")
    finish(axis, "event stored at (s)", "lag (s)")
    return figure


@cache
def away(load: float, seconds: float):
    """The same, with the projection away for some seconds."""
    workload = Workload(rate=load / BATCH, keys=None, seconds=40 + 1.3 * seconds / (1 - load), work=BATCH)
    return simulate(Projection(), workload, faults=[faults.crash("projector", at=30, lasts=seconds)],
                    seed=SEED, trace=False)


def level_again(run) -> float:
    """Seconds from the end of the outage until events wait less than `LEVEL` seconds."""
    made, behind = run.history.created[0], lag(run)
    late = np.flatnonzero(behind > LEVEL)
    return float(made[late[-1]]) - run.faults[0].ends


# Reading one's own writes

THINK = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4)


def stale(load: float = 0.9) -> Picture:
    """Reads that do not find the reader's own write, against the seconds between; and what a token makes them wait."""
    seconds = lag(projected(round(load, 2), seconds=600.0))
    share = [100 * float(np.mean(seconds > think)) for think in THINK]
    waits = [1_000 * float(np.mean(np.maximum(seconds - think, 0))) for think in THINK]
    fine, spare = np.linspace(0, THINK[-1], 80), (1 - load) / WORK
    title = (f"{100 * load:.0f} % busy: of those who look after {style.seconds(THINK[3])}, {share[3]:.0f} % do not "
             "find what they wrote")
    told = ", ".join(f"{think:g} s: {each:.0f} % and {wait:.0f} ms" for think, each, wait in zip(THINK, share, waits))
    caption = sentence("Seconds from write to read: share of reads too early, and mean wait of a read with a token "
                       f"({told}). Dashed: M/M/1, exp(-(mu - lambda) t), and that over mu - lambda.", SEED)
    figure, (left, right) = panels(title, caption, 2)
    theory_line(left, fine, [100 * exp(-spare * think) for think in fine])
    theory_line(right, fine, [1_000 * exp(-spare * think) / spare for think in fine])
    marks(left, {"measured": (THINK, share)})
    marks(right, {"measured": (THINK, waits)})
    finish(left, "seconds between write and read", "", "% of reads that miss the own write")
    finish(right, "seconds between write and read", "", "mean wait with a token (ms)", legend=False)
    return figure


def too_early(load: float = 0.9, think: float = 0.1) -> float:
    """The share of reads, in percent, that come before the own write, `think` seconds after it."""
    return 100 * float((lag(projected(load, seconds=600.0)) > think).mean())


def rebuild_hours(events: float = 10e6, replay: float = 2_000, rate: float = 500) -> float:
    """Hours until a projection that starts from nothing is level, while new events keep coming."""
    return theory.drain_time(rate, replay, events) / 3_600
