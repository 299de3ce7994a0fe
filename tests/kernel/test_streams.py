"""Named random streams: one component's luck is nobody else's business."""
import numpy as np
import pytest

from simulator.kernel.streams import Stream


def test_seed_and_name_decide_every_draw():
    assert Stream(7, "network/a→b").uniforms(5).tolist() == Stream(7, "network/a→b").uniforms(5).tolist()


@pytest.mark.parametrize("seed, name", [(8, "disk/a"), (7, "disk/b"), (7, ""), (71, "disk/a")])
def test_another_seed_or_name_is_another_stream(seed, name):
    assert not np.isin(Stream(seed, name).uniforms(1000), Stream(7, "disk/a").uniforms(1000)).any()


def test_drawing_from_one_stream_moves_no_other():
    alone = Stream(7, "a").uniforms(10)
    a, b = Stream(7, "a"), Stream(7, "b")
    beside = []
    for _ in range(10):
        b.uniforms(3)
        beside += a.uniforms(1).tolist()
    assert beside == alone.tolist()


def test_draws_do_not_depend_on_how_many_are_taken_at_a_time():
    at_once, in_parts = Stream(7, "a"), Stream(7, "a")
    assert at_once.uniforms(8).tolist() == in_parts.uniforms(3).tolist() + in_parts.uniforms(5).tolist()


@pytest.mark.parametrize("bits", [0, 2 ** 64 - 1])
def test_never_zero_and_never_one(bits):
    class Extreme:
        def random_raw(self, count):
            return np.full(count, bits, dtype=np.uint64)

    stream = Stream(7, "a")
    stream._bits = Extreme()
    assert 0.0 < stream.uniforms(1)[0] < 1.0


def test_uniform_in_mean_and_spread():
    draws = Stream(7, "a").uniforms(100_000)
    assert abs(draws.mean() - 1 / 2) < 5 * (1 / 12 / 100_000) ** 0.5
    assert np.histogram(draws, bins=10, range=(0, 1))[0] == pytest.approx([10_000] * 10, rel=0.05)


def test_the_bits_themselves_are_pinned():
    """Another NumPy or another machine must not change a published run: these are the numbers of the first release."""
    assert Stream(7, "workload/arrivals").uniforms(3).tolist() == PINNED


PINNED = [0.5605382906398274, 0.5842629315397349, 0.36611946715227817]
