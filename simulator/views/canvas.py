"""A canvas that writes quickly: letter by letter, words take half a figure's time, so a line is set whole, once."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.font_manager import findfont, get_font
from matplotlib.ft2font import LoadFlags


class Canvas(FigureCanvasAgg):
    """matplotlib's own canvas, with a renderer that keeps the lines it has set."""

    def get_renderer(self):
        renderer = super().get_renderer()
        if not isinstance(renderer, _Renderer):
            self.renderer = _Renderer(renderer.width, renderer.height, renderer.dpi)
        return self.renderer


class _Renderer(RendererAgg):

    def get_text_width_height_descent(self, s, prop, ismath):
        if ismath:
            return super().get_text_width_height_descent(s, prop, ismath)
        return self._line(s, prop)[:3]

    def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None):
        """Level and upright text from the start of its baseline; formulas and slanted text are drawn as ever."""
        if ismath or angle not in (0, 90):
            super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)
            return
        *_, descent, offset, ink = self._line(s, prop)
        left, bottom = x + offset, y + descent + 1  # there is an empty row of pixels below, and one above
        if angle == 90:
            left, bottom, ink = x + descent + 1 - len(ink), y - offset, np.rot90(ink)
        self.draw_image(gc, round(left), round(self.height - bottom), _tinted(ink[::-1], gc.get_rgb()))

    def _line(self, text: str, prop) -> Line:
        return line(text, findfont(prop), prop.get_size_in_points(), self.dpi)


class Line(NamedTuple):
    """A line of text: its measures in pixels, where its ink starts, and how much of it each pixel holds (0 to 255)."""
    width: float
    height: float
    descent: float
    offset: float
    ink: np.ndarray


@lru_cache(2_000)
def line(text: str, font_file: str, points: float, dpi: float) -> Line:
    """The text as one picture of a line."""
    font = get_font(font_file)
    font.clear()
    font.set_size(points, dpi)
    font.set_text(text, 0.0, flags=LoadFlags.DEFAULT)
    font.draw_glyphs_to_bitmap()
    measures = (*font.get_width_height(), font.get_descent(), font.get_bitmap_offset()[0])
    return Line(*(measure / 64 for measure in measures), np.array(font.get_image()))  # they come in 64ths of a pixel


def _tinted(ink: np.ndarray, colour) -> np.ndarray:
    """Ink of this colour, which may be translucent, as red, green, blue and opacity."""
    image = np.empty((*ink.shape, 4), np.uint8)
    image[..., :3] = [round(255 * part) for part in colour[:3]]
    image[..., 3] = ink * colour[3]
    return image
