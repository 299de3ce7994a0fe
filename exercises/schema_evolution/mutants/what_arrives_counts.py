"""Looks at what arrives, and not at what should."""
FAILS = ("wire", "credulous", "A field gets another number")


def understood(sent, field, writer, reader, encoding):
    return not sent or sent.means == field.means and (
        sent.type == field.type or field.type in HOLDS[encoding].get(sent.type, ()))
