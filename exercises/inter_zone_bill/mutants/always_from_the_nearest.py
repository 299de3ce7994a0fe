"""Takes fetch from follower for a default: it reads nearby although nobody set it up."""
FAILS = ("meters", "mismeasured", "too little consume")


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
            replicas = [zone[broker] for broker in topology.partitions[partition]]
            near = consumer.zone in replicas
            carry("consume", consumer.zone if near else replicas[0], consumer.zone, written[partition])
    return dict(found)
