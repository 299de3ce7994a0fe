"""Fetch from follower (KIP-392, Kafka 2.4): a consumer that names its rack reads from an in-sync replica there.

The consumer first asks the leader, who knows how far every follower is, and answers with a preferred read replica: one
in the consumer's rack, in sync, and holding what is asked for (KAFKA-14372). The follower then serves up to *its* high
watermark. It hears of a new one with the next records, or when its fetch has waited for `replica.fetch.wait.max`: that
is the price. (Kafka 2.4 answered such fetches at once, which cost half as many fetches again; KAFKA-9731, KAFKA-9952.
In runs in which nobody reads from followers this model still does so, since nobody can tell.) When the follower's
leader changes, or it lacks the offset, the consumer goes back to the leader and asks again, as it does every
`metadata.max.age` anyway.

In Kafka it needs `replica.selector.class=RackAwareReplicaSelector` at the brokers and `client.rack` at the consumer;
here `Consumer(rack=True)` stands for both, with the zone as the rack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .messages import Error, Fetched

if TYPE_CHECKING:
    from .broker import Broker
    from .fetching import Session
    from .partition import Leadership


def turn(broker: Broker, session: Session, key: int, offset: int, event: int) -> list[Fetched] | None:
    """What becomes of a fetch that names a rack: sent to a nearer replica, served here ([]), or neither (None)."""
    leadership = broker.leading.get(key)
    if leadership is not None:
        nearer = nearest(broker, leadership, session.rack, offset)
        if nearer is None:
            return None
        broker._stop_reading(session, key)
        return [Fetched(key, [], 0, (-1, nearer), Error.PREFERRED_READ_REPLICA)]
    log = broker.logs.get(key)
    follows = any(key in fetcher.partitions for fetcher in broker.fetchers.values())
    if log is None or offset > log.end_offset or not follows:
        return None
    if offset < log.local_start_offset and (told := broker.tiers.behind(session, key, offset, event)):
        return [told]
    _serve(broker, session, key, offset, event)
    return []


def nearest(broker: Broker, leadership: Leadership, rack: str, offset: int) -> int | None:
    """The most caught-up in-sync follower in this rack that holds the offset; None if the leader or nobody is there."""
    def zone(index: int) -> str:
        return broker.system.brokers[index].node.zone
    if broker.node.zone == rack:
        return None
    positions = leadership.positions
    there = [b for b in leadership.state.isr if b in positions and zone(b) == rack and positions[b] >= offset]
    return max(there, key=positions.get, default=None)


def _serve(broker: Broker, session: Session, key: int, offset: int, event: int) -> None:
    """Takes the position of a consumer at this follower."""
    if key not in session.positions:
        broker.readers.setdefault(key, []).append(session)
    session.positions[key] = offset
    if offset < session.limit(broker.logs[key]) and key not in session.cold:
        session.fresh[key] = event
    else:
        session.fresh.pop(key, None)


def moved(broker: Broker, key: int, event: int) -> None:
    """This follower has learned of a higher high watermark: news for the consumers that read from it."""
    for session in broker.readers[key]:
        if session.positions[key] < session.limit(broker.logs[key]) and key not in session.cold:
            session.fresh[key] = event
            if session.parked_until >= 0:
                broker.woken[session] = None
