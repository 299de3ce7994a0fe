"""The model and the real broker come to the same verdicts, scenario by scenario."""
import pytest

from labs.servers import kafka_install
from simulator.evidence.history import History

from . import model, real
from .table import table
from .verdicts import SCENARIOS, of_group, of_log

SEEN = {"model": {}, "real": {}}


@pytest.fixture(scope="module")
def cluster():
    """A real Kafka of one controller and three brokers, or a skip that says how to get one."""
    if not kafka_install.find():
        pytest.skip(f"the real arm was not run: {kafka_install.missing()}")
    with real.broker() as cluster:
        yield cluster


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_model(name):
    SEEN["model"][name] = getattr(model, name)()
    assert SEEN["model"][name] == set(SCENARIOS[name]["expected"])


@pytest.mark.real
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_real_broker(name, cluster):
    SEEN["real"][name] = getattr(real, name)(cluster)
    assert SEEN["real"][name] == set(SCENARIOS[name]["expected"])


def test_the_table_says_that_both_agree(capsys):
    """Printed for whoever runs this file; the same table: `python -m tests.conformance`."""
    if not SEEN["model"]:
        pytest.skip("no scenario was played: run the whole file")
    why_not = "its tests were not selected" if kafka_install.find() else kafka_install.missing()
    told = table(SEEN["model"], SEEN["real"] or why_not)
    with capsys.disabled():
        print(f"\n{told}")
    assert "DIFFER" not in told


def test_a_difference_is_shown():
    models = {name: frozenset(scenario["expected"]) for name, scenario in SCENARIOS.items()}
    told = table(models, models | {"idempotent_retry": frozenset({"duplicated"})}).splitlines()
    assert [line.split()[0] for line in told if line.endswith("DIFFER")] == ["idempotent_retry"]
    assert table(models, "no Java").endswith("Apache Kafka was not run: no Java")


# The verdicts themselves, on the smallest histories and their near misses

def log(*read: tuple[int, int], sent: int = 3) -> History:
    history = History()
    for value in range(sent):
        history.send("producer", "orders-0", value, value)
    history.poll("final-reader", {"orders-0": list(read)})
    history.drained = True
    return history


@pytest.mark.parametrize("read, verdicts", [
    ([(0, 0), (1, 1), (2, 2)], set()),
    ([(0, 0), (1, 1)], {"lost"}),
    ([(0, 0), (1, 1), (2, 2), (3, 2)], {"duplicated"}),
])
def test_verdicts_on_a_log(read, verdicts):
    assert of_log(log(*read)) == verdicts
    assert of_log(log(*read), fenced=True) == verdicts | {"fenced"}


def test_a_log_nobody_read_to_its_end_has_no_verdict():
    history = log((0, 0))
    history.drained = False
    with pytest.raises(ValueError, match="the final reader did not reach the end"):
        of_log(history)


@pytest.mark.parametrize("polls, verdicts", [
    ([("a", [0, 1]), ("b", [2])], set()),
    ([("a", [0, 1]), ("b", [1, 2])], {"duplicated"}),
    ([("a", [0, 1])], {"lost"}),  # the final reader is no member
])
def test_verdicts_on_a_group(polls, verdicts):
    history = log((0, 0), (1, 1), (2, 2))
    for member, values in polls:
        history.poll(member, {"orders-0": [(value, value) for value in values]})
    assert of_group(history) == verdicts
