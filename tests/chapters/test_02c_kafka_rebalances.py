"""What chapter 02c says about rebalances is so: its own cells are run, and the prose is held to what they found."""

import pytest
from reading import Chapter
from scenes import rebalances as scenes

SOURCE = Chapter("02c-kafka-rebalances")
said = SOURCE.says_together
groups = scenes.groups


def paused(run, since=scenes.AT) -> float:
    return groups.paused_partition_seconds(run.trace, since)


def stable(run, since=scenes.AT) -> float:
    return groups.time_to_stable(run.trace, since)


# A join

def test_a_join_stops_everything_under_eager_and_three_partitions_elsewhere(chapter):
    assert {p: scenes.stopped(run) for p, run in chapter.joined.items()} == {"eager": 24, "cooperative": 3,
                                                                             "static": 24, "consumer": 3}
    assert min(chapter.joined, key=lambda p: paused(chapter.joined[p])) == "consumer"


def test_the_first_to_arrive_waits_for_the_last(chapter):
    waits = [b[1] - a[2] for spans in groups.ownership(chapter.joined["eager"].trace, 30, 34).values()
             for a, b in zip(spans, spans[1:])]
    assert max(waits) == pytest.approx(1.6, abs=0.05) and min(waits) < 0.005 and said("1.6 s", "a few milliseconds")


def test_cooperative_needed_three_rounds_and_static_is_eager(chapter):
    assert groups.rebalances(chapter.joined["cooperative"].trace, 29) == 3 and said("three rounds where two")
    assert paused(chapter.joined["static"]) == paused(chapter.joined["eager"])


# The bill

def test_a_crash_costs_the_session_timeout_under_every_protocol(chapter):
    runs = scenes.under_each("one crashes")
    assert all(45 <= stable(run) < 50 for run in runs.values())
    assert [groups.duplicates(run.history) for run in runs.values()] == [144, 144, 144, 144]
    assert said("144 records delivered twice")
    assert stable(scenes.under_each("one leaves")["static"]) > 45


def test_a_rolling_restart_costs_eager_most_and_static_least(chapter):
    costs = {protocol: paused(run) for protocol, run in chapter.rolled.items()}
    assert max(costs, key=costs.get) == "eager" and min(costs, key=costs.get) == "static"
    assert costs["static"] == pytest.approx(8 * 3 * 5, rel=0.01)  # three partitions for five seconds, eight times
    # as in the quiz
    assert [groups.rebalances(run.trace, 29) for run in (chapter.rolled["eager"], chapter.rolled["static"])] == [16, 0]
    assert all(groups.duplicates(run.history) == 0 for run in chapter.rolled.values())


def test_a_small_idle_group_settles_sooner_under_eager_than_under_kip_848():
    took = scenes.settle_times(members=(2, 4), seeds=range(20, 30))
    assert all(took["eager"] < took["consumer"]) and took["eager"][0] < took["cooperative"][0]
    assert all(took["eager"] < 3.1) and all(3 < took["consumer"])  # one heartbeat of 3 s; a wait for one of 5 s


def test_a_slow_member_stops_strangers_under_eager_and_not_under_kip_848():
    eager, consumer = (scenes.joined_while_one_is_slow(protocol) for protocol in ("eager", "consumer"))
    assert paused(eager) > 20 * paused(consumer) and all(stable(run) > 15 for run in (eager, consumer))


# Fences

def test_a_slow_member_and_a_sleeper_are_refused_each_at_its_own_place(chapter):
    assert [line.split(": ")[0] for line in scenes.refusals(chapter.slow)] == ["35.1 s"]
    assert "cannot commit" in scenes.refusals(chapter.slow)[0]
    assert len(scenes.refusals(chapter.asleep)) == 1 and "coordinator refuses" in scenes.refusals(chapter.asleep)[0]
    assert groups.duplicates(chapter.slow.history) > 0 < groups.duplicates(chapter.asleep.history)
    assert not chapter.slow.trace.where("refused").size and not chapter.asleep.trace.where("poll_expired").size


@pytest.mark.parametrize("protocol", scenes.PROTOCOLS)
def test_a_sleeper_never_sets_offsets_back(protocol):
    trace = scenes.asleep(protocol).trace
    rows = trace.events.rows[trace.where("committed")]
    for key in range(6):
        offsets = rows["offset"][rows["key"] == key]
        assert (offsets[1:] > offsets[:-1]).all()


def test_the_chain_behind_a_redelivery_ends_with_the_late_commit(chapter):
    sentences = [line.sentence for line in chapter.slow.why(chapter.again).lines]
    assert "max.poll.interval" in "".join(sentences) and "cannot commit" in sentences[-1]
    assert "refuses the commit" in chapter.asleep.why(groups.redeliveries(chapter.asleep.history)[0]).lines[-1].sentence


def test_static_membership_is_patience_and_has_its_price():
    even = scenes.break_even()
    assert 10 <= even <= 20
    for seconds, cheaper in ((even - 4, "static"), (even + 4, "eager")):
        assert min(("static", "eager"), key=lambda protocol: paused(scenes.away_for(seconds, protocol))) == cheaper
    assert paused(scenes.away_for(40, "static")) == pytest.approx(3 * 40, rel=0.02)
    impatient = scenes.away_for(40, "static", session_timeout=20.0)
    assert groups.rebalances(impatient.trace, 29) == 2 and 3 * 20 < paused(impatient) < 3 * 40


# What is to be turned

def test_the_goals_are_open_at_first_and_can_be_reached():
    slowest, storm = (condition_of(id) for id in ("02c-slowest", "02c-storm"))
    start = scenes.one_more()
    assert not slowest(start) and not storm(start)
    assert slowest(scenes.one_more(work_ms=200)) and storm(scenes.one_more(members=2, work_ms=60, max_poll_interval=5))


def condition_of(id: str):
    """The condition of a goal, as the notebook's cell has it."""
    found = {}
    source = next(source for source in SOURCE.code if f'goal("{id}"' in source)
    exec(source, {"goal": lambda id, sentence, condition: found.update({id: condition}), "scenes": scenes})
    return found[id]


def test_every_figure_says_its_seed_and_what_it_shows(chapter):
    for figure in (scenes.ownership(chapter.joined), scenes.ownership(chapter.slow), scenes.settling((2,))):
        assert figure.headline and ("Seed 7" in figure.caption or "seeds 7 to 11" in figure.caption)
