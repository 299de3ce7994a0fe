"""A relay killed at every one of its steps: what the stream holds afterwards, judged by the checks of every other run.

One trial is one death. The shop places six orders of two customers, one of which the database refuses. A relay's
process dies before a given step; another relay works until nothing waits. Then the stream is read from its beginning.

In the History an order is a record: the shop sends it (`ok` if its transaction was committed, `fail` if it was rolled
back), its customer is the key, its number the value, and the offset is the stream's sequence number.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import nats
import psycopg

from labs import outbox, relay_process
from labs.recorders.background import Background
from labs.servers.process import wait_until
from simulator.evidence.checks import check
from simulator.evidence.history import FINAL_READER, History
from simulator.evidence.policy import Guarantees
from simulator.evidence.report import Report

ORDERS = (("ada", 10), ("bob", 20), ("ada", -5), ("ada", 30), ("bob", 40), ("ada", 50))  # customer, amount


@dataclass
class Trial:
    """One death and what came of it; `sent` counts the publishes of both lives, `stored` what the stream holds."""
    died_before: str
    history: History
    sent: int
    stored: int
    report: Report

    @property
    def lost(self) -> int:
        """Committed orders that the final reader did not find."""
        return sum(self.report.verdicts[kind].records for kind in ("lost write", "unseen", "vanished"))

    @property
    def copies(self) -> int:
        """Messages in the stream beyond the first of each order."""
        return self.stored - len(self.history.acknowledged()) + self.lost


class Trials:
    """Deaths of relays between one database and one NATS server."""

    def __init__(self, postgres, cluster):
        self.postgres, self.cluster = postgres, cluster
        self.db, self.background, self.number = postgres.connect(), Background(), 0
        self.lives = relay_process.Lives()
        self.client = self.background.do(nats.connect(cluster.urls))
        self.jetstream = self.client.jetstream()

    def every_death(self, kind: str, deduplicate: bool = True) -> list[Trial]:
        """The relay dies before each of its steps, once before each."""
        steps = self.steps(kind)
        return [self.trial(kind, deduplicate, at, steps) for at in range(1, len(steps) + 1)]

    def steps(self, kind: str) -> list[str]:
        """The side effects of a relay that lives, in their order."""
        self._prepare()
        steps = relay_process.Steps()
        self._work(kind, True, steps)
        return steps.names

    def trial(self, kind: str, deduplicate: bool, die_at: int, steps: list[str]) -> Trial:
        """One death, one successor, one verdict."""
        history = self._prepare()
        code = self.lives.live(kind, self.postgres.url, self.cluster.urls, self.stream, deduplicate, die_at=die_at)
        if code != -relay_process.SIGKILL:
            raise RuntimeError(f"the relay was to die before step {die_at} and ended with code {code}")
        sent = sum(step.startswith("publish") for step in steps[:die_at - 1])
        # The dead relay's session lives until the database has noticed, and its claims with it.
        wait_until(lambda: not self._sessions(), 120, "the database to notice that the relay is gone")
        sent += self._work(kind, deduplicate).sent
        stored = self._read(history)
        return Trial(steps[die_at - 1], history, sent, stored, self.judged(history, deduplicate))

    def after_a_crash(self, kind: str = "follow") -> int:
        """How many messages a relay sends that finds a database which crashed after everything was published."""
        self._prepare()
        self.db.execute("CHECKPOINT")
        self._work(kind, True)
        self.db.close()
        self.postgres.kill()
        self.postgres.restart()
        self.db = self.postgres.connect()
        return self._work(kind, True).sent

    def judged(self, history: History, deduplicate: bool) -> Report:
        """The verdict on what the stream holds; copies break a promise only if the server was to recognise them."""
        return check(history, Guarantees(idempotence=deduplicate))

    def _sessions(self) -> int:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
        return self.db.execute(query, [relay_process.NAME]).fetchone()[0]

    def _prepare(self) -> History:
        """Empty tables, an empty stream, and the orders placed."""
        self.number += 1
        self.stream = f"trial-{self.number}"
        self.background.do(self.jetstream.add_stream(name=self.stream, subjects=[f"{self.stream}.*"]))
        outbox.create(self.db)
        history = History()
        for order, (customer, amount) in enumerate(ORDERS):
            try:
                outbox.place(self.db, order, customer, amount)
                history.send("shop", customer, order)
            except psycopg.errors.CheckViolation:
                history.send("shop", customer, order, type="fail", error="refused")
        return history

    def _work(self, kind: str, deduplicate: bool, steps=None) -> outbox.Publisher:
        steps = steps or relay_process.Steps()
        arguments = (kind, self.postgres.url, self.cluster.urls, self.stream, deduplicate, steps)
        return self.background.do(relay_process.relay(*arguments), timeout=300)

    def _read(self, history: History) -> int:
        """Reads the stream from its beginning into the history; how many messages it holds."""
        messages = self.background.do(self._messages(), timeout=300)
        history.assign(FINAL_READER, list(history.keys))
        for message in messages:
            _, customer, order = json.loads(message.data)
            history.poll(FINAL_READER, {customer: [(message.metadata.sequence.stream, order)]})
        history.drained = True
        return len(messages)

    async def _messages(self) -> list:
        stored = (await self.jetstream.stream_info(self.stream)).state.messages
        subscription = await self.jetstream.pull_subscribe(f"{self.stream}.*", stream=self.stream)
        messages = []
        while len(messages) < stored:
            messages += await subscription.fetch(stored - len(messages), timeout=60)
        await subscription.unsubscribe()
        return messages

    def close(self) -> None:
        """Closes the connections and ends the relays' process."""
        self.lives.close()
        self.background.do(self.client.close())
        self.background.close()
        self.db.close()

    def __enter__(self) -> Trials:
        return self

    def __exit__(self, *exception) -> None:
        self.close()
