"""The writer has the required field, so it will set it."""
FAILS = ("required", "credulous", "A field is required from now on")


def understood(sent, field, writer, reader, encoding):
    meant = next((each for each in writer.fields if each.means == field.means), None)
    if sent != meant or field.required and not sent:
        return False
    return not sent or sent.type == field.type or field.type in HOLDS[encoding].get(sent.type, ())
