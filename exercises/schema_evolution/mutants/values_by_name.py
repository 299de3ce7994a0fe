"""Compares the values of an enum by their names, also in bytes."""
FAILS = ("values", "credulous", "The number of a value goes to another value")


def same_values(writer, reader, encoding):
    known = {value.name: value.means for value in reader.values}
    return all(known.get(value.name, value.means) == value.means for value in writer.values)
