"""Keeps what it published in a variable, which dies with the process."""
FAILS = ("gap", "repeated", "died")


seen = set()


def poll(look, cursor):
    new = [row for row in look.rows if row.position not in seen]
    seen.update(row.position for row in new)
    return sorted(new, key=lambda row: row.version), cursor
