"""Each anomaly of a queue: its smallest history and the near misses; a correct queue over many schedules."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.evidence.checks import Guarantees, check
from simulator.evidence.queue_history import ACTIONS, QueueHistory


def queue(messages: int = 1) -> QueueHistory:
    """A drained history in which messages 0, 1, ... were published and confirmed."""
    history = QueueHistory()
    for value in range(messages):
        history.publish("p", "q", value)
    history.drained = True
    return history


def found(history: QueueHistory, **guarantees) -> dict[str, int]:
    """The kinds of anomaly that break a promise, and how many messages each concerns."""
    report = check(history, Guarantees(**guarantees))
    return {kind: report.verdicts[kind].records for kind in report.broken}


def test_published_delivered_acknowledged():
    history = queue(2)
    for value in (0, 1):
        history.deliver("c", "q", value)
        history.ack("c", "q", value)
    assert check(history).ok and str(check(history)) == "no acknowledged record was lost"


# Lost and phantom

def test_lost_is_confirmed_and_never_settled():
    assert found(queue()) == {"lost": 1}
    history = queue()
    history.deliver("c", "q", 0)
    assert "delivered but never settled" in str(check(history).of("lost")[0])


def test_before_the_queue_is_drained_loss_is_unknown():
    history = queue()
    history.drained = False
    assert check(history).verdicts["lost"].verdict == "unknown" and not check(history).broken


def test_neighbours_are_lost_together():
    history = queue(5)
    history.deliver("c", "q", 2, auto_ack=True)
    assert [anomaly.records for anomaly in check(history).of("lost")] == [((0, 1),), ((3, 4),)]
    assert str(check(history)).startswith("4 messages were lost: messages 0–1 of q, published by p at 0.000 s, never "
                                          "delivered")


@pytest.mark.parametrize("type", ["fail", "info"])
def test_an_unconfirmed_publish_cannot_be_lost(type):
    history = queue(0)
    history.publish("p", "q", 0, type=type)
    assert "lost" not in found(history)


@pytest.mark.parametrize("end", ["reject", "term", "deadletter", "expire", "nack"])
def test_given_up_is_not_lost(end):
    history = queue()
    history.deliver("c", "q", 0)
    if end == "nack":
        history.nack("c", "q", 0, requeue=False)
    else:
        getattr(history, end)(*(("q", 0) if end in ("deadletter", "expire") else ("c", "q", 0)))
    assert found(history) == {}


def test_a_requeued_message_is_not_settled():
    history = queue()
    history.deliver("c", "q", 0)
    history.nack("c", "q", 0)
    assert found(history) == {"lost": 1}


def test_an_ack_of_unknown_outcome_may_have_settled():
    history = queue()
    history.deliver("c", "q", 0)
    history.ack("c", "q", 0, type="info")
    assert found(history) == {}


def test_broadcast_may_lose_and_is_counted():
    """Two subscribers, three messages, four of six copies: fire and forget may lose two, and they are counted."""
    history = queue(0)
    for value in range(3):
        history.publish("p", ["a", "b"], value, type="info")
    for subscriber, values in (("a", (0, 1, 2)), ("b", (1,))):
        for value in values:
            history.deliver(subscriber, subscriber, value, auto_ack=True)
    report = check(history, Guarantees(durable=False))
    assert report.ok and report.verdicts["lost"].records == 2
    assert str(report).startswith("2 messages were lost (permitted)")


def test_phantom():
    history = queue(0)
    history.deliver("c", "q", 5, auto_ack=True)
    assert found(history) == {"phantom": 1}


@pytest.mark.parametrize("type, phantom", [("fail", {"phantom": 1}), ("info", {})])
def test_what_was_published_for_certain_or_perhaps_is_no_phantom(type, phantom):
    history = queue(0)
    history.publish("p", "q", 0, type=type)
    history.deliver("c", "q", 0, auto_ack=True)
    assert found(history) == phantom


# Settled twice, held twice, delivered again

def test_conservation():
    history = queue()
    history.deliver("c", "q", 0, lease_until=3)
    history.deadletter("q", 0, time=4)
    history.ack("c", "q", 0, time=5)
    assert found(history) == {"conservation": 1}


def test_a_refused_ack_settles_nothing():
    history = queue()
    history.deliver("c", "q", 0, lease_until=3)
    history.deadletter("q", 0, time=4)
    history.ack("c", "q", 0, type="fail", time=5)
    assert found(history) == {}


def test_double_possession_is_unjustified_too():
    history = queue()
    history.deliver("a", "q", 0, lease_until=10, time=1)
    history.deliver("b", "q", 0, attempt=2, lease_until=12, time=2)
    history.ack("b", "q", 0, time=3)
    assert found(history) == {"double possession": 1, "unjustified redelivery": 1}


def test_an_expired_lease_may_be_given_away():
    history = queue()
    history.deliver("a", "q", 0, lease_until=10, time=1)
    history.deliver("b", "q", 0, attempt=2, lease_until=22, time=10)
    history.ack("b", "q", 0, time=11)
    report = check(history)
    assert report.ok and report.verdicts["redelivery"].records == 1


@pytest.mark.parametrize("why", ["nack", "reject", "disconnect", "info"])
def test_a_message_given_back_may_be_given_away(why):
    history = queue()
    history.deliver("a", "q", 0)
    if why == "disconnect":
        history.disconnect("a")
    elif why == "reject":
        history.reject("a", "q", 0, requeue=True)
    else:
        history.nack("a", "q", 0, type="info" if why == "info" else "ok")
    history.deliver("b", "q", 0, attempt=2)
    history.ack("b", "q", 0)
    assert found(history) == {}


def test_anothers_disconnect_and_a_refused_nack_justify_nothing():
    history = queue()
    history.deliver("a", "q", 0)
    history.disconnect("c")
    history.nack("a", "q", 0, type="fail")
    history.deliver("b", "q", 0, attempt=2)
    history.ack("b", "q", 0)
    assert found(history) == {"double possession": 1, "unjustified redelivery": 1}


def test_a_failover_explains_a_redelivery_but_two_still_hold_it():
    history = queue()
    history.deliver("a", "q", 0)
    history.failover()
    history.deliver("b", "q", 0, attempt=2)
    history.ack("b", "q", 0)
    assert found(history) == {"double possession": 1}


def test_zombie():
    history = queue()
    history.deliver("a", "q", 0)
    history.ack("a", "q", 0)
    history.deliver("b", "q", 0, attempt=2)
    assert found(history) == {"zombie": 1}


def test_an_ack_that_was_not_accepted_makes_no_zombie():
    history = queue()
    history.deliver("a", "q", 0, lease_until=3)
    history.ack("a", "q", 0, type="fail")
    history.deliver("b", "q", 0, attempt=2, time=4)
    history.ack("b", "q", 0)
    assert found(history) == {}


@pytest.mark.parametrize("attempts, broken", [(3, {}), (4, {"over-delivery": 1})])
def test_over_delivery(attempts, broken):
    history = queue()
    for attempt in range(1, attempts + 1):
        history.deliver("a", "q", 0, attempt)
        history.nack("a", "q", 0)
    history.deadletter("q", 0)
    assert found(history, delivery_limit=3) == broken
    assert found(history) == {}


# Order

def delivered_in(*order: int, groups: bool = False) -> QueueHistory:
    history = queue(0)
    for value in range(4):
        history.publish("p", "q", value, group=f"g{value % 2}" if groups else "")
    for value in order:
        history.deliver("c", "q", value, auto_ack=True)
    return history


def test_order_inversion_and_its_depth():
    history = delivered_in(0, 3, 1, 2)
    assert found(history) == {"order inversion": 2}
    assert [anomaly.count for anomaly in check(history).of("order inversion")] == [2, 1]
    assert found(history, in_order=False) == {}


def test_groups_are_ordered_apart():
    assert found(delivered_in(1, 0, 3, 2, groups=True)) == {}
    assert found(delivered_in(2, 1, 0, 3, groups=True)) == {"order inversion": 1}


def test_publishers_are_ordered_apart():
    history = queue(0)
    history.publish("p", "q", 0)
    history.publish("r", "q", 1)
    for value in (1, 0):
        history.deliver("c", "q", value, auto_ack=True)
    assert found(history) == {}


# Many schedules

class ReferenceQueue:
    """A queue that does everything right, with consumers that forget, refuse, die and are late."""

    def __init__(self, seed: int):
        self.random, self.history = random.Random(seed), QueueHistory()
        self.ready: list[tuple[int, int]] = []  # (value, attempts so far)
        self.held: dict[int, tuple[str, int, float]] = {}  # value -> consumer, attempt, lease
        self.now, self.next = 0.0, 0

    def run(self, steps: int, limit: int) -> QueueHistory:
        self.limit = limit
        for _ in range(steps):
            self.now += self.random.random()
            self.expire_leases()
            self.random.choice((self.publish, self.deliver, self.deliver, self.settle, self.settle, self.disconnect))()
        while self.ready or self.held:
            self.now += 5
            self.expire_leases()
            self.deliver()
            for value in list(self.held):
                self.end(value, "ack")
        self.history.drained = True
        return self.history

    def publish(self) -> None:
        type = self.random.choice(("ok", "ok", "ok", "fail", "info"))
        self.history.publish("p", "q", self.next, type=type, time=self.now)
        if type == "ok" or type == "info" and self.random.random() < 0.5:
            self.ready.append((self.next, 0))
        self.next += 1

    def deliver(self) -> None:
        if self.ready:
            value, attempts = self.ready.pop(0)
            consumer, lease = f"c{self.random.randint(0, 2)}", self.now + self.random.choice((1.0, 3.0))
            self.held[value] = consumer, attempts + 1, lease
            self.history.deliver(consumer, "q", value, attempts + 1, lease, time=self.now)

    def settle(self) -> None:
        if self.held:
            action = self.random.choice(("ack", "ack", "requeue", "reject", "term"))
            self.end(self.random.choice(list(self.held)), action)

    def end(self, value: int, action: str) -> None:
        consumer, attempt, _ = self.held.pop(value)
        type = self.random.choice(("ok", "ok", "info"))
        method = self.history.nack if action == "requeue" else getattr(self.history, action)
        method(consumer, "q", value, type=type, time=self.now)
        if action == "requeue":
            self.back(value, attempt)

    def back(self, value: int, attempt: int) -> None:
        if attempt >= self.limit:
            self.history.deadletter("q", value, time=self.now)
        else:
            self.ready.append((value, attempt))

    def expire_leases(self) -> None:
        for value, (consumer, attempt, lease) in list(self.held.items()):
            if lease <= self.now:
                del self.held[value]
                self.back(value, attempt)
                self.history.ack(consumer, "q", value, type="fail", time=self.now)  # too late, and told so

    def disconnect(self) -> None:
        gone = f"c{self.random.randint(0, 2)}"
        self.history.disconnect(gone, time=self.now)
        for value, (consumer, attempt, _) in list(self.held.items()):
            if consumer == gone:
                del self.held[value]
                self.back(value, attempt)


def test_a_correct_queue_yields_no_anomaly_over_many_schedules():
    redelivered = 0
    for seed in range(400):
        report = check(ReferenceQueue(seed).run(60, limit=4), Guarantees(in_order=False, delivery_limit=4))
        assert report.ok, (seed, repr(report))
        redelivered += report.verdicts["redelivery"].records
    assert redelivered > 1000  # the schedules were not idle


BUGS = {
    "lost": lambda history: history.publish("p", "q", 999),
    "phantom": lambda history: history.deliver("c", "q", 999, auto_ack=True),
    "zombie": lambda history: (history.publish("p", "q", 999), history.deliver("c", "q", 999, auto_ack=True),
                               history.deliver("c", "q", 999, attempt=2)),
    "conservation": lambda history: (history.publish("p", "q", 999), history.deliver("c", "q", 999, auto_ack=True),
                                     history.deadletter("q", 999)),
}


@pytest.mark.parametrize("kind", BUGS)
def test_a_seeded_bug_yields_its_anomaly(kind):
    for seed in range(20):
        history = ReferenceQueue(seed).run(40, limit=4)
        BUGS[kind](history)
        assert check(history, Guarantees(in_order=False, delivery_limit=4)).broken == [kind]


cell = st.integers(-2, 6)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(cell, cell, cell, cell, cell), max_size=30), st.booleans())
def test_the_judge_never_falls_over(events, drained):
    history = QueueHistory()
    for name in "abc":
        history.processes.code(name)
        history.keys.code(name)
    for what, process, key, value, more in events:
        if what < 0:
            history.marks.append(more, process, value, 0.0)
        elif what < 2:
            history.published(history.op(), process, key, value, more, more, 0, 0.0, 0.0)
        elif what < 4:
            history.delivered(history.op(), process, key, value, more, float("nan") if more == 0 else more, 1.0)
        else:
            history.settled(history.op(), process, key, value, more, min(more, 2), 0.0)
    history.drained = drained
    report = check(history, Guarantees(delivery_limit=2))
    assert str(report) and repr(report) and report._repr_html_()


# Reading

def test_latencies_count_from_creation():
    history = queue(0)
    history.publish("p", "q", 0, invoked=1.0, time=1.5)
    history.publish("p", "q", 1, invoked=2.0, time=2.5, type="info")
    history.publish("p", "q", 2, invoked=3.0, time=3.25)
    history.deliver("c", "q", 0, time=4.0)
    history.deliver("c", "q", 0, attempt=2, time=9.0)
    assert history.latencies().tolist() == [0.5, 0.25]
    assert history.latencies("end_to_end").tolist() == [3.0]
    history.created[0] = np.array([0.5, 0.5, 0.5])
    assert history.latencies("end_to_end").tolist() == [3.5]
    with pytest.raises(ValueError, match="what: 'lag'"):
        history.latencies("lag")


def test_events_in_order_as_lines_and_as_a_frame():
    history = queue()
    history.deliver("c", "q", 0, lease_until=30, auto_ack=True)
    assert [event["f"] for event in history.events()] == ["publish", "deliver", "ack"]
    assert history.to_pandas()["f"].tolist() == ["publish", "deliver", "ack"]
    assert '"lease": 30.0' in history.to_jsonl() and "ack" in ACTIONS
