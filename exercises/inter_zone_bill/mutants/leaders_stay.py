"""Moves replicas and readers, and never a leader."""
FAILS = ("least", "wasteful", "80 MB/s is not")


def least(topology):
    zone, found = topology.brokers, 0
    for partition, (leader, *_) in topology.partitions.items():
        rates = [(producer.zone, producer.writes.get(partition, 0)) for producer in topology.producers]
        found += sum(rate for where, rate in rates if where != zone[leader]) + 2 * sum(rate for _, rate in rates)
    return found
