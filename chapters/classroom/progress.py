"""What the learner predicted, answered and reached, in one small file of theirs that survives restarts.

The file is `.progress.json` in the repository's root: it belongs to this clone, is ignored by git, survives
`make clean`, and can be read, moved or deleted by hand. `COURSE_PROGRESS` names another place (tests and the book do).
"""
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from .places import ROOT

KINDS = ("predictions", "quizzes", "goals")
unsaved: dict[Path, dict[str, dict]] = {}  # what could not be written, for the life of this kernel


def path() -> Path:
    return Path(os.environ.get("COURSE_PROGRESS") or ROOT / ".progress.json")


def now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


def load() -> dict[str, dict]:
    """Everything recorded, by kind and id; a file that cannot be read is set aside, and the learner is told."""
    if path() in unsaved:
        return unsaved[path()]
    if not path().exists():
        return empty()
    try:
        recorded = json.loads(path().read_text(encoding="utf-8"))
        return {kind: dict(recorded.get(kind, {})) for kind in KINDS}
    except (ValueError, TypeError, AttributeError) as error:
        set_aside(error)
        return empty()


def empty() -> dict[str, dict]:
    return {kind: {} for kind in KINDS}


def set_aside(error: Exception) -> None:
    """Keep a damaged file for whoever wants to repair it, and start afresh."""
    aside = path().with_suffix(".broken.json")
    os.replace(path(), aside)
    print(f"Your progress could not be read ({error}); the file is kept as {aside}, a new one begins.", file=sys.stderr)


def get(kind: str, id: str) -> dict | None:
    return load()[kind].get(id)


def put(kind: str, id: str, **fields) -> dict:
    """Merge the fields into one record and save; returns the record."""
    recorded = load()
    record = recorded[kind][id] = recorded[kind].get(id, {}) | fields
    save(recorded)
    return record


def drop(kind: str, id: str) -> None:
    """Forget one record, if there is one."""
    recorded = load()
    if recorded[kind].pop(id, None) is not None:
        save(recorded)


def save(recorded: dict[str, dict]) -> None:
    """Write it down; where that is not allowed, remember it, and say so once."""
    try:
        replace(recorded)
    except OSError as error:
        if path() not in unsaved:
            print(f"Your progress cannot be saved as {path()} ({error.strerror}): it lasts until the kernel stops. "
                  "The environment variable COURSE_PROGRESS names another file.", file=sys.stderr)
        unsaved[path()] = recorded


def replace(recorded: dict[str, dict]) -> None:
    """Replace the file in one step, so that a crash leaves the old one or the new one, never half of one."""
    path().parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=path().parent, prefix=".progress-", delete=False, encoding="utf-8") as file:
        json.dump(recorded, file, indent=1, sort_keys=True, ensure_ascii=False)
    os.replace(file.name, path())
