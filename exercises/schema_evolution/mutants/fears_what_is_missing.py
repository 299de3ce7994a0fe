"""Demands that the writer has everything that the reader knows."""
FAILS = ("wire", "overcautious", "A new field under a new number")


def understood(sent, field, writer, reader, encoding):
    return bool(sent) and sent.means == field.means and (
        sent.type == field.type or field.type in HOLDS[encoding].get(sent.type, ()))
