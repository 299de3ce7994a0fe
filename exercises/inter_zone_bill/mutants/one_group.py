"""Counts each partition's readers once, however many groups there are."""
FAILS = ("crossings", "miscounted", "5 (orders-3 from broker-1 to fraud-2")


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
    seen = set()
    for consumer in topology.consumers:
        for partition in consumer.reads:
            if partition not in seen:
                seen.add(partition)
                replicas = [zone[broker] for broker in topology.partitions[partition]]
                near = topology.nearest and consumer.zone in replicas
                carry("consume", consumer.zone if near else replicas[0], consumer.zone, written[partition])
    return dict(found)
