"""Right, and remembers every position for ever."""
FAILS = ("cursor", "hoards", "are plenty")


def poll(look, cursor):
    cursor = cursor or []
    new = [row for row in look.rows if row.position not in cursor]
    return sorted(new, key=lambda row: row.version), cursor + [row.position for row in new]
