"""Curves of the pattern chapters: what was measured as marks, what theory says as a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simulator.views import style
from simulator.views.picture import Picture, picture, words

SEED = 7


def panels(title: str, caption: str, count: int, height: float = 2.7) -> tuple[Picture, list]:
    """A figure with `count` panels side by side, each with room for its own title."""
    figure, axes = picture(title, caption, columns=count, height=height, head=0.2 if count > 1 else 0.0)
    figure.subplots_adjust(wspace=0.22)
    return figure, axes


def theory_line(axis, x: Sequence[float], y: Sequence[float], label: str = "theory") -> None:
    """What the formula says."""
    axis.plot(x, y, "--", color=style.LIGHT["ink"], linewidth=1.2, label=label)


def marks(axis, series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
          errors: Mapping[str, Sequence[float]] | None = None) -> None:
    """What runs measured: one kind of mark a series, with error bars if there are any."""
    for number, (name, (x, y)) in enumerate(series.items()):
        look = style.series(number) | {"linestyle": "none"}
        axis.errorbar(x, y, yerr=(errors or {}).get(name), capsize=3, markersize=6, label=name, **look)


def finish(axis, x: str, y: str, name: str = "", legend: bool = True) -> None:
    """Names a panel and its axes; values begin at 0."""
    if name:
        axis.set_title(name, loc="left", fontsize=style.LABEL, y=1)  # matplotlib need not look for a place
    words(axis, x, y)
    if legend:
        axis.legend(fontsize=style.SMALL, frameon=False)
    if axis.get_yscale() == "linear":
        axis.set_ylim(0)
