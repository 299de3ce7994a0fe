"""The picture of an attack: a field for each run and each thing in it, coloured by what became of it."""
from collections.abc import Mapping, Sequence
from typing import NamedTuple

EDGE = "#999999"


class Field(NamedTuple):
    """What one field says, in which colours, and how large."""
    text: object
    colour: str
    ink: str
    size: float = 11


def grid(fields: Sequence[Sequence[Field]], finding: str, *, size: tuple[float, float], across: Sequence[str] = (),
         down: Sequence[str] = (), legend: Mapping[str, str] | None = None, small: float = 8, **labels):
    """The figure: rows from top to bottom, under them `across`, beside them `down`; `legend` names the colours."""
    import matplotlib.pyplot as plt  # here, because a graded run needs no picture

    figure, axes = plt.subplots(figsize=size, layout="constrained")
    for y, row in enumerate(fields):
        for x, field in enumerate(row):
            axes.add_patch(plt.Rectangle((x - .47, y - .45), .94, .9, facecolor=field.colour, edgecolor=EDGE))
            axes.text(x, y, field.text, ha="center", va="center_baseline", color=field.ink, fontsize=field.size)
    axes.set(xlim=(-.6, max(map(len, fields)) - .4), ylim=(len(fields) - .4, -.6), **labels)
    axes.set_xticks(range(len(across)), across, fontsize=small)
    axes.set_yticks(range(len(down)), down, fontsize=small)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    if legend:
        marks = [plt.Rectangle((0, 0), 1, 1, facecolor=colour, edgecolor=EDGE) for colour in legend.values()]
        figure.legend(marks, legend, loc="outside lower center", ncols=len(legend), frameon=False, fontsize=9)
    figure.suptitle(finding, fontsize=11)
    plt.close(figure)
    return figure


def killed(run) -> str:
    """Where a run was killed, in words."""
    crash = next((event for event in run.events if event["what"] == "crash"), None)
    return f"killed before step {crash['step']}, {crash['before']}" if crash else "not killed"


def deaths(runs, fields: Sequence[Sequence[Field]], finding: str, height: float, **settings):
    """The figure of runs that were killed one step later each time, from left to right."""
    labels = [killed(run).rpartition(", ")[2].replace(" ", "\n", 1) for run in runs]
    settings = {"across": labels, "xlabel": "killed before this step"} | settings
    return grid(fields, finding, size=(max(6, .62 * len(runs)), height), **settings)
