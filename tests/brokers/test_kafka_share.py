"""Share groups: the arrows between a record's states, what survives whom, and what must hold under any schedule."""
import random
from collections import Counter

import numpy as np
import pytest

from simulator import Workload, distributions, faults, kafka, simulate, theory
from simulator.brokers.kafka.share.assignor import share_out
from simulator.brokers.kafka.share.share_partition import SharePartition, State
from simulator.kernel.network import NetworkProfile

share = kafka.share
ONE_BY_ONE = {"acknowledgement_mode": "explicit", "acquire_mode": "record_limit", "max_poll_records": 1}
ANN, BOB = (1, 1), (2, 1)
BROKEN = ("lost", "phantom", "conservation", "double possession", "zombie", "over-delivery", "unjustified redelivery")


def run(workload, faults=(), seed=7, settle=150, **settings):
    return simulate(kafka.ShareGroup(**settings), workload, faults=faults, seed=seed, settle=settle)


# The rules, by hand


def states(partition: SharePartition) -> list[str]:
    return [partition.records[offset].state.name.lower()
            for offset in range(partition.start_offset, partition.end_offset)]


def test_the_start_offset_goes_past_what_is_done_and_no_further():
    partition = SharePartition(5, 100)
    assert partition.acquire(ANN, 4, log_end=10, deadline=30) == [0, 1, 2, 3]
    for offset, how in ((1, "accept"), (2, "reject"), (3, "release")):
        assert partition.acknowledge(ANN, offset, how)
    partition.stored([1, 2, 3])
    assert (partition.start_offset, partition.end_offset) == (0, 4)
    assert states(partition) == ["acquired", "acknowledged", "archived", "available"]
    assert partition.acknowledge(ANN, 0, "accept")
    assert partition.start_offset == 0  # not before it is stored
    partition.stored([0])
    assert partition.start_offset == 3 and partition.in_flight == 1


def test_what_came_back_is_given_out_before_what_is_new_and_only_once_it_is_stored():
    partition = SharePartition(5, 100)
    partition.acquire(ANN, 2, 10, 30)
    partition.acknowledge(ANN, 1, "release")
    assert partition.acquire(BOB, 1, 10, 30) == [2]
    partition.stored([1])
    assert partition.acquire(BOB, 2, 10, 30) == [1, 3] and partition.records[1].delivery_count == 2


def test_a_lock_that_ran_out_is_gone_and_its_holder_has_nothing_to_say_any_more():
    partition = SharePartition(5, 100)
    partition.acquire(ANN, 2, 2, deadline=30)
    assert partition.renew(ANN, 0, deadline=45) and not partition.renew(BOB, 0, deadline=99)
    assert partition.expire([0, 1], now=30) == [1]
    assert not partition.acknowledge(ANN, 1, "accept") and not partition.renew(ANN, 1, 99)
    assert partition.acquire(BOB, 2, 2, 60) == [1]
    assert partition.expire([0], now=45) == [0]


def test_the_last_delivery_comes_alone_and_after_it_the_record_is_archived():
    partition = SharePartition(3, 100)
    for _ in range(2):
        assert partition.acquire(ANN, 5, 5, deadline=1) == [0, 1, 2, 3, 4]
        partition.expire(range(5), now=1)
    assert partition.acquire(ANN, 5, 5, deadline=2) == [0]
    assert partition.acquire(BOB, 5, 5, deadline=2) == [1]
    partition.expire([0, 1], now=2)
    assert states(partition)[:3] == ["archived", "archived", "available"]
    partition.stored([0, 1])
    assert partition.start_offset == 2


def test_a_session_that_ends_gives_back_the_record_and_the_delivery():
    partition = SharePartition(2, 100)
    for _ in range(20):
        assert partition.acquire(ANN, 1, 1, 30) == [0]
        assert partition.close(lambda holder: holder == ANN) == [0]
        partition.stored([0])
    assert partition.records[0].delivery_count == 0 and states(partition) == ["available"]


def test_a_stuck_record_leaves_room_for_so_many_behind_it_done_or_not():
    partition = SharePartition(5, 100)
    assert partition.acquire(ANN, 1, 500, 30) == [0]
    taken = partition.acquire(BOB, 500, 500, 30)
    assert taken == list(range(1, 100))
    for offset in taken:
        partition.acknowledge(BOB, offset, "accept")
    partition.stored(taken)
    assert partition.acquire(BOB, 500, 500, 30) == [] and partition.in_flight == 100
    partition.acknowledge(ANN, 0, "accept")
    partition.stored([0])
    assert partition.start_offset == 100 and partition.acquire(BOB, 500, 500, 30) == list(range(100, 200))


def test_whole_batches_exceed_the_limit_and_record_limit_does_not():
    assert SharePartition(5, 100).acquire(ANN, 1, 20, 30,
                                          batch_end=lambda offset: offset // 10 * 10 + 10) == list(range(10))
    assert SharePartition(5, 100).acquire(ANN, 1, 20, 30) == [0]


def test_a_new_leader_knows_counts_but_no_locks():
    stored = {3: (State.AVAILABLE, 2), 4: (State.ACKNOWLEDGED, 1), 7: (State.ARCHIVED, 5)}
    partition = SharePartition(5, 100, 3, stored)
    assert states(partition) == ["available", "acknowledged", "available", "available", "archived"]
    assert partition.acquire(ANN, 9, 8, 30) == [3, 5, 6]
    assert [partition.records[offset].delivery_count for offset in (3, 5, 6)] == [3, 1, 1]


def test_other_arrows_do_not_exist():
    partition = SharePartition(5, 100)
    partition.acquire(ANN, 1, 1, 30)
    record = partition.records[0]
    record.move(State.ACKNOWLEDGED)
    for state in State:
        with pytest.raises(RuntimeError, match="cannot go from ACKNOWLEDGED"):
            record.move(state)


@pytest.mark.parametrize("members, partitions, readers",
                         [(1, 1, 1), (3, 1, 3), (4, 4, 1), (2, 4, 1), (5, 4, 2), (8, 4, 2), (9, 4, 3)])
def test_a_partition_is_shared_only_when_there_are_more_members_than_partitions(members, partitions, readers):
    assignment = share_out(dict.fromkeys(range(members), ()), partitions)
    sizes = [len(keys) for keys in assignment.values()]
    count = Counter(key for keys in assignment.values() for key in keys)
    assert set(count) == set(range(partitions)) and max(count.values()) == readers and max(sizes) - min(sizes) <= 1
    assert all(len(set(keys)) == len(keys) for keys in assignment.values())
    assert share_out(assignment, partitions) == assignment


# Whole groups


def test_a_quiet_group_delivers_everything_once_and_as_fast_as_one_queue_with_many_servers():
    work, rate, members = 0.1, 24.0, 3
    result = run(Workload(rate=rate, seconds=500, consumers=members, keys=None, work=distributions.Exponential(work)),
                 network=NetworkProfile.instant(), **ONE_BY_ONE)
    assert result.report.ok and share.repeated(result.history) == 0 and result.history.drained
    assert result.end_to_end.mean == pytest.approx(theory.mmc_wait(rate, 1 / work, members), rel=0.15)


def test_poison_is_delivered_five_times_and_then_given_up_or_once_if_it_is_rejected():
    workload = Workload(rate=20, seconds=5, keys=None, consumers=2, work=0.01)
    for on_failure, deliveries, end in (("release", 5, "deadletter"), ("reject", 1, "reject")):
        result = run(workload, odd=(share.poison(10),), on_failure=on_failure, **ONE_BY_ONE)
        rows = result.history.deliveries.rows
        assert (rows["value"] == 10).sum() == deliveries
        assert share.settled_by(result.history, end)["value"].tolist() == [10]
        assert result.history.drained
    implicit = run(workload, odd=(share.poison(10),))
    # nobody says that it failed
    assert len(share.settled_by(implicit.history, "ack")) == len(implicit.history.created[0])


def test_a_record_that_kills_its_consumer_is_never_given_up():
    result = run(Workload(rate=20, seconds=20, keys=None, consumers=3, work=0.01), odd=(share.deadly(10),),
                 restart_after=1.0, settle=0, **ONE_BY_ONE)
    rows = result.history.deliveries.rows
    assert (rows["value"] == 10).sum() > 40 and set(rows["attempt"][rows["value"] == 10]) == {1}


def stuck(fault_or_event, **settings) -> float:
    """The longest that any record took, of three a second for a minute."""
    event = isinstance(fault_or_event, kafka.groups.Event)
    result = run(Workload(rate=3, seconds=60, keys=None, consumers=3, work=0.2), [] if event else [fault_or_event],
                 events=(fault_or_event,) if event else (), **ONE_BY_ONE | settings)
    assert result.history.drained and result.report.ok
    return float(np.max(share.sojourn(result.history)))


def holding(result, at: float) -> str:
    """A member that holds a record at this moment."""
    rows = result.trace.events.rows[result.trace.where("deliver")]
    return result.trace.nodes[rows["node"][(rows["time"] < at) & (rows["time"] > at - 0.2)][-1]].name


def test_a_killed_process_costs_nothing_a_silent_one_costs_the_lock():
    calm = run(Workload(rate=3, seconds=60, keys=None, consumers=3, work=0.2), **ONE_BY_ONE)
    at = float(calm.trace.events.rows["time"][calm.trace.where("deliver")[30]]) + 0.1
    name = holding(calm, at)
    assert stuck(faults.crash(name, at=at)) < 1.5
    for lock in (10.0, 30.0):
        assert lock < stuck(faults.power_loss(name, at=at), record_lock_duration=lock) < lock + 2
        assert lock < stuck(faults.pause(name, at=at, lasts=120), record_lock_duration=lock) < lock + 2


def test_a_slow_record_is_worked_on_again_and_again_unless_its_lock_is_renewed():
    workload = Workload(rate=5, seconds=20, keys=None, consumers=6, work=0.05)
    for renew, deliveries, end in ((False, 5, "deadletter"), (True, 1, "ack")):
        result = run(workload, odd=(share.slow(20, 12.0),), record_lock_duration=5.0, renew=renew, **ONE_BY_ONE)
        assert (result.history.deliveries.rows["value"] == 20).sum() == deliveries
        assert 20 in share.settled_by(result.history, end)["value"]


def test_who_hangs_does_not_renew():
    stall = share.stall("consumer-1", at=10, lasts=20)
    assert stuck(stall, renew=True, record_lock_duration=5.0) < 8


def test_delivery_counts_survive_a_leader_but_the_delivery_under_way_is_forgotten():
    """The slow record's first lock runs out and is written down; the leader dies during the second delivery."""
    workload = Workload(rate=5, seconds=20, keys=None, consumers=6, work=0.05)
    result = run(workload, [faults.crash("broker-1", at=10)], odd=(share.slow(20, 60.0),),
                 record_lock_duration=5.0, **ONE_BY_ONE)
    rows = result.history.deliveries.rows
    assert rows["attempt"][rows["value"] == 20].tolist() == [1, 2, 2, 3, 4, 5]
    assert result.trace.describe(result.trace.where("elected")[1]) == "broker-2 leads orders-0 in epoch 1"


def test_members_come_and_go_and_nobody_waits_for_them():
    events = (share.join("consumer-4", at=10), share.stop("consumer-1", at=15, lasts=5),
              share.stop("consumer-2", at=25))
    result = run(Workload(rate=30, seconds=40, consumers=4, work=0.03), partitions=2, events=events,
                 max_poll_records=10)
    assert result.history.drained and result.report.ok
    assert np.nanmax([share.sojourn(result.history, key).max() for key in (0, 1)]) < 3
    nodes = result.trace.events.rows["node"][result.trace.where("deliver")]
    assert len(set(nodes)) == 4


def test_readers_keep_their_partition_in_order_and_wait_for_the_slow_one():
    workload = Workload(rate=30, seconds=30, consumers=3, work=0.02)
    result = simulate(share.Partitions(partitions=3, odd=(share.slow(100, 8.0), share.poison(300))), workload, seed=7)
    assert result.report.ok and result.history.drained and "order inversion" not in {a.kind for a in result.anomalies}
    longest = [share.sojourn(result.history, key).max() for key in range(3)]
    assert sum(seconds > 7 for seconds in longest) == 1
    assert share.settled_by(result.history, "deadletter")["value"].size == 1 and share.repeated(result.history) == 4


def test_a_killed_reader_begins_again_where_it_was():
    result = simulate(share.Partitions(partitions=2), Workload(rate=30, seconds=20, consumers=2, work=0.03), seed=7,
                      faults=[faults.crash("consumer-1", at=5, lasts=3)])
    assert result.report.ok and result.history.drained and share.repeated(result.history) <= 1


# Any schedule


def audit(result) -> None:
    """Replays the leader's events with a notebook of its own: arrows, locks, counts, start offsets."""
    config, trace = result.system, result.trace
    known: dict[tuple[int, int], State] = {}
    deadline: dict[tuple[int, int], float] = {}
    start = Counter()
    rows = trace.events.rows
    for event in trace.where("acquired", "renewed", "moved", "start_offset", "elected", "recovered"):
        row, kind = rows[event], trace.kinds[rows["kind"][event]].name
        key, offset, time = int(row["key"]), int(row["offset"]), float(row["time"])
        record = (key, offset)
        if kind == "elected":
            # the rest only if it was stored
            known = {(key, at): state for (key, at), state in known.items() if at < start[key]}
        elif kind == "recovered":
            assert offset >= start[key]
            start[key] = offset
            known |= {(key, offset + n): State(int(code)) for n, code in enumerate(trace.notes.get(event, ""))}
        elif kind == "acquired":
            assert known.get(record, State.AVAILABLE) == State.AVAILABLE and offset >= start[key]
            assert 1 <= row["epoch"] <= config.delivery_count_limit
            known[record], deadline[record] = State.ACQUIRED, time + config.record_lock_duration
        elif kind == "renewed":
            assert known[record] == State.ACQUIRED
            deadline[record] = time + config.record_lock_duration
        elif kind == "moved":
            assert known[record] == State.ACQUIRED and row["value"] != State.ACQUIRED
            assert "expired" not in trace.notes[event] or deadline[record] <= time
            known[record] = State(int(row["value"]))
        else:
            assert all(known[key, at].terminal for at in range(start[key], offset)) and offset > start[key]
            start[key] = offset
    ends = [len(result.history.created[key]) for key in range(config.partitions)]
    # every record is done, and the start offset is past it
    assert [start[key] for key in range(config.partitions)] == ends
    final = share.settled_by(result.history, "ack", "reject", "deadletter")
    assert len(final) == sum(ends) == len(np.unique(final[["key", "value"]]))  # in exactly one way


def schedule(seed: int):
    """A small group with short timeouts and up to four things that happen to it."""
    draw = random.Random(seed)
    explicit = draw.random() < 0.6
    settings = {
        "partitions": draw.choice([1, 1, 2]), "batch_records": draw.choice([1, 1, 3]), "record_lock_duration": 1.0,
        "delivery_count_limit": draw.choice([2, 3, 5]), "heartbeat_interval": 0.5, "session_timeout": 2.0,
        "broker_session_timeout": 0.7, "acknowledgement_mode": "explicit" if explicit else "implicit",
        "acquire_mode": draw.choice(["batch_optimized", "record_limit"]), "max_poll_records": draw.choice([1, 2, 10]),
        "fetch_max_wait": 0.2, "renew": explicit and draw.random() < 0.3,
        "on_failure": draw.choice(["release", "reject"]) if explicit else "release",
        "odd": tuple(draw.choice([share.poison(draw.randrange(40)),
                                  share.slow(draw.randrange(40), draw.choice([0.7, 1.5, 4]))])
                     for _ in range(draw.randint(0, 2)))}
    happen, broken = [], []
    for _ in range(draw.randint(0, 4)):
        name, at = f"consumer-{draw.randint(1, 3)}", round(draw.uniform(0, 4), 3)
        lasts = round(draw.choice([0.05, 0.5, 2]) * draw.uniform(.5, 2), 3)
        node = draw.choice([name, name, "broker-1", "broker-2", "coordinator"])
        pick = draw.randrange(8)
        if pick < 3:
            happen.append((share.stop, share.stall, share.stop)[pick](name, at, lasts))
        else:
            broken.append([lambda: faults.crash(node, at, lasts), lambda: faults.pause(node, at, lasts),
                           lambda: faults.crash("broker-1", at, lasts),
                           lambda: faults.isolate(node, at=at, lasts=lasts),
                           lambda: faults.power_loss(node, at=at, lasts=lasts)][pick - 3]())
    return settings | {"events": tuple(happen)}, broken


@pytest.mark.parametrize("block", range(4))
def test_the_promises_hold_under_any_schedule(block):
    for seed in range(250 * block, 250 * block + 250):
        settings, broken = schedule(seed)
        workload = Workload(rate=12, seconds=4, record_bytes=200, keys=10, consumers=3,
                            work=distributions.Exponential(0.06))
        result = run(workload, broken, seed, settle=60, **settings)
        told = f"seed {seed}: {settings} {broken}"
        assert result.history.drained, told
        assert all(result.report.verdicts[kind].word == "holds" for kind in BROKEN), f"{told}\n{result.report}"
        try:
            audit(result)
        except (AssertionError, KeyError) as error:
            raise AssertionError(told) from error


def test_a_leader_that_forgets_whose_lock_it_is_is_caught(monkeypatch):
    monkeypatch.setattr(SharePartition, "expire", lambda self, offsets, now: [])
    monkeypatch.setattr(SharePartition, "held", lambda self, member,
                        offset: (record := self.records.get(offset)) and record.state == State.ACQUIRED and record)
    settings, _ = schedule(1)
    result = run(Workload(rate=12, seconds=4, consumers=3, work=0.05), [faults.power_loss("consumer-1", at=2)],
                 settle=20, **settings)
    with pytest.raises(AssertionError):
        audit(result)


# Nonsense


@pytest.mark.parametrize("settings, field", [
    ({"record_lock_duration": 0.5}, "record_lock_duration"), ({"record_lock_duration": "30"}, "record_lock_duration"),
    ({"delivery_count_limit": 11}, "delivery_count_limit"), ({"delivery_count_limit": 2.5}, "delivery_count_limit"),
    ({"partition_max_record_locks": 99}, "partition_max_record_locks"), ({"session_timeout": 4}, "session_timeout"),
    ({"acknowledgement_mode": "auto"}, "acknowledgement_mode"), ({"acquire_mode": "strict"}, "acquire_mode"),
    ({"renew": True}, "renew"), ({"on_failure": "reject"}, "on_failure"), ({"max_poll_records": 0}, "max_poll_records"),
    ({"odd": [1]}, "odd"), ({"partitions": 0}, "partitions"), ({"events": (1,)}, "events"),
    ({"batch_records": True}, "batch_records"), ({"zones": ()}, "zones")])
def test_nonsense_is_refused_by_name(settings, field):
    with pytest.raises(ValueError, match=f"^{field}: .* is not allowed; it must be "):
        kafka.ShareGroup(**settings)


def test_nonsense_about_records_members_and_readers_is_refused_too():
    for make, field in ((lambda: share.slow(-1, 1), "record"), (lambda: share.slow(1, -1), "seconds"),
                        (lambda: share.Odd("late", 1), "kind"), (lambda: share.Partitions(attempts=0), "attempts"),
                        (lambda: run(Workload(consumers=2), events=(share.stop("consumer-9", at=1),)), "member")):
        with pytest.raises(ValueError, match=f"^{field}: "):
            make()


def test_same_seed_same_trace_and_every_event_has_its_sentence():
    settings, broken = schedule(11)
    first, again = (run(Workload(rate=20, seconds=5, consumers=3, work=0.05), broken, **settings) for _ in range(2))
    assert first.trace.digest() == again.trace.digest()
    _, one_of_each = np.unique(first.trace.events.rows["kind"], return_index=True)
    assert len(one_of_each) > 20 and all(first.trace.describe(event) for event in one_of_each.tolist())
    assert str(first.story(limit=20))
    assert str(kafka.ShareGroup(renew=True, acknowledgement_mode="explicit")).startswith("ShareGroup(")
