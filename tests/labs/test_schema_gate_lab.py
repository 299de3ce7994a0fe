"""The gate for schemas: what Buf says against what readers live through, and what each place of the check costs."""
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from exercises.schema_evolution import wire
from without import cells_of

from labs import buf, needs
from labs.servers.nats import NatsCluster

LAB = Path(needs.__file__).parent / "schema-gate.md"
WITHOUT = "from labs import needs\nneeds.ELSEWHERE['buf'].find = lambda: None"


@pytest.fixture(scope="module")
def changes():
    """The module for changes, or a skip that says how to get Buf."""
    if not buf.find():
        pytest.skip(buf.missing())
    from labs import schema_changes
    return schema_changes


@pytest.fixture(scope="module")
def table(changes):
    return changes.table()


@pytest.fixture(scope="module")
def scenes(changes, nats_server):
    """The release with the check in each place, all four at once on one broker."""
    from labs.schema_gate import PLACES, Scene
    with NatsCluster(1, quiet=True) as cluster, ThreadPoolExecutor() as pool:
        yield list(pool.map(lambda place: Scene(cluster, place).run(), PLACES))


# Without Buf

def test_without_buf_the_lab_runs_and_says_what_it_left_out():
    cells = cells_of(LAB, WITHOUT, "buf (with the package protobuf) is not in this environment: run")
    assert any("unreadable: the record ends" in str(cell.outputs) for cell in cells), "bytes are taken apart anyway"


def test_a_missing_buf_is_one_sentence(monkeypatch):
    monkeypatch.setattr(buf.process, "find", lambda name: None)
    assert buf.find() is None
    with pytest.raises(FileNotFoundError, match="install the extra `proto`"):
        buf.version()


@pytest.mark.parametrize("price", ["10.00", "12.50", "14.90", "19.00", "19.99"])
def test_prices_between_ten_and_twenty_are_silent(price):
    (number, _, _), = wire.fields(f"{price} EUR".encode())
    assert number not in (1, 2), "neither cents nor currency"


@pytest.mark.parametrize("price", ["24.00", "7.20"])
def test_the_rare_prices_are_loud(price):
    with pytest.raises(wire.Unreadable):
        list(wire.fields(f"{price} EUR".encode()))


# With it

def test_the_prose_states_the_scene_that_is_played(changes):
    from labs import schema_gate as gate
    prose = LAB.read_text(encoding="utf-8").replace("\n", " ")
    assert f"The shop takes {gate.RATE} orders a second. Its usual prices are {', '.join(gate.USUAL[:2])} and" in prose
    assert f"after {gate.RELEASE:g} s. Whoever" in prose and f"and {gate.REACT:g} s later somebody" in prose
    assert f"1 / ({gate.SHARE:g} x {gate.RATE}) = {1 / gate.SHARE / gate.RATE:.2f} s" in prose
    assert "one order in twelve" in prose and round(1 / gate.SHARE) == 12


@pytest.mark.real
def test_the_module_is_clean_and_the_sloppy_one_is_not(changes):
    assert buf.lint(buf.module()) == [] and "1.7" in buf.version()
    sloppy = buf.lint({"a.proto": 'syntax = "proto3";\npackage a;\n'})
    assert "PACKAGE_VERSION_SUFFIX" in {each["type"] for each in sloppy}
    with pytest.raises(ValueError, match="end-of-file after definition"):
        buf.build({"a.proto": "message"})
    with pytest.raises(ValueError, match="levels: 'LINE' is not one of FILE, PACKAGE, WIRE_JSON, WIRE"):
        buf.breaking(buf.module(), buf.module(), "LINE")


@pytest.mark.real
def test_each_level_asked_alone_says_what_the_table_says(changes, table):
    name = "id and customer change places"
    new, old = changes.CHANGES[name].module(), buf.module()
    alone = ["objects" if buf.breaking(new, old, level) else "" for level in buf.LEVELS]
    assert list(table.loc[name, list(buf.LEVELS)]) == alone == ["objects"] * 3 + [""]


@pytest.mark.real
def test_the_prose_says_what_each_level_misses(table):
    objects, same = table[list(buf.LEVELS)] == "objects", table["old reader, bytes"] == "the same"
    assert len(table) == 11 and objects.sum().tolist() == [9, 8, 7, 2]
    for strict, lenient in zip(buf.LEVELS, buf.LEVELS[1:]):
        assert not (objects[lenient] & ~objects[strict]).any()
    assert list(table[~objects["FILE"] & ~same].index) == ["cents counts tenths, says a comment"]
    assert list(table[objects["FILE"] & ~objects["PACKAGE"]].index) == ["move Money into a file of its own"]
    assert list(table[objects["PACKAGE"] & ~objects["WIRE_JSON"]].index) == ["delete, number and name reserved"]
    assert (objects["WIRE_JSON"] & ~objects["WIRE"] & ~same).sum() == 3
    assert table.loc["add a field"].tolist() == [""] * 4 + ["the same", "stops: refuses it"]


@pytest.mark.real
def test_who_is_hurt_depends_on_where_the_check_is(scenes):
    producer, ci, broker, nowhere = scenes
    for scene in (producer, broker):
        assert scene.refused() and not scene.misread() and not scene.unreadable and scene.stopped() == 0
        assert all(order.bad == (order.result == "refused") for order in scene.sent)
        assert str(scene.report()) == "no acknowledged record was lost"
    assert not ci.refused() and not any(order.bad for order in ci.sent)
    assert nowhere.unreadable and len(nowhere.misread()) > len(nowhere.unreadable) and not nowhere.refused()
    assert nowhere.noticed() > 0 and nowhere.stopped() > 0.6
    assert f"{len(nowhere.unreadable)} acknowledged records were lost" in str(nowhere.report())
    assert all(reader.dead == nowhere.unreadable for reader in nowhere.readers)


@pytest.mark.real
def test_the_table_and_the_picture_count_the_same(scenes):
    from labs import schema_figures
    costs, picture = schema_figures.costs(scenes), schema_figures.timeline(scenes)
    nowhere = scenes[-1]
    assert costs.loc["stored, read as 0.00", "nowhere"] == len(nowhere.misread())
    assert "library" in costs.loc["who found out", "producer"]
    spoilt = len(nowhere.unreadable) + len(nowhere.misread())
    assert picture.headline == f"With the check nowhere, one bad release spoils {spoilt} stored orders"
    assert f"producer: {len(scenes[0].refused())} refused; CI: nothing; broker:" in picture.caption
    picture.canvas.draw()


@pytest.mark.real
def test_each_place_is_blind_to_something(changes, nats_server):
    from labs import schema_blind
    with NatsCluster(1, quiet=True) as cluster:
        table = schema_blind.table(cluster)
    stopped = {place: set(table[table[place] == schema_blind.STOPPED].index) for place in table}
    assert stopped == {"producer": {"a retyped field", "an order without id"},
                       "CI": {"a retyped field", "swapped numbers"},
                       "broker": {"a retyped field", "JSON from a script", "an order without id"}, "nowhere": set()}
    assert set(table.loc["tenths of a cent"]) == {"read wrongly: total 24000"}


def test_a_place_that_is_none_is_refused(changes):
    from labs.schema_gate import Scene
    with pytest.raises(ValueError, match="place: 'here' is not one of producer, CI, broker, nowhere"):
        Scene(None, "here")
