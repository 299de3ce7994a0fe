"""Deletes nothing: as safe as can be, and the bill grows."""
FAILS = ("collect", "left", "No fault was needed")


def collect(store):
    return None
