"""Orders by xid: a transaction that began early may get the lock, and make its change, late."""
FAILS = ("order", "inverted", "a lower xid, among 2 transactions")


def poll(look, cursor):
    last = tuple(cursor or (0, 0))
    new = sorted((row.xid, row.position) for row in look.rows
                 if (row.xid, row.position) > last and row.xid < look.xmin)
    rows = {(row.xid, row.position): row for row in look.rows}
    return [rows[each] for each in new], max([last, *new])
