"""The thousand schedules of `--full` can be played, and say so when a promise is broken."""
import pytest

from . import schedules


@pytest.mark.parametrize("name", schedules.PROTOCOLS)
def test_the_first_schedule_breaks_nothing(name):
    assert schedules.broken(name, range(1)) == {}


def test_a_broken_promise_is_told_with_its_seed(monkeypatch):
    def promise(seed):
        assert seed != 2, "it failed"
        return "lost" if seed == 1 else ""
    monkeypatch.setitem(schedules.PROTOCOLS, "made up", promise)
    assert set(schedules.broken("made up", range(3))) == {1, 2} and schedules.broken("made up", range(2)) == {1: "lost"}
