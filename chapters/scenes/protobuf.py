"""Chapter 11: five changes of a small Protobuf schema, judged by Buf's own tool if it is here (the extra `proto`)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from classroom.cards import GREY, Card, words

ORDER = """syntax = "proto3";
package shop.v1;
message Order {
  string id = 1;
  int64 cents = 2;
  string note = 3;
}
"""
CHANGES = {
    "add a field": ("note = 3;", "note = 3;\n  string coupon = 4;"),
    "rename a field": ("string note = 3;", "string remark = 3;"),
    "delete a field and reserve its number": ("string note = 3;", "reserved 3;"),
    "change a field's type": ("int64 cents = 2;", "string cents = 2;"),
    "give a number to another field": ("string note = 3;", "string phone = 3;"),
}
MISLEADING = "give a number to another field"   # WIRE lets it through, and old readers take it for what was there
LEVELS = ("FILE", "WIRE")
FOUND = 100   # the exit code of `buf breaking` when something breaks
MISSING = ("Buf's tool is not on this machine; install the extra `proto` (`pip install buf-bin`), restart the kernel "
           "and run this cell again. All else in this chapter goes on without it.")


def find() -> str | None:
    """Where buf is: in this environment, or on the path."""
    return shutil.which("buf", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))


def changed(change: str) -> str:
    """The schema after a change."""
    before, after = CHANGES[change]
    return ORDER.replace(before, after)


@cache
def objections(level: str) -> dict[str, list[str]]:
    """What one run of `buf breaking` at a level says of each change, line by line; nothing of what it lets through."""
    with TemporaryDirectory() as folder:
        _write(Path(folder, "old"), [ORDER] * len(CHANGES), level)
        _write(Path(folder, "new"), [changed(change) for change in CHANGES], level)
        done = subprocess.run([find(), "breaking", "new", "--against", "old"], cwd=folder, capture_output=True,
                              text=True, timeout=60, check=False)
    if done.returncode not in (0, FOUND):
        raise RuntimeError(f"buf breaking: exit code {done.returncode}: {done.stderr.strip()}")
    said: dict[str, list[str]] = {change: [] for change in CHANGES}
    for file, *_, sentence in (line.split(":", 3) for line in done.stdout.splitlines()):
        said[list(CHANGES)[int(Path(file).stem)]].append(sentence)
    return said


def _write(module: Path, schemas: list[str], level: str) -> None:
    """A module with a file, in a package of its own, for each schema."""
    module.mkdir()
    (module / "buf.yaml").write_text(f"version: v2\nbreaking:\n  use: [{level}]\n", encoding="utf-8")
    for number, text in enumerate(schemas):
        (module / f"{number}.proto").write_text(text.replace("shop.v1", f"shop{number}.v1"), encoding="utf-8")


def judged():
    """Which changes `buf breaking` lets through at which level (pandas); one sentence where there is no buf."""
    if not find():
        return missing()
    import pandas as pd
    found = {level: objections(level) for level in LEVELS}
    return pd.DataFrame({level: {change: "refused" if found[level][change] else "goes through" for change in CHANGES}
                         for level in LEVELS})


def said(change: str, level: str = "FILE") -> str:
    """What it says of one change, in its own words; one sentence where there is no buf."""
    return "\n".join(objections(level)[change]) if find() else MISSING


def missing() -> Card:
    """What is missing, and how to get it."""
    return Card(f"<p>{words(MISSING)}</p>", MISSING, tone=GREY, label="not run")
