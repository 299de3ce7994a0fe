"""From a moved control to its new picture, for every control that a chapter has: found in the chapters themselves."""

from __future__ import annotations

import ast
import gc
import re
import sys
from collections.abc import Callable, Iterator

from .measure import ROOT, Time, best, reference_time


def controls() -> Iterator[tuple[str, Callable, dict]]:
    """Every control of every chapter: (chapter and function, the function, its knobs)."""
    sys.path.insert(0, str(ROOT / "chapters"))
    from classroom import notebooks
    for source in sorted((ROOT / "chapters").glob("*.md")):
        cells = [cell.source for cell in notebooks.read(source).cells if cell.cell_type == "code"]
        for number, cell in enumerate(cells):
            if re.search(r"^explore\(", cell, re.MULTILINE):
                yield from ((f"{source.stem}: {draw.__name__}", draw, knobs)
                            for draw, knobs in _explored(cells, number))


def _explored(cells: list[str], number: int) -> list[tuple[Callable, dict]]:
    """What a cell passes to `explore`, found by running it after those cells that define what it needs."""
    found: list[tuple[Callable, dict]] = []
    names: dict = {}
    for cell in _needed(cells, number):
        names["explore"] = lambda draw, **knobs: found.append((draw, knobs))
        exec(cell, names)
    return found


def _needed(cells: list[str], number: int) -> list[str]:
    """A cell, and before it the cells that define the names it uses, and the names those use."""
    wanted, chosen = _names(cells[number], ast.Load), [cells[number]]
    for cell in reversed(cells[:number]):
        if _names(cell, ast.Store) & wanted:
            wanted |= _names(cell, ast.Load)
            chosen.insert(0, cell)
    return chosen


def _names(cell: str, context: type) -> set[str]:
    """The names that a cell reads (Load), or defines, imports included (Store)."""
    nodes = list(ast.walk(ast.parse(cell)))
    found = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, context)}
    if context is ast.Store:
        found |= {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
        found |= {alias.asname or alias.name for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))
                  for alias in node.names}
    return found


RECORDS = 0.3 / 35e-6  # a picture may take 0.3 s where the plain model takes 35 µs a record: as long as so many records


def picture_times(turns: int = 1) -> dict[str, tuple[Time, Time]]:
    """From a moved control to the bytes of the new picture, at the slowest end of every control; beside it the plain
    model's time a record. What seems too slow gets further turns, and the best of them."""
    gc.collect()
    gc.freeze()  # what was there before is not looked through again at every turn of a knob
    try:
        return {name: _slowest(draw, knobs, turns) for name, draw, knobs in controls()}
    finally:
        gc.unfreeze()


def _slowest(draw: Callable, knobs: dict, turns: int) -> tuple[Time, Time]:
    times = _turned(draw, knobs)
    plain = reference_time(2_000)
    slowest = max(times, key=lambda time: time.processor)
    while turns > 1 and slowest.processor >= 0.9 * RECORDS * plain.processor:
        times = [best([*both]) for both in zip(times, _turned(draw, knobs))]
        plain, turns = best([plain, reference_time(2_000)]), turns - 1
        slowest = max(times, key=lambda time: time.processor)
    return slowest, plain


def _turned(draw: Callable, knobs: dict) -> list[Time]:
    """The start is on the screen; then each knob is turned to each of its ends, where it has not been before."""
    from classroom.explorables import start_of
    start = {knob: start_of(draw, knob, spec) for knob, spec in knobs.items()}
    forget(draw)
    _drawn(draw, start)
    turned = [start | {knob: value} for knob, spec in knobs.items() for value in _ends(spec) if value != start[knob]]
    return [Time.of(lambda: _drawn(draw, settings)) for settings in turned]


def forget(draw: Callable) -> None:
    """Empty every cache of the scenes: whoever turns a knob turns it for the first time."""
    for function in vars(sys.modules[draw.__module__]).values():
        if hasattr(function, "cache_clear"):
            function.cache_clear()


def _drawn(draw: Callable, settings: dict) -> None:
    from classroom.explorables import outcome
    result = outcome(draw, settings)
    getattr(result, "_repr_mimebundle_", lambda **_: None)(include=None, exclude=None)


def _ends(spec) -> list:
    if isinstance(spec, bool):
        return [True, False]
    return [spec[0], spec[-1]] if isinstance(spec, list) else [spec[0], spec[1]]
