"""What a run cost, before anybody put a price on it: bytes by zone pair, requests by class, and levels over time."""

from __future__ import annotations

from collections import defaultdict


class Meters:
    """Counters and time-weighted levels.

    `traffic[(zone, zone)]` is bytes sent from one zone to another (a zone to itself included); `crossings[(role,
    role)]` is those that changed zone, by who sent them to whom (producer, broker, consumer...); `counts[name]` is how
    often something happened or how much of it there was; `integrals[name]` is a level times seconds, for example
    byte-seconds stored.
    """

    def __init__(self):
        self.traffic: dict[tuple[str, str], float] = defaultdict(float)
        self.crossings: dict[tuple[str, str], float] = defaultdict(float)
        self.counts: dict[str, float] = defaultdict(float)
        self.integrals: dict[str, float] = defaultdict(float)
        self._levels: dict[str, tuple[float, float]] = {}

    def level(self, name: str, now: float, value: float) -> None:
        """From `now` on, the level is `value`; what it was until now is added to its integral."""
        since, before = self._levels.get(name, (now, 0.0))
        self.integrals[name] += before * (now - since)
        self._levels[name] = (now, value)

    def close(self, now: float) -> None:
        """Adds what each level came to until `now`."""
        for name, (_, value) in sorted(self._levels.items()):
            self.level(name, now, value)

    def cross_zone_bytes(self) -> float:
        """Bytes that left the zone they started in."""
        return sum(amount for (source, target), amount in self.traffic.items() if source != target)

    def to_pandas(self):
        """One row a meter: name and amount."""
        import pandas as pd
        rows = [(f"bytes {a} → {b}", amount) for (a, b), amount in sorted(self.traffic.items())]
        rows += sorted(self.counts.items()) + sorted(self.integrals.items())
        return pd.DataFrame(rows, columns=["meter", "amount"])

    def __repr__(self) -> str:
        sent, crossing = sum(self.traffic.values()) / 1e6, self.cross_zone_bytes() / 1e6
        return f"Meters: {sent:,.1f} MB sent, {crossing:,.1f} MB of it between zones"
