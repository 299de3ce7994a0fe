"""Forgets what it published above the new xmin, though the next look shows it again."""
FAILS = ("gap", "repeated", "No fault was needed")


def poll(look, cursor):
    new = [row for row in look.rows if row.xid >= (cursor or 0)]
    return sorted(new, key=lambda row: row.version), look.xmin
