"""When which notebook begins: the minutes that the notebooks state, in the order given, with a break after each."""
import re
from collections.abc import Iterator

import nbformat

from .places import CHAPTERS, LABS, ROOT

BREAK = 10  # minutes
USAGE = "timetable: name notebooks, such as 00-prologue nats-jetstream outbox, and perhaps --start 13:30"


def main(arguments: list[str]) -> int:
    start = re.fullmatch(r"(?P<names>.*?)(--start (?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d))?", " ".join(arguments))
    if not start or not start["names"].split() or "--" in start["names"]:
        raise SystemExit(USAGE)
    begins = 60 * int(start["hour"] or 9) + int(start["minute"] or 0)
    print(*rows(start["names"].split(), begins), sep="\n")
    return 0


def rows(names: list[str], begins: int) -> Iterator[str]:
    """A line for each notebook, with its time of day, minutes and question; then the end."""
    for name in names:
        course = about(name)
        yield f"{clock(begins)}  {course['minutes']:>3} min  {name:<24}{course.get('question', '')}"
        begins += course["minutes"] + BREAK
    yield f"{clock(begins - BREAK)}  the end; a break of {BREAK} minutes lies between any two"


def clock(minutes: int) -> str:
    """Minutes since midnight as a time of day."""
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


def about(name: str) -> dict:
    """What a chapter, lab or exercise says of itself."""
    for path in (CHAPTERS / f"{name}.ipynb", LABS / f"{name}.ipynb", ROOT / "exercises" / name / "exercise.ipynb"):
        if path.is_file():
            return nbformat.read(path, as_version=4).metadata.course
    raise SystemExit(f"timetable: there is no chapter, lab or exercise {name}; README.md lists them")
