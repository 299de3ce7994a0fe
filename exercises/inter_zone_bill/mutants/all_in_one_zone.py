"""Puts all three replicas where the clients are, two of them on the brokers there: cheap until the zone is gone."""
FAILS = ("lead", "refusing", "broker-1 (a), broker-5 (a)")


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
        partitions[partition] = (*near[:2], far[number % len(far)])
    return replace(topology, partitions=partitions)
