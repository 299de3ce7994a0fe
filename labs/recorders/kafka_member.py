"""A member of a consumer group as a process of its own, so that it can die as processes die; see kafka_group.py.

Run as `python kafka_member.py SETTINGS`. It polls a batch, works on it and commits it, and writes what happened to
standard output, one JSON object a line. It obeys lines on standard input: `hold` (keep the batch, do not commit, do not
poll), `go`, `commit` (commit the latest batch again) and `close`. When standard input ends, whoever started it is gone,
and so is it.
"""

import json
import logging
import os
import queue
import sys
import threading
import time

from confluent_kafka import Consumer, KafkaException, TopicPartition


def main(settings: dict) -> None:
    """Reads as a member of a group until told to stop."""
    orders = queue.SimpleQueue()
    threading.Thread(target=listen, args=(orders,), daemon=True).start()
    consumer = Consumer(settings["config"], logger=logging.Logger("librdkafka", logging.CRITICAL + 1))
    member = MemberProcess(consumer, settings["topic"], settings["work"], settings["batch"])
    consumer.subscribe([settings["topic"]], on_assign=member.assigned, on_revoke=member.revoked, on_lost=member.lost)
    while member.obey(orders):
        member.turn()
    consumer.close()
    tell("closed")


def listen(orders: queue.SimpleQueue) -> None:
    """Hands on what is said on standard input; its end is the end of this process."""
    for line in sys.stdin:
        orders.put(line.strip())
    os._exit(0)


def tell(what: str, **details) -> None:
    """One line about what happened, with the moment on the machine's monotonic clock."""
    sys.stdout.write(json.dumps({"what": what, "time": time.monotonic(), **details}) + "\n")
    sys.stdout.flush()


class MemberProcess:
    """Polls, works, commits; what is owned, and how far the latest batch reached."""

    def __init__(self, consumer: Consumer, topic: str, work: float, batch: int):
        self.consumer, self.topic, self.work, self.batch = consumer, topic, work, batch
        self.owned, self.reached, self.holding = set(), {}, False

    def obey(self, orders: queue.SimpleQueue) -> bool:
        """Does what was ordered; False once it was to close. A member that holds waits for the next order."""
        while self.holding or not orders.empty():
            order = orders.get()
            if order == "close":
                return False
            if order == "commit":
                self.commit()
            self.holding = order == "hold" or (self.holding and order != "go")
        return True

    def turn(self) -> None:
        """One batch: polled, worked on, committed."""
        began, records = time.monotonic(), []
        for message in self.consumer.consume(self.batch, 0.1):
            if message.error():
                tell("trouble", error=message.error().name())
            else:
                records.append((message.partition(), message.offset(), int(message.value())))
        if not records:
            return
        self.reached = {partition: offset + 1 for partition, offset, _ in records}
        tell("polled", began=began, records=records)
        time.sleep(self.work * len(records))
        self.commit()

    def commit(self) -> None:
        """Commits the latest batch and tells whether the coordinator took it."""
        offsets = [TopicPartition(self.topic, partition, offset) for partition, offset in self.reached.items()]
        try:
            done = self.consumer.commit(offsets=offsets, asynchronous=False)
            errors = [part.error.name() for part in done if part.error]
        except KafkaException as refusal:
            errors = [refusal.args[0].name()]
        tell("committed" if not errors else "refused", offsets=self.reached, error=errors[0] if errors else "")

    def assigned(self, consumer, partitions) -> None:
        self.owned |= {partition.partition for partition in partitions}
        tell("assigned", partitions=sorted(self.owned))

    def revoked(self, consumer, partitions) -> None:
        self.owned -= {partition.partition for partition in partitions}
        tell("revoked", partitions=sorted(self.owned))

    def lost(self, consumer, partitions) -> None:
        self.owned -= {partition.partition for partition in partitions}
        tell("lost", partitions=sorted(self.owned))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
