"""Tables of its own: seen numbers of each account with their gaps, and random keys drawn once and kept."""
import uuid

from exercises.idempotent_consumer import CommitFailed, NoAnswer

NUMBERS = ("CREATE TABLE IF NOT EXISTS numbers (account TEXT, number INTEGER, place INTEGER, partition INTEGER,"
           " PRIMARY KEY (account, number))")
KEYS = "CREATE TABLE IF NOT EXISTS keys (event TEXT PRIMARY KEY, key TEXT)"


def entered(db, record):
    """Book the event unless its number is taken; the caller commits."""
    event = record.event
    db.execute(NUMBERS)
    db.execute("UPDATE accounts SET balance = balance + ? WHERE account = ?"
               " AND NOT EXISTS (SELECT 1 FROM numbers WHERE account = ? AND number = ?)",
               (event.amount, event.account, event.account, event.number))
    db.execute("INSERT OR IGNORE INTO numbers VALUES (?, ?, ?, ?)",
               (event.account, event.number, record.offset, record.partition))


def handle(db, record):
    entered(db, record)
    db.commit()
    try:
        record.commit()
    except CommitFailed:
        return  # the partition is another consumer's business now


def forget(db, record, horizon):
    db.execute("DELETE FROM numbers WHERE partition = ? AND place + ? <= ?",
               (record.partition, horizon, record.offset))
    db.commit()


def start(db, partition):
    row = db.execute("SELECT next FROM offsets WHERE partition = ?", (partition,)).fetchone()
    return 0 if row is None else row[0]


def apply(db, record):
    with db:
        entered(db, record)
        beyond = max(start(db, record.partition), record.offset + 1)
        db.execute("REPLACE INTO offsets VALUES (?, ?)", (record.partition, beyond))


def pay(db, gateway, record):
    event = record.event
    with db:
        db.execute(KEYS)
        db.execute("INSERT OR IGNORE INTO keys VALUES (?, ?)", (event.id, str(uuid.uuid4())))
    (key,) = db.execute("SELECT key FROM keys WHERE event = ?", (event.id,)).fetchone()
    charged = False
    while not charged:
        try:
            gateway.charge(key, event.account, event.amount)
            charged = True
        except NoAnswer:
            continue
    record.commit()
