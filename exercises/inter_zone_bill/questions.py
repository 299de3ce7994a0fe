"""Random topologies: such as anybody may have, and such as a repair of one kind can halve and a careless one cannot."""
import random
from dataclasses import replace

from . import count
from .topology import Consumer, Producer, Topology

NAMES = tuple(f"orders-{number}" for number in range(1, 7))
GROUPS = ("billing", "search", "fraud", "mails", "reports")


def some_brokers(zones: str, number: int) -> dict[str, str]:
    """So many brokers, in the zones in turn."""
    return {f"broker-{each + 1}": zones[each % len(zones)] for each in range(number)}


def some_producers(rng: random.Random, zones: str, names: tuple[str, ...]) -> tuple[Producer, ...]:
    """One producer that writes to every partition, and one elsewhere that writes to some."""
    here, there = rng.sample(zones, 2)
    some = sorted(rng.sample(names, max(1, len(names) // 2)))
    return (Producer("web", here, {name: float(rng.randrange(2, 9)) for name in names}),
            Producer("app", there, {name: float(rng.randrange(1, 9)) for name in some}))


def members(group: str, zones: str) -> list[Consumer]:
    """A group with a member in each of the zones, which read nothing yet."""
    return [Consumer(f"{group}-{number}", group, zone, ()) for number, zone in enumerate(zones, start=1)]


def reading(consumers: list[Consumer], zone_of: dict[str, str]) -> list[Consumer]:
    """The members of a group with the partitions of their zones."""
    return [replace(each, reads=tuple(name for name, zone in zone_of.items() if zone == each.zone))
            for each in consumers]


def some_topology(rng: random.Random, zones: str, nearest: bool = False, farther: str = "") -> Topology:
    """Any topology: replicas wherever chance puts them, clients in these zones; a whole group in a farther one."""
    names, brokers = NAMES[:4], some_brokers(zones, len(zones) + 2)
    held = {name: tuple(rng.sample(list(brokers), 3)) for name in names}
    consumers = []
    for number, group in enumerate(GROUPS[:rng.choice((2, 3))]):
        there = farther if farther and not number else "".join(sorted(rng.sample(zones + farther, 2)))
        consumers += reading(members(group, there), {name: rng.choice(there) for name in names})
    return Topology(brokers, held, some_producers(rng, zones, names), tuple(consumers), nearest)


def spread(brokers: dict[str, str], zones: list[str], number: int) -> tuple[str, ...]:
    """A broker in each of the zones, another one for every other number."""
    there = [[broker for broker, where in brokers.items() if where == zone] for zone in zones]
    return tuple(each[number // 2 % len(each)] for each in there)


# A topology whose readers are in the wrong place: only fetching nearby, by the right members, halves its bill.

def misread(rng: random.Random) -> Topology:
    """Five groups with a member in each of four zones; most partitions are read where they have no replica."""
    while True:
        brokers, zones = some_brokers("abcd", 5), "abcd"
        first = rng.randrange(4)
        held = {name: spread(brokers, [zones[(first + number + step) % 4] for step in range(3)], number)
                for number, name in enumerate(NAMES)}
        consumers = []
        for group in GROUPS:
            consumers += reading(members(group, zones), {name: far_from(rng, brokers, held[name]) for name in NAMES})
        found = Topology(brokers, held, some_producers(rng, zones, NAMES), tuple(consumers))
        now, flag = count.total(found), count.total(replace(found, nearest=True))
        if flag > 0.56 * now and rest(found) < 0.44 * now:
            return found


def far_from(rng: random.Random, brokers: dict[str, str], replicas: tuple[str, ...]) -> str:
    """Mostly the zone that has no replica."""
    there = {brokers[each] for each in replicas}
    return rng.choice("abcd") if rng.random() < 0.4 else rng.choice([zone for zone in "abcd" if zone not in there])


def rest(topology: Topology) -> float:
    """What crosses if consumers cost nothing."""
    return sum(rate for (kind, *_), rate in count.crossing(topology).items() if kind != "consume")


# A topology whose leaders are in the wrong place: only leading where most bytes come and go halves its bill.

def misled(rng: random.Random) -> Topology:
    """Each partition is read in one zone by all groups but one; it is led elsewhere, and half have no replica there."""
    while True:
        brokers, zones = some_brokers("abcd", 8), "abcd"
        homes = dict(zip(NAMES, rng.sample(zones * 2, len(NAMES))))
        held, written = {}, {zone: {} for zone in zones}
        for number, (name, home) in enumerate(homes.items()):
            others = rng.sample([zone for zone in zones if zone != home], 3)
            held[name] = spread(brokers, others if number % 2 else [*others[:2], home], number)
            written[home if number % 3 else others[0]][name] = float(rng.randrange(4, 8))
        producers = tuple(Producer(f"shop-{zone}", zone, writes) for zone, writes in written.items() if writes)
        consumers = [each for group in GROUPS[:4] for each in reading(members(group, zones), homes)]
        audit = reading(members("audit", "ab"), {name: "ab"[number % 2] for number, name in enumerate(NAMES)})
        found = Topology(brokers, held, producers, (*consumers, *audit))
        if led_where_written(found) > 0.53 * count.total(found):
            return found


def led_where_written(topology: Topology) -> float:
    """What crosses at least if each partition is led in the zone of its only producer: two copies, and far readers."""
    return sum(rate * (2 + sum(name in each.reads and each.zone != producer.zone for each in topology.consumers))
               for producer in topology.producers for name, rate in producer.writes.items())


EXAMPLE = Topology(
    {"broker-1": "a", "broker-2": "b", "broker-3": "c"},
    {"orders-1": ("broker-1", "broker-2", "broker-3"), "orders-2": ("broker-2", "broker-3", "broker-1"),
     "orders-3": ("broker-3", "broker-1", "broker-2")},
    (Producer("web", "a", {"orders-1": 10.0, "orders-2": 10.0, "orders-3": 10.0}),),
    (Consumer("billing-1", "billing", "a", ("orders-1", "orders-2", "orders-3")),
     Consumer("search-1", "search", "b", ("orders-1", "orders-2", "orders-3"))))
MISREAD, MISLED = misread(random.Random(1)), misled(random.Random(1))
