"""Sliders, a model, a picture: turn one knob and see what it does.

    def wait(rate=80, prefetch=10):
        return simulate(...).figure()

    explore(wait, rate=(10, 120, 10), prefetch=[1, 10, 100])

The picture is an ordinary output and is drawn once before anything moves, so it is still there in a notebook
reopened without a kernel, in the built book, and for readers without scripts.
"""
import inspect
from collections.abc import Callable
from io import BytesIO

from .cards import VERMILLION, Card, Place, picture, words
from .forms import show_controls
from .goals import try_goals


def explore(draw: Callable, **controls) -> None:
    """Show `draw(...)` with one control an argument: `(low, high[, step])` slides, a list offers, a bool ticks.

    `draw` returns a figure or anything else a notebook can show; a run, say, which open goals then look at.
    """
    import ipywidgets as widgets

    knobs = {name: knob(widgets, draw, name, spec) for name, spec in controls.items()}
    place = Place()

    def redraw(_=None) -> None:
        place.show(outcome(draw, {name: position(widget) for name, widget in knobs.items()}))

    redraw()
    for widget in knobs.values():
        widget.observe(redraw, "value")
    show_controls(widgets.VBox(list(knobs.values())), f"(Moved in a running notebook: {', '.join(knobs)}.)")


def outcome(draw: Callable, settings: dict) -> object:
    """What `draw` makes of the settings, ready to show; a refusal is shown in its own words."""
    try:
        result = draw(**settings)
    except ValueError as error:
        return Card(f"<p>{words(error)}</p>", str(error), tone=VERMILLION, label="refused")
    if not hasattr(result, "savefig"):
        try_goals(notebook_variables() | {"run": result})
    elif not hasattr(result, "_repr_mimebundle_"):  # the figures of `simulator.views` bring their own words
        return figure_card(result, settings)
    return result


def notebook_variables() -> dict:
    from IPython import get_ipython

    return dict(get_ipython().user_ns) if get_ipython() else {}


def figure_card(figure, settings: dict) -> Card:
    """The figure as a picture, with its titles and its settings in words."""
    titles = filter(None, [figure.get_suptitle(), *(axes.get_title() for axes in figure.axes)])
    text = f"{'. '.join(titles)} ({', '.join(f'{name} = {value}' for name, value in settings.items())})"
    png = png_of(figure)
    return Card(f"{picture(png, text)}<p><small>{words(text)}</small></p>", text, label="picture", png=png)


def png_of(figure) -> bytes:
    """The figure drawn, and closed, so that the inline backend does not show it a second time."""
    from matplotlib import pyplot

    file = BytesIO()
    figure.savefig(file, format="png", dpi=100)
    pyplot.close(figure)
    return file.getvalue()


def knob(widgets, draw: Callable, name: str, spec):
    """The widget for one argument, starting at the argument's default, else at the first or lowest value."""
    value = start_of(draw, name, spec)
    look = {"description": name.replace("_", " "), "style": {"description_width": "15em"}, "layout": {"width": "37em"}}
    if isinstance(spec, bool):
        return widgets.Checkbox(value=value, **look)
    if isinstance(spec, list):
        return widgets.Dropdown(options=spec, value=value, **look)
    if not isinstance(spec, tuple) or len(spec) not in (2, 3):
        raise ValueError(f"explore: {name}={spec!r} must be (low, high), (low, high, step), a list or a bool")
    low, high, step = spec if len(spec) == 3 else (*spec, (spec[1] - spec[0]) / 50)
    whole = all(isinstance(number, int) for number in spec) and value == int(value)
    slider = widgets.IntSlider if whole else widgets.FloatSlider
    return slider(value=value, min=low, max=high, step=max(1, round(step)) if whole else step, **look)


def position(widget):
    """Where a knob stands; a slider in a browser comes to 10.000000000000002 where 10 is meant."""
    return round(widget.value, 9) if isinstance(widget.value, float) else widget.value


def start_of(draw: Callable, name: str, spec):
    parameters = inspect.signature(draw).parameters
    if name not in parameters:
        raise ValueError(f"explore: {draw.__name__} has no argument {name!r}; it has {', '.join(parameters)}")
    default = parameters[name].default
    return default if default is not inspect.Parameter.empty else spec if isinstance(spec, bool) else spec[0]
