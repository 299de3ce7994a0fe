"""Reading the code is part of the course: any model opens in the notebook that uses it."""
import inspect
from pathlib import Path

from .cards import GREY, Card, Place, words
from .places import shown


def source_of(thing: object) -> None:
    """Show the source of a function, class or module (or of an object's class), highlighted and folded."""
    Place().show(source_card(thing))


def source_card(thing: object) -> Card:
    thing = thing if any(kind(thing) for kind in KINDS) else type(thing)
    try:
        lines, first = inspect.getsourcelines(thing)
        where = f"{shown(Path(inspect.getsourcefile(thing)))}, line {max(first, 1)}"
    except (OSError, TypeError):
        raise ValueError(f"source_of: {thing!r} has no Python source to show (it may be built in)") from None
    title = f"{thing.__name__}, {len(lines)} lines: {where}"
    body = f"<details><summary>{words(title)}</summary>{highlighted(''.join(lines))}</details>"
    return Card(body, f"{title}\n\n{''.join(lines)}", tone=GREY, label=f"source of {thing.__name__}")


KINDS = (inspect.isfunction, inspect.ismethod, inspect.isclass, inspect.ismodule)


def highlighted(code: str) -> str:
    """The code in JupyterLab's own editor colours, so that it follows the theme."""
    from jupyterlab_pygments import JupyterStyle
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    layout = "overflow-x:auto;line-height:1.35;background:transparent"
    formatter = HtmlFormatter(style=JupyterStyle, noclasses=True, nobackground=True, prestyles=layout)
    return highlight(code, PythonLexer(), formatter)
