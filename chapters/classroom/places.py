"""Where things are in the repository, and which notebooks it holds."""
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS, LABS, FACTS, BOOK = ROOT / "chapters", ROOT / "labs", ROOT / "chapters" / "facts", ROOT / "book"
FIRST = CHAPTERS / "00-prologue.ipynb"


def sources() -> list[Path]:
    """The Markdown files that notebooks are generated from: those that open with a `jupyter:` header."""
    texts = sorted(CHAPTERS.glob("*.md")) + sorted(LABS.glob("*.md"))
    return [path for path in texts if path.read_text(encoding="utf-8").startswith("---\njupyter:")]


def notebook_of(source: Path) -> Path:
    return source.with_suffix(".ipynb")


def shown(path: Path) -> str:
    """The path as a reader of the repository names it."""
    return path.resolve().relative_to(ROOT).as_posix() if path.resolve().is_relative_to(ROOT) else str(path)


def found(name: str | Path) -> Path:
    """The file of this name, seen from here or from the course's root."""
    for path in (Path(name), ROOT / name):
        if path.is_file():
            return path
    raise SystemExit(f"{name}: there is no such file, neither here nor in {ROOT}")


def chosen(names: list[str]) -> list[Path]:
    """The sources named, by their own or their notebook's name; all of them if none is."""
    paths = [found(name).resolve().with_suffix(".md") for name in names] or sources()
    for path in paths:
        if path not in sources():
            raise SystemExit(f"{shown(path)} is no chapter and no lab; "
                             f"there are: {', '.join(each.stem for each in sources())}")
    return paths
