"""What chapter 02 says about replication is so: its own cells are run, and the prose is held to what they found."""

import numpy as np
import pytest
from reading import Chapter
from scenes import kafka as scenes

from simulator import Workload, faults, kafka, simulate, theory

SOURCE = Chapter("02-kafka")


# What it says

def test_a_record_is_copied_before_it_is_acknowledged_and_read(chapter):
    first = {name: chapter.calm.trace.events.rows["time"][chapter.calm.trace.where(name)[0]]
             for name in ("append", "replicate", "high_watermark", "acknowledged", "deliver")}
    assert first["append"] < first["replicate"] < first["high_watermark"] < min(first["acknowledged"], first["deliver"])


def test_waiting_for_all_costs_a_round_trip_between_zones(chapter):
    one, every = (chapter.answers[f"acks={acks}"].latency.p50 for acks in ("1", "all"))
    assert one < 0.0005 and 0.001 < every - one < 0.002


def test_a_crash_costs_acks_1_what_the_prose_says_and_acks_all_nothing(chapter):
    assert scenes.missing(chapter.late) == scenes.truncated(chapter.late) == 47
    assert any("47 such records" in text for text in SOURCE.prose)
    assert scenes.replicas(chapter.late, at=4)["log end"].tolist() == [2911, 2864, 2864]  # as in the quiz
    assert scenes.missing(chapter.safe) == 0 < scenes.truncated(chapter.safe)
    assert 7 < chapter.safe.latency.seconds.max() < 9


def test_the_mean_loss_is_the_rate_times_the_delay():
    lost = []
    for seed in range(40):
        trouble = [faults.slow_network("broker-2", "broker-3", extra=0.05, at=2.5, lasts=5),
                   faults.crash("broker-1", at=3 + seed / 400, lasts=10)]
        cluster = kafka.Cluster(partitions=1, producer=kafka.Producer(acks=1))
        orders = Workload(rate=1_000, seconds=4, keys=50)
        lost.append(scenes.missing(simulate(cluster, orders, faults=trouble, seed=seed, trace=False)))
    assert abs(np.mean(lost) - theory.exposed_records(1_000, 0.05)) < 4 * np.std(lost) / len(lost) ** 0.5


def test_a_zombie_leader_acknowledges_what_it_loses(chapter):
    assert scenes.missing(chapter.zombie) == scenes.truncated(chapter.zombie) > 0.95 * 12 * 1_000
    assert chapter.zombie.latency.quantile(0.99).value < 0.1 and len(chapter.zombie.trace.where("elected")) == 2
    assert scenes.missing(chapter.held) == 0 and chapter.held.latency.seconds.max() > 12


def test_two_of_three_in_sync_replicas_accept_and_one_refuses(chapter):
    def outcome(least):
        frame = scenes.outcomes(chapter.stopped[f"min_insync={least}"])
        return dict(zip(zip(frame["outcome"], frame["error"]), frame["records"]))
    acknowledged = [outcome(least)["ok", "none"] for least in (1, 2, 3)]
    assert acknowledged == sorted(acknowledged, reverse=True) and acknowledged[2] < 0.15 * 45 * 50
    assert ("fail", "NOT_ENOUGH_REPLICAS") not in outcome(1)
    assert outcome(2)["fail", "NOT_ENOUGH_REPLICAS"] > 500 and outcome(2)["info", "REQUEST_TIMED_OUT"] > 0
    assert all(scenes.missing(run) == 0 for run in chapter.stopped)


def test_an_unclean_election_costs_what_was_written_alone(chapter):
    clean, unclean = chapter.elections["clean"], chapter.elections["unclean"]
    assert scenes.missing(clean) == 0 and scenes.missing(unclean) == pytest.approx(100 * 10, rel=0.1)
    assert clean.latency.seconds.max() - unclean.latency.seconds.max() == pytest.approx(2, abs=0.5)


def test_a_follower_that_lags_stalls_everybody_until_it_is_dropped(chapter):
    assert 30 < chapter.stalled.latency.seconds.max() <= 45 and scenes.missing(chapter.stalled) == 0
    in_sync = [scenes.replicas(chapter.stalled, at)["in sync"].tolist() for at in (1, 50, 60)]
    assert in_sync == [["yes", "yes", "yes"], ["yes", "yes", "no"], ["yes", "yes", "yes"]]


def test_copies_do_not_survive_a_power_cut_and_flushed_ones_do(chapter):
    assert scenes.missing(chapter.cached) == pytest.approx(5 * 200, rel=0.1) and scenes.missing(chapter.flushed) == 0
    assert chapter.flushed.latency.p50 > chapter.cached.latency.p50
    assert scenes.missing(chapter.one_dark) == 0 < scenes.unflushed(chapter.one_dark)


def test_lingering_costs_what_algebra_says(chapter):
    base = chapter.lonely.latency.mean
    for linger, rows in chapter.lingers.to_pandas().groupby("producer.linger"):
        assert rows["mean"].mean() - base == pytest.approx(theory.linger_delay(1_000, linger), rel=0.1, abs=0.0005)
    assert chapter.full.latency.mean - base == pytest.approx(theory.full_batch_delay(1_000, 5), rel=0.15)


@pytest.mark.parametrize("replicas", [3, 5])
def test_all_copies_take_as_long_as_the_slowest(replicas):
    measured = scenes.slowest_copy(replicas).latency.seconds
    t, share, _ = scenes.waiting_for(replicas - 1, replicas - 1)
    assert np.median(measured) == pytest.approx(np.interp(0.5, share, t), rel=0.1)
    assert np.quantile(measured, 0.99) == pytest.approx(np.interp(0.99, share, t), rel=0.15)
    majority = scenes.waiting_for(replicas // 2, replicas - 1)[1]
    assert np.median(measured) > 1.3 * np.interp(0.5, majority, t)


def test_a_lost_answer_makes_duplicates_unless_batches_are_numbered(chapter):
    plain, numbered = (chapter.retried[f"idempotence={on}"] for on in (False, True))
    assert plain.report.verdicts["duplicate"].records > 0 == numbered.report.verdicts["duplicate"].records
    assert len(numbered.trace.where("deduplicated")) == 5


# What is to be turned

def test_the_goals_are_open_at_first_and_can_be_reached(chapter):
    many, lucky = (condition_of(chapter, id) for id in ("02-lose-many", "02-lucky"))
    start = scenes.crash_of_the_leader()
    assert not many(start) and not lucky(start)
    assert many(scenes.crash_of_the_leader(1, 0.1, 1.0)) and lucky(scenes.crash_of_the_leader(1, 0.02, 1.1))


def condition_of(chapter, id: str):
    """The condition of a goal, as the notebook's cell has it."""
    found = {}
    source = next(source for source in SOURCE.code if f'goal("{id}"' in source)
    exec(source, {"goal": lambda id, sentence, condition: found.update({id: condition}), "scenes": scenes})
    return found[id]
