"""Each member reads whatever has a replica in its zone: most partitions are read three times."""
FAILS = ("read", "unread", " 3 times")


def read_nearer(topology):
    zone = topology.brokers
    consumers = tuple(replace(each, reads=tuple(
        name for name, replicas in topology.partitions.items() if each.zone in {zone[broker] for broker in replicas}))
        for each in topology.consumers)
    return replace(topology, consumers=consumers, nearest=True)
