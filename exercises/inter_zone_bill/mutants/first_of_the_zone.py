"""Takes the first broker of each zone, and the first zones for the followers."""
FAILS = ("lead", "overloaded", "broker-1 holds 6")


def lead_nearer(topology):
    def weights(partition):
        weight = Counter()
        for producer in topology.producers:
            weight[producer.zone] += producer.writes.get(partition, 0)
        written = weight.total()
        for consumer in topology.consumers:
            weight[consumer.zone] += written * (partition in consumer.reads)
        return weight

    zones, partitions = sorted(set(topology.brokers.values())), {}
    first = {zone: next(broker for broker in topology.brokers if topology.brokers[broker] == zone) for zone in zones}
    for partition in topology.partitions:
        home = weights(partition).most_common(1)[0][0]
        partitions[partition] = tuple(first[zone] for zone in [home, *[zone for zone in zones if zone != home][:2]])
    return replace(topology, partitions=partitions)
