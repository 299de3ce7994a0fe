"""Objections, collected and counted; new fields far away from everything, under names that nobody has."""


def reads(writer, reader, encoding):
    return not list(objections(writer, reader, encoding))


def objections(writer, reader, encoding):
    width = {"bool": 1, "int32": 32, "uint32": 33, "enum": 32, "int64": 64}
    kinds = {"double": "fixed", "string": "length", "bytes": "length"}
    came = {}
    for field in reader.fields:
        for sent in writer.fields:
            if encoding == "json" and sent.name == field.name:
                came[field.name] = sent
            if encoding == "binary" and sent.number == field.number and kinds.get(sent.type) == kinds.get(field.type):
                came[field.name] = sent
        sent, meant = came.get(field.name), writer.meaning(field.means)
        if (sent is None) != (meant is None) or sent and sent.means != field.means:
            yield "something else, or nothing"
        elif field.required and not (sent and sent.required):
            yield "not always there"
        elif sent and {sent.type, field.type} == {"enum"}:
            yield from strange_values(writer, reader, encoding)
        elif sent and sent.type != field.type and encoding == "json":
            if (sent.type, field.type) not in {
                    ("int32", "int64"), ("int32", "sint64"), ("int32", "double"), ("int32", "enum"),
                    ("uint32", "int64"), ("uint32", "sint64"), ("uint32", "double"),
                    ("int64", "sint64"), ("sint64", "int64")}:
                yield "another kind of value"
        elif sent and sent.type != field.type and (sent.type, field.type) != ("string", "bytes"):
            signed = (sent.type, field.type) == ("int32", "uint32")
            if sent.type not in width or field.type not in width or width[sent.type] > width[field.type] or signed:
                yield "not all of it fits"
    for one, sent in came.items():
        for other, also in came.items():
            shared = {field.oneof for field in reader.fields if field.name in (one, other)}
            if one != other and len(shared) == 1 and "" not in shared and (not sent.oneof or sent.oneof != also.oneof):
                yield "one wins"


def strange_values(writer, reader, encoding):
    for value in writer.values:
        for known in reader.values:
            if encoding == "binary" or value.number == 0:
                if known.number == value.number and known.means != value.means:
                    yield "another value"
            elif known.name == value.name and known.means != value.means:
                yield "another value"
        if encoding == "json" and value.number and value.name not in {known.name for known in reader.values}:
            yield "an unknown value"


def repair(past, new):
    old = {field.means: field for version in past for field in version.fields}
    ever = {x for version in past for field in version.fields for x in (field.number, field.name)}
    ever |= {x for version in past for x in version.reserved}
    kept = [field for means, field in old.items() if new.meaning(means) or field.required]
    kept += [Field(1000 + n, f"f{1000 + n}", field.type, field.means) for n, field in enumerate(new.fields)
             if field.means not in old]
    return Schema(kept, (), ever - {x for field in kept for x in (field.number, field.name)})
