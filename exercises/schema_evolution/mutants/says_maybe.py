"""Returns what is wrong, not whether something is."""
FAILS = ("wire", "no_verdict", "not True or False")


def reads(writer, reader, encoding):
    return [field for field in reader.fields if not understood(None, field, writer, reader, encoding)]
