"""The network: zones, links, fault rules, and the bytes between zones.

A message takes its turn on the sender's network card (size over bandwidth), then travels for a latency drawn for that
link. Messages of one sender to one receiver arrive in order, as on a TCP connection. A fault is a rule: the first rule
that matches a message decides whether it passes, is delayed, is lost, or is held, as TCP holds it and tries again,
until the rule ends and the network heals.

Left out: congestion inside the network, loss and retransmission below TCP, connection set-up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .distributions import Distribution, Lognormal, as_distribution, check, is_number

if TYPE_CHECKING:
    from .node import Node
    from .world import World


@dataclass(frozen=True)
class NetworkProfile:
    """One-way latencies in seconds and the bandwidth of a node's network card in bytes a second.

    The defaults are half of typical round trips in a cloud region: about 0.2 ms inside a zone, about 1 ms between
    zones, where measurements of zone pairs range from 0.25 to 3.4 ms (xkyle.com/Measuring-AWS-Region-and-AZ-Latency).
    10 Gbit/s.
    """
    same_zone: Distribution | float = field(default_factory=lambda: Lognormal.from_percentiles(p50=0.0001, p99=0.0004))
    cross_zone: Distribution | float = field(default_factory=lambda: Lognormal.from_percentiles(p50=0.0005, p99=0.0015))
    bandwidth: float = 1.25e9

    def __post_init__(self):
        for name in ("same_zone", "cross_zone"):
            object.__setattr__(self, name, as_distribution(name, getattr(self, name)))
        check("bandwidth", self.bandwidth, is_number(self.bandwidth, finite=False) and self.bandwidth > 0,
              "greater than 0 bytes a second")

    @classmethod
    def instant(cls) -> NetworkProfile:
        """No latency at all: for theory, and for checks that should not depend on a network."""
        return cls(same_zone=0.0, cross_zone=0.0, bandwidth=float("inf"))


@dataclass(eq=False)
class Rule:
    """What happens to messages from any of `sources` to any of `targets` (node names; None is everybody).

    action: `pass`, `delay` (by `delay` seconds more), `drop` (lost for good) or `hold` (delivered when the rule ends).
    """
    action: str
    sources: frozenset[str] | None = None
    targets: frozenset[str] | None = None
    delay: float = 0.0

    def matches(self, source: str, target: str) -> bool:
        return (self.sources is None or source in self.sources) and (self.targets is None or target in self.targets)


class Link:
    """The way from one node to another."""

    def __init__(self, network: Network, source: Node, target: Node, connection: int = 0):
        self.network, self.source, self.target, self.world = network, source, target, network.world
        self.zones = (source.zone, target.zone)
        profile = network.profile
        latency = profile.same_zone if source.zone == target.zone else profile.cross_zone
        suffix = f"#{connection}" if connection else ""
        self.latency = network.world.sampler(f"network/{source.name}→{target.name}{suffix}", latency)
        self._seconds_per_byte = 1.0 / profile.bandwidth
        self._last_arrival = 0.0
        self._held: list[tuple] = []
        self._record = network.world.trace.add
        self.bytes = 0

    def send(self, kind: int, handler: Callable, message, size: int, cause: int = -1, key: int = -1,
             offset: int = -1, count: int = 0, epoch: int = -1, value: int = -1) -> int:
        """Sends `size` bytes; on arrival the target's `handler(message, event)` is called. The id of the send event."""
        network, source, target, world = self.network, self.source, self.target, self.world
        now = world.env._now
        sent = self._record(now, kind, source.code, target.code, key, cause, offset, count, epoch, value)
        self.bytes += size
        start = source.egress_free if source.egress_free > now else now
        source.egress_free = start = start + size * self._seconds_per_byte
        parcel = (target.incarnation, handler, message, sent, key, offset, count, epoch, value)
        if network.rules or self._held:
            self._under_rules(start - now, parcel)
        else:
            self._travel(start + self.latency(), parcel)
        return sent

    def _travel(self, arrival: float, parcel: tuple) -> None:
        """Schedules the arrival, never before that of an earlier message."""
        if arrival < self._last_arrival:
            arrival = self._last_arrival
        self._last_arrival = arrival
        self.world.at(arrival, self._arrive, parcel)

    def _under_rules(self, delay: float, parcel: tuple) -> None:
        network = self.network
        rule = network.rule_for(self.source.name, self.target.name)
        action = rule.action if rule else "pass"
        if action == "hold" or self._held:
            self._held.append(parcel)
        elif action == "drop":
            _, _, _, sent, *about = parcel
            key, *numbers = about
            network.world.trace.add(network.world.now, network.DROP, self.target.code, self.source.code, key,
                                    sent, *numbers)
        else:
            self._travel(network.world.now + delay + self.latency() + (rule.delay if action == "delay" else 0.0),
                         parcel)

    def release(self) -> None:
        """Sends what was held, in order, unless a rule still holds it."""
        rule = self.network.rule_for(self.source.name, self.target.name)
        if not rule or rule.action != "hold":
            held, self._held = self._held, []
            for parcel in held:
                self._under_rules(0.0, parcel)

    def _arrive(self, incarnation, handler, message, sent, key, offset, count, epoch, value) -> None:
        network, source, target, world = self.network, self.source, self.target, self.world
        if not target.up or target.incarnation != incarnation:
            world.trace.add(world.env._now, network.DROP, target.code, source.code, key, sent, offset,
                            count, epoch, value)
            if target.powered:  # the machine answers for its dead process: connection refused
                network.disconnect(source, target)
            return
        received = self._record(world.env._now, network.RECEIVE, target.code, source.code, key, sent, offset,
                                count, epoch, value)
        if target.paused:
            target.call(incarnation, handler, (message, received))
        else:
            handler(message, received)


class Network:
    """All links, the rules in force, and the bytes that went over them."""

    def __init__(self, world: World, profile: NetworkProfile):
        self.world, self.profile = world, profile
        self.rules: list[Rule] = []
        self.RECEIVE = world.trace.kind("receive", "receive", "{node} receives it from {peer}")
        self.DROP = world.trace.kind("drop", "drop", "what {peer} sent never reaches {node}")
        self._links: dict[tuple[int, int, int], Link] = {}

    def link(self, source: Node, target: Node, connection: int = 0) -> Link:
        """The link from node to node, made at first use; a later connection may overtake an earlier one."""
        pair = (source.code, target.code, connection)
        link = self._links.get(pair)
        if link is None:
            link = self._links[pair] = Link(self, source, target, connection)
        return link

    def rule_for(self, source: str, target: str) -> Rule | None:
        """The first rule in force that matches."""
        return next((rule for rule in self.rules if rule.matches(source, target)), None)

    def add_rules(self, rules: list[Rule]) -> None:
        """Puts rules in force, behind those that are."""
        self.rules.extend(rules)

    def remove_rules(self, rules: list[Rule]) -> None:
        """Ends rules; what they held is delivered."""
        self.rules = [rule for rule in self.rules if rule not in rules]
        for link in list(self._links.values()):
            link.release()

    def reset_connections(self, node: Node) -> None:
        """Tells everybody who has talked to a crashed process that the connection is gone."""
        for (_, target, connection), link in list(self._links.items()):
            if target == node.code and connection == 0:
                self.disconnect(link.source, node)

    def disconnect(self, node: Node, peer: Node) -> None:
        """Tells a node, one latency later, that its connection to a peer is gone; a rule may keep the news from it."""
        rule = self.rule_for(peer.name, node.name)
        if rule is None or rule.action in ("pass", "delay"):
            node.after(self.link(peer, node).latency() + (rule.delay if rule else 0.0), _disconnected, node, peer)

    def count_bytes(self) -> None:
        """Adds what every link carried to the world's meters."""
        meters = self.world.meters
        for link in self._links.values():
            meters.traffic[link.zones] += link.bytes
            if link.zones[0] != link.zones[1]:
                meters.crossings[link.source.role, link.target.role] += link.bytes
            link.bytes = 0


def _disconnected(node: Node, peer: Node) -> None:
    node.on_disconnect(peer)
