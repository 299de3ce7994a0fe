"""A disk behind a page cache: what an fsync costs, and what a power loss takes."""
import pytest

from simulator.kernel.disk import Disk, DiskProfile
from simulator.kernel.world import World


def disk(**profile) -> Disk:
    return Disk(World().node("a", "broker"), DiskProfile(**profile))


def test_fsyncs_take_their_turn():
    slow = disk(fsync=0.25)
    assert [slow.fsync() for _ in range(3)] == [0.25, 0.5, 0.75]


def test_a_disk_that_was_idle_owes_nothing():
    slow = disk(fsync=0.25)
    slow.fsync()
    slow.node.world.run(until=1.0)
    assert slow.fsync() == 0.25


def test_every_fsync_is_counted():
    busy = disk()
    for _ in range(3):
        busy.fsync()
    assert busy.node.world.meters.counts["fsync"] == 3


def test_the_system_writes_back_what_is_old_enough():
    assert disk(writeback=30.0).written_before(100.0) == 70.0


def test_the_default_fsync_is_that_of_a_cloud_volume():
    assert DiskProfile().fsync.mean == pytest.approx(0.0007, rel=0.05)


def test_two_disks_draw_from_two_streams():
    world = World()
    first, second = (Disk(world.node(name, "broker"), DiskProfile()) for name in "ab")
    assert first.fsync() != second.fsync()


@pytest.mark.parametrize("field, value",
                         [("fsync", -1), ("fsync", "fast"), ("writeback", -1), ("writeback", float("nan")),
                                          ("writeback", "30 s")])
def test_an_impossible_disk_is_refused(field, value):
    with pytest.raises(ValueError, match=rf"^{field}: {value!r} is not .+"):
        DiskProfile(**{field: value})
