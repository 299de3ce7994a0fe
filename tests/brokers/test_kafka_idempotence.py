"""What a partition's leader makes of a producer's numbers: next, again, too far, too old."""

from simulator import Workload, kafka
from simulator.brokers.kafka.messages import Error, ProducerBatch
from simulator.kernel.world import World

PRODUCER = 9


class Leader:
    """The leader of a partition to which nobody else writes."""

    def __init__(self):
        system = kafka.Cluster(partitions=1).build(World(1), Workload(rate=1, seconds=1))
        self.leadership = system.brokers[0].leading[0]

    def takes(self, sequence: int, epoch: int = 0, count: int = 2) -> tuple[Error, int]:
        """The error and the offset for a batch with this sequence."""
        batch = ProducerBatch(0, sequence, count, 100, PRODUCER, 0, 0.0)
        batch.producer_epoch = epoch
        error, offset, _ = self.leadership.append(batch, 1, -1)
        return error, offset


def test_what_comes_next_is_appended():
    leader = Leader()
    assert [leader.takes(sequence) for sequence in (0, 2, 4)] == [(Error.NONE, 0), (Error.NONE, 2), (Error.NONE, 4)]


def test_what_comes_again_is_answered_with_its_old_offset():
    leader = Leader()
    for sequence in range(0, 10, 2):
        leader.takes(sequence)
    assert [leader.takes(sequence) for sequence in (0, 4, 8)] == [(Error.NONE, 0), (Error.NONE, 4), (Error.NONE, 8)]
    assert leader.leadership.log.end_offset == 10


def test_a_gap_is_refused_and_may_be_filled():
    leader = Leader()
    leader.takes(0)
    assert leader.takes(4) == (Error.OUT_OF_ORDER_SEQUENCE_NUMBER, -1)
    assert leader.takes(2) == (Error.NONE, 2) and leader.takes(4) == (Error.NONE, 4)


def test_five_batches_are_remembered():
    leader = Leader()
    for sequence in range(0, 20, 2):
        leader.takes(sequence)
    assert [batch.sequence for batch in leader.leadership.recent[PRODUCER]] == [10, 12, 14, 16, 18]


def test_an_older_epoch_is_refused():
    leader = Leader()
    leader.takes(0, epoch=1)
    assert leader.takes(0, epoch=0) == leader.takes(2, epoch=0) == (Error.INVALID_PRODUCER_EPOCH, -1)


def test_a_new_epoch_begins_at_zero():
    leader = Leader()
    leader.takes(0)
    assert leader.takes(2, epoch=1) == (Error.OUT_OF_ORDER_SEQUENCE_NUMBER, -1)
    assert leader.takes(0, epoch=1) == (Error.NONE, 2) and leader.takes(2, epoch=1) == (Error.NONE, 4)


def test_a_new_leader_remembers_what_the_log_tells():
    leader = Leader()
    for sequence in range(0, 8, 2):
        leader.takes(sequence, epoch=3)
    before, state = leader.leadership, leader.leadership.state
    leader.leadership = type(before)(before.broker, state._replace(leader_epoch=1), -1)
    assert leader.takes(6, epoch=3) == (Error.NONE, 6) and leader.takes(8, epoch=2)[0] is Error.INVALID_PRODUCER_EPOCH
    assert leader.takes(10, epoch=3)[0] is Error.OUT_OF_ORDER_SEQUENCE_NUMBER
