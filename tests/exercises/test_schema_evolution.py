"""The checks of schema evolution accept what is right and reject each classic mistake for its own reason."""
import random

import pytest
from exercises.schema_evolution import Field, Plan, Schema, Value, changes, check, perform, picture, rules, truth, wire
from graded import SEEDS, Graded, pytest_generate_tests, reference, with_first_attempts  # noqa: F401

from labs import buf

FUNCTIONS = ("reads", "compatibility", "repair")
REFERENCE = reference("schema_evolution", FUNCTIONS)


class TestSchemaEvolution(Graded):
    exercise, functions, check = "schema_evolution", FUNCTIONS, check
    struck = (("wire",),)
    shrunk = (("both_directions", "storm"),)
    secrets = ("HOLDS", "arriving")
    test_a_fault_at_every_step_of_the_calm_run = None  # nothing here dies: the faults are records that are misread

    def test_evidence_in_which_the_faults_never_struck_is_no_proof(self):
        recorded = self.recorded("wire")
        hidden = next(run for run in recorded["runs"] if any(event.get("fault") for event in run["events"]))
        hidden["events"] = [event for event in hidden["events"] if not event.get("fault")]
        assert self.check.judge("wire", recorded, SEEDS[:1]).finding.rule == "unfired"


# The truth: hand-made pairs, then the real thing.

ONE = Schema([Field(1, "id", "string", required=True), Field(2, "points", "int32")])
WIDE = Schema([Field(1, "id", "string", required=True), Field(2, "points", "int64")])


def test_what_does_not_fit_is_told_with_its_record():
    record, wrong = truth.example(WIDE, ONE, "binary")
    assert record["points"] == 5 * 10**9 and "the reader takes points for 705032704; the writer meant" in wrong
    assert truth.example(ONE, WIDE, "binary") is None and truth.verdict((ONE,), WIDE, "json") == "backward"


@pytest.mark.parametrize("given, problem", [
    ({"fields": [Field(1, "a", "bool"), Field(1, "b", "bool")]}, "fields: number 1 is used twice"),
    ({"fields": [Field(1, "a", "bool"), Field(2, "b", "bool", means="a")]}, "fields: means 'a' is used twice"),
    ({"fields": [], "values": [Value(0, "A"), Value(1, "A")]}, "values: name 'A' is used twice"),
    ({"fields": [Field(4, "a", "bool")], "reserved": [4]}, "reserved: field a = 4 uses what is reserved"),
])
def test_what_no_compiler_would_take_is_refused(given, problem):
    with pytest.raises(ValueError, match=problem):
        Schema(**given)
    with pytest.raises(ValueError, match="type: 'text' of field a is not one of bool, int32"):
        Field(1, "a", "text")


@pytest.mark.parametrize("data, problem", [
    (b"\x08", "a number has no end"), (b"\x0a\x05ab", "ends 3 bytes too early"), (b"\x0b", "wire type 3"),
    (b"\x00\x00", "the number 0"), (b"\x0a\x01\xff", "a text is not UTF-8")])
def test_broken_bytes_are_unreadable(data, problem):
    with pytest.raises(wire.Unreadable, match=problem):
        wire.decode(ONE, data)


# Rules of repairs: just inside, then just outside.

PAST = (Schema([Field(1, "id", "string", required=True), Field(2, "voucher", "string")]),
        Schema([Field(1, "id", "string", required=True)]))
ID, PHONE = Field(1, "id", "string", required=True), Field(3, "phone", "string")
PLAN = Plan("repair", PAST, Schema([ID, Field(2, "phone", "string")]), change="Reuse.")


@pytest.mark.parametrize("rule, holds, fails", [
    (rules.breaks, ([ID, PHONE], [2, "voucher"]), ([ID, Field(2, "phone", "string")], ["voucher"])),
    (rules.loses, ([ID, PHONE], [2, "voucher"]), ([ID], [2, "voucher"])),
    (rules.loses, ([ID, PHONE], [2, "voucher"]), ([ID, Field(3, "phone", "bytes")], [2, "voucher"])),
    (rules.hoards, ([ID, PHONE], [2, "voucher"]), ([ID, PHONE, Field(2, "voucher", "string")], [])),
    (rules.unreserved, ([ID, PHONE], [2, "voucher"]), ([ID, PHONE], ["voucher"])),
    (rules.unreserved, ([ID, PHONE], [2, "voucher"]), ([ID, PHONE], [2])),
])
def test_rules_of_repairs_and_their_near_misses(rule, holds, fails):
    good, bad = (perform(PLAN, {"repair": lambda past, new, given=given: Schema(given[0], (), given[1])})
                 for given in (holds, fails))
    assert check.finding("repair", good) is None
    assert len(list(rule(bad))) >= 1


def test_the_histories_of_repairs_are_sound_and_their_new_versions_are_not():
    broken = []
    for plan, _ in check.EXERCISE.plans("repair", (5,)):
        for old in plan.past:
            assert {truth.verdict(plan.past, old, encoding) for encoding in truth.ENCODINGS} == {"full"}
        broken.append(any(truth.verdict(plan.past, plan.new, encoding) != "full" for encoding in truth.ENCODINGS))
    assert broken.count(False) == 1, "only a field that is deleted hurts nobody yet; it has to be reserved"


def test_every_verdict_occurs_in_the_questions():
    plans = [plan for plan, _ in check.EXERCISE.plans("storm", (5,))]
    found = {truth.verdict(plan.past, plan.new, plan.encoding, plan.seed) for plan in plans}
    assert found == {"full", "backward", "forward", "none"}


def test_the_picture_counts_what_the_notebook_asks_for(capsys):
    assert picture.verdicts(with_first_attempts("schema_evolution")["naive"]) is not None
    assert "naive: 18 of 48 verdicts are wrong\n  another name, new reads old in json: it says yes, and it is no" in (
        capsys.readouterr().out)
    picture.verdicts(REFERENCE["reads"])
    assert "reads: 0 of 48 verdicts are wrong" in capsys.readouterr().out


# The real thing: Protobuf's own library reads what was written here, and Buf is asked about the same changes.

@pytest.fixture(scope="module")
def protobuf():
    """Buf and the package protobuf, or a skip that says how to get them."""
    if not buf.find():
        pytest.skip(buf.missing())
    from google.protobuf import json_format, message
    return json_format, message.DecodeError


def proto(schema: Schema) -> dict[str, str]:
    """A schema as a module for Buf."""
    fields = [f"{'E' if each.type == 'enum' else each.type} {each.name} = {each.number};" for each in schema.fields
              if not each.oneof]
    for name in dict.fromkeys(each.oneof for each in schema.fields if each.oneof):
        inside = " ".join(f"{each.type} {each.name} = {each.number};" for each in schema.fields if each.oneof == name)
        fields.append(f"oneof {name} {{ {inside} }}")
    for kind in (int, str):
        if taken := [f'"{each}"' if kind is str else str(each) for each in schema.reserved if type(each) is kind]:
            fields.append(f"reserved {', '.join(taken)};")
    values = " ".join(f"{each.name} = {each.number};" for each in schema.values or [Value(0, "ZERO")])
    return {"a.proto": f'syntax = "proto3"; package a; message M {{ {" ".join(fields)} }} enum E {{ {values} }}'}


def samples(change, seed: int = 3):
    """An old schema, a new one, and both as classes of Protobuf's."""
    old, new = check.changed(random.Random(seed), change, *check.PARTS)
    return [(schema, buf.classes(buf.build(proto(schema)))["M"]) for schema in (old, new)]


@pytest.mark.real
@pytest.mark.parametrize("change", [changes.reuse_otherwise, changes.add_value, changes.gather, *check.OF_TYPES[:10:3]])
def test_protobuf_reads_what_this_decoder_reads(change, protobuf):
    json_format, decode_error = protobuf
    pairs = samples(change)
    for (writer, theirs), (reader, ours) in (pairs, pairs[::-1]):
        for record in truth.records(writer, 5):
            data = wire.encode(writer, record)
            assert data == theirs(**record).SerializeToString(deterministic=True), record
            assert outcome(reader, lambda: wire.decode(reader, data), wire.Unreadable) == outcome(
                reader, lambda: ours.FromString(data), decode_error), record
            told = json_format.MessageToDict(theirs(**record), preserving_proto_field_name=True)
            assert told == wire.to_json(writer, record)
            assert outcome(reader, lambda: wire.from_json(reader, told), wire.Unreadable) == outcome(
                reader, lambda: json_format.ParseDict(told, ours(), True), json_format.ParseError), record


def outcome(reader: Schema, read, gives_up):
    """What is read, by field; None if the reader gives up."""
    try:
        record = read()
    except gives_up:
        return None
    get = record.get if isinstance(record, dict) else lambda name, zero: getattr(record, name)
    return {field.name: get(field.name, wire.zero(field)) for field in reader.fields}


# What Buf says under its levels for records, beside what is so: (bytes: WIRE, true), (JSON: WIRE_JSON, true).
BESIDE = {
    changes.add: ("", "full", "", "full"), changes.rename: ("", "full", "objects", "none"),
    changes.renumber: ("objects", "none", "objects", "full"), changes.swap: ("", "none", "objects", "full"),
    changes.reuse: ("", "none", "objects", "full"), changes.delete: ("objects", "full", "objects", "full"),
    changes.retire: ("", "full", "", "full"), check.OF_TYPES[0]: ("", "backward", "objects", "backward"),
    changes.require: ("", "forward", "", "forward"), changes.add_value: ("", "full", "", "backward"),
    changes.reuse_value: ("", "none", "objects", "none"), changes.gather: ("objects", "forward", "objects", "forward"),
}


@pytest.mark.real
@pytest.mark.parametrize("change", BESIDE, ids=lambda change: change.__name__)
def test_what_buf_says_beside_what_is_so(change, protobuf):
    old, new = check.changed(random.Random(3), change, *check.PARTS)
    objecting = buf.objecting(proto(new), proto(old))
    found = [("objects" if level in objecting else "", truth.verdict((old,), new, encoding))
             for level, encoding in (("WIRE", "binary"), ("WIRE_JSON", "json"))]
    assert (*found[0], *found[1]) == BESIDE[change]
