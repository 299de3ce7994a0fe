"""What a system promises, and which anomalies that leaves open: the one place that says what is permitted."""

from __future__ import annotations

from dataclasses import dataclass

ISOLATIONS = ("read_committed", "read_uncommitted")


@dataclass(frozen=True)
class Guarantees:
    """What a system offers its clients, as plain data; the defaults are the strongest promise.

    idempotence: a retried send is stored once. subscribe: consumers read as members of a group, which moves keys
    between them at any time. isolation: `read_committed` shows consumers nothing that may still be rolled back;
    `read_uncommitted` shows records of open and of aborted transactions, so that aborted, dirty and circular reads
    break no promise. durable: what was acknowledged survives; False for fire and forget. in_order: records of one
    process stay in the order in which it sent them. delivery_limit: deliveries of one message before a queue gives up
    on it, None if it never does. retention: seconds for which a log keeps a record; None if it keeps them for ever.
    """
    idempotence: bool = True
    subscribe: bool = False
    isolation: str = "read_committed"
    durable: bool = True
    in_order: bool = True
    delivery_limit: int | None = None
    retention: float | None = None

    def __post_init__(self):
        if self.isolation not in ISOLATIONS:
            raise ValueError(f"isolation: {self.isolation!r} is not one of 'read_committed', 'read_uncommitted'")
        if self.delivery_limit is not None and self.delivery_limit < 1:
            raise ValueError(f"delivery_limit: {self.delivery_limit!r} is neither None nor at least 1")
        if self.retention is not None and not self.retention > 0:
            raise ValueError(f"retention: {self.retention!r} is neither None nor greater than 0 seconds")


def permitted(guarantees: Guarantees) -> frozenset[str]:
    """The anomalies that break no promise: they are counted and shown, but not held against the system."""
    # Records of several producers interleave, and a queue delivers at least once: whether a further delivery had a
    # reason is a check of its own.
    # Kafka does not isolate the writes of transactions from each other: they may interleave differently in two keys.
    # That nobody saw the last records proves nothing unless a final reader looked for them: then they are lost writes.
    allowed = {"internal send skip", "redelivery", "unseen", "write cycle", "mixed cycle"}
    if guarantees.retention is not None:
        allowed |= {"expired"}
    if not guarantees.durable:
        allowed |= {"lost write", "unseen", "vanished", "lost"}
    if not guarantees.idempotence:
        allowed |= {"duplicate"}
    if not guarantees.in_order:  # several requests in flight and retries, or a queue that requeues
        allowed |= {"nonmonotonic send", "internal nonmonotonic send", "order inversion"}
    if guarantees.subscribe:  # a key that moves is read again from its last commit, or lost sight of for a while
        allowed |= {"external poll skip", "external nonmonotonic poll"}
    if guarantees.isolation == "read_uncommitted":
        allowed |= {"aborted read", "precommitted read", "dirty read", "read cycle"}
    return frozenset(allowed)
