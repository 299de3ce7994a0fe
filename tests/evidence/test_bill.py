"""A bill is quantity times price, line by line; prices without a source and zones unknown are refused."""
import re

import pytest

from simulator.evidence.bill import MONTH, UNITS, Price, PriceBook, bill, price_book, price_books, quantities
from simulator.evidence.meters import Meters
from simulator.evidence.prices import MODELS, Capacity

BOOK = price_book()


def metered() -> Meters:
    meters = Meters()
    meters.traffic |= {("a", "b"): 3e9, ("b", "a"): 1e9, ("a", "c"): 2e9, ("a", "a"): 50e9}
    meters.counts |= {"object-store PUT requests": 2_000_000, "object-store GET requests": 500_000, "fsync": 12}
    meters.integrals |= {"disk byte-seconds": 300e9 * MONTH, "broker seconds": 3 * MONTH,
                         "object-store byte-seconds": 1e12 * MONTH}
    return meters


def test_every_line_is_quantity_times_price():
    made = bill(metered(), BOOK)
    expected = {"instances": 3 * 730 * 0.0816, "disks": 300 * 0.08, "zone-out": 6 * 0.01, "zone-in": 6 * 0.01,
                "s3-storage": 1000 * 0.023, "s3-put": 2_000 * 0.005, "s3-get": 500 * 0.0004}
    assert {line.price.name: line.amount for line in made.lines} == pytest.approx(expected)
    assert made.total == pytest.approx(sum(expected.values()))
    assert all(line.amount == line.quantity * line.price.value for line in made.lines)
    assert made["disks"] == pytest.approx(24) and made["s3-list"] == 0
    assert made.share("zone-out", "zone-in") == pytest.approx(0.12 / made.total)


def test_a_line_says_how_it_came_about():
    line = next(line for line in bill(metered(), BOOK).lines if line.price.name == "s3-put")
    assert str(line) == "s3-put: 2,000 x 1,000 requests x 0.005 = 10.00"


def test_bytes_between_zones_are_charged_where_they_leave_and_where_they_arrive_and_others_not_at_all():
    used = quantities(metered(), BOOK.zones)
    assert used["bytes out of zones"] == used["bytes into zones"] == 6e9
    assert (used["bytes out of zone a"], used["bytes into zone a"], used["bytes into zone c"]) == (5e9, 1e9, 2e9)


def test_a_book_may_charge_one_direction_of_one_zone():
    only = PriceBook("x", "r", ("a", "b", "c"), (Price("exit", "bytes out of zone a", 1.0, "GB", "r", "here", "2026"),))
    assert bill(metered(), only).total == 5


def test_what_has_no_price_is_named():
    assert bill(metered(), BOOK).free == ("fsync",)


def test_a_month_of_a_minute():
    minute = {"broker seconds": 60.0}
    assert bill(minute, BOOK, times=MONTH / 60).total == pytest.approx(bill({"broker seconds": MONTH}, BOOK).total)


def test_a_bill_changes_nothing_it_is_made_from():
    meters = metered()
    assert repr(bill(meters, BOOK)) == repr(bill(meters, BOOK)) and vars(meters) == vars(metered())


@pytest.mark.parametrize("unit", UNITS)
def test_one_unit_costs_its_price(unit):
    book = PriceBook("x", "r", ("a",), (Price("p", "m", 3.0, unit, "r", "here", "2026"),))
    assert bill({"m": UNITS[unit]}, book).total == 3


def test_prices_can_be_edited_and_say_so():
    dearer = BOOK.with_prices(zone_out=0.02, disks=0.1)
    assert (dearer["zone-out"].value, BOOK["zone-out"].value) == (0.02, 0.01)
    assert dearer["zone-out"].source.startswith("edited, instead of 0.01")
    assert bill(metered(), dearer)["disks"] == pytest.approx(30)


def test_other_ways_of_charging_are_other_books(tmp_path):
    """Throughput, cluster hours and a fee on what is written, as managed offers have them."""
    path = tmp_path / "managed.toml"
    path.write_text('[book]\nname = "Managed"\nregion = "r"\nzones = ["a"]\n'
                    + "".join(f'[{name}]\nmeter = "{meter}"\nvalue = {value}\nunit = "{unit}"\nsource = "s"\ndate = '
                              '"2026"\n' for name, meter, value, unit
                              in (("in", "bytes produced", 0.05, "GB"), ("cluster", "cluster seconds", 1.5, "hour"))))
    assert bill({"bytes produced": 2e9, "cluster seconds": 7200}, price_book(path)).total == pytest.approx(0.1 + 3)


@pytest.mark.parametrize("name", price_books())
def test_every_price_has_a_unit_a_region_a_source_and_a_date(name):
    book = price_book(name)
    assert len(book.prices) >= 4
    for price in book.prices:
        assert price.region == book.region and price.unit in UNITS, price.name
        sourced = "https://" in price.source or "github.com/" in price.source or price.assumed
        assert sourced, f"{price.name}: nobody says so"
        assert re.fullmatch(r"20\d\d(-\d\d)?", price.date), price.name


def test_there_are_six_providers_and_one_s_own_machines_and_each_way_of_charging():
    books = price_books()
    assert set(books) == {"self-managed", "confluent", "aiven", "msk", "event-hubs", "redpanda", "warpstream"}
    assert {book.model for book in books.values()} == set(MODELS)


def test_an_assumption_says_that_it_is_one():
    book = price_book("redpanda")
    assert book["uptime"].origin.startswith("assumption: no list price found")
    assert "assumption: " in bill({"tier seconds": 1.0}, book)._repr_html_()


def test_some_books_charge_what_clients_send_and_not_what_servers_send_each_other():
    meters = metered()
    meters.crossings |= {("broker", "broker"): 4e9, ("producer", "broker"): 1.5e9, ("broker", "consumer"): 0.5e9}
    made = bill(meters, price_book("msk"))
    assert (made["zone-out"], made["zone-in"]) == (0.02, 0.02)
    assert "server bytes out of zones" in made.free and "client bytes out of zones" not in made.free


def test_a_bill_in_a_notebook_shows_sources():
    html = bill(metered(), BOOK)._repr_html_()
    assert all(price in html for price in ("s3-put", "disks")) and "2026-06" in html
    assert "Not charged in this book: fsync." in html
    assert list(bill(metered(), BOOK).to_pandas()["line"]) == [line.price.name for line in bill(metered(), BOOK).lines]


# Nonsense

GOOD = {"meter": "m", "value": "1.0", "unit": "GB", "source": "s", "date": "2026"}


def book_with(tmp_path, **entry):
    path = tmp_path / "book.toml"
    lines = [f"{name} = {value if name == 'value' else repr(value)}" for name, value in entry.items()]
    path.write_text('[book]\nname = "x"\nregion = "r"\nzones = ["a"]\n[p]\n' + "\n".join(lines) + "\n")
    return price_book(path)


@pytest.mark.parametrize("missing", ["source", "date", "unit", "meter", "value"])
def test_a_price_that_lacks_something_is_refused(tmp_path, missing):
    with pytest.raises(ValueError, match=f"^{missing}: the price 'p' has none; it must have "):
        book_with(tmp_path, **{name: value for name, value in GOOD.items() if name != missing})


@pytest.mark.parametrize("field, value, allowed",
                         [("value", "-0.01", "a number, at least 0"), ("value", "inf", "a number, at least 0"),
                                                   ("value", "true", "a number, at least 0"),
                          ("unit", "bushel", "one of GB, "),
                                                   ("source", " ", "given"), ("date", "", "given")])
def test_a_price_that_cannot_be_is_refused(tmp_path, field, value, allowed):
    with pytest.raises(ValueError, match=f"^{field}: .* of the price 'p' is not allowed; it must be {allowed}"):
        book_with(tmp_path, **GOOD | {field: value})


def test_what_a_price_cannot_have_is_refused(tmp_path):
    with pytest.raises(ValueError, match="^sauce: the price 'p' cannot have it"):
        book_with(tmp_path, **GOOD, sauce="s")


def test_a_file_that_is_no_book_is_refused(tmp_path):
    (tmp_path / "x.toml").write_text("[p]\nvalue = 1\n")
    with pytest.raises(ValueError, match="^name: x.toml is not a price book"):
        price_book(tmp_path / "x.toml")
    (tmp_path / "x.toml").write_text("[p\n")
    with pytest.raises(ValueError, match="^price book: x.toml is not TOML: .* line 1"):
        price_book(tmp_path / "x.toml")


def test_an_unknown_zone_is_refused():
    meters = metered()
    meters.traffic["a", "z"] = 1.0
    with pytest.raises(ValueError,
                       match="^zone: 'z' is not allowed; it must be one of a, b, c, the zones of the price book$"):
        bill(meters, BOOK)


def test_an_unknown_zone_in_a_price_file_is_refused(tmp_path):
    with pytest.raises(ValueError,
                       match="^zone: 'z' of the price 'p' is not allowed; it must be one of a, the zones of 'x'$"):
        book_with(tmp_path, **GOOD | {"meter": "bytes out of zone z"})


CARRIES = {"meter": "m", "carries": {"bytes in": 1e6}, "source": "s", "date": "2026"}


@pytest.mark.parametrize("wrong, field", [({"source": ""}, "source"), ({"carries": {"bytes in": 0.0}}, "carries"),
                                          ({"carries": {"litres": 1.0}}, "carries"), ({"carries": {}}, "carries"),
                                          ({"carries": 5}, "carries"), ({"at_least": 0}, "at_least"),
                                          ({"at_most": 1.5}, "at_most"), ({"includes": {"litres": 1.0}}, "includes"),
                                          ({"at_least": 5, "at_most": 4}, "at_most")])
def test_a_capacity_that_cannot_be_is_refused(wrong, field):
    with pytest.raises(ValueError, match=f"^{field}: .* of the capacity 'c' is not allowed; it must be "):
        Capacity("c", **CARRIES | wrong)


@pytest.mark.parametrize("wrong, field",
                         [({"model": "barter"}, "model"), ({"copies": "monks"}, "copies"), ({"longest": 0}, "longest"),
                                          ({"nearby": "often"}, "nearby")])
def test_a_book_that_cannot_be_is_refused(wrong, field):
    with pytest.raises(ValueError, match=f"^{field}: .* of the price book 'x' is not allowed; it must be "):
        PriceBook("x", "r", ("a",), (), **wrong)


def test_what_is_no_table_is_refused(tmp_path):
    (tmp_path / "x.toml").write_text('disks = 0.08\n[book]\nname = "x"\nregion = "r"\nzones = ["a"]\n')
    with pytest.raises(ValueError, match="^price: 'disks' is 0.08; it must be a table, as in "):
        price_book(tmp_path / "x.toml")


def test_a_book_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="^price book: 'gazprom' is not there; it must be one of aiven, "):
        price_book("gazprom")


@pytest.mark.parametrize("call, field",
                         [(lambda: bill({"m": -1.0}, BOOK), "m"), (lambda: bill({"m": float("nan")}, BOOK), "m"),
                                         (lambda: bill({}, BOOK, times=0), "times"), (lambda: BOOK["gold"], "price"),
                                         (lambda: bill({}, BOOK)["gold"], "price"),
                          (lambda: BOOK.with_prices(disks=-1), "value")])
def test_nonsense_is_refused(call, field):
    with pytest.raises(ValueError, match=f"^{field}: "):
        call()
