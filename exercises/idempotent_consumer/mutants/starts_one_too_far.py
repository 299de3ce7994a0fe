"""Stores the next offset and adds one again when it starts: each restart skips a record."""
FAILS = ("offset", "missing", "the stored offset is past it")


def start(db, partition):
    row = db.execute("SELECT next FROM offsets WHERE partition = ?", (partition,)).fetchone()
    return row[0] + 1 if row else 0
