"""The plain way to write the same path in SimPy: every record is an object, and a process at every hop.

A record waits with the others for its leader until the first of them has lingered, travels to the leader, is fetched by
both followers, whose next fetches tell the leader that they have it, is acknowledged once all three have it (acks=all),
and travels to the consumer. Rate, linger, zones and latencies are those of the Kafka model; what leaves a node together
arrives together, and links keep order. Left out, in this model's favour: full batches (there are none at the
benchmark's rate), metadata, heartbeats, retries, a trace, bytes, and everything that could fail.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

import simpy

SAME_ZONE, CROSS_ZONE = (0.0001, 0.0004), (0.0005, 0.0015)  # medians and 99th percentiles, as in NetworkProfile
LINGER = 0.005


@dataclass
class Record:
    """One record and what became of it."""
    partition: int
    value: int
    created: float
    offset: int = -1
    acknowledged: float = math.nan
    delivered: float = math.nan


class Link:
    """One-way latencies between two nodes, lognormal, never overtaking."""

    def __init__(self, env: simpy.Environment, random: Random, near: bool):
        self.env, self.random, self.departed, self.arrives = env, random, -1.0, 0.0
        p50, p99 = SAME_ZONE if near else CROSS_ZONE
        self.mu, self.sigma = math.log(p50), math.log(p99 / p50) / 2.326

    def travel(self) -> simpy.Timeout:
        """An event at the arrival of what leaves now."""
        now = self.env.now
        if now != self.departed:
            self.departed = now
            self.arrives = max(self.arrives, now + self.random.lognormvariate(self.mu, self.sigma))
        return self.env.timeout(self.arrives - now)


class Reference:
    """A producer, brokers in zones of their own, a consumer beside the first broker."""

    def __init__(self, rate: float, seconds: float, partitions: int = 12, brokers: int = 3, seed: int = 7):
        self.env, self.random = simpy.Environment(), Random(seed)
        self.rate, self.seconds, self.partitions, self.brokers = rate, seconds, partitions, brokers
        # by leader: the moment at which the waiting records are sent
        self.waiting: list[simpy.Event | None] = [None] * brokers
        self.logs: list[list[list[Record]]] = [[[] for _ in range(brokers)] for _ in range(partitions)]
        self.records: list[Record] = []
        self.produce, self.produced, self.polled = ([self.link(0, b) for b in range(brokers)] for _ in range(3))
        self.between = [[self.link(a, b) for b in range(brokers)] for a in range(brokers)]

    def link(self, one: int, other: int) -> Link:
        return Link(self.env, self.random, near=one == other)

    def run(self) -> list[Record]:
        """All records, each with its times."""
        self.env.process(self.source())
        self.env.run()
        return self.records

    def source(self):
        """Creates records at random moments, each a process of its own."""
        while True:
            yield self.env.timeout(self.random.expovariate(self.rate))
            if self.env.now >= self.seconds:
                return
            partition = self.random.randrange(self.partitions)
            record = Record(partition, len(self.records), self.env.now)
            self.records.append(record)
            self.env.process(self.life(record))

    def life(self, record: Record):
        """From its creation to the producer's knowledge that it is safe."""
        leader = record.partition % self.brokers
        if self.waiting[leader] is None or self.waiting[leader].processed:
            self.waiting[leader] = self.env.timeout(LINGER)
        yield self.waiting[leader]
        yield self.produce[leader].travel()
        log = self.logs[record.partition][leader]
        record.offset = len(log)
        log.append(record)
        yield self.env.all_of([self.env.process(self.replicate(record, leader, follower))
                               for follower in range(self.brokers) if follower != leader])
        self.env.process(self.deliver(record, leader))
        yield self.produced[leader].travel()
        record.acknowledged = self.env.now

    def replicate(self, record: Record, leader: int, follower: int):
        """The follower's fetch brings the record; its next fetch tells the leader so."""
        yield self.between[leader][follower].travel()
        self.logs[record.partition][follower].append(record)
        yield self.between[follower][leader].travel()

    def deliver(self, record: Record, leader: int):
        """The consumer's fetch brings what all replicas have."""
        yield self.polled[leader].travel()
        record.delivered = self.env.now
