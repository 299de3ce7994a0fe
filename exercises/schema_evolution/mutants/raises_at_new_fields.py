"""Looks everything up and is surprised that something is not there."""
FAILS = ("wire", "error", "KeyError")


def reads(writer, reader, encoding):
    sent = {field.number: field.type for field in writer.fields}
    return all(sent[field.number] == field.type for field in reader.fields)
