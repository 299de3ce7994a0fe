"""Waits at a gap for one look, then goes on: a transaction may take longer."""
FAILS = ("gap", "lost", "to a higher position with a higher xid")


def poll(look, cursor):
    last, patience = cursor or (0, 0)
    new = []
    for row in look.rows:
        if row.position > last + 1 and patience < 1:
            return sorted(new, key=lambda row: row.version), (last, patience + 1)
        if row.position > last:
            new.append(row)
            last, patience = row.position, 0
    return sorted(new, key=lambda row: row.version), (last, patience)
