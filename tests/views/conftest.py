"""The story that figures and players are tried on, told once."""
import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

_spec = importlib.util.spec_from_file_location("views_story", Path(__file__).with_name("story.py"))
_story = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_story)


@pytest.fixture(scope="session")
def tell():
    """Makes a story: tell(batch=3, ...).trace, .history, .why."""
    def make(**settings):
        story = _story.Story(**settings)
        return SimpleNamespace(trace=story.trace, history=story.history, why=_story.explanation(story))
    return make


@pytest.fixture(scope="session")
def story(tell):
    """About 9,700 events: steady traffic, the leader dies, another is elected, the first returns and truncates."""
    return tell(batch=3)


@pytest.fixture(scope="session")
def long_story(tell):
    """A minute, 120,000 events: far more than a player carries."""
    return tell(batch=3, crash=20.0017, fenced=29, returns=44.3, end=60)
