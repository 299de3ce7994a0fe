"""Goes by names where only numbers travel."""
FAILS = ("wire", "overcautious", "A field gets another name")


def arrives(sent, field, encoding):
    return sent.name == field.name
