"""Requests and answers between processes that wait for them, written as generators: `error, value = yield call(...)`.

A request that is not answered within the request timeout counts as failed, and the next goes over a new connection.
What was sent over the old one may still arrive, after what was sent over the new one: TCP keeps the order within a
connection only.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

from ..messages import REQUEST_OVERHEAD
from .errors import NETWORK_EXCEPTION, REQUEST_TIMED_OUT


class Call:
    """One request: `api` names it, `body` is what it says; answered once, if at all."""

    __slots__ = ("caller", "api", "body", "connection", "then", "open", "timer", "peer", "sent")

    def __init__(self, caller: Caller, api: str, body, connection: int, then: Callable, peer):
        self.caller, self.api, self.body = caller, api, body
        self.connection, self.then, self.peer = connection, then, peer
        self.open, self.timer, self.sent = True, None, caller.world.now


class Caller:
    """The side that asks: requests on their way to other nodes, in this life of its own node."""

    def __init__(self, world, node, kinds: dict[str, int], timeout: float):
        self.world, self.node, self.kinds, self.timeout = world, node, kinds, timeout
        self.open: dict[Call, None] = {}
        self.connections: dict[object, int] = {}  # peer -> the number of the connection in use

    def forget(self) -> None:
        """The process has died: an answer to what it has asked means nothing to its next life."""
        for call in self.open:
            call.open = False
        self.open = {}

    def ask(self, broker, api: str, body, then: Callable, note: str = "", cause: int = -1, size: int = REQUEST_OVERHEAD,
            **about) -> None:
        """Sends a request to a broker; `then(error, value)` is called once, whatever happens."""
        connection = self.connections.get(broker.node, 0)
        call = Call(self, api, body, connection, then, broker.node)
        self.open[call] = None
        link = self.world.network.link(self.node, broker.node, connection)
        event = link.send(self.kinds[api], broker.on_call, call, size, cause, **about)
        if note:
            self.world.trace.notes[event] = note
        call.timer = self.node.after(self.timeout, self._timed_out, call)

    def _timed_out(self, call: Call) -> None:
        if call.open:
            self.connections[call.peer] = max(self.connections.get(call.peer, 0), call.connection + 1)
            self._close(call, REQUEST_TIMED_OUT, None)

    def disconnected(self, peer) -> None:
        """A peer's process has died: nothing that it was asked will be answered."""
        for call in [call for call in self.open if call.peer is peer]:
            self._close(call, NETWORK_EXCEPTION, None)

    def on_answer(self, answer: tuple[Call, str, object], event: int) -> None:
        """An answer; one that comes too late is ignored."""
        call, error, value = answer
        if call.open:
            self._close(call, error, value)

    def _close(self, call: Call, error: str, value) -> None:
        call.open = False
        call.timer.cancel()
        self.open.pop(call, None)
        call.then(error, value)


def answer(broker, call: Call, error: str = "", value=None, cause: int = -1, size: int = REQUEST_OVERHEAD) -> None:
    """Answers a request over the connection on which it came."""
    caller = call.caller
    link = broker.world.network.link(broker.node, caller.node, call.connection)
    event = link.send(caller.kinds["answer"], caller.on_answer, (call, error, value), size, cause)
    broker.world.trace.notes[event] = f"{call.api}, {error or 'done'}"


class Thread:
    """Runs a generator that yields functions of a callback: `result = yield function` waits until it is called back."""

    def __init__(self, generator: Generator):
        self.generator = generator
        self.resume(None)

    def resume(self, result) -> None:
        """Goes on with a result."""
        try:
            waiting = self.generator.send(result)
        except StopIteration:
            return
        waiting(self.resume)


def thread(generator: Generator) -> Callable:
    """A function of a callback that runs a generator beside others and calls back with what it returns."""
    def run(callback):
        def running():
            callback((yield from generator))
        Thread(running())
    return run


def together(*functions) -> Callable:
    """A function of a callback that waits for several: it calls back with the list of their results."""
    def run(callback):
        results, missing = [None] * len(functions), len(functions)

        def arrive(place):
            def take(result):
                nonlocal missing
                results[place], missing = result, missing - 1
                if missing == 0:
                    callback(results)
            return take
        for place, function in enumerate(functions):
            function(arrive(place))
    return run
