"""What chapter 03 says about bills is so: its own cells are run, and the prose is held to what they found."""

import pytest
from reading import Chapter
from scenes import managed as scenes
from scenes import zone_bytes

from simulator import theory
from simulator.evidence.bill import price_book

SOURCE = Chapter("03-managed-kafka")
says = SOURCE.says


def test_confluent_s_bill_is_the_largest_of_those_whose_prices_are_known(chapter):
    known = [name for name in chapter.bills.order if name not in ("aiven", "redpanda")]
    assert known[-1] == "confluent"
    parts = chapter.bills.parts("confluent")
    assert parts["in and out"] > 0.5 * sum(parts.values())


def test_two_bars_are_guesses_and_the_others_are_not(chapter):
    share = {name: chapter.bills.assumed(name) / chapter.bills.bills[name].total for name in scenes.BOOKS}
    assert share["aiven"] == share["redpanda"] == 1 and says("For two of the providers nearly all prices are")
    assert share["msk"] == share["self-managed"] == 0 and share["confluent"] < 0.25 and share["event-hubs"] < 0.25


def test_machines_are_a_guess_once_there_are_more_than_the_least():
    large = scenes.side_by_side(mb_per_s=100)
    for name, line in (("self-managed", "instances"), ("msk", "brokers")):
        assert large.assumed(name) == pytest.approx(large.bills[name][line]) and large.assumed(name) > 0


def test_what_one_more_costs(chapter):
    more = chapter.more
    assert more["a group"].eq(0).sum() == 1 and more["a group"]["WarpStream BYOC"] == 0
    assert more["a group"].idxmax() == "Confluent Standard"
    assert set(more["a day"].nlargest(2).index) == {"MSK Standard", "your own machines"}  # three copies on disks
    assert list(more.index[more["500 partitions"] > 0]) == ["Confluent Standard"]


def test_reading_all_again(chapter):
    dollars = chapter.again["dollars"]
    assert dollars["WarpStream BYOC"] < 1 and says("costs cents: 700,000 requests")
    assert 7 * 86_400 * 10e6 / scenes.FILE == pytest.approx(700_000, rel=0.05)
    assert dollars["Confluent Standard"] > 0.5 * chapter.bills.parts("confluent")["capacity"]
    assert says("more than half of a month's capacity")
    assert dollars["your own machines"] == pytest.approx(7 * 86_400 * 10e6 * 2 / 3 / 1e9 * 0.02, abs=0.01)


def test_the_lines_cross_where_the_bills_are_the_same(chapter):
    rate = chapter.even.pays_from("warpstream")
    one, two = (scenes.bill_of(name, mb_per_s=rate).total for name in ("warpstream", "self-managed"))
    assert one == pytest.approx(two, rel=0.02) and 2 < rate < 3
    fee = scenes.bill_of("warpstream", mb_per_s=rate)["cluster"]
    assert 450 < fee < 550  # "the fee of 500 dollars"


def test_people_move_the_crossing():
    assert scenes.break_even(people=800.0).pays_from("warpstream") < scenes.break_even().pays_from("warpstream")
    rich = scenes.break_even(people=4000.0)
    assert rich.pays_from("warpstream") == rich.pays_from("msk") == scenes.RATES[0]
    assert rich.picture().headline.endswith("at any rate")


def test_hours_are_the_difference_of_two_bills():
    assert scenes.hours_bought("confluent") == pytest.approx(
        (scenes.bill_of("confluent").total - scenes.bill_of("self-managed").total) / 100)


def test_the_goals_can_be_reached_and_are_not_given_away(chapter):
    assert chapter.bills.order[0] != "self-managed" and chapter.bills.spread < 15 and not chapter.bills.changed
    assert scenes.side_by_side(mb_per_s=1, days=10).order[0] == "self-managed"
    assert scenes.side_by_side(mb_per_s=60, groups=8).spread >= 15
    flipped = scenes.with_price("confluent: data-out", 0.0)
    assert flipped.changed and flipped.order[-1] != "confluent"


def test_what_is_not_sold_is_missing_and_named():
    bills = scenes.side_by_side(mb_per_s=50, days=14)
    assert "event-hubs" not in bills.bills and "Not sold: Event Hubs Standard." in bills.picture().caption


def test_compression_makes_warpstream_s_fees_larger_and_no_other_bill():
    plain, squeezed = (scenes.side_by_side(compression=factor) for factor in (1.0, 8.0))
    for name in scenes.BOOKS:
        one, eight = (bills.bills[name] for bills in (plain, squeezed))
        if name == "warpstream":
            assert eight["written"] == pytest.approx(8 * one["written"]) and says("pays its fees eight times")
        else:
            assert eight.total == pytest.approx(one.total)


def test_every_price_can_be_edited():
    for price in scenes.EDITABLE:
        name, line = price.split(": ")
        edited, before = scenes.with_price(price, 2.0).bills[name], scenes.BOOKS[name]
        assert edited.book[line].value == 2 * before[line].value
        assert edited[line] == pytest.approx(2 * scenes.bill_of(name)[line])


def test_bytes_between_zones_are_the_formula_and_a_few_per_cent(chapter):
    far, near, bucket = chapter.found.values()
    by_formula = theory.cross_zone_bytes(1), theory.cross_zone_bytes(1, fetch_from_closest=True)
    for run, expected in zip((far, near), by_formula):
        assert expected < zone_bytes.per_byte(run)["all"] < 1.07 * expected
    assert zone_bytes.per_byte(bucket)["all"] == pytest.approx(0.03, abs=0.005) and says("The agents' 0.03")


def test_most_of_one_s_own_bill_is_zones():
    made = scenes.bill_of("self-managed")
    assert scenes.share_of_zones() > 0.5 and made["zone-out"] + made["zone-in"] > made["instances"] + made["disks"]
    assert scenes.share_of_zones("msk") < 0.5 and scenes.share_of_zones("event-hubs") == 0


def test_who_pays_and_what_reading_nearby_saves(chapter):
    far, near, _ = chapter.found.values()
    def dollars(run, name):
        return zone_bytes.zone_dollars(run, scenes.BOOKS[name])

    def saved(name):
        return 1 - dollars(near, name) / dollars(far, name)
    assert saved("msk") == pytest.approx(0.5, abs=0.03) and says("KIP-392 takes half of those")
    assert 0.15 < saved("self-managed") < 0.25
    assert dollars(far, "self-managed") > 2.4 * dollars(far, "msk")


def test_bytes_between_zones_rise_while_the_broker_is_gone_and_stay_up(chapter):
    before, gone, after = (zone_bytes.between(chapter.run, *stretch) for stretch in zone_bytes.STRETCHES.values())
    assert before["all"] == pytest.approx(2 / 3 + 2, abs=0.08) and before["to consumers"] == 0
    assert gone["all"] == pytest.approx(3, abs=0.05) and gone["to followers"] == pytest.approx(1, abs=0.03)
    assert after["all"] == pytest.approx(3, abs=0.05) and after["to consumers"] == 0 and says("still 3.0 bytes cross")
    assert chapter.run.check().ok and says("Nothing is lost")


def test_the_return_brings_all_that_was_missed_in_one_go(chapter):
    followers = zone_bytes.crossing(chapter.run)["to followers"]
    jump = followers.until(zone_bytes.AWAY[1] + 0.5) - followers.until(zone_bytes.AWAY[1] - 0.1)
    sends = chapter.run.history.acknowledged()
    missed = sends["count"][(sends["completed"] > zone_bytes.AWAY[0]) & (sends["completed"] < zone_bytes.AWAY[1])].sum()
    assert jump > missed


def test_what_is_left_to_the_reader(tmp_path):
    """A book of one's own lies beside the others."""
    path = tmp_path / "mine.toml"
    path.write_text('[book]\nname = "Mine"\nregion = "here"\nzones = ["a", "b", "c"]\n[in]\nmeter = "bytes produced"\n'
                    'value = 0.1\nunit = "GB"\nsource = "a quote"\ndate = "2026-11"\n')
    assert scenes.bill_of("mine", price_book(path)).total == pytest.approx(26_280 * 0.1)
