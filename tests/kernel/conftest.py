"""A small world: nodes that note what they hear, on a network whose latency is one number."""
from dataclasses import dataclass, field

import pytest

from simulator.kernel.network import NetworkProfile
from simulator.kernel.node import Node
from simulator.kernel.world import World


@dataclass
class Place:
    """A world with nodes and what they heard: (time, text) for messages, (time, name) for connections that ended."""
    world: World
    nodes: dict[str, Node] = field(default_factory=dict)
    heard: dict[str, list] = field(default_factory=dict)
    resets: dict[str, list] = field(default_factory=dict)

    def node(self, name: str, zone: str = "a") -> Node:
        node = self.nodes[name] = self.world.node(name, "broker", zone)
        self.heard[name], self.resets[name] = [], []
        node.on_disconnect = lambda peer: self.resets[name].append((round(self.world.now, 9), peer.name))
        return node

    def send(self, source: str, target: str, text: str, size: int = 0) -> int:
        """Sends a text; the id of the send event."""
        def hear(message, event):
            self.heard[target].append((round(self.world.now, 9), message))
        kind = self.world.trace.kind("say", "send", "{node} says something to {peer}")
        return self.world.network.link(self.nodes[source], self.nodes[target]).send(kind, hear, text, size)

    def at(self, time: float, function, *args) -> None:
        self.world.after(time - self.world.now, function, *args)

    def texts(self, name: str) -> list[str]:
        return [text for _, text in self.heard[name]]


@pytest.fixture
def make_place():
    """Makes a place from node names, each "name" or "name@zone"."""
    def make(*names: str, latency: float = 0.1, cross: float | None = None, bandwidth: float = float("inf"),
             seed: int = 7) -> Place:
        profile = NetworkProfile(latency, latency if cross is None else cross, bandwidth)
        place = Place(World(seed, profile))
        for name, _, zone in (name.partition("@") for name in names):
            place.node(name, zone or "a")
        return place
    return make
