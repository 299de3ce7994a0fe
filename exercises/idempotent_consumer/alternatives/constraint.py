"""The primary key decides: effect first, then the row, and an IntegrityError takes the effect back."""
import sqlite3


def once(db, record):
    event = record.event
    try:
        with db:
            db.execute("UPDATE accounts SET balance = balance + ? WHERE account = ?", (event.amount, event.account))
            db.execute("INSERT INTO seen VALUES (?, ?, ?)", (event.id, record.partition, record.offset))
    except sqlite3.IntegrityError:
        return  # a copy


def handle(db, record):
    once(db, record)
    record.commit()


def forget(db, record, horizon):
    with db:
        for (event,) in db.execute("SELECT event_id FROM seen WHERE partition = ? AND ? - offset >= ?",
                                   (record.partition, record.offset, horizon)).fetchall():
            db.execute("DELETE FROM seen WHERE event_id = ?", (event,))


def start(db, partition):
    return next((offset for (offset,) in db.execute(
        "SELECT next FROM offsets WHERE partition = ?", (partition,)).fetchall()), 0)


def apply(db, record):
    """The offset behind the effect in a transaction of its own: what comes again is known."""
    once(db, record)
    with db:
        db.execute("INSERT INTO offsets VALUES (?, ?) ON CONFLICT DO UPDATE SET next = excluded.next"
                   " WHERE excluded.next > next", (record.partition, record.offset + 1))


def pay(db, gateway, record):
    """What was surely charged is written down, and spares the gateway a question."""
    event = record.event
    if not db.execute("SELECT 1 FROM seen WHERE event_id = ?", (event.id,)).fetchone():
        gateway.charge(event.id, event.account, event.amount)
        with db:
            db.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (event.id, record.partition, record.offset))
    record.commit()
