"""Real servers for the tests of labs."""
import pytest

from labs.servers.process import find, missing


@pytest.fixture(scope="session")
def nats_server() -> str:
    """The path of nats-server, or a skip that says how to get one."""
    path = find("nats-server")
    if not path:
        pytest.skip(missing("nats-server"))
    return path
