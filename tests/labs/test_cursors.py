"""The schedules of outbox relays on a real PostgreSQL: the model of its visibility agrees."""
import random

import pytest

from exercises.attack.visibility import CURSORS, run, schedules
from labs.cursors import QUERIES, Stage

VARIANTS = [("SXC", "SXC"), ("XSC", "XSC"), ("SXC", "SXR"), ("XLSC", "LSXC")]


@pytest.fixture(scope="module")
def stage(database):
    with Stage(database) as stage:
        yield stage


@pytest.mark.real
@pytest.mark.parametrize("a, b", VARIANTS)
def test_the_model_and_postgresql_agree(stage, a, b):
    """A sample of every variant; the lab performs all of one."""
    chosen = random.Random(7).sample(list(schedules(a, b)), 40)
    for schedule in chosen:
        live = stage.perform(schedule)
        assert live.keys() == QUERIES.keys() == CURSORS.keys()
        for cursor, outcome in live.items():
            model = run(schedule, cursor)
            told = [[row.writer for row in rows] for rows in (*outcome, *model)]
            assert told[:2] == told[2:], (schedule, cursor)


@pytest.mark.real
def test_logical_decoding_delivers_in_the_order_of_commits(stage):
    for schedule in random.Random(7).sample(list(schedules("XLSC", "LSXC")), 10):
        stage.perform(schedule)
    last = [versions for schedule, versions in sorted(stage.decoded().items())][-10:]
    assert last == [[1, 2]] * 10
