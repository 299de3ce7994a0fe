"""Every Kafka-protocol broker of this machine, asked the same by the same client, all of them at once.

Nothing is known in advance: a broker that is not here has no answers, and says how to get it; one that does not start
says that. The mock cluster is told its topics when it starts, since it creates none; all others are asked to create
them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass
from threading import Thread
from typing import NamedTuple

import pandas as pd
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import NewTopic

from labs.servers import kafka, kafka_install, mock_kafka, redpanda, seaweedfs_kafka
from labs.tables import left
from labs.wire_calls import CALLS, Wrong
from labs.wire_client import admin

DEADLINE = 20           # seconds for one call of several requests
AT_ONCE = 6             # calls
SILENCE = {KafkaError._TIMED_OUT, KafkaError._MSG_TIMED_OUT, KafkaError.REQUEST_TIMED_OUT, KafkaError._TRANSPORT,
           KafkaError._ALL_BROKERS_DOWN,
           KafkaError._INCONSISTENT}    # a transaction some of whose records were not stored in time
MARKS = {"works": "✓", "wrong": "≠", "refused": "✗", "silent": "…"}


@dataclass(frozen=True)
class Outcome:
    """What came of a call: `works`, `wrong` (answered, and not true), `refused` or `silent` (not in time)."""
    kind: str
    what: str
    seconds: float

    def __str__(self) -> str:
        said = {"wrong": f" wrong: {self.what}", "refused": f" refused: {self.what}",
                "silent": f" not in time ({self.seconds:.0f} s)"}
        return MARKS[self.kind] + said.get(self.kind, "")


class Broker(NamedTuple):
    """Where to look for a broker, how to start it, and what to say if it is not here."""
    find: Callable[[], str | None]
    missing: Callable[[], str]
    start: Callable[[], AbstractContextManager]


def topics() -> list[str]:
    """A topic for each call, so that calls do not meet."""
    return [f"wire-{number}" for number in range(len(CALLS))]


def brokers() -> dict[str, Broker]:
    """All that this lab knows how to start."""
    def mock():
        return mock_kafka.cluster(1, dict.fromkeys(topics(), 1))
    return {"librdkafka's mock": Broker(mock_kafka.find, mock_kafka.missing, mock),
            "Apache Kafka": Broker(kafka_install.find, kafka_install.missing, lambda: kafka.single(quiet=True)),
            "Redpanda": Broker(redpanda.find, redpanda.missing, redpanda.Redpanda),
            "SeaweedFS gateway": Broker(seaweedfs_kafka.find, seaweedfs_kafka.missing, seaweedfs_kafka.SeaweedKafka)}


def outcome(call: Callable, bootstrap: str, topic: str) -> Outcome:
    """What came of one call; after `DEADLINE` nobody waits any longer."""
    began, came = time.monotonic(), []

    def work() -> None:
        try:
            call(bootstrap, topic)
            came.append(("works", ""))
        except Wrong as wrong:
            came.append(("wrong", str(wrong)))
        except KafkaException as error:
            said = error.args[0]
            came.append(("silent" if said.code() in SILENCE else "refused", said.name()))
        except TimeoutError:
            came.append(("silent", ""))
        except Exception as error:      # no answer of a broker, but a mistake of ours
            came.append(error)
    worker = Thread(target=work, daemon=True)
    worker.start()
    worker.join(DEADLINE)
    if came and isinstance(came[0], Exception):
        raise came[0]
    kind, what = came[0] if came else ("silent", "")
    return Outcome(kind, what, time.monotonic() - began)


def ask(bootstrap: str, calls: dict[str, Callable] = CALLS) -> dict[str, Outcome]:
    """Some calls at a time, each on a topic of its own; most of the time is waiting for what does not come."""
    work = {name: (outcome, call, bootstrap, topic) for (name, call), topic in zip(calls.items(), topics())}
    return _at_once(work, AT_ONCE)


def prepare(bootstrap: str) -> None:
    """Creates the calls' topics, as far as the broker can."""
    client = admin(bootstrap)
    futures = [client.create_topics([NewTopic(topic, 1, 1)], request_timeout=DEADLINE)[topic] for topic in topics()]
    wait(futures, DEADLINE + 1)     # who cannot will show it in the table


def interview(broker: Broker) -> dict[str, Outcome] | str:
    """The answers of one broker, or why there are none."""
    if not broker.find():
        return "not found"
    try:
        with broker.start() as running:
            if not hasattr(running, "topics"):
                prepare(running.bootstrap)
            return ask(running.bootstrap)
    except (RuntimeError, TimeoutError, OSError) as error:
        return f"did not start: {str(error).partition(chr(10))[0]}"


def interview_all(those: dict[str, Broker] | None = None) -> dict[str, dict[str, Outcome] | str]:
    """The answers of all brokers, asked at the same time."""
    those = brokers() if those is None else those
    return _at_once({name: (interview, broker) for name, broker in those.items()})


def _at_once(work: dict[str, tuple], workers: int | None = None) -> dict:
    with ThreadPoolExecutor(workers or len(work)) as pool:
        futures = {name: pool.submit(*what) for name, what in work.items()}
    return {name: future.result() for name, future in futures.items()}


def table(answers: dict[str, dict[str, Outcome] | str]):
    """A row for each call, a column for each broker."""
    return left(pd.DataFrame({name: [given if isinstance(given, str) else str(given[call]) for call in CALLS]
                              for name, given in answers.items()}, index=list(CALLS)))


def how_to_get(answers: dict) -> str:
    """What to do about the brokers that were not found."""
    return "\n".join(f"{name}: {broker.missing()}." for name, broker in brokers().items()
                     if answers.get(name) == "not found")


def everywhere(answers: dict) -> list[str]:
    """The calls that work on every broker that was asked; none if nobody was."""
    asked = [name for name, given in answers.items() if isinstance(given, dict)]
    return [call for call in CALLS if asked and all(answers[name][call].kind == "works" for name in asked)]


def of_kind(answers: dict, kind: str) -> dict[str, str]:
    """For each broker the calls that came out so, or why it was not asked."""
    return {name: given if isinstance(given, str) else
            "; ".join(call for call, came in given.items() if came.kind == kind) or "none"
            for name, given in answers.items()}
