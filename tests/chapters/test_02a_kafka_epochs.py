"""What chapter 02a says about logs and epochs is so: its cells are run, and the prose is held to what they found."""

import pytest
from reading import Chapter
from scenes import counterexamples as schedules
from scenes import epochs as scenes

SOURCE = Chapter("02a-kafka-epochs")


def time_of(run, *kinds: str, node: str, **columns) -> float:
    """When the first such event happened at this node."""
    rows = run.trace.events.rows[run.trace.where(*kinds, node=node)]
    for name, value in columns.items():
        rows = rows[rows[name] == value]
    return float(rows["time"][0])


def values(replica: scenes.Replica) -> list[int]:
    return [value for _, value in replica.records]


# What it says

def test_the_forgetful_follower_does_what_the_prose_tells(chapter):
    run = chapter.oldest
    assert time_of(run, "acknowledged", node="producer-1", value=3) == pytest.approx(4.02, abs=0.005)
    before, after = scenes.replicas(run, at=4.19), scenes.replicas(run, at=5.3)
    assert all(values(replica) == [0, 1, 2, 3] for replica in before.values())
    assert [before[f"broker-{number}"].high_watermark for number in (1, 2, 3)] == [4, 4, 3]
    assert values(after["broker-3"]) == [0, 1, 2] and after["broker-2"].leads and not after["broker-1"].up
    assert all(3 not in values(replica) for replica in scenes.replicas(run).values())


def test_broker_3_is_half_a_second_behind(chapter):
    assert scenes.in_the_dark(chapter.calm, offset=4) == pytest.approx(0.5, abs=0.03)


def test_a_blackout_costs_the_record_on_every_rung_and_agreement_on_the_lowest(chapter):
    lowest, *others = chapter.reset.values()
    assert schedules.diverged(lowest) == 1 and {schedules.verdict(run) for run in others} == {"loses 1 record"}
    ends = {name: replica.records[3] for name, replica in scenes.replicas(lowest).items()}
    assert ends["broker-1"] == (0, 3) and ends["broker-2"][0] == 2


def test_end_offsets_alone_leave_broker_2_with_another_record(chapter):
    logs = scenes.replicas(chapter.fast["kip-101"])
    assert (logs["broker-2"].records[2], logs["broker-3"].records[2]) == ((1, 3), (0, 2))
    assert scenes.replicas(chapter.fast["truncate-to-high-watermark"], at=8.5)["broker-2"].high_watermark == 2
    assert {epoch for epoch, _ in logs["broker-3"].records} == {0, 2}


def test_the_zombie_copies_on_top_of_records_that_were_never_committed(chapter):
    run = chapter.zombie["kip-279"]
    logs = scenes.replicas(run, at=16)
    assert logs["broker-3"].records[2:4] == [(0, 2), (0, 3)]
    assert [epoch for epoch, _ in logs["broker-1"].records[2:4]] == [1, 1]
    assert logs["broker-3"].records[4:] == logs["broker-1"].records[4:]
    assert time_of(run, "replicate", node="broker-3", offset=4) == pytest.approx(10.33, abs=0.005)
    told = run.trace.notes[int(run.trace.where("isr")[run.trace.events.rows["time"][run.trace.where("isr")] < 16][-1])]
    assert "broker-3" in told
    fenced = scenes.replicas(chapter.zombie["kip-320"], at=14)["broker-3"]
    assert values(fenced) == [0, 1, 2, 3], "until it hears from the controller it is given nothing"


def test_a_sleeping_consumer_misses_a_record_unless_its_fetches_name_the_epoch(chapter):
    assert chapter.asleep == {"truncate-to-high-watermark": [7], "kip-101": [7], "kip-279": [7], "kip-320": [],
                              "kip-966": []}


def test_the_last_replica_leads_without_what_it_lost_unless_others_are_eligible(chapter):
    for rung, leader in (("kip-320", "broker-2"), ("kip-966", "broker-3")):
        logs = scenes.replicas(chapter.last[rung])
        assert [name for name, replica in logs.items() if replica.leads] == [leader]
        assert ({4, 5} <= set(values(logs["broker-1"]))) == (rung == "kip-966")


# How it shows

@pytest.mark.parametrize("rung", schedules.LADDER)
@pytest.mark.parametrize("name", schedules.ALL)
def test_logs_rebuilt_from_the_trace_are_those_of_the_brokers(name, rung):
    run = schedules.ALL[name]().on(rung)
    rebuilt, rows = scenes.replicas(run), run.history.replicas.rows
    for replica in set(rows["replica"].tolist()):
        held = [(int(row["epoch"]), int(row["value"]) + i) for row in rows[rows["replica"] == replica]
                for i in range(row["count"])]
        assert rebuilt[run.history.processes[replica]].records[:len(held)] == held


def test_the_picture_says_in_words_what_it_shows():
    run = schedules.fast_leader_changes().on("kip-101")
    picture = scenes.small_multiples({"kip-101": run})
    assert picture.headline == "kip-101 diverges at 1 offset"
    assert "broker-2: 0 e0, 1 e0, 3 e1, " in picture.caption and picture.caption.endswith("Seed 7.")
    several = scenes.small_multiples(schedules.fast_leader_changes().ladder())
    assert several.headline == "Fails: kip-101" and "kip-279 keeps everything" in several.caption


def test_the_goal_is_open_at_first_and_can_be_reached():
    assert not scenes.both(scenes.crash()) and scenes.both(scenes.crash(crash_at=4.45))
    assert not scenes.both(scenes.crash("kip-101", 4.45))
