"""Gives everything to one member of each group."""
FAILS = ("read", "overloaded", "billing-1 reads 6 partitions")


def read_nearer(topology):
    first = {}
    for consumer in topology.consumers:
        first.setdefault(consumer.group, consumer.name)
    consumers = tuple(replace(each, reads=tuple(topology.partitions) if each.name in first.values() else ())
                      for each in topology.consumers)
    return replace(topology, consumers=consumers, nearest=True)
