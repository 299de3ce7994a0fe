"""What a relay costs: how late its events are, and what it asks of the database, measured."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import nats
import numpy as np
import psycopg

from labs import outbox
from labs.recorders.background import Background
from labs.relay_process import NAME
from labs.replication import Stream, stream
from labs.servers.process import wait_until

STREAM = "load"
WRITTEN = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"


@dataclass
class Load:
    """One relay at work: seconds from each commit to its acknowledgement, and what the database did meanwhile.

    A commit counts from when it is asked for: what is pushed may be published before its writer has the answer.
    `transactions` are the relay's rounds, a second; `wal` is bytes of log an order, the order's own included; `dead` is
    row versions an order that VACUUM will have to clear away.
    """
    relay: str
    interval: float | None
    latencies: np.ndarray
    transactions: float
    wal: float
    dead: float


class Timed(outbox.Publisher):
    """A publisher that notes when each event was acknowledged."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.acknowledged: dict[str, float] = {}

    async def publish(self, event: outbox.Event) -> None:
        await super().publish(event)
        self.acknowledged[event.id] = time.monotonic()


def measure(postgres, cluster, interval: float | None, rate: float = 100.0, seconds: float = 2.0) -> Load:
    """A shop at so many orders a second, and a relay that asks every `interval` seconds (None: is sent the changes)."""
    background = Background()
    try:
        with postgres.connect() as db:
            outbox.create(db)
            return _measured(postgres, cluster, db, background, interval, rate, seconds)
    finally:
        background.close()


def _measured(postgres, cluster, db, background, interval, rate, seconds) -> Load:
    state = {"stop": False, "rounds": 0}
    ready = background.start(_relay(postgres, cluster, interval, state))
    while "publisher" not in state and not ready.done():
        time.sleep(0.01)
    wal, rounds, started = _wal(db), state["rounds"], time.monotonic()
    committed = _shop(db, rate, seconds)
    wal = _wal(db) - wal
    _finish(state, ready, len(committed))
    rounds = (state["rounds"] - rounds) / (time.monotonic() - started)
    acknowledged = state["publisher"].acknowledged
    latencies = np.array([acknowledged[event] - then for event, then in committed.items()])
    return Load("stream" if interval is None else "poll", interval, latencies, rounds, wal / len(committed),
                _dead(db) / len(committed))


def _shop(db, rate: float, seconds: float) -> dict[str, float]:
    """Places orders at a steady rate; when the commit of each was asked for."""
    committed, started = {}, time.monotonic()
    for order in range(round(rate * seconds)):
        time.sleep(max(0.0, started + order / rate - time.monotonic()))
        committed[f"placed-{order}"] = outbox.place(db, order, f"c{order % 10}")
    return committed


async def _relay(postgres, cluster, interval, state) -> None:
    """Relays until told to stop."""
    async with await nats.connect(cluster.urls) as client:
        jetstream = client.jetstream()
        await jetstream.add_stream(name=STREAM, subjects=[f"{STREAM}.*"])
        publisher = Timed(jetstream, STREAM)
        if interval is None:
            source = Stream(postgres.url)
            state["publisher"] = publisher
            await stream(source, publisher, lambda: state["stop"])
            source.close()
        else:
            await _polling(postgres, publisher, interval, state)
        await jetstream.delete_stream(STREAM)


async def _polling(postgres, publisher, interval, state) -> None:
    with psycopg.connect(postgres.url, autocommit=True, application_name=NAME) as db:
        state["publisher"] = publisher
        while not state["stop"]:
            state["rounds"] += 1
            if await outbox.poll(db, publisher, lambda step: None) < outbox.BATCH:
                await asyncio.sleep(interval)


def _finish(state, relay, orders: int, patience: float = 20.0) -> None:
    """Waits for the last event, then ends the relay."""
    deadline = time.monotonic() + patience
    while len(state["publisher"].acknowledged) < orders and time.monotonic() < deadline and not relay.done():
        time.sleep(0.005)
    state["stop"] = True
    relay.result(patience)


def _dead(db) -> int:
    """Dead versions in the outbox; sessions report what they left behind when they end."""
    relays = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
    wait_until(lambda: not db.execute(relays, [NAME]).fetchone()[0], 10, "the relay's session to end")
    return db.execute("SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'outbox'").fetchone()[0]


def _wal(db) -> int:
    return int(db.execute(WRITTEN).fetchone()[0])


def median(load: Load) -> float:
    """The middle latency, in seconds."""
    return float(np.median(load.latencies))


def kept(db, slot: str) -> int:
    """Bytes of the log that the server keeps for a slot."""
    query = "SELECT pg_current_wal_lsn() - restart_lsn FROM pg_replication_slots WHERE slot_name = %s"
    return int(db.execute(query, [slot]).fetchone()[0] or 0)


def write(db, bytes: int) -> None:
    """Puts so many bytes into the log, a kilobyte a message."""
    db.execute("SELECT count(pg_logical_emit_message(false, 'noise', repeat('x', 1000))) FROM generate_series(1, %s)",
               [bytes // 1000])


def retention(db, megabytes: int = 8, unread: str = "nobody") -> dict[str, list[tuple[float, float]]]:
    """For a slot that is read and one that is not: (MB written so far, MB kept for it), a megabyte at a time."""
    if not db.execute("SELECT 1 FROM pg_replication_slots WHERE slot_name = %s", [unread]).fetchone():
        db.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", [unread])
    lines: dict[str, list[tuple[float, float]]] = {outbox.SLOT: [], unread: []}
    for written in range(megabytes + 1):
        for slot, points in lines.items():
            points.append((written, kept(db, slot) / 1e6))
        write(db, 1_000_000)
        db.execute("SELECT pg_log_standby_snapshot()")  # the server does this every 15 s: a slot can restart there
        db.execute(outbox.ADVANCE, [outbox.SLOT, *db.execute("SELECT pg_current_wal_lsn()::text").fetchone()])
    return lines
