"""What chapter 11 says about checks, refusals and two old bugs is so: its cells are run, the prose held to them."""
import re

import pytest
from reading import Chapter
from scenes import bufstream as scenes
from scenes import protobuf

SOURCE = Chapter("11-bufstream")
WITHOUT = "buf is not installed (extra `proto`): pip install buf-bin"


def says(words: str) -> bool:
    return any(words in " ".join(text.split()) for text in SOURCE.prose + SOURCE.code)


def test_a_killed_broker_costs_one_more_try(chapter):
    assert chapter.run.check().ok and 0.3 < scenes.slowest(chapter.run) < 0.7
    assert chapter.run.latency.p50 == pytest.approx(0.2, abs=0.03) and says("in some 0.2 seconds")


def test_three_consumers_die_once_a_second_until_somebody_comes(chapter):
    assert scenes.deaths(chapter.nobody) == 45 == 3 * 15 and says("After 15 s somebody comes")
    assert scenes.stored(chapter.nobody) == 17 and says("17 bad records")
    assert chapter.nobody.latency.n == 458 and says("Of some 460 records")
    assert scenes.late(chapter.nobody) > 200 and scenes.longest(chapter.nobody) > 15


def test_the_window_of_the_first_replay_holds_two_deaths_of_a_consumer(chapter):
    rows = chapter.nobody.trace.events.rows
    times = rows["time"][chapter.nobody.trace.where("poisoned", node="consumer-1")]
    assert ((5.6 < times) & (times < 8.2)).sum() >= 2


def test_the_second_replay_shows_a_refusal_from_the_broker_to_the_producer(chapter):
    trace = chapter.looked.trace
    found, told = (trace.events.rows["time"][trace.where(kind)][0] for kind in ("invalid", "rejected"))
    assert 5.45 < found < told < 5.68


def test_with_the_broker_looking_consumers_notice_nothing(chapter):
    assert scenes.stored(chapter.looked) == scenes.deaths(chapter.looked) == scenes.late(chapter.looked) == 0
    assert chapter.looked.check().ok and scenes.refused(chapter.looked) >= 17


def test_a_lingering_producer_loses_neighbours():
    lingering = scenes.gate("broker", linger_ms=500)
    assert scenes.refused(lingering) - scenes.company(lingering) == 17 and scenes.company(lingering) > 10


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_the_share_of_refused_neighbours_is_arithmetic(share):
    for linger in scenes.LINGERS:
        size, part = scenes._batches(linger, share)
        assert part == pytest.approx(1 - (1 - share) ** (size - 1), abs=0.03)


def test_what_each_place_sees(chapter):
    stored = {release: list(scenes.places(release)["in the log"]) for release in scenes.RELEASES}
    assert stored == {"a changed schema": [17, 0, 0, 0], "bad values": [17, 17, 0, 0],
                      "bad values, past the library": [17, 17, 17, 0]}
    assert list(chapter.table.index[chapter.table["in the log"] == 0]) == ["broker"]


def test_who_notices_and_when():
    awake, away = scenes.places("a changed schema"), scenes.places("a changed schema", late_readers=True)
    assert list(awake["by"]) == list(away["by"]) == ["a consumer", "CI", "the producer", "the producer"]
    assert awake["noticed after (s)"].max() < 1 and says("within a second")
    assert away["noticed after (s)"]["nowhere"] > 5 and away["noticed after (s)"]["broker"] < 1


def test_the_goal_can_be_reached_and_is_not_given_away():
    def met(**knobs):
        run = scenes.gate(**knobs)
        return run.system.release == scenes.BYPASS and scenes.stored(run) == scenes.company(run) == 0
    past = "bad values, past the library"
    assert met(check="broker", release=past, linger_ms=0) and not met(check="broker", release=past, linger_ms=500)
    assert not met() and not met(check="producer", release=past) and not met(check="broker", release="bad values")


@pytest.mark.skipif(not protobuf.find(), reason=WITHOUT)
def test_what_buf_lets_through():
    table = protobuf.judged()
    assert list(table["FILE"]) == ["goes through"] + ["refused"] * 4
    assert list(table.index[table["WIRE"] == "refused"]) == ["change a field's type"]
    assert table["WIRE"][protobuf.MISLEADING] == "goes through" and "phone" in protobuf.said(protobuf.MISLEADING)


def test_old_readers_of_number_three_find_the_note_or_nothing_or_the_telephone():
    at_three = [re.findall(r"string (\w+) = 3;", protobuf.changed(change)) for change in protobuf.CHANGES]
    assert at_three == [["note"], ["remark"], [], ["note"], ["phone"]]
    assert list(protobuf.CHANGES)[-1] == protobuf.MISLEADING and says("phone number for the note")


def test_without_buf_one_sentence_says_so(monkeypatch):
    monkeypatch.setattr(protobuf, "find", lambda: None)
    assert protobuf.judged().text == protobuf.said("add a field") == protobuf.MISSING


def test_offset_zero_and_the_two_batches_of_two(chapter):
    assert not chapter.old.check().ok and scenes.offsets_twice(chapter.old) == 8 == 6 + 2 and says("two batches of two")
    assert scenes.unserved(chapter.old) == 0 and says("They were safe all along")
    assert scenes.paused("0.1.3").check().ok and scenes.offsets_twice(scenes.paused("0.1.3")) == 0


def test_a_broker_that_is_taken_for_gone_serves_nothing_and_breaks_no_promise(chapter):
    assert scenes.unserved(chapter.stuck) > 50 and chapter.stuck.check().ok
    assert scenes.unserved(scenes.paused("0.1.3", "broker-1", 12)) == 0
    assert scenes.unserved(scenes.paused("0.1.0", "broker-1", 8)) == 0
    assert scenes.slowest(chapter.stuck) == pytest.approx(12, abs=0.5) and says("when it wakes")


def test_what_is_left_to_the_reader():
    """Both look, and the program goes past the library: only the broker has something to refuse."""
    run = scenes.shop("producer", "broker", release=scenes.BYPASS)
    assert len(run.trace.where("kept_back")) == 0 < len(run.trace.where("invalid")) and scenes.stored(run) == 0


def test_pictures_say_what_they_found(chapter):
    said = {name: scenes.served(getattr(chapter, name)).headline for name in ("nobody", "old", "stuck", "run")}
    assert said["nobody"] == "17 records in the log kill consumers 45 times"
    assert said["old"] == "8 offsets are told for two records" and said["run"] == "All 458 records reach a consumer"
    assert said["stuck"].endswith("acknowledged records never reach a consumer")
    assert "crosses" in scenes.served(chapter.nobody).caption and "crosses" not in scenes.served(chapter.looked).caption
    assert scenes.served(scenes.gate(on_poison="skip")).headline == "17 records are skipped, and nothing stops"
