"""A pytest plugin that makes nbval fit for grading.

Plain nbval waits the whole time limit for a kernel that is dead, names cells by position, and says "Notebook cell
execution failed" for everything. With this plugin a dead kernel is noticed within a second, a cell bears its course
id, a failure is one line of plain text, an answer that hung once is not waited for again, and a report is written.
"""
import json
import re
import sys
import time
from pathlib import Path
from queue import Empty

import pytest

# jsonschema imports this if it can and builds a grammar of addresses with it: a second of every grading, never needed.
sys.modules.setdefault("rfc3987_syntax", None)

from nbval.kernel import RunningKernel  # noqa: E402
from nbval.plugin import IPyNbCell, NbCellError  # noqa: E402

if sys.platform == "linux":  # elsewhere these limits are absent or not kept; the wall time still holds
    import resource

ANSI = re.compile(r"\x1b\[[0-9;]*m")
HUNG = "took too long"
DIED = "the kernel died while running this cell"
LARGEST_FILE = 256 * 2 ** 20


def pytest_addoption(parser):
    group = parser.getgroup("course")
    group.addoption("--course-report", help="write what every cell did to this JSON file")
    group.addoption("--course-memory", type=int, default=4 * 2 ** 30, help="address space of the kernel in bytes")


def pytest_configure(config):
    config.course_cells, config.course_hung = [], set()
    if sys.platform == "linux":
        limit(resource.RLIMIT_AS, config.option.course_memory)  # the kernel inherits it
        limit(resource.RLIMIT_FSIZE, LARGEST_FILE)
    teach(IPyNbCell, RunningKernel)


def limit(kind: int, most: int) -> None:
    """Lower a limit of this process, never beyond what it was allowed."""
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (most, hard) if hard == resource.RLIM_INFINITY or most <= hard else (hard, hard))


def teach(cell_class, kernel_class) -> None:
    """Change nbval's classes in place: it looks them up by their global names, so subclasses would never be used."""
    original_parent, original_await = cell_class.from_parent.__func__, kernel_class.await_reply

    def from_parent(cls, parent, **arguments):
        item = original_parent(cls, parent, **arguments)
        course = course_of(item)
        item.name = course.get("id") or arguments["name"]
        item.user_properties = [(f"course-{key}", str(value)) for key, value in course.items()]
        return item

    def await_reply(self, msg_id, timeout=None):
        deadline = time.monotonic() + (timeout or 60)
        while True:
            try:
                return original_await(self, msg_id, timeout=max(.01, min(1, deadline - time.monotonic())))
            except Empty:
                if not self.is_alive():
                    raise RuntimeError(DIED) from None
                if time.monotonic() >= deadline:
                    raise

    cell_class.from_parent = classmethod(from_parent)
    # Seconds between two outputs: nbval's 5 are too few on a busy machine and too many for a kernel that hangs.
    cell_class.output_timeout = property(lambda self: 3 if self.parent.timed_out else 30, lambda self, value: None)
    cell_class.repr_failure = lambda self, excinfo: reason(excinfo.value)
    cell_class.reportinfo = lambda self: (self.path, 0, f"{self.path.name}::{self.name}")
    kernel_class.await_reply = await_reply


def course_of(item) -> dict:
    """The course's metadata of a cell."""
    return dict(item.cell.metadata.get("course", {}))


def answers(item) -> set[str]:
    """The answers that a check needs."""
    needs = course_of(item).get("check", ())
    return {needs} if isinstance(needs, str) else set(needs)


def reason(error: BaseException) -> str:
    """A failure in one line of plain text: the last line of the traceback that names an error."""
    if not isinstance(error, NbCellError):
        return "the kernel was dead already" if "Kernel dead" in str(error) else str(error)
    if str(error).startswith("Timeout"):
        return HUNG
    lines = [line for line in ANSI.sub("", error.inner_traceback or str(error)).splitlines() if line.strip()]
    return next((line for line in reversed(lines) if re.match(r"[A-Za-z_][\w.]*(:|$)", line)), lines[-1])


def pytest_runtest_setup(item):
    hung = answers(item) & item.config.course_hung
    if hung:
        pytest.skip(f"{', '.join(sorted(hung))} {HUNG} in an earlier check")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call" or (report.when == "setup" and not report.passed):
        why = "" if call.excinfo is None else reason(call.excinfo.value)
        if why == HUNG:
            item.config.course_hung |= answers(item)
        item.config.course_cells.append({
            "cell": item.cell.id, "course": course_of(item), "reason": why, "seconds": round(call.duration, 3),
            "outcome": "passed" if call.excinfo is None else "skipped" if report.skipped and report.when == "setup" else
                       "failed" if report.when == "call" else "error"})
    return report


def pytest_sessionfinish(session):
    path = session.config.option.course_report
    if path:
        Path(path).write_text(json.dumps({"cells": session.config.course_cells}), encoding="utf-8")
