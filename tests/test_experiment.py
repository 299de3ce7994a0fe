"""Running systems: once, side by side, over a grid."""
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from simulator import Workload, compare, faults, kafka, simulate, sweep
from simulator.brokers.kafka import Cluster, Producer
from simulator.kernel.network import NetworkProfile

SMALL = Workload(rate=200, record_bytes=100, keys=20, seconds=2)
CRASH = [faults.crash("broker-1", at=1, lasts=5)]


@pytest.fixture(scope="module")
def run():
    return simulate(Cluster(), SMALL, faults=CRASH, seed=7)


# One run

def test_a_run_knows_what_was_run(run):
    assert (run.system, run.workload, run.faults, run.seed) == (Cluster(), SMALL, tuple(CRASH), 7)
    assert "broker-1" in run.subtitle and "seed 7" in run.subtitle


def test_every_record_is_sent_and_its_fate_known(run):
    arrivals = sum(map(len, run.history.created.values()))
    assert run.history.records_sent() == arrivals == pytest.approx(400, abs=100)
    assert run.history.drained and run.check().ok


def test_a_run_lasts_until_all_is_quiet_after_workload_and_faults(run):
    assert 6.0 <= run.seconds < 60.0, "the broker is back at 6 s, and the run does not wait for SETTLE"
    assert simulate(Cluster(), SMALL, seed=7).seconds == pytest.approx(3.0, abs=1.0)


def test_a_fault_after_the_workload_still_happens():
    late = simulate(Cluster(), SMALL, faults=[faults.crash("broker-1", at=30, lasts=1)])
    assert len(late.trace.where("crash")) == len(late.trace.where("restart")) == 1


def test_a_run_in_numbers(run):
    figures = run.figures()
    assert figures["records"] == run.history.records_sent()
    assert 0 < figures["p50"] <= figures["p99"] <= figures["p999"] and 0 < figures["end_to_end_p50"]
    assert figures["cross_zone_bytes"] > 100 * figures["records"] and figures["lost_write"] == 0


def test_without_a_trace_the_clients_see_the_same():
    with_trace, without = (simulate(Cluster(), SMALL, faults=CRASH, seed=7, trace=trace) for trace in (True, False))
    assert with_trace.figures() == without.figures()
    assert len(with_trace.trace) and not len(without.trace)


def test_a_workload_without_a_single_record_is_a_run():
    empty = simulate(Cluster(), Workload(rate=0.001, seconds=1))
    assert empty.history.records_sent() == 0 and not empty.check().broken and empty.figures()["records"] == 0


def test_any_object_that_builds_is_a_system():
    """`experiment` knows no broker: this one delivers nothing and promises nothing."""
    from simulator.evidence.history import History
    from simulator.evidence.policy import Guarantees

    class Silence:
        def build(self, world, workload):
            self.history, self.guarantees = History(), Guarantees()
            return self

        def quiet(self):
            return True

        def finish(self):
            self.history.drained = True
    assert simulate(Silence(), SMALL).seconds == SMALL.seconds


@pytest.mark.parametrize("arguments, refusal", [
    ((Cluster(), 60), r"^workload: 60 is not allowed; it must be a Workload"),
    ((Cluster(), SMALL, ["crash"]), r"^faults: .*'crash'.* is not allowed; it must be .*faults\.crash"),
    ((Cluster(), SMALL, faults.crash("broker-1", at=1)), r"^faults: .* is not allowed; it must be "),
    ((Cluster(), SMALL, [faults.crash("broker-4", at=1)]), r"^node: 'broker-4' does not exist; this system has "
                                                           r"broker-1, broker-2, broker-3,"),
    ((5, SMALL), r"^system: 5 is not "), ((Cluster, SMALL), r"^system: .*Cluster.* is not "),
])
def test_nonsense_is_refused_before_anything_runs(arguments, refusal):
    system, workload, *rest = arguments
    with pytest.raises(ValueError, match=refusal):
        simulate(system, workload, faults=rest[0] if rest else ())


@pytest.mark.parametrize("settle", [-1, float("nan"), float("inf"), "long"])
def test_an_impossible_time_to_settle_is_refused(settle):
    with pytest.raises(ValueError, match=rf"^settle: {settle!r} is not allowed; it must be "):
        simulate(Cluster(), SMALL, settle=settle)


@pytest.mark.parametrize("seed", ["seven", 1.5, None, True])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match=rf"^seed: {seed!r} is not allowed; it must be a whole number"):
        simulate(Cluster(), SMALL, seed=seed)


# Side by side

@pytest.mark.parametrize("systems", [Cluster(), [], {}, None])
def test_a_comparison_needs_systems(systems):
    with pytest.raises(ValueError, match=r"^systems: .* is not allowed; it must be a list of systems, or a mapping"):
        compare(systems, SMALL)


def test_a_comparison_gives_every_system_the_same_arrivals_and_faults():
    both = compare([Cluster(), Cluster(producer=Producer(acks=1))], SMALL, faults=iter(CRASH), seed=7)
    safe, unsafe = both
    assert list(both.runs) == ["Kafka()", "Kafka(acks=1)"] and both["Kafka(acks=1)"] is unsafe
    assert all((safe.history.created[key] == unsafe.history.created[key]).all() for key in range(6))
    assert safe.faults == unsafe.faults == tuple(CRASH)
    assert unsafe.latency.p50 < safe.latency.p50
    assert both.to_pandas()["system"].tolist() == list(both.runs)


def test_systems_may_be_named():
    assert list(compare({"safe": Cluster(), "fast": Cluster(producer=Producer(acks=1))},
                        SMALL).runs) == ["safe", "fast"]


def test_systems_that_differ_in_their_networks_are_two_systems():
    assert len(compare([Cluster(), Cluster(network=NetworkProfile.instant())], SMALL).runs) == 2


# A grid

GRID = {"min_insync": [1, 2], "producer.linger": [0.0, 0.02]}


def grid(**options):
    return sweep(Cluster(), SMALL, GRID, seeds=[3, 4], progress=False, **options)


def test_a_sweep_has_one_row_for_every_combination_and_seed():
    with ThreadPoolExecutor(1) as executor:
        table = grid(executor=executor)
    assert [(row["min_insync"], row["producer.linger"], row["seed"]) for row in table.rows] == [
        (n, linger, seed) for n in (1, 2) for linger in (0.0, 0.02) for seed in (3, 4)]
    assert table.settings == ("min_insync", "producer.linger") and len(table.to_pandas()) == 8
    assert all(fast["p50"] < slow["p50"] for fast, slow in zip(table.rows[0:2], table.rows[2:4]))


def test_threads_and_processes_give_the_same_rows():
    with ThreadPoolExecutor(2) as threads, ProcessPoolExecutor(2) as processes:
        assert grid(executor=threads).rows == grid(executor=processes).rows == grid().rows


def test_a_row_is_what_simulate_gives():
    with ThreadPoolExecutor(1) as executor:
        row = sweep(Cluster(), SMALL, {"workload.rate": [100]}, seeds=[3], faults=CRASH, executor=executor,
                    progress=False).rows[0]
    alone = simulate(Cluster(), Workload(rate=100, record_bytes=100, keys=20, seconds=2), faults=CRASH, seed=3)
    assert row == {"workload.rate": 100, "seed": 3} | alone.figures()


def test_seeds_may_be_a_number_of_seeds():
    with ThreadPoolExecutor(1) as executor:
        rows = sweep(Cluster(), SMALL, {"min_insync": [1]}, seeds=2, executor=executor, progress=False).rows
    assert [row["seed"] for row in rows] == [0, 1]


def test_seeds_may_come_one_by_one():
    with ThreadPoolExecutor(1) as executor:
        rows = sweep(Cluster(), SMALL, {"min_insync": [1]}, seeds=(seed for seed in (3, 4)), executor=executor,
                     progress=False).rows
    assert [row["seed"] for row in rows] == [3, 4]


def test_the_executor_stays_open_for_the_next_sweep():
    with ThreadPoolExecutor(1) as executor:
        for _ in range(2):
            sweep(Cluster(), SMALL, {"min_insync": [1]}, seeds=1, executor=executor, progress=False)


def test_acks_can_be_varied():
    with ThreadPoolExecutor(1) as executor:
        rows = sweep(Cluster(), SMALL, {"producer.acks": [0, 1, "all"]}, seeds=1, executor=executor,
                     progress=False).rows
    assert [row["producer.acks"] for row in rows] == [0, 1, "all"]


def test_progress_is_plain_text_on_standard_output(capsys):
    with ThreadPoolExecutor(1) as executor:
        sweep(Cluster(), SMALL, {"min_insync": [1]}, seeds=2, executor=executor)
    shown = capsys.readouterr()
    assert "/2 [" in shown.out and shown.err == ""


@pytest.mark.parametrize("vary, refusal", [
    ({"min_in_sync": [1]}, r"^vary: 'min_in_sync' is not allowed; it must be a setting; Cluster has brokers, "
                           r"partitions, "),
    ({"producer.acknowledgements": [1]}, r"^vary: 'producer\.acknowledgements' is not allowed; it must be a setting; "
                                         r"Producer has acks, "),
    ({"workload.speed": [1]}, r"^vary: 'workload\.speed' is not allowed; it must be a setting; Workload has rate, "),
    ({"build": [1]}, r"^vary: 'build' is not allowed; it must be a setting; Cluster has "),
    ({"brokers.count": [1]}, r"^vary: 'brokers\.count' is not allowed; it must be a setting; "),
    ({"min_insync": [0]}, r"^min_insync: 0 is not allowed"),
    ({"min_insync": 2}, r"^vary: "),
    ({"producer.acks": "all"}, r"^vary: "),
])
def test_an_unknown_setting_is_refused_before_anything_runs(vary, refusal):
    class Untouched(ThreadPoolExecutor):
        def submit(self, *_):
            raise AssertionError("nothing may run")
    with Untouched(1) as executor, pytest.raises(ValueError, match=refusal):
        sweep(Cluster(), SMALL, vary, executor=executor, progress=False)


@pytest.mark.parametrize("seeds", [0, -1, [], 1.5, "abc"])
def test_impossible_seeds_are_refused(seeds):
    with pytest.raises(ValueError, match=r"^seeds: .+ is not allowed; it must be "):
        sweep(Cluster(), SMALL, {"min_insync": [1]}, seeds=seeds, progress=False)


@dataclass(frozen=True)
class Broken:
    """A system that fails in the middle of a sweep."""
    how: int = 0

    def build(self, world, workload):
        raise RuntimeError("the model is broken")


def test_an_error_in_a_run_is_not_swallowed():
    with ThreadPoolExecutor(1) as executor, pytest.raises(RuntimeError, match="the model is broken"):
        sweep(Broken(), SMALL, {"how": [1]}, executor=executor, progress=False)


def test_kafka_is_where_the_readme_says():
    assert kafka.Cluster is Cluster and kafka.Producer is Producer
