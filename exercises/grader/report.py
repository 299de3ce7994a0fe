"""Results as a table for people, JSON for programs, CSV for spreadsheets, JUnit and a summary for code hosts."""
import csv
import io
import json
from dataclasses import asdict
from xml.etree import ElementTree

from .grading import Result


def table(results: list[Result]) -> str:
    """One block a submission: points, then a line for each check, each with the reason for what is missing."""
    return "\n".join(line for result in results for line in lines(result))


def total(results: list[Result]) -> str:
    """All submissions in one line, for whoever graded a class."""
    full, failed = sum(result.full for result in results), sum(bool(result.problem) for result in results)
    return (f"Submissions: {len(results)}. Full marks: {full}. Points missing: {len(results) - full - failed}. "
            f"Not graded: {failed}.")


def lines(result: Result) -> list[str]:
    """One submission as lines of text."""
    if result.problem:
        return [f"{result.path}: NOT GRADED: {result.problem}", *(f"    note: {note}" for note in result.notes)]
    head = f"{result.path}: {result.points:g} of {result.possible:g} points ({result.exercise}, {result.seconds:g} s)"
    rows = [f"    {mark.check:<18} {mark.points:>2g}/{mark.possible:<2g} {told(mark)}"
            for mark in result.marks]
    return [head, *rows, *map("    note: {}".format, result.notes), *map("    look at: {}".format, result.flags)]


def told(mark) -> str:
    """The outcome and the reason for it, once."""
    return mark.outcome if mark.reason in ("", mark.outcome) else f"{mark.outcome}: {mark.reason}"


def as_json(results: list[Result]) -> str:
    """Everything, with the checks keyed by exercise and check."""
    return json.dumps({"submissions": [entry(result) for result in results]}, indent=1) + "\n"


def entry(result: Result) -> dict:
    """One submission as plain data; points are null, not zero, where nothing was graded."""
    checks = {mark.check: asdict(mark) for mark in result.marks}
    for check in checks.values():
        del check["check"]
    return {"path": result.path, "exercise": result.exercise, "status": "not graded" if result.problem else "graded",
            "problem": result.problem, "points": result.points, "possible": result.possible, "checks": checks,
            "notes": result.notes, "flags": result.flags, "seeds": result.seeds, "seconds": result.seconds}


def as_csv(results: list[Result]) -> str:
    """A row for each check of each submission; where nothing was graded, one row with the problem and no points."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["submission", "exercise", "check", "outcome", "points", "possible", "reason"])
    for result in results:
        if result.problem:
            writer.writerow([result.path, result.exercise, "", "not graded", "", "", result.problem])
        for mark in result.marks:
            name = mark.check.partition("/")[2]
            writer.writerow([result.path, result.exercise, name, mark.outcome, mark.points, mark.possible, mark.reason])
    return text.getvalue()


def as_summary(results: list[Result]) -> str:
    """A table in Markdown, as code hosts show it beside a job: each submission's points, and why some are missing."""
    rows = ["| submission | exercise | points | missing |", "|---|---|---|---|"]
    for result in results:
        points = "not graded" if result.problem else f"{result.points:g} of {result.possible:g}"
        missing = [f"**{mark.check.partition('/')[2]}** {told(mark)}" for mark in result.marks
                   if mark.points < mark.possible]
        why = " <br> ".join([result.problem] if result.problem else missing).replace("|", "\\|")
        rows.append(f"| {result.path} | {result.exercise} | {points} | {why} |")
    return "\n".join(rows) + "\n"


def as_junit(results: list[Result]) -> str:
    """A suite for each submission, a case for each check; what was not graded is an error."""
    root = ElementTree.Element("testsuites")
    for result in results:
        failed = sum(mark.points < mark.possible for mark in result.marks)
        errors = int(bool(result.problem))
        suite = ElementTree.SubElement(root, "testsuite", name=result.path, tests=str(len(result.marks) + errors),
                                       failures=str(failed), errors=str(errors), time=str(result.seconds))
        if result.problem:
            add_case(suite, result.exercise or "exercise", "error", result.problem)
        for mark in result.marks:
            add_case(suite, mark.check, "failure" if mark.points < mark.possible else "", mark.reason)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def add_case(suite, name: str, kind: str, message: str) -> None:
    """One test case, with the reason if it failed; characters XML cannot hold are dropped."""
    exercise, _, check = name.partition("/")
    case = ElementTree.SubElement(suite, "testcase", classname=exercise, name=check or name)
    if kind:
        ElementTree.SubElement(case, kind, message="".join(c for c in message if c.isprintable()))
