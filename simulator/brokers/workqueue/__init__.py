"""A work queue: each message goes to one of several workers, and stays in the queue until that worker says it is done.

One node with one queue, after RabbitMQ 4.3 (rabbitmq.com/docs: confirms, queues, quorum-queues, consumer-prefetch,
heartbeats; its blog of 2025-01-17 on how messages are stored). Read in this order: `config` (what can be set),
`queue` (the broker), `clients` (publisher and workers), `system` (the wiring).

Modelled: publisher confirms; messages that outlive the broker's process or not; deliveries pushed to the consumers in
turn, each with at most `prefetch` of them unacknowledged; explicit acknowledgements; a connection that ends,
whereupon what was not acknowledged goes back to its place near the head and is delivered again, until the delivery
limit makes it a dead letter; heartbeats and reconnecting. A classic queue confirms what it has written, without
fsync, so that a power loss can take confirmed messages along. A quorum queue confirms what it has flushed, many
messages to a flush; here it has a single member.

Simplified: a classic queue writes a message the moment it arrives (RabbitMQ gathers them for up to 200 ms);
acknowledgements reach the disk at once; handling a message takes the broker no time. The publisher keeps messages
while it has no connection, and does not repeat what was in doubt when a connection ended (it could, at the price of
duplicates).

Left out: exchanges and bindings, automatic acknowledgement, nack and reject, TTL, length limits, priorities, delayed
retry, consumer timeout, flow control, the replication of quorum queues.
"""

from .config import WorkQueue

__all__ = ["WorkQueue"]
