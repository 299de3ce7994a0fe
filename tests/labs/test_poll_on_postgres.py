"""The reference cursor of the exercise outbox_relay on a real PostgreSQL: it loses nothing and keeps the order."""
import json
import random
from pathlib import Path

import exercises
import pytest
from exercises.attack.visibility import schedules
from exercises.grader.release import about, derived, source_of
from exercises.outbox_relay.table import Look, Row

from labs import cursors

LOOK = """
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint, position, seen.xid::text::bigint, writer, version
FROM (SELECT) one LEFT JOIN seen ON schedule = %(schedule)s ORDER BY position
"""


def reference():
    """`poll` as the exercise's own solution has it."""
    nb = derived(source_of(Path(exercises.__file__).parent / "outbox_relay"), hidden=None)
    namespace = {}
    exec(next(cell.source for cell in nb.cells if about(cell).get("answer") == "poll"), namespace)
    return namespace["poll"]


class Poller(cursors.Relay):
    """A relay that asks for everything one snapshot shows, and leaves the choice to `poll`."""
    poll, stored = staticmethod(reference()), "null"

    def look(self) -> None:
        found = self.db.execute(LOOK, self.memory).fetchall()
        shown = {row[1]: cursors.Row(*row[1:]) for row in found if row[1] is not None}
        rows = tuple(Row(row.position, row.xid, "ada", row.version) for row in shown.values())
        chosen, cursor = self.poll(Look(rows, found[0][0]), json.loads(self.stored))
        self.stored = json.dumps(cursor)
        self.published += [shown[row.position] for row in chosen]


@pytest.fixture(scope="module")
def stage(database):
    with cursors.Stage(database) as stage:
        yield stage


@pytest.mark.real
@pytest.mark.parametrize("a, b", [("SXC", "SXC"), ("XSC", "XSC"), ("SXC", "SXR"), ("XLSC", "LSXC"), ("SLXC", "LSXC")])
def test_the_reference_holds_on_postgresql(stage, monkeypatch, a, b):
    monkeypatch.setattr(cursors, "Relay", Poller)
    monkeypatch.setattr(cursors, "QUERIES", {"poll": ""})
    for schedule in random.Random(5).sample(list(schedules(a, b)), 40):
        outcome = stage.perform(schedule)["poll"]
        assert not outcome.loses and len(outcome.published) == len(outcome.committed), schedule
        assert "L" not in a or not outcome.inverts, schedule
