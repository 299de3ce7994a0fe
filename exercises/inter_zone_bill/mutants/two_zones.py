"""Two zones are enough, it thinks: two replicas here and one there. Lose the wrong zone and one is left."""
FAILS = ("least", "impossible", "38 MB/s is out")


def least(topology):
    found = 0
    for partition in topology.partitions:
        rates = Counter()
        for producer in topology.producers:
            rates[producer.zone] += producer.writes.get(partition, 0)
        found += 2 * rates.total() - max(rates.values())
    return found
