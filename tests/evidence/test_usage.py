"""A month of a topic, by meter: crossings are the closed form, pieces whole, and what is not sold is refused."""
from dataclasses import replace

import pytest

from simulator import theory
from simulator.evidence.bill import MONTH, bill, price_book, price_books
from simulator.evidence.prices import DAY, Capacity
from simulator.evidence.usage import Topic, crossings, usage

TOPIC = Topic(rate=10e6, retention=7 * DAY, groups=2)


@pytest.mark.parametrize("replication", [1, 2, 3])
@pytest.mark.parametrize("near", [False, True])
@pytest.mark.parametrize("groups", [0, 1, 5])
def test_crossings_are_the_closed_form(replication, near, groups):
    each = crossings(Topic(replication=replication, near=near, groups=groups))
    expected = theory.cross_zone_bytes(groups, replication=replication, fetch_from_closest=near)
    assert sum(each.values()) == pytest.approx(expected)


def test_in_one_zone_nothing_crosses_and_with_two_copies_in_a_zone_less():
    assert sum(crossings(Topic(zones=1, replication=3)).values()) == 0
    assert crossings(Topic(zones=2, replication=3))["replicate"] == pytest.approx((2 * 1 + 1 * 2) / 3)  # 2 + 1 copies
    assert sum(crossings(TOPIC, "bucket").values()) == 0


@pytest.mark.parametrize("name", price_books())
def test_every_meter_that_a_book_prices_is_one_that_a_topic_uses(name):
    book = price_book(name)
    used = usage(TOPIC, book)
    unknown = {price.meter for price in book.prices} - set(used)
    assert unknown <= {"object-store byte-seconds", "object-store PUT requests", "object-store GET requests",
                       "object-store LIST requests", "object-store CONDITIONAL PUT requests"}
    assert bill(used, book).total > 100


@pytest.mark.parametrize("name", price_books())
def test_more_of_everything_costs_more(name):
    """A bill grows with the rate, with the days and with the readers; never the other way round."""
    book = price_book(name)
    small = Topic(rate=1e6, retention=DAY, groups=1)
    cost = bill(usage(small, book), book).total
    for larger in (replace(small, rate=5e6), replace(small, retention=6 * DAY), replace(small, groups=4)):
        assert bill(usage(larger, book), book).total >= cost
    assert bill(usage(replace(small, rate=5e6, retention=6 * DAY), book), book).total > cost


def test_pieces_are_whole_and_the_tightest_limit_counts():
    piece = Capacity("c", "m", {"bytes in": 10.0, "partitions": 4}, "s", "2026", at_least=2)
    assert [piece.pieces({"bytes in": amount}) for amount in (0.0, 20.0, 20.1, 95.0)] == [2, 2, 3, 10]
    assert piece.pieces({"bytes in": 1.0, "partitions": 13}) == 4


def test_an_allowance_is_not_charged_twice():
    book = price_book("event-hubs")
    within = usage(Topic(rate=1e6, retention=0.9 * DAY), book)
    assert within["stored byte-seconds"] == 0 and within["throughput-unit seconds"] == MONTH
    above = usage(Topic(rate=1e6, retention=7 * DAY), book)["stored byte-seconds"]
    assert above == pytest.approx((7 * DAY * 1e6 - 84e9) * MONTH)


def test_records_are_counted_where_they_are_charged_by_number():
    book = price_book("event-hubs")
    assert usage(Topic(rate=1e6, record_bytes=1_000), book)["records produced"] == 1_000 * MONTH
    assert usage(Topic(rate=1e6, record_bytes=100_000), book)["records produced"] == pytest.approx(2 * 10 * MONTH)


def test_compression_halves_what_is_sent_and_not_what_warpstream_charges():
    book = price_book("warpstream")
    plain, half = (bill(usage(topic, book), book) for topic in (TOPIC, replace(TOPIC, rate=5e6, compression=2.0)))
    assert half["written"] == pytest.approx(plain["written"])
    assert half["s3-storage"] == pytest.approx(plain["s3-storage"] / 2)


def test_reading_nearby_saves_only_where_it_is_to_be_had():
    near = replace(TOPIC, near=True)
    saved = {name: bill(usage(TOPIC, book), book).total - bill(usage(near, book), book).total
             for name, book in price_books().items()}
    half = 26_280 * 0.01 * 4 / 3  # two groups, two thirds of what they read, one direction
    assert saved == pytest.approx({"self-managed": 2 * half, "msk": 2 * half, "aiven": half, "redpanda": half,
                                   "confluent": 0, "event-hubs": 0, "warpstream": 0})


def test_each_provider_s_bill_by_hand():
    """10 MB/s, 7 days, two groups: 26,280 GB in a month, 6,048 GB kept."""
    totals = {"self-managed": 3 * 730 * 0.0816 + 3 * 6048 * 0.08 + 4 * 26_280 * 0.02,
              "msk": 3 * 730 * 0.204 + 3 * 6048 * 0.10 + 2 * 26_280 * 0.02,
              "event-hubs": 10 * 730 * 0.03 + 26_280 * 0.028 + (6048 - 840) * 0.05,
              "confluent": (730 * 0.75 + 3 * 26_280e9 / 2 ** 30 * 0.05 + 6048e9 / 2 ** 30 * 0.08
                            + 2 * 26_280 * 0.01)}
    for name, expected in totals.items():
        assert bill(usage(TOPIC, price_book(name)), price_book(name)).total == pytest.approx(expected), name


@pytest.mark.parametrize("topic, message", [
    (Topic(rate=41e6), "^throughput-units: 41 are not sold; this load must be one that at most 40 carry$"),
    (Topic(retention=8 * DAY), "^topic: 8 days in 3 zones are not sold by 'Azure Event Hubs, Standard'; "
                               "it must be at most 7 days in 3 zones$"),
    (Topic(zones=4), "^topic: 7 days in 4 zones are not sold by ")])
def test_what_is_not_sold_is_refused(topic, message):
    with pytest.raises(ValueError, match=message):
        usage(topic, price_book("event-hubs"))


@pytest.mark.parametrize("field, value", [("rate", -1.0), ("rate", float("nan")), ("groups", 1.5), ("replication", 0),
                                          ("zones", True), ("compression", 0.5), ("record_bytes", 0)])
def test_nonsense_is_refused(field, value):
    with pytest.raises(ValueError, match=f"^{field}: .* of a topic is not allowed; it must be a (whole )?number, at "):
        Topic(**{field: value})
