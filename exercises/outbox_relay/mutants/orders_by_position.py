"""Loses nothing, and publishes in the order of positions: a number drawn before the lock says nothing about the
change.
"""
FAILS = ("order", "inverted", "with a lower position and a higher xid")


def poll(look, cursor):
    cursor = cursor or {"xmin": 0, "published": []}
    new = [row for row in look.rows if row.xid >= cursor["xmin"] and row.position not in cursor["published"]]
    return new, {"xmin": look.xmin, "published": [row.position for row in look.rows if row.xid >= look.xmin]}
