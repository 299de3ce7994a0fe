"""Calls it a new major version and lets the readers see to it."""
FAILS = ("repair", "breaks", "A new field takes the number")


def repair(past, new):
    return new
