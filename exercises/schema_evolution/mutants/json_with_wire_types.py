"""Goes by names, and still believes that a value of another wire type is skipped."""
FAILS = ("json", "credulous", "A text's name goes to a number")


def arrives(sent, field, encoding):
    key = "name" if encoding == "json" else "number"
    return (getattr(sent, key) == getattr(field, key)
            and WIRE_TYPES.get(sent.type, 0) == WIRE_TYPES.get(field.type, 0))
