"""Does not look at `nearest`: consumers read from leaders as in the old days."""
FAILS = ("meters", "mismeasured", "too much consume")


def crossings(topology):
    zone, found, written = topology.brokers, defaultdict(float), defaultdict(float)

    def carry(kind, source, target, rate):
        if source != target:
            found[kind, source, target] += rate

    for producer in topology.producers:
        for partition, rate in producer.writes.items():
            written[partition] += rate
            carry("produce", producer.zone, zone[topology.partitions[partition][0]], rate)
    for partition, (leader, *followers) in topology.partitions.items():
        for follower in followers:
            carry("replication", zone[leader], zone[follower], written[partition])
    for consumer in topology.consumers:
        for partition in consumer.reads:
            carry("consume", zone[topology.partitions[partition][0]], consumer.zone, written[partition])
    return dict(found)
