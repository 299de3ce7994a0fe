"""A notebook's front end, without the notebook: what was shown, and a fresh progress file."""
import pytest
from classroom.goals import open_goals
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output


@pytest.fixture(autouse=True)
def progress_path(tmp_path, monkeypatch):
    path = tmp_path / "progress.json"
    monkeypatch.setenv("COURSE_PROGRESS", str(path))
    return path


@pytest.fixture(autouse=True)
def no_open_goals():
    """Goals are tried wherever a run is made; what one test leaves open is no concern of the next."""
    yield
    open_goals.clear()


@pytest.fixture
def screen():
    """`with screen() as seen:` collects displayed outputs; `seen.outputs[i].data` holds their MIME types."""
    InteractiveShell.instance()
    yield capture_output
    InteractiveShell.clear_instance()


@pytest.fixture
def show(screen):
    """Call a classroom function and return the last card it displayed above its controls, as (html, plain text)."""
    def call(function, *arguments, **options):
        with screen() as seen:
            function(*arguments, **options)
        cards = [output.data for output in seen.outputs if "<script>" not in output.data.get("text/html", "<script>")]
        return cards[-1]["text/html"], cards[-1]["text/plain"]
    return call
