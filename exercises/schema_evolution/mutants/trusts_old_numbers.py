"""Looks for what the writer has, and does not notice that something else comes for what it has not."""
FAILS = ("wire", "credulous", "A text's number goes to another text")


def understood(sent, field, writer, reader, encoding):
    meant = next((each for each in writer.fields if each.means == field.means), None)
    if meant and meant != sent:
        return False
    return not sent or sent.type == field.type or field.type in HOLDS[encoding].get(sent.type, ())
