"""A machine with one process on it.

A crash (kill -9) ends the process and keeps the machine: the page cache survives, peers see their connections reset. A
power loss takes the machine: what was not fsynced is gone, and nobody is told. A pause (SIGSTOP, a long garbage
collection) keeps everything and stops time for one node.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .world import World


class Node:
    """One machine. Models hang their behaviour on the hooks: `on_start`, `on_crash(power_lost)`, `on_disconnect(peer)`.

    `incarnation` counts the lives of its process: calls scheduled in one life are never made in the next.
    """

    def __init__(self, world: World, name: str, role: str, zone: str):
        self.world, self.name, self.role, self.zone = world, name, role, zone
        trace = world.trace
        self.code = trace.node(name, role, zone)
        self.up, self.powered, self.paused = True, True, False
        self.incarnation = 0
        self.egress_free = 0.0  # when its network card has sent what it was given so far
        self.fault = -1  # the trace event of the last fault here: the cause of what follows from it
        self.on_start: Callable[[], None] = _nothing
        self.on_crash: Callable[[bool], None] = _nothing
        self.on_disconnect: Callable[[Node], None] = _nothing
        self._held: list[tuple[Callable, tuple]] = []
        self._kinds = {name: trace.kind(name, "state", sentence) for name, sentence in SENTENCES.items()}

    def after(self, delay: float, function: Callable, *args):
        """Calls a function after a delay, in this life of the process only; the returned call can be cancelled."""
        return self.world.after(delay, self.call, self.incarnation, function, args)

    def call(self, incarnation: int, function: Callable, args: tuple) -> None:
        """Makes a call now: not at all if that life is over, later if the process is paused."""
        if incarnation != self.incarnation:
            return
        if self.paused:
            self._held.append((function, args))
        else:
            function(*args)

    def crash(self) -> None:
        """Ends the process; the machine and its page cache stay, and peers see their connections reset."""
        if self.up:
            self._stop("crash", power_lost=False)
            self.world.network.reset_connections(self)

    def lose_power(self) -> None:
        """Ends the machine: the page cache is gone and peers hear nothing."""
        if self.powered:
            self.powered = False
            self._stop("power_loss", power_lost=True)

    def restart(self) -> None:
        """Starts the process again, with what the disk still has; a machine without power starts nothing."""
        if self.powered and not self.up:
            self.up = True
            self._note("restart")
            self.on_start()

    def restore_power(self) -> None:
        """Switches the machine on and starts the process; only now do its peers learn that their connections ended."""
        if not self.powered:
            self.powered = True
            self.world.network.reset_connections(self)
            self.restart()

    def pause(self) -> None:
        """Stops time for this node."""
        if self.up and not self.paused:
            self.paused = True
            self._note("pause")

    def resume(self) -> None:
        """Lets time pass again; what was due meanwhile happens now, in order."""
        if self.paused:
            self.paused = False
            self._note("resume")
            held, self._held = self._held, []
            life = self.incarnation
            for function, args in held:
                self.call(life, function, args)

    def _stop(self, kind: str, power_lost: bool) -> None:
        self.up, self.paused, self._held = False, False, []
        self.incarnation += 1
        self._note(kind)
        self.on_crash(power_lost)

    def _note(self, kind: str) -> None:
        self.fault = self.world.trace.add(self.world.now, self._kinds[kind], self.code, -1, -1,
                                          self.fault if kind in ("restart", "resume") else -1)

    def __repr__(self) -> str:
        state = "paused" if self.paused else "up" if self.up else "down"
        return f"Node({self.name}, {self.role}, zone {self.zone}, {state})"


SENTENCES = {
    "crash": "{node} crashes; its page cache survives",
    "power_loss": "{node} loses power; what was not fsynced is gone",
    "restart": "{node} starts again",
    "pause": "{node} is paused",
    "resume": "{node} goes on",
}


def _nothing(*_) -> None:
    """The hook of a model that does not care."""
