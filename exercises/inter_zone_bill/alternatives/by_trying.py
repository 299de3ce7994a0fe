"""Tries every placement and keeps the cheapest by its own count; the least is what that search finds."""


def cost(topology, partition, replicas):
    """MB/s between zones for one partition on these brokers."""
    alone = replace(
        topology, partitions={partition: replicas},
        producers=tuple(replace(each, writes={partition: each.writes[partition]}) for each in topology.producers
                        if partition in each.writes),
        consumers=tuple(replace(each, reads=(partition,)) for each in topology.consumers if partition in each.reads))
    return sum(crossings(alone).values())


def apart(topology, size=3):
    """All choices of brokers in different zones."""
    zone = topology.brokers
    return [each for each in permutations(zone, size) if len({zone[broker] for broker in each}) == size]


def lead_nearer(topology):
    held, partitions = Counter(), {}
    for partition in topology.partitions:
        best = min(apart(topology), key=lambda each: (cost(topology, partition, each), sum(held[b] ** 2 for b in each)))
        partitions[partition] = best
        held.update(best)
    return replace(topology, partitions=partitions)


def least(topology):
    def readers(partition, replicas):
        """One member of each group, near a replica if there is one."""
        there = {topology.brokers[broker] for broker in replicas}
        chosen = {}
        for each in sorted(topology.consumers, key=lambda each: each.zone in there):
            chosen[each.group] = replace(each, reads=(partition,))
        return tuple(chosen.values())

    def best(partition):
        return min(cost(replace(topology, consumers=readers(partition, each), nearest=True), partition, each)
                   for each in apart(topology))
    return sum(map(best, topology.partitions))
