"""Words on our canvas stand where matplotlib's own would, in its letters: only sooner."""
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from simulator.views.picture import picture, words


def pixels(canvas_type=None, text: str = "p99, 12 µs", **look) -> np.ndarray:
    figure, (axis,) = picture("A finding", "A caption of a few words, and its seed. Seed 7.")
    words(axis, "simulated time (s)", "records/s")
    axis.text(0.5, 0.5, text, **look)
    canvas = canvas_type(figure) if canvas_type else figure.canvas
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].astype(int)


def ink(image: np.ndarray) -> tuple[int, float, float]:
    """How much of it there is, and where its middle is."""
    dark = 765 - image.sum(axis=2)
    rows, columns = np.indices(dark.shape)
    return dark.sum(), np.average(rows, weights=dark), np.average(columns, weights=dark)


LOOKS = [{}, {"rotation": 90}, {"rotation": 30}, {"color": "#D55E00", "alpha": 0.5}, {"text": "two\n\nlines "},
         {"text": "$x^2$"}, {"fontsize": 40}]


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_words_stand_where_they_stood(look):
    ours, theirs = pixels(**look), pixels(FigureCanvasAgg, **look)
    assert ink(ours)[0] == pytest.approx(ink(theirs)[0], rel=0.005)
    assert ink(ours)[1:] == pytest.approx(ink(theirs)[1:], abs=0.5)
    assert (abs(ours - theirs).max(axis=2) > 128).mean() < 0.005  # letters lie on the grid of pixels, not between


def test_no_words_no_ink():
    assert (pixels(text="") == pixels(text=" ")).all()
    assert (pixels(text="more") != pixels(text="less")).any()
