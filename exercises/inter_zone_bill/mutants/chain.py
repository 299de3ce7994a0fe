"""Each replica copies from the one before it in the list, as a chain would."""
FAILS = ("crossings", "miscounted", "Too much replication")


def crossings(topology):
    zone, found, written = topology.brokers, defaultdict(float), defaultdict(float)

    def carry(kind, source, target, rate):
        if source != target:
            found[kind, source, target] += rate

    for producer in topology.producers:
        for partition, rate in producer.writes.items():
            written[partition] += rate
            carry("produce", producer.zone, zone[topology.partitions[partition][0]], rate)
    for partition, replicas in topology.partitions.items():
        for before, after in zip(replicas, replicas[1:]):
            carry("replication", zone[before], zone[after], written[partition])
    for consumer in topology.consumers:
        for partition in consumer.reads:
            replicas = [zone[broker] for broker in topology.partitions[partition]]
            near = topology.nearest and consumer.zone in replicas
            carry("consume", consumer.zone if near else replicas[0], consumer.zone, written[partition])
    return dict(found)
