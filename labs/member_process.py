"""One member of a consumer group in a process of its own, so that it can be killed: it polls, and prints what happens
to it.

Run as `python member_process.py CONFIG`, CONFIG being JSON: {"topic": ..., "settings": {...librdkafka...}}. Every
line printed is JSON with `time` (time.monotonic(), the same clock in every process of a machine) and `what`. SIGTERM
closes the consumer in good order; SIGKILL does not, which is the point."""

import json
import signal
import sys
import time
from itertools import groupby

from confluent_kafka import Consumer

POLL_TIMEOUT = 0.1
MAX_POLL_RECORDS = 500


def say(what: str, **columns) -> None:
    """One line of the log, in the file before anything else happens."""
    print(json.dumps({"time": time.monotonic(), "what": what, **columns}), flush=True)


def owned(what: str):
    """A rebalance callback that says which partitions came or went; librdkafka itself acts on it afterwards."""
    return lambda consumer, partitions: say(what, keys=[part.partition for part in partitions])


def committed(error, partitions) -> None:
    """What the coordinator has stored, or that it refused."""
    if error:
        say("refused", note=str(error))
    else:
        say("committed", offsets={part.partition: part.offset for part in partitions if part.error is None})


def runs(messages):
    """(partition, first offset, number) of records that follow one another without a gap."""
    places = sorted((message.partition(), message.offset()) for message in messages if message.error() is None)
    numbered = enumerate(places)
    for _, run in groupby(numbered, lambda pair: (pair[1][0], pair[1][1] - pair[0])):
        run = [place for _, place in run]
        yield *run[0], len(run)


def main(topic: str, settings: dict) -> None:
    """Polls until it is asked to stop."""
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    consumer = Consumer({**settings, "on_commit": committed})
    say("start")
    consumer.subscribe([topic], on_assign=owned("assigned"), on_revoke=owned("revoked"), on_lost=owned("left_behind"))
    while not stopping:
        for partition, offset, count in runs(consumer.consume(MAX_POLL_RECORDS, POLL_TIMEOUT)):
            say("deliver", keys=[partition], offset=offset, count=count)
    consumer.close()
    say("stop")


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
