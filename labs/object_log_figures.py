"""Pictures and tables of a log in a bucket: its files and who committed them, requests measured and modelled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pandas as pd

from simulator.evidence.history import History
from simulator.views.picture import Picture, picture, sentence, words
from simulator.views.style import LABEL, LIGHT, plural, seconds, series

from .object_log import FILES, REPEATED, Request

PUT, CONDITIONAL, GET = "PUT", "CONDITIONAL PUT", "GET"
MARKS = {"committed": ("o", "broker"), "committed, all of it known already": ("s", "watermark"),
         "never committed": ("X", "lost")}


def requests(asked: Iterable[Request]) -> pd.DataFrame:
    """How many requests of each class and answer, and how long they took."""
    rows = {}
    for kind, status in sorted({(request.kind, request.status) for request in asked}):
        times = [request.seconds for request in asked if (request.kind, request.status) == (kind, status)]
        rows[f"{kind}, answer {status}"] = [len(times), *(seconds(float(q)) for q in np.quantile(times, (0.5, 0.99)))]
    return pd.DataFrame.from_dict(rows, orient="index", columns=["requests", "median", "p99"])


def commits(asked: Iterable[Request]) -> tuple[int, int]:
    """How many conditional PUTs succeeded, and how many were tried."""
    tried = [request.status for request in asked if request.kind == CONDITIONAL]
    return tried.count(200), len(tried)


def measured(history: History, asked: Iterable[Request]) -> list:
    """A column of `beside` from a real log: its history, and its agents' requests."""
    counts = Counter((request.kind, request.status == 200) for request in asked)
    return [counts[PUT, True], commits(asked)[1], counts[GET, True] + counts[GET, False], *_latency(history)]


def modelled(run) -> list:
    """A column of `beside` from a simulated run."""
    counts = [_asked(run, kind) for kind in (PUT, CONDITIONAL, GET)]
    return [counts[0], counts[1] or "none", *counts[2:], *_latency(run.history)]


def _asked(run, kind: str) -> int:
    return int(run.meters.counts.get(f"object-store {kind} requests", 0))


def _latency(history: History) -> list[str]:
    return [seconds(float(q)) for q in np.quantile(history.latencies(), (0.5, 0.99))]


def beside(columns: dict[str, list]) -> pd.DataFrame:
    """Measured and modelled side by side."""
    rows = ["files (PUT)", "tries to commit (conditional PUT)", "reads of the manifest (GET)",
            "from creation to answer: median", "p99"]
    return pd.DataFrame(columns, index=rows)


def files(scene, orphans: list[str]) -> Picture:
    """All files that a scene wrote, by agent and time, and what became of them; `orphans` were never committed."""
    state, _ = scene.manifest.read()
    fates = {name: "never committed" for name in orphans}
    for name, offsets in state["files"].items():
        known = all(offset == REPEATED for offset in offsets)
        fates[name] = "committed, all of it known already" if known else "committed"
    places = {name: name.removeprefix(FILES).split("-", 1) for name in fates}
    begin = min(int(when) for when, _ in places.values())
    agents = sorted({agent for _, agent in places.values()})
    counts = Counter(fates.values())
    title = f"{plural(len(fates), 'file')}: " + ", ".join(f"{counts[fate]} {fate}" for fate in MARKS if counts[fate])
    caption = ("Each mark is a file in the bucket at the moment its agent began to write it, read off its name. What "
               "the manifest does not list no reader will ever see. Measured on this machine.")
    figure, (axis,) = picture(title, caption, height=0.4 + 0.35 * len(agents), head=0.25)
    for fate, (marker, hue) in MARKS.items():
        names = [name for name in sorted(fates) if fates[name] == fate]
        if names:
            axis.plot([(int(places[name][0]) - begin) / 1e6 for name in names],
                      [agents.index(places[name][1]) for name in names], marker, color=LIGHT[hue], markersize=8,
                      label=fate)
    axis.set_yticks(range(len(agents)), agents, fontsize=LABEL)
    axis.set_ylim(len(agents) - 0.5, -0.5)
    axis.legend(frameon=False, fontsize=LABEL, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    words(axis, "seconds since the first file")
    return figure


def crowd(manifest: dict[int, object], service: dict[int, object], *, seed: int) -> Picture:
    """Latency and tries against the number of agents: one manifest for all, or a metadata service."""
    middles = [{n: float(np.median(run.history.latencies())) for n, run in runs.items()}
               for runs in (manifest, service)]
    tries = {n: _asked(run, CONDITIONAL) / _asked(run, PUT) for n, run in manifest.items()}
    few, many = min(manifest), max(manifest)
    title = (f"One object for {many} agents: {tries[many]:.1f} tries a file, and {seconds(middles[0][many])} until "
             "the answer")
    caption = ("Amazon S3's published latencies, the same records, 250 ms a file. Median from creation to answer: "
               + "; ".join(f"{plural(n, 'agent')} {seconds(middles[0][n])} with a manifest, {seconds(middles[1][n])} "
                           "with a metadata service" for n in (few, many)) + ". A model, nothing here was measured.")
    figure, (left, right) = picture(title, sentence(caption, seed), height=2.4, columns=2)
    figure.subplots_adjust(wspace=0.25)
    for number, (label, line) in enumerate(zip(("a manifest in the bucket", "a metadata service"), middles)):
        left.plot(list(line), list(line.values()), label=label, **series(number))
    right.plot(list(tries), list(tries.values()), **series(0))
    for axis in (left, right):
        axis.set_xscale("log", base=2)
        axis.set_xticks(list(manifest), list(manifest))
        axis.set_ylim(bottom=0)
    left.legend(frameon=False, fontsize=LABEL)
    words(left, "agents", "seconds to the answer (median)")
    words(right, "agents", "tries to commit, a file")
    return figure
