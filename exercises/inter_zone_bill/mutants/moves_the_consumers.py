"""Moves consumers into the zone of a leader: they stand where their machines are."""
FAILS = ("read", "touched", "consumers")


def read_nearer(topology):
    zone = topology.brokers
    consumers = tuple(replace(each, zone=zone[topology.partitions[each.reads[0]][0]] if each.reads else each.zone)
                      for each in topology.consumers)
    return replace(topology, consumers=consumers, nearest=True)
