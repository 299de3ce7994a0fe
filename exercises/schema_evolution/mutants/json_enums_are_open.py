"""An unknown number is told apart from the others; an unknown name is skipped, and zero is read."""
FAILS = ("json", "credulous", "The enum gets one more value")


def same_values(writer, reader, encoding):
    key = "name" if encoding == "json" else "number"
    known = {getattr(value, key): value.means for value in reader.values}
    return all(known.get(getattr(value, key), value.means) == value.means for value in writer.values)
