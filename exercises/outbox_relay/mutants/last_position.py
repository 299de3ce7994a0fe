"""Remembers the last position and asks for higher ones: whoever drew a lower one and commits later is passed over."""
FAILS = ("gap", "lost", "to a higher position with a higher xid")


def poll(look, cursor):
    new = [row for row in look.rows if row.position > (cursor or 0)]
    return new, max([cursor or 0, *(row.position for row in new)])
