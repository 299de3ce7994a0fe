"""The small form under a question: lettered choices or a number, and one button. The words stay in the card above."""
import re
from collections.abc import Callable, Sequence

LETTERS = "ABCDEFGHIJ"

# What ipywidgets leaves undone, seen to while the page settles: a slider's handle gets the name written beside it, and
# a control reopened without its kernel says how to get it back instead of "model not found".
TEND = """<script>(() => { let left = 60; const timer = setInterval(() => {
 for (const slider of document.querySelectorAll('.widget-slider'))
  for (const handle of slider.querySelectorAll('[role=slider]'))
   handle.setAttribute('aria-label', slider.querySelector('.widget-label')?.textContent ?? 'value');
 for (const line of document.querySelectorAll('.jp-OutputArea-output.jupyter-widgets'))
  if (line.textContent.startsWith('Error displaying widget')) line.textContent =
   'Run this cell again to use its controls.';
 if (!--left) clearInterval(timer);}, 150)})()</script>"""


def check_id(id: str) -> None:
    """Ids are kept for years: `00-slowest`, the chapter first."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", id):
        raise ValueError(f"id: {id!r} must be lower-case words joined by hyphens, the chapter first, like '00-slowest'")


def check_choices(choices: Sequence[str]) -> None:
    if not 2 <= len(set(choices)) == len(choices) <= len(LETTERS):
        raise ValueError(f"choices: {list(choices)!r} must be 2 to {len(LETTERS)} different answers")


def check_among(field: str, value: object, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ValueError(f"{field}: {value!r} is not one of {', '.join(map(repr, choices))}")


def lettered(choices: Sequence[str]) -> list[str]:
    return [f"{letter}. {choice}" for letter, choice in zip(LETTERS, choices)]


def ask(choices: Sequence[str], unit: str, action: str, commit: Callable[[object], None]) -> None:
    """Show the form; `commit` gets the chosen text or the typed words each time the button is pressed."""
    import ipywidgets as widgets
    name = f"Your answer ({unit})" if unit else "Your answer"
    style = {"description_width": "initial"}
    if choices:
        answer = widgets.RadioButtons(options=list(zip(LETTERS, choices)), value=None, description=name, style=style)
        answer.orientation, answer.layout.width = "horizontal", "auto"
    else:
        answer = widgets.Text(description=name, placeholder="a number", style=style)
    button = widgets.Button(description=action, button_style="primary")
    button.on_click(lambda _: answer.value not in (None, "") and commit(answer.value))
    box = widgets.HBox([answer, button], layout={"flex_flow": "row wrap", "align_items": "center"})
    show_controls(box, "(Answered in a running notebook.)")


def show_controls(box, text: str) -> None:
    """Show widgets, with a text for pages that have no kernel, and see to what ipywidgets leaves undone."""
    from IPython.display import display

    display(box._repr_mimebundle_() | {"text/plain": text}, raw=True)
    display({"text/html": TEND, "text/plain": ""}, raw=True)
