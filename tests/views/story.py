"""A small Kafka-like story told through the Trace API: the leader dies, another is elected, the first truncates.

Not a model of Kafka: a script with a clock, just enough for every kind of event, in order and with the right causes.
"""

from __future__ import annotations

import heapq
import random

from simulator.evidence.history import History, INFO, OK
from simulator.evidence.trace import Trace

KINDS = {
    "produce": ("send", "{node} sends records {value} and on to {peer}"),
    "produced": ("send", "{node} answers {peer}: {note}"),
    "fetch": ("send", "{node} fetches from {peer}"),
    "fetched": ("send", "{node} hands {peer} offsets {offset} to {last}"),
    "poll": ("send", "{node} polls {peer}"),
    "polled": ("send", "{node} gives {peer} {count} records"),
    "heartbeat": ("send", "{node} tells {peer} that it is alive"),
    "metadata": ("send", "{node} tells {peer} who leads"),
    "receive": ("receive", "{node} receives it from {peer}"),
    "drop": ("drop", "the message from {peer} never reaches {node}"),
    "append": ("local", "{node} appends {key} offsets {offset} to {last} in epoch {epoch}"),
    "replicate": ("local", "{node} copies {key} offsets {offset} to {last}"),
    "high_watermark": ("local", "{node} raises the high watermark of {key} to {offset}"),
    "acknowledged": ("local", "{node} learns that {key} offsets {offset} to {last} are safe"),
    "deliver": ("local", "{node} reads {key} offsets {offset} to {last}"),
    "timeout": ("local", "{node} gives up waiting"),
    "retry": ("local", "{node} sends again"),
    "crash": ("state", "{node} crashes"),
    "restart": ("state", "{node} returns"),
    "fenced": ("state", "{node} fences {peer}: 9 s without a heartbeat"),
    "elected": ("state", "{node} is elected leader of {key}, epoch {epoch}; its log ends at {offset}"),
    "isr": ("state", "{key} is in sync on {note}"),
    "truncate": ("state", "{node} truncates {key} to {offset}: {count} records gone"),
}
LATENCY = 0.0004


class Story:
    """One run of the story; `trace` and `history` are its evidence."""

    def __init__(self, crash=2.0017, fenced=2.9, returns=4.4, end=5.0, every=0.01, batch=1, keys=1, seed=7):
        self.trace, self.history, self.random = Trace(), History(), random.Random(seed)
        self.kinds = {name: self.trace.kind(name, *rest) for name, rest in KINDS.items()}
        names = [("producer", "producer", "a"), ("broker-1", "broker", "a"), ("broker-2", "broker", "b"),
                 ("broker-3", "broker", "c"), ("controller", "controller", "b"), ("consumer", "consumer", "c")]
        self.nodes = {name: self.trace.node(name, role, zone) for name, role, zone in names}
        self.keys = [f"orders-{n}" for n in range(keys)]
        for key in self.keys:
            self.trace.keys.code(key), self.history.keys.code(key)
        self.log = {(broker, key): []
                    for broker in ("broker-1", "broker-2", "broker-3")
                    for key in self.keys}  # of (value, epoch)
        self.high = dict.fromkeys(self.keys, 0)
        self.leader, self.epoch, self.down, self.next_value = "broker-1", 4, set(), 0
        self.read = dict.fromkeys(self.keys, 0)
        self.every, self.batch, self.end, self.queue, self.order = every, batch, end, [], 0
        for start, action in ((0.001, self.produce), (0.003, self.poll), (0.005, self.beat), (crash, self.crash),
                              (fenced, self.fence), (returns, self.restart),
                              (0.002, lambda t: self.fetch(t, "broker-2")),
                              (0.0025, lambda t: self.fetch(t, "broker-3"))):
            self.at(start, action)
        while self.queue:
            time, _, action = heapq.heappop(self.queue)
            if time <= end:
                action(time)

    def at(self, time, action):
        heapq.heappush(self.queue, (time, self.order, action))
        self.order += 1

    def add(self, time, kind, node, peer=None, key=None, **fields):
        return self.trace.add(time, self.kinds[kind], self.nodes[node], -1 if peer is None else self.nodes[peer],
                              -1 if key is None else self.trace.keys.code(key), **fields)

    def send(self, time, kind, node, peer, then, key=None, **fields):
        event = self.add(time, kind, node, peer, key, **fields)
        delay = LATENCY * (0.6 + self.random.random())

        def arrive(now):
            fate = "drop" if peer in self.down else "receive"
            arrival = self.add(now, fate, peer, node, key, cause=event)
            if fate == "receive":
                then(now, arrival)
        self.at(time + delay, arrive)
        return event

    def produce(self, time):
        self.at(time + self.every, self.produce)
        key, value = self.keys[(self.next_value // self.batch) % len(self.keys)], self.next_value
        self.next_value += self.batch
        op, leader = self.history.op(), self.leader
        process, code = self.history.processes.code("producer"), self.history.keys.code(key)

        def append(now, cause):
            log = self.log[leader, key]
            offset = len(log)
            log += [(value + n, self.epoch) for n in range(self.batch)]
            done = self.add(now, "append", leader, key=key, cause=cause, offset=offset, count=self.batch,
                            epoch=self.epoch, value=value)
            self.send(now + 5e-5, "produced", leader, "producer", lambda t, c: acknowledge(t, c, offset), key,
                      cause=done, offset=offset, count=self.batch, value=value, note="ok (acks=1)")

        def acknowledge(now, cause, offset):
            event = self.add(now, "acknowledged", "producer", key=key, cause=cause, offset=offset, count=self.batch,
                             value=value)
            self.history.sent(op, process, code, value, self.batch, offset, OK, 0, time, now, event)

        def give_up(now):
            if leader in self.down and leader == self.leader:
                self.history.sent(op, process, code, value, self.batch, -1, INFO, 0, time, now)
                event = self.add(now, "timeout", "producer", key=key, count=self.batch, value=value)
                self.add(now, "retry", "producer", key=key, cause=event, count=self.batch, value=value)
        self.send(time, "produce", "producer", leader, append, key, count=self.batch, value=value)
        self.at(time + 0.2, give_up)

    def fetch(self, time, follower):
        self.at(time + self.every * 0.9, lambda t: self.fetch(t, follower))
        leader = self.leader
        if follower in self.down or follower == leader:
            return

        def answer(now, cause):
            for key in self.keys:
                start, log = len(self.log[follower, key]), self.log[leader, key]
                behind = [len(self.log[other, key]) for other in ("broker-2", "broker-3") if other != leader]
                safe = min(behind + [len(log)])
                if safe > self.high[key]:
                    self.high[key] = safe
                    self.add(now, "high_watermark", leader, key=key, cause=cause, offset=safe)
                if start < len(log):
                    self.send(now + 5e-5, "fetched", leader, follower,
                              lambda t, c, k=key, s=start, e=len(log): copy(t, c, k, s, e), key, cause=cause,
                              offset=start, count=len(log) - start, value=log[start][0])

        def copy(now, cause, key, start, end):
            records = self.log[leader, key][start:end]
            self.log[follower, key][start:] = records
            self.add(now, "replicate", follower, key=key, cause=cause, offset=start, count=end - start,
                     epoch=records[0][1], value=records[0][0])
            self.add(now, "high_watermark", follower, key=key, cause=cause, offset=self.high[key])
        self.send(time, "fetch", follower, leader, answer)

    def poll(self, time):
        self.at(time + self.every * 1.3, self.poll)
        leader, op = self.leader, self.history.op()

        def answer(now, cause):
            for key in self.keys:
                start, end = self.read[key], self.high[key]
                if start < end:
                    value = self.log[leader, key][start][0]
                    self.send(now + 5e-5, "polled", leader, "consumer",
                              lambda t, c, k=key, s=start, e=end, v=value: deliver(t, c, k, s, e, v), key, cause=cause,
                              offset=start, count=end - start, value=value)

        def deliver(now, cause, key, start, end, value):
            self.read[key] = end
            event = self.add(now, "deliver", "consumer", key=key, cause=cause, offset=start, count=end - start,
                             value=value)
            self.history.polled(op, self.history.processes.code("consumer"), self.history.keys.code(key), value,
                                end - start, start, OK, time, now, event)
        self.send(time, "poll", "consumer", leader, answer)

    def beat(self, time):
        self.at(time + 0.1, self.beat)
        for broker in ("broker-1", "broker-2", "broker-3"):
            if broker not in self.down:
                self.send(time, "heartbeat", broker, "controller", lambda t, c: None)

    def crash(self, time):
        self.down.add(self.leader)
        self.crashed = self.add(time, "crash", self.leader)

    def fence(self, time):
        fenced = self.add(time, "fenced", "controller", "broker-1", cause=self.crashed)
        self.at(time + 0.0012, lambda now: self.elect(now, fenced))

    def elect(self, time, fenced):
        self.leader, self.epoch = "broker-2", 5
        for key in self.keys:
            elected = self.add(time, "elected", "broker-2", key=key, cause=fenced, epoch=5,
                               offset=len(self.log["broker-2", key]))
            self.add(time, "isr", "broker-2", key=key, cause=elected, epoch=5, value=0b1100, note="broker-2, broker-3")
        for peer in ("producer", "consumer", "broker-3"):
            self.send(time, "metadata", "controller", peer, lambda t, c: None, cause=fenced)

    def restart(self, time):
        self.down.clear()
        event = self.add(time, "restart", "broker-1")
        self.at(time + 0.01, lambda now: self.truncate(now, event))
        self.at(time + 0.02, lambda t: self.fetch(t, "broker-1"))
        self.at(time + 0.03, self.rejoin)

    def truncate(self, time, event):
        for key in self.keys:
            mine, theirs = self.log["broker-1", key], self.log["broker-2", key]
            same = next((n for n, pair in enumerate(zip(mine, theirs)) if pair[0] != pair[1]),
                        min(len(mine), len(theirs)))
            if same < len(mine):
                self.add(time, "truncate", "broker-1", key=key, cause=event, offset=same, count=len(mine) - same,
                         epoch=5, value=mine[same][0])
            del mine[same:]

    def rejoin(self, time):
        for key in self.keys:
            self.add(time, "isr", "broker-2", key=key, epoch=5, value=0b1110, note="broker-1, broker-2, broker-3")


def explanation(story: Story):
    """Why the first truncated record was lost, as (time, node, sentence), the way `why` hands it to the player."""
    trace = story.trace
    rows = trace.events.rows
    if not len(trace.where("truncate")):
        return []
    cut = trace.where("truncate")[0]
    value = rows["value"][cut]
    sends = [e for e in trace.where("produce") if rows["value"][e] == value]
    appends = [e for e in trace.where("append") if rows["value"][e] == value]
    chain = [*sends[:1], *appends[:1], *trace.where("crash"), *trace.where("fenced"), *trace.where("elected")[:1], cut]
    lines = [(float(rows["time"][e]), trace.nodes[rows["node"][e]].name, trace.describe(int(e))) for e in sorted(chain)]
    return lines + [(None, "", "never read by anyone, and the producer was told ok")]
