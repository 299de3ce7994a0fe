"""Works on lists of (zone, zone, rate), sums them up in the end, and reads from the leader's zone where it can."""


def crossings(topology):
    zones = {partition: [topology.brokers[broker] for broker in replicas]
             for partition, replicas in topology.partitions.items()}
    writes = [(producer.zone, partition, rate) for producer in topology.producers
              for partition, rate in producer.writes.items()]
    written = {partition: sum(rate for _, name, rate in writes if name == partition) for partition in zones}
    table = [("produce", source, zones[partition][0], rate) for source, partition, rate in writes]
    table += [("replication", first, each, written[name])
              for name, (first, *others) in zones.items() for each in others]
    for consumer in topology.consumers:
        for name in consumer.reads:
            source = consumer.zone if topology.nearest and consumer.zone in zones[name] else zones[name][0]
            table.append(("consume", source, consumer.zone, written[name]))
    ways = sorted({row[:3] for row in table if row[1] != row[2]})
    return {way: sum(row[3] for row in table if row[:3] == way) for way in ways}


def read_nearer(topology):
    """Without KIP-392: each partition is read by the member in its leader's zone."""
    zone = topology.brokers
    consumers = [replace(each, reads=tuple(name for name, (leader, *_) in topology.partitions.items()
                                           if zone[leader] == each.zone)) for each in topology.consumers]
    return replace(topology, consumers=tuple(consumers))
