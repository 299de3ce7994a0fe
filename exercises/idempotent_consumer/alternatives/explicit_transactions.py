"""Explicit BEGIN and COMMIT, errors caught by kind, an offset that only moves forward, keys that are hashes."""
import uuid

from exercises.idempotent_consumer import NoAnswer


def booked(db, record, also=()):
    """One transaction: the event if it is new, and whatever else belongs to it."""
    event = record.event
    db.execute("BEGIN IMMEDIATE")
    try:
        if not db.execute("SELECT COUNT(*) FROM seen WHERE event_id = ?", (event.id,)).fetchone()[0]:
            db.execute("UPDATE accounts SET balance = balance + :amount WHERE account = :account", event._asdict())
            db.execute("INSERT INTO seen VALUES (?, ?, ?)", (event.id, record.partition, record.offset))
        for sql, parameters in also:
            db.execute(sql, parameters)
        db.execute("COMMIT")
    except Exception:
        db.execute("ROLLBACK")
        raise


def handle(db, record):
    booked(db, record)
    record.commit()


def forget(db, record, horizon):
    oldest = record.offset + 1 - horizon  # what the next record could still be a copy of
    db.execute("DELETE FROM seen WHERE offset < ? AND partition = ?", (oldest, record.partition))
    db.commit()


def start(db, partition):
    return db.execute("SELECT COALESCE(MAX(next), 0) FROM offsets WHERE partition = ?", (partition,)).fetchone()[0]


def apply(db, record):
    place = {"partition": record.partition, "next": record.offset + 1}
    booked(db, record, [
        ("INSERT OR IGNORE INTO offsets VALUES (:partition, :next)", place),
        ("UPDATE offsets SET next = :next WHERE partition = :partition AND next < :next", place)])


def pay(db, gateway, record):
    key = str(uuid.uuid5(uuid.NAMESPACE_URL, record.event.id))
    for attempt in range(3):
        try:
            gateway.charge(key, record.event.account, record.event.amount)
            return record.commit()
        except NoAnswer:
            if attempt == 2:
                raise
