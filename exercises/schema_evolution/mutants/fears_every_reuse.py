"""A number must never be used again: a good rule, and not what was asked. Another wire type is skipped."""
FAILS = ("wire", "overcautious", "A text's number goes to a number")


def arrives(sent, field, encoding):
    return sent.number == field.number
