"""Orders by version, but holds back what is above xmin: with a third transaction, an earlier change is above and a
later one below.
"""
FAILS = ("order", "inverted", "a lower xid, among 3 transactions")


def poll(look, cursor):
    new = [row for row in look.rows if (cursor or 0) <= row.xid < look.xmin]
    return sorted(new, key=lambda row: row.version), look.xmin
