"""Makes the replica that is nearest to the clients the leader, and moves none."""
FAILS = ("lead", "too_dear", "produce 13")


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
    for partition, replicas in topology.partitions.items():
        weight = weights(partition)
        partitions[partition] = tuple(sorted(replicas, key=lambda broker: -weight[topology.brokers[broker]]))
    return replace(topology, partitions=partitions)
