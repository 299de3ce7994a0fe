"""Waits for the transactions in progress, but remembers positions: a younger transaction may hold a lower one."""
FAILS = ("gap", "lost", "to a higher position with a lower xid")


def poll(look, cursor):
    new = [row for row in look.rows if row.position > (cursor or 0) and row.xid < look.xmin]
    return new, max([cursor or 0, *(row.position for row in new)])
