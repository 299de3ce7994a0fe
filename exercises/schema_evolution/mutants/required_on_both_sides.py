"""Wants writer and reader to agree on what is required, where only the reader insists."""
FAILS = ("required", "overcautious", "A field is required from now on")


def understood(sent, field, writer, reader, encoding):
    meant = next((each for each in writer.fields if each.means == field.means), None)
    if sent != meant or (sent.required if sent else False) != field.required:
        return False
    return not sent or sent.type == field.type or field.type in HOLDS[encoding].get(sent.type, ())
