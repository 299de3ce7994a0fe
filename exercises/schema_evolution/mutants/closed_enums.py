"""A value that the reader does not know breaks it, as it would in a language that knows no open enums."""
FAILS = ("values", "overcautious", "The enum gets one more value")


def same_values(writer, reader, encoding):
    known = {value.number: value.means for value in reader.values}
    return all(known.get(value.number) == value.means for value in writer.values)
