"""A small broker in this process: at-least-once, with confirmations, refusals and faults placed by a plan.

It keeps every event it stored, in order, and delivers each until its acknowledgement has arrived. A publish that gets
no confirmation may have been stored (the confirmation was lost) or not (the event was): the publisher cannot tell.
The lab `nats-jetstream` shows the same behaviour on a real server.
"""
from typing import NamedTuple


class Event(NamedTuple):
    """What the shop announces about one order. `id` names the event itself, so that copies can be recognised."""
    id: str
    order: str
    customer: str
    amount: int


class NotConfirmed(Exception):
    """No confirmation arrived: the broker may or may not have stored the event."""


class Refused(Exception):
    """The broker will never accept this event."""


class Broker:
    """Everything the broker knows. Programs never see it, they see a `Link` to it."""

    def __init__(self, clock, publishes=(), refused=(), lost_acks=()):
        self.clock, self.faults, self.refused, self.lost_acks = clock, dict(publishes), set(refused), set(lost_acks)
        self.stored: list[Event] = []
        self.acked: set[int] = set()
        self.attempts = self.acks = 0

    def accept(self, event: Event, who: str) -> Exception | None:
        """Store the event unless a fault prevents it; the reason why no confirmation will come, if none will."""
        self.attempts += 1
        fault = self.faults.get(self.attempts)
        if event.order in self.refused:
            self.clock.note(who, "refused", fault=True, event=event)  # it never passes, so quiet does not wait for it
            return Refused(f"the broker refuses event {event.id}")
        if fault:
            self.clock.fault(who, fault, event=event)
        if fault != "event lost":
            self.stored.append(event)
        return NotConfirmed(f"no confirmation for event {event.id}") if fault else None

    def unacked(self) -> list[tuple[int, Event]]:
        """What must be delivered (again): position in the log and event."""
        return [(position, event) for position, event in enumerate(self.stored) if position not in self.acked]

    def settle(self, position: int, who: str) -> None:
        """Take an acknowledgement, unless it is one that gets lost on its way."""
        self.acks += 1
        if self.acks in self.lost_acks:
            self.clock.fault(who, "acknowledgement lost", event=self.stored[position])
        else:
            self.acked.add(position)


class Link:
    """One process's connection to the broker."""

    def __init__(self, broker: Broker, process):
        self.broker, self.process = broker, process

    def publish(self, event: Event) -> "Receipt":
        """Send an event. The receipt says later whether the broker has it."""
        if not (isinstance(event, tuple) and list(map(type, event)) == [str, str, str, int]):
            raise TypeError(f"publish takes an Event of id, order, customer (strings) and amount, not {event!r}")
        event = Event(*event)
        self.process.step(f"publish {event.order}")
        return Receipt(event, self.process, self.broker.accept(event, self.process.name))


class Receipt:
    """The promise of a confirmation."""

    def __init__(self, event: Event, process, problem: Exception | None):
        self.event, self.process, self.problem = event, process, problem

    def wait(self) -> None:
        """Returns once the broker has the event; raises `NotConfirmed` (nobody knows) or `Refused` (never)."""
        step = self.process.step(f"confirm {self.event.order}")
        if self.problem:
            step["error"] = str(self.problem)
            raise self.problem


class Delivery:
    """One delivery of one event. It comes again until `ack` has reached the broker."""

    def __init__(self, event: Event, position: int, broker: Broker, process):
        self.event, self.position, self.broker, self.process = event, position, broker, process

    def ack(self) -> None:
        """Tell the broker never to deliver this again."""
        self.process.step(f"ack {self.event.order}")
        self.broker.settle(self.position, self.process.name)
