"""Leads where records are read, whoever writes them; bills GB by GB; spreads readers by turns."""


def dollars(topology, tariff):
    total = 0.0
    for (kind, _, _), rate in crossings(topology).items():
        price = tariff.leaving + tariff.entering if kind != "replication" or tariff.replication else 0
        total += rate * 3600 * 730 / 1000 * price
    return round(total, 2)


def lead_nearer(topology):
    zones = sorted(set(topology.brokers.values()))
    brokers = {zone: [broker for broker in topology.brokers if topology.brokers[broker] == zone] for zone in zones}
    partitions = {}
    for number, partition in enumerate(topology.partitions):
        readers = Counter(consumer.zone for consumer in topology.consumers if partition in consumer.reads)
        home = readers.most_common(1)[0][0]
        turned = [zone for zone in zones[number % 4:] + zones[:number % 4] if zone != home]
        partitions[partition] = tuple(brokers[zone][number // 2 % 2] for zone in [home, *turned[:2]])
    return replace(topology, partitions=partitions)
