"""Takes JSON for bytes that can be read."""
FAILS = ("json", "credulous", "A field gets another name")


def arrives(sent, field, encoding):
    return sent.number == field.number and WIRE_TYPES.get(sent.type, 0) == WIRE_TYPES.get(field.type, 0)
