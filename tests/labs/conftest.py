"""Real servers for the tests of labs."""
import pytest

from labs.servers import kafka, kafka_install
from labs.servers.process import find, missing


@pytest.fixture(scope="session")
def nats_server() -> str:
    """The path of nats-server, or a skip that says how to get one."""
    path = find("nats-server")
    if not path:
        pytest.skip(missing("nats-server"))
    return path


@pytest.fixture(scope="session")
def kafka_found() -> str:
    """Where Apache Kafka comes from, or a skip that says how to get it."""
    if not kafka_install.find():
        pytest.skip(kafka_install.missing())
    return kafka_install.find()


@pytest.fixture(scope="module")
def node(kafka_found):
    """One combined node of a real Kafka."""
    with kafka.single(quiet=True) as node:
        yield node
