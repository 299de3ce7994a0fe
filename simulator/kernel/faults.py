"""What can go wrong, as values: when, for how long, to whom. `fault.schedule(world)` makes it happen.

A node is named ("broker-1"); so a fault for a node that the system does not have is refused before the run begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from .distributions import check, is_number
from .network import Rule

if TYPE_CHECKING:
    from .world import World


@dataclass(frozen=True)
class Fault:
    """One fault: `kind`, its nodes, `at` and `lasts` in seconds (inf: for good), `extra` seconds for a delay."""
    kind: str
    nodes: tuple[str, ...]
    at: float
    lasts: float = inf
    others: tuple[str, ...] = ()
    extra: float = 0.0

    def __post_init__(self):
        check("kind", self.kind, self.kind in _EFFECTS, f"one of {', '.join(_EFFECTS)}")
        check("nodes", self.nodes, len(self.nodes) > 0, "at least one node")
        check("others", self.others, not set(self.others) & set(self.nodes), "other nodes than those on the first side")
        check("at", self.at, is_number(self.at) and self.at >= 0, "a time in seconds, at least 0")
        check("lasts", self.lasts, is_number(self.lasts, finite=False) and self.lasts > 0, "greater than 0 seconds")
        check("extra", self.extra, is_number(self.extra) and self.extra >= 0, "at least 0 seconds")

    @property
    def ends(self) -> float:
        """When it is over, in seconds."""
        return self.at + self.lasts

    def schedule(self, world: World) -> None:
        """Arranges for the fault to happen in this world."""
        for name in self.nodes + self.others:
            if name not in world.nodes:
                raise ValueError(f"node: {name!r} does not exist; this system has {', '.join(world.nodes)}")
        begin, end = _EFFECTS[self.kind](self, world)
        world.after(self.at, begin)
        if self.lasts < inf:
            world.after(self.ends, end)

    def __str__(self) -> str:
        until = "" if self.lasts == inf else f" for {self.lasts:g} s"
        others = f" from {', '.join(self.others)}" if self.others else ""
        return f"{self.kind.replace('_', ' ')} {', '.join(self.nodes)}{others} at {self.at:g} s{until}"


def crash(node: str, at: float, lasts: float = inf) -> Fault:
    """The process is killed (kill -9) and started again after `lasts` seconds."""
    return Fault("crash", (node,), at, lasts)


def power_loss(*nodes: str, at: float, lasts: float = inf) -> Fault:
    """All these machines lose power together; what was not fsynced is gone."""
    return Fault("power_loss", nodes, at, lasts)


def pause(node: str, at: float, lasts: float) -> Fault:
    """The process stands still, as under SIGSTOP or a long garbage collection."""
    return Fault("pause", (node,), at, lasts)


def isolate(*nodes: str, at: float, lasts: float = inf) -> Fault:
    """These nodes and all others cannot hear each other."""
    return Fault("isolate", nodes, at, lasts)


def partition(nodes: list[str], others: list[str], at: float, lasts: float = inf) -> Fault:
    """Two groups of nodes cannot hear each other."""
    return Fault("partition", tuple(nodes), at, lasts, tuple(others))


def mute(node: str, others: list[str], at: float, lasts: float = inf) -> Fault:
    """An asymmetric partition: the others do not hear this node, but it hears them."""
    return Fault("mute", (node,), at, lasts, tuple(others))


def drop(nodes: list[str], others: list[str], at: float, lasts: float = inf) -> Fault:
    """What two groups of nodes say to each other is lost for good; nobody tries again below the protocol."""
    return Fault("drop", tuple(nodes), at, lasts, tuple(others))


def slow_network(*nodes: str, extra: float, at: float, lasts: float = inf) -> Fault:
    """Every message to or from these nodes takes `extra` seconds more."""
    return Fault("slow_network", nodes, at, lasts, extra=extra)


def _each(method_begin: str, method_end: str):
    def effects(fault, world):
        nodes = [world.nodes[name] for name in fault.nodes]
        return (lambda: [getattr(node, method_begin)() for node in nodes],
                lambda: [getattr(node, method_end)() for node in nodes])
    return effects


def _rules(fault: Fault, world: World):
    near = frozenset(fault.nodes)
    far = frozenset(fault.others or (set(world.nodes) - near))
    one_sided = {"mute": [(near, far)], "slow_network": [(near, None), (None, near)]}
    pairs = one_sided.get(fault.kind, [(near, far), (far, near)])
    action = {"slow_network": "delay", "drop": "drop"}.get(fault.kind, "hold")
    rules = [Rule(action, sources, targets, fault.extra) for sources, targets in pairs]
    began = world.trace.kind(fault.kind, "state", "the network around {node} fails: {note}")
    healed = world.trace.kind("healed", "state", "the network around {node} heals")
    codes = [world.nodes[name].code for name in fault.nodes]

    def begin():
        world.network.add_rules(rules)
        for code in codes:
            world.trace.add(world.now, began, code, note=str(fault))

    def end():
        for code in codes:
            world.trace.add(world.now, healed, code)
        world.network.remove_rules(rules)
    return begin, end


_EFFECTS = {"crash": _each("crash", "restart"), "power_loss": _each("lose_power", "restore_power"),
            "pause": _each("pause", "resume"), "isolate": _rules, "partition": _rules, "mute": _rules, "drop": _rules,
            "slow_network": _rules}
