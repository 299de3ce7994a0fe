"""A card: HTML in the colours of the reader's theme, and the same words as plain text, in one output."""
import html
import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import uuid4

BLUE, ORANGE, VERMILLION, GREEN, GREY = "#0072B2", "#E69F00", "#D55E00", "#009E73", "#767676"  # Okabe-Ito, and a grey

STYLE = """<style>
.course-card{border:1px solid var(--jp-border-color2,#bbb);border-left:5px solid var(--tone);border-radius:4px;
 padding:.5em .9em;margin:.3em 0;max-width:46em;line-height:1.45;color:var(--jp-content-font-color1,inherit);
 background:var(--jp-layout-color1,transparent)}
.course-card p,.course-card ol,.course-card ul{margin:.35em 0}.course-card .kind{font-weight:600}
.course-card small,.course-card small a{color:var(--jp-content-font-color2,inherit)}
.course-card summary{cursor:pointer}.course-card img{max-width:100%;background:#fff}
</style>"""


@dataclass(frozen=True)
class Card:
    """One output with its words twice (HTML, plain text) and perhaps a picture with a text of its own."""

    body: str
    text: str
    tone: str = BLUE
    label: str = "note"
    png: bytes | None = None

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict:
        bundle = {"text/html": self.html, "text/plain": self.text}
        return bundle | ({"image/png": b64encode(self.png).decode()} if self.png else {})

    @property
    def html(self) -> str:
        label = html.escape(self.label, quote=True)
        opening = f'<section class="course-card" style="--tone:{self.tone}" aria-label="{label}">'
        return f"{STYLE}{opening}{self.body}</section>"


def words(text: object) -> str:
    """Text made safe for HTML, with `code` set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(str(text)))


def lettered_list(items: Iterable[str]) -> str:
    """An A, B, C list of HTML items (JupyterLab's own style would number them)."""
    return f'<ol style="list-style-type:upper-alpha">{"".join(f"<li>{item}</li>" for item in items)}</ol>'


def link(source: str) -> str:
    """A source as a link: an address, or `github.com/owner/repository, path`."""
    address = source if source.startswith("https://") else "https://" + source.split(",")[0].strip()
    return f'<a href="{html.escape(address, quote=True)}" rel="noreferrer">{html.escape(source)}</a>'


def picture(png: bytes, alt: str) -> str:
    """An image whose description JupyterLab keeps (it ignores the one of an image/png output)."""
    data = b64encode(png).decode()
    return f'<img alt="{html.escape(alt, quote=True)}" src="data:image/png;base64,{data}">'


class Place:
    """A spot in the notebook whose content can change later; what it showed last is what the file keeps."""

    def __init__(self):
        self.id = f"course-{uuid4().hex}"
        self.shown = False

    def show(self, thing: object) -> None:
        from IPython.display import display

        display(thing, display_id=self.id, update=self.shown)
        self.shown = True
