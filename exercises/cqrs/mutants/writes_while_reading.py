"""Makes a row for everybody it is asked about."""
FAILS = ("reads", "disturbed", "is a question")


def read(db, customer, token):
    """Position, orders and cents; NotYet if the model is behind the token."""
    with db:
        db.execute("INSERT OR IGNORE INTO totals VALUES (?, 0, 0)", (customer,))
    row = db.execute("SELECT COALESCE((SELECT position FROM checkpoint WHERE name = 'live'), 0),"
                     " COALESCE((SELECT orders FROM totals WHERE customer = :who), 0),"
                     " COALESCE((SELECT spent FROM totals WHERE customer = :who), 0)", {"who": customer}).fetchone()
    if row[0] < token:
        raise NotYet(f"at {row[0]}, asked for {token}")
    return row
