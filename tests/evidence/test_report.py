"""A report reads as a sentence, as text and as a table, and says the same in each."""

import re

import pytest

from simulator.evidence.checks import Guarantees, check, permitted
from simulator.evidence.history import History
from simulator.evidence.log_checks import KINDS as LOG_KINDS
from simulator.evidence.queue_checks import KINDS as QUEUE_KINDS
from simulator.evidence.replica_checks import KIND as REPLICA_KIND
from simulator.evidence.report import PHRASES, plural, spans
from simulator.evidence.transaction_checks import KINDS as TRANSACTION_KINDS


def troubled() -> History:
    """One record lost, one stored twice, one skipped, in a key whose name needs escaping."""
    history = History()
    for value in range(4):
        history.send("p", "<k>", value, value)
    history.send("p", "<k>", 3, 4)
    history.poll("c", {"<k>": [(0, 0), (2, 2), (3, 3), (4, 3)]})
    return history


def test_one_sentence_begins_with_what_was_lost():
    assert str(check(troubled())) == (
        "1 acknowledged record was lost; 1 record was stored more than once; 1 record was skipped inside a poll: no "
        "reader saw value 1 of <k> (offset 1; sent by p, acknowledged at 1.000 s), although readers got further")


def test_text_has_a_line_a_check_and_broken_ones_first():
    lines = repr(check(troubled())).splitlines()
    words = [line.split()[1] for line in lines[1:1 + len(LOG_KINDS)]]
    assert words == ["broken"] * 3 + ["holds"] * (len(LOG_KINDS) - 3)
    assert sum(line.startswith("- ") for line in lines) == 3


def test_the_table_says_in_words_what_it_shows_in_colours():
    html = check(troubled(), Guarantees(idempotence=False))._repr_html_()
    assert "&lt;k&gt;" in html and "<k>" not in html
    assert html.count('scope="row"') == len(LOG_KINDS) and "<caption>" in html
    for word, symbol in (("holds", "✓"), ("broken", "✗"), ("permitted", "○")):
        assert re.search(rf'aria-hidden="true"[^>]*>{symbol}</span> {word}', html)
    assert not {"red", "green"} & set(re.findall(r"color:(\w+)", html))


def test_permitted_anomalies_are_marked_and_do_not_count_against_the_system():
    report = check(troubled(), Guarantees(idempotence=False))
    assert report.broken == ["lost write", "internal poll skip"]
    assert [anomaly.kind for anomaly in report.anomalies if anomaly.permitted] == ["duplicate"]


def test_every_check_has_its_phrase_and_no_phrase_is_idle():
    # the last one with a retention only
    assert set(PHRASES) == set(LOG_KINDS) | set(QUEUE_KINDS) | set(TRANSACTION_KINDS) | {REPLICA_KIND, "expired"}


@pytest.mark.parametrize("guarantees", [
    Guarantees(), Guarantees(idempotence=False), Guarantees(durable=False), Guarantees(in_order=False),
    Guarantees(subscribe=True), Guarantees(isolation="read_uncommitted")])
def test_policy_permits_only_what_some_check_looks_for(guarantees):
    assert permitted(guarantees) <= set(LOG_KINDS) | set(QUEUE_KINDS) | set(TRANSACTION_KINDS) | {REPLICA_KIND}


def test_the_strongest_promise_permits_next_to_nothing():
    assert permitted(Guarantees()) == {"internal send skip", "redelivery", "unseen", "write cycle", "mixed cycle"}


@pytest.mark.parametrize("field, value", [("isolation", "serializable"), ("delivery_limit", 0)])
def test_impossible_promises_are_refused_by_name(field, value):
    with pytest.raises(ValueError, match=f"{field}: {value!r}"):
        Guarantees(**{field: value})


def test_numbers_in_words():
    assert [plural(n, "record") for n in (0, 1, 2, 12345)] == ["no records", "1 record", "2 records", "12,345 records"]
    assert plural(2, "delivery") == "2 deliveries"
    assert spans([(7, 7)]) == "value 7" and spans([(7, 9), (12, 12)], "offset") == "offsets 7–9 and 12"
    assert spans([(i, i) for i in range(0, 10, 2)]) == "values 0, 2, 4 and 2 more ranges" and spans([]) == "no values"
