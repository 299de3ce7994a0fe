"""Every chapter and lab, executed and rendered as static pages that need neither a kernel nor a network."""
import re
import sys
from html import escape
from pathlib import Path
from time import perf_counter

from nbformat import NotebookNode

from . import notebooks
from .build import execute
from .places import BOOK, LABS, chosen, shown, sources

# A widget on a static page is an empty spot: readers get the output's HTML, picture or text instead.
PRIORITY = ["text/html", "text/latex", "image/svg+xml", "image/png", "image/jpeg", "text/markdown", "text/plain"]

# nbconvert's page without what it would load from other machines; formulas are typeset only where there are some,
# and code that is folded in the notebook (the answers of quizzes) is left out.
PAGE = """{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js_requirejs -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head_css -%}
{{- super() }}<style>.jp-InputArea .highlight pre { white-space: pre-wrap } nav { font-family: sans-serif }</style>
{%- endblock -%}
{%- block body_header -%}{{ super() }}<nav><a href="index.html">All pages</a></nav>{%- endblock -%}
{%- block input_group -%}
{%- if not cell.metadata.get("jupyter", {}).get("source_hidden") %}{{ super() }}{% endif -%}
{%- endblock -%}
{%- block html_head_js_mathjax -%}{% if resources.formulas %}{{ super() }}{% endif %}{%- endblock -%}
"""

INDEX = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Distributed messaging: the book</title>
<style>:root{{color-scheme:light dark}}
body{{font:1.05rem/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}}
table{{border-collapse:collapse;width:100%}}th,td{{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #8886}}
td:last-child,th:last-child{{text-align:right;white-space:nowrap}}</style></head>
<body><main><h1>Distributed messaging: the book</h1>
<p>Every page was executed from top to bottom when it was made. Players work here; controls need the notebook.</p>
<table><thead><tr><th>Page</th><th>The question it answers</th><th>Minutes</th></tr></thead><tbody>
{rows}
</tbody></table></main></body></html>
"""


def main(arguments: list[str]) -> int:
    """Make the pages and the index; 1 if a notebook failed (the others are made all the same)."""
    wanted = chosen(arguments)
    BOOK.mkdir(exist_ok=True)
    made = [source for number, source in enumerate(wanted, 1) if make_page(source, f"[{number}/{len(wanted)}]")]
    earlier = {source for source in sources() if source not in wanted and page_of(source).exists()}
    (BOOK / "index.html").write_text(index(sorted({*made, *earlier}, key=sources().index)), encoding="utf-8")
    print(f"{shown(BOOK / 'index.html')}: {len(made)} of {len(wanted)} pages")
    return 0 if made == wanted else 1


def make_page(source: Path, counter: str) -> bool:
    """Execute one notebook and write its page; a failing cell is told in one line."""
    from nbclient.exceptions import CellExecutionError

    print(f"{counter} {shown(source)} ...", end=" ", flush=True)
    began = perf_counter()
    try:
        nb = execute(notebooks.read(source), source.parent)
    except CellExecutionError as error:
        print(f"FAILED: {error.ename}: {error.evalue}", file=sys.stderr)
        return False
    page_of(source).write_text(page(nb), encoding="utf-8")
    print(f"{perf_counter() - began:.0f} s")
    return True


def page_of(source: Path) -> Path:
    return BOOK / f"{'lab-' if source.parent == LABS else ''}{source.stem}.html"


def page(nb: NotebookNode) -> str:
    """The executed notebook as one self-contained page."""
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter

    nb.metadata.pop("widgets", None)
    nb.metadata.title = title(nb)
    exporter = HTMLExporter(extra_loaders=[DictLoader({"course.html.j2": PAGE})], template_file="course.html.j2")
    exporter.display_data_priority = PRIORITY
    return exporter.from_notebook_node(nb, resources={"formulas": _has_formulas(nb)})[0]


def _has_formulas(nb: NotebookNode) -> bool:
    """Whether any prose has a dollar sign outside code: only then is a typesetter of formulas fetched from outside."""
    prose = (re.sub(r"```.*?```|`[^`]*`", "", cell.source, flags=re.DOTALL)
             for cell in nb.cells if cell.cell_type == "markdown")
    return any("$" in text for text in prose)


def title(nb: NotebookNode) -> str:
    """The notebook's first heading."""
    lines = (line for cell in nb.cells if cell.cell_type == "markdown" for line in cell.source.splitlines())
    return next((line.lstrip("# ") for line in lines if line.startswith("#")), "A notebook without a heading")


def index(made: list[Path]) -> str:
    """The table of pages: title, question, minutes."""
    return INDEX.format(rows="\n".join(row(source) for source in made))


def row(source: Path) -> str:
    nb = notebooks.read(source)
    course = nb.metadata.get("course", {})
    return (f'<tr><td><a href="{page_of(source).name}">{escape(title(nb))}</a></td>'
            f'<td>{escape(course.get("question", ""))}</td><td>{course.get("minutes", "")}</td></tr>')
