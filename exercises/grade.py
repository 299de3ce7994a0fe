"""Grade notebooks: `python -m exercises.grade exercise.ipynb [more, or a folder] --json out.json --junit out.xml`.

Exit code 0: full marks for all. 1: at least one point is missing. 2: at least one submission could not be graded.
"""
import argparse
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from exercises.grader.grading import Result, available, grade, unseen
from exercises.grader.report import as_csv, as_json, as_junit, as_summary, table, total
from exercises.grader.run import Limits


def options(arguments=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m exercises.grade", description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="+", type=Path, help="notebooks, or folders that are searched for notebooks")
    parser.add_argument("--json", type=writable, help="write the results as JSON")
    parser.add_argument("--junit", type=writable, help="write the results as JUnit XML")
    parser.add_argument("--csv", type=writable, help="write the results as CSV")
    parser.add_argument("--summary", type=writable, help="append the results as a Markdown table, as for a job summary")
    parser.add_argument("--exercise", choices=available(), default="", help="for notebooks that do not say which it is")
    parser.add_argument("--seeds", type=int, nargs="+", help="repeat a grading with the seeds of its report")
    parser.add_argument("--jobs", type=at_least_one, default=min(2, os.cpu_count() or 1), help="submissions at a time")
    parser.add_argument("--cell-seconds", type=positive, default=Limits.cell, help="time for one cell")
    parser.add_argument("--wall-seconds", type=positive, default=Limits.wall, help="time for one notebook")
    parser.add_argument("--memory-gib", type=positive, default=Limits.memory / 2 ** 30, help="memory of one kernel")
    return parser.parse_args(arguments)


def writable(text: str) -> Path:
    """A file for results: found out before anything is graded, not after."""
    path = Path(text)
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"{text} cannot be written; give a file in a folder that exists")
    return path


def positive(text: str) -> float:
    """An amount of time or memory."""
    try:
        amount = float(text)
    except ValueError:
        amount = 0.0
    if not amount > 0:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return amount


def at_least_one(text: str) -> int:
    """A number of processes."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 1")
    return int(text)


def submissions(paths: list[Path]) -> list[Path]:
    """The notebooks meant by files and folders; checkpoints of an editor are not submissions."""
    found = [sorted(path.rglob("*.ipynb")) if path.is_dir() else [path] for path in paths]
    return [path for group in found for path in group if ".ipynb_checkpoints" not in path.parts]


def grade_all(paths: list[Path], seeds: list[int], limits: Limits, exercise: str, jobs: int) -> Iterator[Result]:
    """Grades every submission, several at a time, each in a process of its own; none can stop the others."""
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(lambda path: grade(path, seeds, limits, exercise), paths)


def write(chosen: argparse.Namespace, results: list[Result]) -> None:
    """The results in every form that was asked for; a summary goes behind what others have written there."""
    for path, form in ((chosen.json, as_json), (chosen.junit, as_junit), (chosen.csv, as_csv)):
        if path:
            path.write_text(form(results), encoding="utf-8")
    if chosen.summary:
        with chosen.summary.open("a", encoding="utf-8") as file:
            file.write(as_summary(results))


def main(arguments=None) -> int:
    chosen = options(arguments)
    limits = Limits(chosen.cell_seconds, chosen.wall_seconds, int(chosen.memory_gib * 2 ** 30))
    paths = submissions(chosen.paths)
    results = []
    for result in grade_all(paths, chosen.seeds or unseen(), limits, chosen.exercise, chosen.jobs):
        results.append(result)
        print(table([result]), flush=True)
    print(total(results) if results else "NOT GRADED: no notebook found")
    write(chosen, results)
    if not results or any(result.problem for result in results):
        return 2
    return 0 if all(result.full for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
