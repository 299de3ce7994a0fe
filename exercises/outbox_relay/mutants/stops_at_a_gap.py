"""Waits until no number is missing: a transaction that rolled back took its number with it."""
FAILS = ("gap", "stalled", "long after all was quiet")


def poll(look, cursor):
    positions = {row.position: row for row in look.rows}
    first = cursor or 1
    new = []
    while first in positions:
        new.append(positions[first])
        first += 1
    return new, first
