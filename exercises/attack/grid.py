"""The picture of an attack: a field for each run and each thing in it, coloured by what became of it."""
from collections.abc import Mapping, Sequence
from math import ceil
from typing import NamedTuple

EDGE = "#999999"
WIDEST = 18  # columns that a notebook shows at their full size


class Field(NamedTuple):
    """What one field says, in which colours, and how large."""
    text: object
    colour: str
    ink: str
    size: float = 11


def grid(fields: Sequence[Sequence[Field]], finding: str, *, size: tuple[float, float], across: Sequence[str] = (),
         down: Sequence[str] = (), legend: Mapping[str, str] | None = None, small: float = 8, most: int = 0, **labels):
    """The figure: rows from top to bottom, under them `across`, beside them `down`; `legend` names the colours.

    If there are more than `most` columns, the rest go below, in a strip of the same size.
    """
    import matplotlib.pyplot as plt  # here, because a graded run needs no picture

    columns = most or max(map(len, fields))
    starts = range(0, max(map(len, fields)), columns)
    width, height = size
    figure, axes = plt.subplots(len(starts), figsize=(width, height * len(starts)), layout="constrained", squeeze=False)
    for axis, start in zip(axes.flat, starts):
        strip(axis, [row[start:start + columns] for row in fields])
        axis.set(xlim=(-.6, columns - .4), ylim=(len(fields) - .4, -.6), **labels)
        shown = across[start:start + columns]
        axis.set_xticks(range(len(shown)), shown, fontsize=small)
        axis.set_yticks(range(len(down)), down, fontsize=small)
        axis.spines[:].set_visible(False)
        axis.tick_params(length=0)
    if legend:
        marks = [plt.Rectangle((0, 0), 1, 1, facecolor=colour, edgecolor=EDGE) for colour in legend.values()]
        figure.legend(marks, legend, loc="outside lower center", ncols=len(legend), frameon=False, fontsize=9)
    figure.suptitle(finding, fontsize=11)
    plt.close(figure)
    return figure


def strip(axis, fields: Sequence[Sequence[Field]]) -> None:
    """The fields of one strip."""
    from matplotlib.patches import Rectangle

    for y, row in enumerate(fields):
        for x, field in enumerate(row):
            axis.add_patch(Rectangle((x - .47, y - .45), .94, .9, facecolor=field.colour, edgecolor=EDGE))
            axis.text(x, y, field.text, ha="center", va="center_baseline", color=field.ink, fontsize=field.size)


def killed(run) -> str:
    """Where a run was killed, in words."""
    crash = next((event for event in run.events if event["what"] == "crash"), None)
    return f"killed before step {crash['step']}, {crash['before']}" if crash else "not killed"


def deaths(runs, fields: Sequence[Sequence[Field]], finding: str, height: float, **settings):
    """The figure of runs that were killed one step later each time, from left to right, in strips that can be read."""
    labels = [killed(run).rpartition(", ")[2].replace(" ", "\n", 1) for run in runs]
    most = ceil(len(runs) / ceil(len(runs) / WIDEST))
    settings = {"across": labels, "xlabel": "killed before this step", "most": most} | settings
    return grid(fields, finding, size=(max(6, .62 * most), height), **settings)
