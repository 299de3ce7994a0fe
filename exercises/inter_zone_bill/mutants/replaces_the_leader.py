"""Puts a broker at home in the leader's place, and does not see that a follower is there already."""
FAILS = ("lead", "refusing", "broker-2 (b), broker-7 (c), broker-6 (b)")


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
    for partition, (_, *followers) in topology.partitions.items():
        home = weights(partition).most_common(1)[0][0]
        leader = next(broker for broker, zone in topology.brokers.items() if zone == home and broker not in followers)
        partitions[partition] = (leader, *followers)
    return replace(topology, partitions=partitions)
