"""What the player carries: the right events, packed small, in every form a reader may need."""
import base64
import json
import re

import numpy as np
import pytest

from simulator.evidence.trace import Trace
from simulator.views import reading
from simulator.views.excerpt import excerpt
from simulator.views.player import player

TYPES = {"i1": "<i1", "i2": "<i2", "i4": "<i4", "f8": "<f8"}


def unpacked(data: dict, column: str) -> np.ndarray:
    dtype, text = data["columns"][column]
    return np.frombuffer(base64.b64decode(text), TYPES[dtype])


def test_the_payload_of_ten_thousand_events_is_small(story):
    assert 9_000 < len(story.trace) <= 10_000
    html = player(story.trace, explanation=story.why, seed=7).html()
    assert len(html.encode()) < 500_000


def test_it_comes_in_three_forms(story):
    verdicts = [(False, "3 lost"), ("holds", "order kept"), (None, "unseen")]
    shown = player(story.trace, title="Records & <losses>", verdicts=verdicts, explanation=story.why, seed=7)
    bundle = shown._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/png", "text/plain"}
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    html, text = bundle["text/html"], bundle["text/plain"]
    assert '<img alt="Records &amp; &lt;losses&gt;' in html and "<script" in html and "seed 7" in text
    assert "✗ 3 lost" in text and "✓ order kept" in text and "? unseen" in text
    assert "broker-1 crashes" in text
    assert "broker-1 crashes" in html.split("<script")[0], "no words for readers without scripts"
    assert not re.search(r"(src|href)=.https?:|import\s*\(|fetch\(", html), "the player would reach for the network"


def test_no_text_of_the_trace_can_end_the_script():
    trace = Trace()
    trace.node("</script><b>", "broker")
    trace.add(0.0, trace.kind("note", "local", "{note}"), 0, note="</script><!-- ")
    assert player(trace).html().count("</script>") == 1


def test_columns_hold_the_trace(story):
    data, rows = player(story.trace).data(), story.trace.events.rows
    assert data["size"] == len(rows)
    for column in ("kind", "node", "peer", "key", "offset", "count", "epoch", "value"):
        assert (unpacked(data, column) == rows[column]).all(), column
    assert unpacked(data, "time") + data["origin"] == pytest.approx(rows["time"], abs=1e-12)
    caused = rows["cause"] >= 0
    assert (np.arange(len(rows))[caused] - unpacked(data, "cause")[caused] == rows["cause"][caused]).all()


def test_wide_numbers_survive():
    trace = Trace()
    trace.node("a", "broker")
    trace.add(0.0, trace.kind("append", "local", "x"), 0, offset=2**40, value=70_000)
    data = player(trace).data()
    assert unpacked(data, "offset")[0] == 2**40 and unpacked(data, "value")[0] == 70_000


def test_a_long_trace_is_cut_around_what_matters_and_says_so(long_story):
    shown = player(long_story.trace, explanation=long_story.why, limit=5_000)
    ids = shown.excerpt.ids[shown.excerpt.shown]
    assert len(ids) <= 5_000 < len(long_story.trace)
    states = np.flatnonzero(reading.shapes(long_story.trace) == reading.STATE)
    assert np.isin(states, ids).all(), "a change of state is missing"
    assert f"{len(ids):,} of {len(long_story.trace):,} events" in shown.data()["notice"]
    assert len(shown.excerpt.gaps) >= 3
    assert long_story.trace.kinds[long_story.trace.events.rows["kind"][shown.start]].name == "crash"


def test_no_message_is_cut_in_half(long_story):
    ids = excerpt(long_story.trace, 3_000).ids
    found = reading.messages(long_story.trace)
    inside = np.isin(found.send, ids)
    assert np.isin(found.arrival[inside & (found.arrival >= 0)], ids).all()


def test_a_stretch_knows_the_state_it_starts_from(long_story):
    chosen = excerpt(long_story.trace, 500, window=(50.0, 50.2), key="orders-0")
    rows = long_story.trace.events.rows
    before = chosen.ids[~chosen.shown]
    assert (rows["time"][before] < 50.0).all()
    for node in (1, 2, 3):  # each broker's log and its high watermark
        mine = before[rows["node"][before] == node]
        assert {"append", "replicate"} & {long_story.trace.kinds[kind].name for kind in rows["kind"][mine]}
    assert "elected" in {long_story.trace.kinds[kind].name for kind in rows["kind"][before]}


def test_without_a_fault_it_ends_where_the_trace_does(tell):
    calm = tell(crash=99, fenced=99, returns=99, end=30)
    shown = player(calm.trace, limit=1_000)
    assert shown.start == len(calm.trace) - 1


def test_of_many_partitions_the_one_asked_for_is_carried(tell):
    many = tell(keys=6, end=20, crash=3, fenced=4, returns=6)
    chosen = excerpt(many.trace, 8_000, key="orders-2")
    keys = many.trace.events.rows["key"][chosen.ids[chosen.shown]]
    assert (keys == 2).sum() > 5 * (keys == 1).sum()


def test_an_empty_trace_still_shows_something():
    text = player(Trace(), title="Nothing yet")._repr_mimebundle_()["text/plain"]
    assert text.startswith("Nothing yet")


def test_the_text_names_the_same_events(story):
    shown, time = player(story.trace, window=(2.0, 2.005)), story.trace.events.rows["time"]
    carried = shown.excerpt.ids[shown.excerpt.shown]
    told = [line.split(" s  ", 1)[1] for line in shown.story().splitlines() if " s  " in line]
    assert told == [story.trace.describe(event) for event in carried]
    assert np.isin(np.flatnonzero((time >= 2.0) & (time <= 2.005)), carried).all() and len(told) > 15


def test_data_is_json(story):
    json.dumps(player(story.trace, explanation=story.why).data(), allow_nan=False)


@pytest.mark.parametrize("wrong, names", [({"limit": 0}, "limit"), ({"window": (2, 1)}, "window"),
                                          ({"key": "nope"}, "key")])
def test_nonsense_is_refused(story, wrong, names):
    with pytest.raises(ValueError, match=f"^{names}: "):
        player(story.trace, **wrong)
