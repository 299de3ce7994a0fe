"""Leads where records are written, although four groups read them somewhere else."""
FAILS = ("lead", "too_dear", "produce 0")


def lead_nearer(topology):
    zones, partitions = sorted(set(topology.brokers.values())), {}
    for number, partition in enumerate(topology.partitions):
        home = next(producer.zone for producer in topology.producers if partition in producer.writes)
        three = [home, *[zone for zone in zones[number % 4:] + zones[:number % 4] if zone != home][:2]]
        there = [[broker for broker in topology.brokers if topology.brokers[broker] == zone] for zone in three]
        partitions[partition] = tuple(brokers[number % 2] for brokers in there)
    return replace(topology, partitions=partitions)
