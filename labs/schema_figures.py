"""What the bad release cost with the check in each place: a table, and every order of it in one picture."""

from __future__ import annotations

import pandas as pd

from simulator.views.picture import Picture, picture, sentence, words
from simulator.views.style import LIGHT, SMALL, plural, seconds

from .schema_gate import RELEASE, Scene

# What became of an order: its name, its marker, the meaning of its colour, whether the marker is filled.
FATES = {"good": ("stored, read rightly", ".", "broker", True),
         "misread": ("stored, read as 0.00", "D", "watermark", True),
         "unreadable": ("stored, unreadable", "X", "lost", True), "refused": ("refused", "s", "ink", False)}


def fates(scene: Scene) -> dict[str, list[float]]:
    """When the orders of each fate were sent."""
    misread, unreadable = set(scene.misread()), set(scene.unreadable)
    found = {name: [] for name in FATES}
    for order in scene.sent:
        fate = ("refused" if order.result == "refused" else "unreadable" if order.sequence in unreadable
                else "misread" if order.sequence in misread else "good")
        found[fate].append(order.at)
    return found


def costs(scenes: list[Scene]) -> pd.DataFrame:
    """Who found out, when, and what it cost: a column for each place of the check."""
    rows = {scene.place: _cost(scene) for scene in scenes}
    return pd.DataFrame(rows).rename_axis(columns="the check is in")


def _cost(scene: Scene) -> dict[str, str]:
    counts = {name: len(times) for name, times in fates(scene).items()}
    stopped = sum(bool(reader.stops) for reader in scene.readers)
    first = "after the release" if scene.place == "CI" else "after the first bad order"
    return {"who found out": scene.alarm[1],
            "when": f"{seconds(scene.noticed()) if scene.noticed() > 0.0005 else 'at once'} {first}",
            "orders refused": counts["refused"],
            "stored, no reader can read them": counts["unreadable"],
            "stored, read as 0.00": counts["misread"],
            "consumers stopped": f"{stopped}, {scene.stopped():.1f} consumer-seconds" if stopped else "none",
            "answer to a good order (median)": seconds(scene.answer())}


def timeline(scenes: list[Scene], *, seed: int = 27) -> Picture:
    """Every order at the time it was sent, as what became of it; bars where consumers stood still."""
    figure, (axis,) = picture(*_story(scenes, seed), left=1.0, head=0.46, height=0.55 * len(scenes) + 0.3)
    for row, scene in enumerate(scenes):
        for name, times in fates(scene).items():
            label, marker, hue, filled = FATES[name]
            axis.plot(times, [row - 0.12] * len(times), marker, color=LIGHT[hue], markersize=5 if marker != "." else 4,
                      markerfacecolor=LIGHT[hue] if filled else "none", label="" if row else label)
        for begin, end in scene.readers[0].stops:
            axis.broken_barh([(begin, end - begin)], (row + 0.1, 0.16), facecolor=LIGHT["paper"], hatch="////",
                             edgecolor=LIGHT["lost"], linewidth=0.8)
        when = scene.alarm[0]
        axis.plot(when, row - 0.36, "v", color=LIGHT["producer"], markersize=6, label="" if row else "somebody knows")
    axis.broken_barh([(0, 0)], (0, 0), facecolor=LIGHT["paper"], hatch="////", edgecolor=LIGHT["lost"],
                     label="consumers stopped")
    axis.axvline(RELEASE, color=LIGHT["ink"], linestyle="--", linewidth=1, zorder=0)
    axis.set_yticks(range(len(scenes)), [scene.place for scene in scenes])
    axis.set_ylim(len(scenes) - 0.5, -0.6)
    figure.legend(loc="upper left", ncols=3, frameon=False, fontsize=SMALL, columnspacing=1.6, handletextpad=0.4,
                  bbox_to_anchor=(0.005, 1 - 0.32 / figure.get_figheight()))
    words(axis, "seconds; the release goes live at the dashed line", "the check is in" * (len(scenes) > 1))
    return figure


def _story(scenes: list[Scene], seed: int) -> tuple[str, str]:
    told = []
    for scene in scenes:
        counts = {FATES[name][0]: len(times) for name, times in fates(scene).items() if times and name != "good"}
        cost = ", ".join(f"{count} {name}" for name, count in counts.items()) or "nothing"
        told.append(f"{scene.place}: {cost}")
    spoiled = {scene.place: len(scene.unreadable) + len(scene.misread()) for scene in scenes}
    worst = max(spoiled, key=spoiled.get)
    title = f"With the check {_at(worst)}, one bad release spoils {plural(spoiled[worst], 'stored order')}"
    return title, sentence(f"What the bad release cost, by the place of the check: {'; '.join(told)}. "
                           "Measured on this machine.", seed)


def _at(place: str) -> str:
    return place if place == "nowhere" else f"in {place}"
