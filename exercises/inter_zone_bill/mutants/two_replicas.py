"""Saves half of the replication by dropping a replica."""
FAILS = ("lead", "thinner", "has 2 replicas")


def lead_nearer(topology):
    def weights(partition):
        weight = Counter()
        for producer in topology.producers:
            weight[producer.zone] += producer.writes.get(partition, 0)
        written = weight.total()
        for consumer in topology.consumers:
            weight[consumer.zone] += written * (partition in consumer.reads)
        return weight

    partitions = {}
    for number, partition in enumerate(topology.partitions):
        home = weights(partition).most_common(1)[0][0]
        near = [broker for broker, zone in topology.brokers.items() if zone == home]
        far = [broker for broker, zone in topology.brokers.items() if zone != home]
        partitions[partition] = (near[number % 2], far[number % len(far)])
    return replace(topology, partitions=partitions)
