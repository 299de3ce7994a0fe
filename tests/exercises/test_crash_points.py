"""The crash points that the README names are struck, each by the check that it names."""
import importlib
import re
from itertools import islice

import pytest
from exercises.attack import walk
from graded import HOME, chosen, submission

ROW = re.compile(r"\| ([^|]+) \| `(\w+)/(\w+)` \| (?:`([^`]+)` )?\| `([^`]+)` \|")
POINTS = ROW.findall((HOME / "README.md").read_text(encoding="utf-8"))


def test_there_is_one_for_every_place_at_which_these_patterns_come_apart():
    assert len(POINTS) == 6


@pytest.mark.parametrize("exercise, name, after, before", [point[1:] for point in POINTS],
                         ids=[point[0] for point in POINTS])
def test_a_program_dies_there(exercise, name, after, before):
    check = importlib.import_module(f"exercises.{exercise}.check")
    given = chosen(check, name, submission(exercise))
    first = islice(check.EXERCISE.plans(name, (11,)), 1)
    runs = walk(first, lambda plan: check.EXERCISE.perform(plan, given))
    died = [event for run in runs for event in run.events if event["what"] == "crash"]
    assert any((event["after"] or "").startswith(after) and event["before"].startswith(before) for event in died)
