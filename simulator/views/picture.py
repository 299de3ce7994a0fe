"""A figure that carries its own words: a title that says the finding, a caption, and alternative text."""

from __future__ import annotations

import base64
import html
import io
import textwrap

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from . import style

DPI = 110
_TOP, _LEFT, _RIGHT, _BELOW, _LINE = 0.46, 0.85, 0.25, 0.62, 0.165  # margins, a caption's line: inches


class Picture(Figure):
    """A matplotlib Figure with a `caption` that says the same in words, shown with alternative text."""

    caption = ""
    headline = ""

    def alt(self) -> str:
        """The title and the caption as one text."""
        return f"{self.headline}. {self.caption}".strip(". ") + "."

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return bundle(self, self.alt())


def picture(title: str, caption: str, width: float = 8.0, height: float = 3.4, rows: int = 1, columns: int = 1,
            left: float = _LEFT, head: float = 0.0, **axes) -> tuple[Picture, list]:
    """A figure: title above, caption below, `rows` x `columns` plain axes between; height is that of the axes."""
    lines = textwrap.wrap(caption, int(width * 14.5))
    top, below = _TOP + head, _BELOW + _LINE * len(lines)
    total = top + height + below
    figure = Picture(figsize=(width, total), dpi=DPI, facecolor=style.LIGHT["paper"])
    FigureCanvasAgg(figure)
    figure.headline, figure.caption = title, caption
    grid = figure.subplots(rows, columns, squeeze=False, **axes)
    figure.subplots_adjust(left=left / width, right=1 - _RIGHT / width, top=1 - top / total, bottom=below / total,
                           wspace=0.1, hspace=0.36)
    figure.text(0.16 / width, 1 - 0.1 / total, title, fontsize=style.TITLE, fontweight="bold", color=style.LIGHT["ink"],
                va="top")
    figure.text(0.16 / width, 0.08 / total, "\n".join(lines), fontsize=style.SMALL, color=style.LIGHT["muted"],
                va="bottom", linespacing=1.25)
    for axis in grid.flat:
        plain(axis)
    return figure, list(grid.flat)


def plain(axis) -> None:
    """Axes with nothing on them but two lines and a faint grid."""
    axis.spines[["top", "right"]].set_visible(False)
    axis.spines[["left", "bottom"]].set_color(style.LIGHT["rule"])
    axis.tick_params(labelsize=style.SMALL, colors=style.LIGHT["muted"], length=0)
    axis.grid(color=style.LIGHT["rule"], linewidth=0.6, alpha=0.7)
    axis.set_axisbelow(True)


def words(axis, x: str = "", y: str = "") -> None:
    """Names the axes; logarithmic ones have plain numbers: small ticks and powers take as long to draw as the rest."""
    axis.minorticks_off()
    for each in (axis.xaxis, axis.yaxis):
        if isinstance(each.get_major_formatter(), LogFormatter):
            each.set_major_formatter(lambda value, _: style.number(value))
    axis.set_xlabel(x, fontsize=style.LABEL, color=style.LIGHT["muted"])
    axis.set_ylabel(y, fontsize=style.LABEL, color=style.LIGHT["muted"])


def empty(title: str, why: str, seed=None) -> Picture:
    """What is shown when there is nothing to draw: a sentence that says why."""
    figure, (axis,) = picture(title, sentence(why, seed), height=1.0)
    axis.set_axis_off()
    axis.text(0.5, 0.5, why, ha="center", va="center", transform=axis.transAxes, fontsize=style.LABEL,
              color=style.LIGHT["muted"])
    return figure


def sentence(text: str, seed=None) -> str:
    """A caption that ends in the seed."""
    return text if seed is None else f"{text} Seed {seed}."


def caption(figure: Figure) -> str:
    """The caption of a figure made here; empty for any other figure."""
    return getattr(figure, "caption", "")


def png(figure: Figure, colours: int = 0) -> bytes:
    """The figure as a PNG; with a number of colours it takes half as long again to make, and a third of the bytes."""
    from PIL import Image
    canvas = figure.canvas if hasattr(figure.canvas, "buffer_rgba") else FigureCanvasAgg(figure)
    canvas.draw()
    image, out = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB"), io.BytesIO()
    if colours:
        image.quantize(colours, dither=Image.Dither.NONE).save(out, "PNG")
    else:
        image.save(out, "PNG", compress_level=1)  # a tenth more bytes, in two thirds of the time
    return out.getvalue()


def bundle(figure: Figure, alt: str) -> dict[str, str]:
    """The figure in the three forms a notebook may need: HTML with alternative text, a picture, plain text."""
    data = base64.b64encode(png(figure)).decode()
    return {"text/html": image_tag(data, alt), "image/png": data, "text/plain": alt}


def image_tag(data: str, alt: str) -> str:
    """An HTML image with its bytes inside; JupyterLab honours alternative text nowhere else."""
    return f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{data}" style="max-width:100%">'


def show(figure: Figure, alt: str | None = None) -> None:
    """Displays any matplotlib figure with alternative text; without a notebook, prints that text."""
    alt = alt or (figure.alt() if isinstance(figure, Picture) else "")
    if not alt:
        raise ValueError("alt: '' is not allowed; say in a sentence what the figure shows")
    try:
        from IPython.display import display
    except ImportError:
        print(alt)
    else:
        display(bundle(figure, alt), raw=True)
