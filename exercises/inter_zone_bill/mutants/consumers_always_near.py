"""Takes for granted that a replica is near every group, also in a zone without brokers."""
FAILS = ("least", "impossible", "67 MB/s is out")


def least(topology):
    found = 0
    for partition in topology.partitions:
        rates = Counter()
        for producer in topology.producers:
            rates[producer.zone] += producer.writes.get(partition, 0)
        found += 3 * rates.total() - max(rates.values())
    return found
