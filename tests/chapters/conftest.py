"""What every test of a chapter begins with."""
from time import process_time

import pytest

BEARABLE = 30.0  # seconds of a core for all cells of a chapter; nobody waits longer for a notebook


@pytest.fixture(scope="module")
def chapter(request):
    """The variables of the notebook after all its cells; the test names its source."""
    began = process_time()
    variables = request.module.SOURCE.run()
    assert process_time() - began < BEARABLE
    return variables
