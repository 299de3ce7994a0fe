"""Names the broker at home twice instead of looking for a third one."""
FAILS = ("lead", "no_topology", "broker-4, broker-4")


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
        home = weights(partition).most_common(1)[0][0]
        near = next(broker for broker, zone in topology.brokers.items() if zone == home)
        partitions[partition] = (near, near, replicas[0])
    return replace(topology, partitions=partitions)
