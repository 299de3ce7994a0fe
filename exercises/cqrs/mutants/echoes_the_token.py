"""Says that it has come as far as it was asked to."""
FAILS = ("reads", "wrong", "the events up to there make")


def read(db, customer, token):
    """Position, orders and cents; NotYet if the model is behind the token."""
    row = db.execute("SELECT COALESCE((SELECT position FROM checkpoint WHERE name = 'live'), 0),"
                     " COALESCE((SELECT orders FROM totals WHERE customer = :who), 0),"
                     " COALESCE((SELECT spent FROM totals WHERE customer = :who), 0)", {"who": customer}).fetchone()
    return max(token, row[0]), *row[1:]
