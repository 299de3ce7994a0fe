"""What a question is about: brokers, partitions and clients, each in a zone. Rates are MB/s; 1 MB is 10^6 bytes."""
from dataclasses import asdict, dataclass, replace

MIN_INSYNC = 2  # min.insync.replicas


@dataclass(frozen=True)
class Producer:
    """A client that writes to some partitions, so many MB a second to each."""
    name: str
    zone: str
    writes: dict[str, float]


@dataclass(frozen=True)
class Consumer:
    """A member of a group: it reads these partitions, all that is written to them."""
    name: str
    group: str
    zone: str
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Topology:
    """A cluster and its clients.

    brokers: the zone of each broker. partitions: the brokers that hold each partition; the first one leads.
    nearest: brokers and consumers are set up for fetch from follower (KIP-392).
    """
    brokers: dict[str, str]
    partitions: dict[str, tuple[str, ...]]
    producers: tuple[Producer, ...]
    consumers: tuple[Consumer, ...]
    nearest: bool = False

    @classmethod
    def of(cls, plain: dict) -> "Topology":
        """A topology from its recorded form."""
        producers = tuple(Producer(**each) for each in plain["producers"])
        consumers = tuple(Consumer(**each | {"reads": tuple(each["reads"])}) for each in plain["consumers"])
        partitions = {name: tuple(replicas) for name, replicas in plain["partitions"].items()}
        return cls(dict(plain["brokers"]), partitions, producers, consumers, plain["nearest"])

    def plain(self) -> dict:
        """The recorded form."""
        return asdict(self)

    @property
    def zones(self) -> list[str]:
        """The zones that have brokers."""
        return sorted(set(self.brokers.values()))

    def written(self, partition: str) -> float:
        """MB a second that all producers write to a partition."""
        return sum(producer.writes.get(partition, 0.0) for producer in self.producers)

    def only(self, partition: str) -> "Topology":
        """One partition, its brokers and its clients."""
        replicas = self.partitions[partition]
        return Topology(
            {broker: zone for broker, zone in self.brokers.items() if broker in replicas}, {partition: replicas},
            tuple(replace(each, writes={partition: each.writes[partition]}) for each in self.producers
                  if partition in each.writes),
            tuple(replace(each, reads=(partition,)) for each in self.consumers if partition in each.reads),
            self.nearest)

    def lines(self) -> list[str]:
        """The topology in words, a line for each broker, partition and client."""
        found = [f"{name} is in zone {zone}" for name, zone in self.brokers.items()]
        for name, (leader, *followers) in self.partitions.items():
            behind = ", ".join(f"{each} ({self.brokers.get(each)})" for each in followers) or "nobody"
            found.append(f"{name}: led by {leader} ({self.brokers.get(leader)}), followed by {behind}")
        for each in self.producers:
            rates = ", ".join(f"{rate:g} MB/s to {partition}" for partition, rate in each.writes.items())
            found.append(f"{each.name} in zone {each.zone} writes {rates or 'nothing'}")
        for each in self.consumers:
            read = ", ".join(each.reads) or "nothing"
            found.append(f"{each.name} of group {each.group} in zone {each.zone} reads {read}")
        return [*found, f"consumers fetch from the {'nearest replica' if self.nearest else 'leader'}"]
