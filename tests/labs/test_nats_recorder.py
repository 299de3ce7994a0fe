"""What the recorder writes down for each answer a server can give, without a server."""
import asyncio
from collections import Counter
from types import SimpleNamespace

import pytest
from nats.errors import MaxPayloadError, TimeoutError
from nats.js.errors import BadRequestError, NoStreamResponseError

from labs.recorders import nats
from labs.recorders.background import Background
from labs.recorders.nats import NatsRecorder, Publisher, Reader
from simulator.evidence.checks import Guarantees, check
from simulator.evidence.history import FAIL, INFO, OK, UNKNOWN, History


class Server:
    """Answers publish calls from a list: an exception, or the sequence number of an acknowledgement."""

    def __init__(self, *answers):
        self.answers, self.ids = list(answers), []

    async def publish(self, subject, payload, timeout, headers):
        self.ids.append(headers and headers["Nats-Msg-Id"])
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return SimpleNamespace(seq=abs(answer), duplicate=answer < 0 or None)  # negative: "I had that one already"


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(nats, "PAUSE", 0)


def publish(*answers, records=1, patience=30.0, deduplicate=True):
    """The publisher after sending to a server with these answers; every look at the clock takes a second."""
    history, server, ticks = History(), Server(*answers), iter(range(10_000))
    publisher = Publisher(server, "orders", history, lambda: float(next(ticks)), 1.0, deduplicate, patience, Counter())

    async def work():
        for value in range(records):
            await publisher.send(value)
    asyncio.run(work())
    return publisher, server


def types(publisher):
    return publisher.history.sends.rows["type"].tolist()


def test_an_acknowledgement_gives_the_offset():
    publisher, _ = publish(1, 2, records=2)
    assert types(publisher) == [OK, OK]
    assert publisher.history.sends.rows["offset"].tolist() == [1, 2]


def test_an_unanswered_record_is_repeated_under_its_id_and_stays_one_operation():
    publisher, server = publish(TimeoutError(), NoStreamResponseError(), 7)
    row, = publisher.history.sends.rows
    assert (row["type"], row["offset"], row["op"]) == (OK, 7, 0)
    assert server.ids == ["0", "0", "0"]
    assert row["completed"] - row["invoked"] >= 3  # it began with the first attempt
    assert publisher.troubles == {"TimeoutError": 1, "NoStreamResponseError": 1}


def test_a_recognised_repeat_was_stored_the_first_time():
    publisher, _ = publish(TimeoutError(), -5)
    assert types(publisher) == [OK] and publisher.repeats == 1


def test_without_patience_left_nobody_knows_and_another_process_goes_on():
    publisher, _ = publish(*[TimeoutError()] * 3, 1, records=2, patience=2.0)
    history = publisher.history
    assert types(publisher) == [INFO, OK]
    assert history.sends.rows["offset"].tolist() == [UNKNOWN, 1]
    assert [history.processes[code] for code in history.sends.rows["process"]] == ["publisher", "publisher-1"]
    assert history.errors[history.sends.rows["error"][0]] == "TimeoutError"


@pytest.mark.parametrize("refusal", [BadRequestError(), MaxPayloadError()])
def test_a_refusal_is_a_failure_only_if_nothing_was_in_doubt(refusal):
    assert types(publish(refusal)[0]) == [FAIL]
    assert types(publish(TimeoutError(), refusal)[0]) == [INFO]


def test_without_ids_the_server_cannot_recognise_a_repeat():
    _, server = publish(TimeoutError(), 2, deduplicate=False)
    assert server.ids == [None, None]


class Stream:
    """Serves records from the requested sequence on, two at a time, or raises what it is told to."""

    def __init__(self, values, troubles=()):
        self.values, self.troubles, self.asked = values, list(troubles), []

    async def pull_subscribe(self, subject, stream, config):
        self.asked.append(config.opt_start_seq)
        self.position = config.opt_start_seq
        return self

    async def fetch(self, batch, timeout):
        if self.troubles and (trouble := self.troubles.pop(0)):
            raise trouble
        first, self.position = self.position, self.position + 2
        return [message(value, sequence) for sequence, value in enumerate(self.values[first - 1:first + 1], first)]

    async def unsubscribe(self):
        pass


def message(value, sequence):
    metadata = SimpleNamespace(sequence=SimpleNamespace(stream=sequence))
    return SimpleNamespace(data=str(value).encode(), metadata=metadata)


def read(stream, polls):
    history, ticks = History(), iter(range(1000))
    reader = Reader(stream, "orders", history, lambda: float(next(ticks)), "consumer")

    async def work():
        return [await reader.poll() for _ in range(polls)]
    return history, asyncio.run(work())


def test_a_reader_asks_anew_from_where_it_stopped():
    stream = Stream([10, 11, 12, 13], troubles=[None, TimeoutError()])
    history, counts = read(stream, polls=3)
    assert counts == [2, 0, 2] and stream.asked == [1, 3]
    assert history.polls.rows["value"].tolist() == [10, 11, 12, 13]
    assert history.polls.rows["offset"].tolist() == [1, 2, 3, 4]


def test_what_is_read_is_written_down_as_it_came():
    """A record stored twice is for the judge to find, not for the reader to tidy away."""
    history, _ = read(Stream([0, 0]), polls=1)
    history.send("publisher", "orders", 0, 1)
    assert check(history, Guarantees()).broken == ["duplicate"]


@pytest.mark.parametrize("field, value", [("rate", 0), ("rate", -1.0), ("patience", 0), ("patience", 121)])
def test_nonsense_is_refused_by_name(field, value):
    with pytest.raises(ValueError, match=f"^{field}: {value}"):
        NatsRecorder(None, **{field: value})


def test_the_background_loop_answers_raises_and_ends():
    async def work(seconds):
        await asyncio.sleep(seconds)
        return "done" if seconds < 1 else None

    async def fail():
        raise KeyError("x")

    background = Background()
    assert background.do(work(0)) == "done"
    with pytest.raises(KeyError):
        background.do(fail())
    endless = background.start(work(600))
    background.close()
    assert endless.cancelled() and background.loop.is_closed()
    background.close()
