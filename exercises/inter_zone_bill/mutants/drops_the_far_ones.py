"""Stops reading what would have to come from another zone."""
FAILS = ("read", "unread", " 0 times")


def read_nearer(topology):
    zone = topology.brokers
    consumers = tuple(replace(each, reads=tuple(
        name for name in each.reads if each.zone in {zone[broker] for broker in topology.partitions[name]}))
        for each in topology.consumers)
    return replace(topology, consumers=consumers, nearest=True)
