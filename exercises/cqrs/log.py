"""The log a read model is made from, and what each prefix of it says: the truth that read models are compared with."""
from collections.abc import Iterable
from typing import NamedTuple


class NotYet(Exception):
    """The read model has not come as far as the reader asks for."""


class Event(NamedTuple):
    """An event with its place in the log and the second at which it was written."""
    position: int
    at: int
    type: str
    customer: str
    amount: int


class Log:
    """What is visible of a log. Positions grow, but not always by one: a rolled-back writer leaves a gap."""

    def __init__(self, events: Iterable[Event] = ()):
        self.events = list(events)

    def head(self) -> int:
        """The position of the last event, 0 if there is none."""
        return self.events[-1].position if self.events else 0

    def read(self, after: int, limit: int = 10) -> list[Event]:
        """The events behind a position, at most `limit` of them."""
        return [event for event in self.events if event.position > after][:limit]


def totals_at(events: Iterable[Event], position: int) -> dict[str, list[int]]:
    """Orders and cents of each customer after all events up to a position; types not listed here say nothing."""
    totals: dict[str, list[int]] = {}
    for event in events:
        sign = {"placed": 1, "cancelled": -1}.get(event.type)
        if sign and event.position <= position:
            orders, spent = totals.get(event.customer, (0, 0))
            totals[event.customer] = [orders + sign, spent + sign * event.amount]
    return totals


def lag_at(events: list[Event], position: int, now: int) -> list[int]:
    """Events behind a position, and the age of the oldest of them in seconds; a clock that is behind makes it 0."""
    waiting = [event for event in events if event.position > position]
    return [len(waiting), max(0, now - waiting[0].at) if waiting else 0]
