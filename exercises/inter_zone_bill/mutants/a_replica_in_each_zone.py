"""Adds a fourth replica, so that everybody has one nearby: it has to be written as well."""
FAILS = ("read", "touched", "partitions")


def read_nearer(topology):
    first = {zone: broker for broker, zone in reversed(topology.brokers.items())}
    partitions = {}
    for partition, replicas in topology.partitions.items():
        there = {topology.brokers[broker] for broker in replicas}
        partitions[partition] = (*replicas, *(broker for zone, broker in first.items() if zone not in there))
    return replace(topology, partitions=partitions, nearest=True)
