"""A log that is right, and may be made wrong in one way at a time: what the checks are tested against."""

import random

from simulator.evidence.history import FINAL_READER, OK, History

KEYS = ("orders-0", "orders-1")


class ReferenceLog:
    """A log that does everything right: batches at the end, read in order from a position on; `bug` breaks one rule."""

    def __init__(self, seed: int, bug: str = ""):
        self.random, self.bug, self.history = random.Random(seed), bug, History()
        self.logs = {key: [] for key in KEYS}  # per key a list of (offset, value)
        self.next_value = {key: 0 for key in KEYS}
        self.held_back = {}
        self.positions: dict[str, dict[str, int]] = {}
        self.generation = 0
        self.bitten = False

    def run(self, steps: int) -> History:
        for name in ("c0", "c1"):
            self.assign(name, list(KEYS))
        for _ in range(steps):
            self.random.choice((self.send, self.send, self.poll, self.poll, self.rebalance))()
        self.drain()
        return self.history

    def send(self) -> None:
        """A batch that is stored and acknowledged, stored and not acknowledged, or refused."""
        key, count = self.random.choice(KEYS), self.random.randint(1, 5)
        value, kind = self.next_value[key], self.random.choices((0, 1, 2), (8, 1, 1))[0]
        self.next_value[key] += count
        stored = kind == OK or kind == 2 and self.random.random() < 0.5
        offset = self.store(key, value, count, kind) if stored else -1
        op, code = self.history.op(), self.history.processes.code(f"p-{key}")
        known = kind == OK and self.random.random() < 0.8  # some clients are not told where their records are
        self.history.sent(op, code, self.history.keys.code(key), value, count, offset if known else -1, kind, 0,
                          float(op), op + 0.5)

    def store(self, key: str, value: int, count: int, kind: int) -> int:
        log = self.logs[key]
        gap = self.random.choice((0, 0, 0, 2))  # a marker takes an offset that no reader sees
        offset = log[-1][0] + 1 + gap if log else gap
        if self.bug == "lose" and kind == OK and not self.bitten and self.random.random() < 0.3:
            self.bitten = True
            return offset  # acknowledged, never stored
        log += [(offset + i, value + i) for i in range(count)]
        if self.bug == "store twice" and not self.bitten:
            self.bitten = True
            log += [(offset + count + i, value + i) for i in range(count)]
        return offset

    def poll(self) -> None:
        name = self.random.choice(list(self.positions))
        keys = [key for key in self.positions[name] if self.random.random() < 0.7]
        kind = self.random.choices((0, 1, 2), (8, 1, 1))[0]
        op = self.history.op()
        for key in keys:
            position, log = self.positions[name][key], self.logs[key]
            records = log[position:position + self.random.randint(1, 6)]
            if self.bug == "skip" and kind == OK and len(records) > 2 and not self.bitten:
                self.bitten, records = True, records[:1] + records[2:]
            self.record(op, name, key, records, kind)
            if kind == OK and records:
                self.positions[name][key] = log.index(records[-1]) + 1
                if self.bug == "go back" and not self.bitten and position > 0:
                    self.bitten, self.positions[name][key] = True, position - 1

    def record(self, op: int, name: str, key: str, records: list, kind: int) -> None:
        """Rows as a client would write them: one for each run of consecutive offsets and values."""
        runs: list[list] = []
        for offset, value in records:
            if runs and runs[-1][0] + runs[-1][2] == offset and runs[-1][1] + runs[-1][2] == value:
                runs[-1][2] += 1
            else:
                runs.append([offset, value, 1])
        for offset, value, count in runs:
            self.history.polled(op, self.history.processes.code(name), self.history.keys.code(key), value, count,
                                offset, kind, float(op), op + 0.5)

    def rebalance(self) -> None:
        """A consumer is assigned some keys: those it keeps it reads on, those it gets it reads from somewhere."""
        name = self.random.choice(list(self.positions))
        if self.random.random() < 0.3:
            self.history.crash(name)
            del self.positions[name]
            self.generation += 1
            name = f"c{self.generation + 1}"
        self.assign(name, [key for key in KEYS if self.random.random() < 0.7])

    def assign(self, name: str, keys: list[str]) -> None:
        self.history.assign(name, keys)
        kept = self.positions.get(name, {})
        self.positions[name] = {key: kept.get(key, self.random.randint(0, len(self.logs[key]))) for key in keys}

    def drain(self) -> None:
        for key in KEYS:
            for start in range(0, len(self.logs[key]), 7):
                self.record(self.history.op(), FINAL_READER, key, self.logs[key][start:start + 7], OK)
        self.history.drained = True
