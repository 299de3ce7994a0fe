"""Sliders redraw an ordinary output that is there before anything moves."""
import time

import pytest
from classroom import explore, explorables, goals
from matplotlib.figure import Figure


def draw(load=0.5, servers=1):
    if load > 0.9:
        raise ValueError("load: 0.95 is not allowed; it must be below 0.9")
    figure = Figure(figsize=(4, 2))
    figure.subplots().set_title(f"At {load:.0%} load the wait is {load / (1 - load) / servers:.2f}")
    return figure


def knobs(monkeypatch, screen, function, **controls):
    """Run `explore` and return the outputs it made and its widgets by description."""
    made = []
    real = explorables.knob
    monkeypatch.setattr(explorables, "knob", lambda *args: made.append(real(*args)) or made[-1])
    with screen() as seen:
        explore(function, **controls)
    return seen.outputs, {widget.description: widget for widget in made}


def test_the_first_picture_needs_no_kernel(monkeypatch, screen):
    outputs, _ = knobs(monkeypatch, screen, draw, load=(0.1, 0.95, 0.05))
    data = outputs[0].data
    assert data["text/plain"] == "At 50% load the wait is 1.00 (load = 0.5)"
    assert f'<img alt="{data["text/plain"]}" src="data:image/png;base64,' in data["text/html"] and data["image/png"]


def test_moving_a_slider_redraws_quickly(monkeypatch, screen):
    _, widgets = knobs(monkeypatch, screen, draw, load=(0.1, 0.95, 0.05), servers=[1, 2])
    spent = []
    with screen() as seen:
        for name, value in (("load", 0.8), ("servers", 2)):
            began = time.process_time()
            widgets[name].value = value
            spent.append(time.process_time() - began)
    assert [output.data["text/plain"].split(" (")[0] for output in seen.outputs] == \
        ["At 80% load the wait is 4.00", "At 80% load the wait is 2.00"]
    assert min(spent) < 0.3  # the other may have had to collect what earlier tests left behind


def test_a_slider_in_a_browser_stands_where_it_says(monkeypatch, screen):
    drawn = []
    _, widgets = knobs(monkeypatch, screen, lambda load=0.5: drawn.append(load), load=(0.1, 0.9, 0.1))
    with screen():
        widgets["load"].value = 0.30000000000000004
    assert drawn == [0.5, 0.3]


def test_a_refused_setting_is_shown_in_its_own_words(monkeypatch, screen):
    _, widgets = knobs(monkeypatch, screen, draw, load=(0.1, 0.95, 0.05))
    with screen() as seen:
        widgets["load"].value = 0.95
    assert seen.outputs[-1].data["text/plain"] == "load: 0.95 is not allowed; it must be below 0.9"


def test_a_move_can_reach_a_goal(monkeypatch, screen):
    goals.open_goals.clear()
    with screen():
        goals.goal("00-busy", "Make it busy.", lambda run: run > 5)
    _, widgets = knobs(monkeypatch, screen, lambda n=1: n * 2, n=(1, 10))
    assert "00-busy" in goals.open_goals
    with screen():
        widgets["n"].value = 3
    assert "00-busy" not in goals.open_goals


def test_a_figure_is_no_run_for_goals_to_look_at(monkeypatch, screen):
    from simulator.views.picture import picture
    with screen():
        goals.goal("00-loss", "Lose one.", lambda run: run.losses)
    outputs, _ = knobs(monkeypatch, screen, lambda n=1: picture(f"{n} lost", "In words.")[0], n=(1, 10))
    assert outputs[0].data["text/plain"] == "1 lost. In words."


@pytest.mark.parametrize("spec, start, kind", [
    ((1, 9), 4, "IntSlider"), ((1, 9, 2), 4.0, "IntSlider"),
    ((0, 1), 0.5, "FloatSlider"), ((0.0, 1.0), 0.5, "FloatSlider"),
    (["all", 1], "all", "Dropdown"), (True, True, "Checkbox"),
])
def test_a_control_fits_its_values(spec, start, kind):
    import ipywidgets
    widget = explorables.knob(ipywidgets, lambda x=start: None, "x", spec)
    assert type(widget).__name__ == kind and widget.value == start and widget.description == "x"


def test_bad_controls_are_refused(screen):
    with pytest.raises(ValueError, match="explore: draw has no argument 'lode'; it has load, servers"):
        explore(draw, lode=(0, 1))
    with pytest.raises(ValueError, match=r"explore: load='high' must be \(low, high\)"):
        explore(draw, load="high")
