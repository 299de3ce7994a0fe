"""Real servers for the tests of labs."""
import pytest

from labs.servers import kafka, kafka_install, postgres
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
    """One combined node of a real Kafka that gives up a dead broker after 3 s, a silent member of a group after 1 s."""
    impatient = {"broker.session.timeout.ms": 3000, "broker.heartbeat.interval.ms": 500,
                 "group.consumer.session.timeout.ms": 1000, "group.consumer.heartbeat.interval.ms": 300}
    with kafka.single(quiet=True, settings=impatient) as node:
        yield node


@pytest.fixture(scope="module")
def database():
    """A real PostgreSQL that never waits for the disk and is left alone by its own housekeeping, or a skip."""
    quiet = {"autovacuum": "off", "checkpoint_timeout": "1h"}  # a checkpoint of its own would write slots down
    if not postgres.find():
        pytest.skip(postgres.missing())
    with postgres.Postgres(fsync=False, settings=quiet, quiet=True) as database:
        yield database
