"""Waits for the model to come as far: nobody moves it meanwhile."""
FAILS = ("reads", "stuck", "went on and on")


def read(db, customer, token):
    """Position, orders and cents; NotYet if the model is behind the token."""
    row = db.execute("SELECT COALESCE((SELECT position FROM checkpoint WHERE name = 'live'), 0),"
                     " COALESCE((SELECT orders FROM totals WHERE customer = :who), 0),"
                     " COALESCE((SELECT spent FROM totals WHERE customer = :who), 0)", {"who": customer}).fetchone()
    while row[0] < token:
        db.commit() if db.in_transaction else db.execute("INSERT OR IGNORE INTO checkpoint VALUES ('waiting', 0)")
    return row
