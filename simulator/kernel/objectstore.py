"""An object store, such as Amazon S3: whole objects under keys, each request with a wait, a limit and a price.

A request first waits for one of its client's connections. A PUT then sends its body, a GET gets it back: size over
bandwidth. In between lies the wait for the first byte, drawn from published percentiles (`objectstores.toml`); half
of it is over when the store acts, so that a client that dies in the first half has changed nothing, and one that dies
in the second half has, and does not know.

Every request acts at one moment, all in one order, and a read sees the last write: S3 has been strongly consistent
since December 2020. A conditional PUT is a compare-and-set on that order: `absent` is If-None-Match: *, `match` is
If-Match with an ETag.

Above the request rate of a prefix (of a bucket, for Express) the answer is 503 SlowDown, and nothing has happened.
The client tries again after a random back-off that doubles, as AWS's SDKs do in their standard mode
(docs.aws.amazon.com/sdkref, "Retry behavior": three attempts). A retried PUT may have happened the first time: a
conditional one then finds its own object and answers 412.

Simplified: a store splits no hot prefix to raise its limits (S3 does, within minutes to an hour). Left out: multipart
uploads, versions, hedged requests, the network card of the client.
"""

from __future__ import annotations

import tomllib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import exp
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .distributions import Distribution, Lognormal, Mixture, as_distribution, check, is_number, is_whole
from .streams import Stream

if TYPE_CHECKING:
    from .node import Node
    from .world import World

OK, NOT_FOUND, PRECONDITION_FAILED, UNAVAILABLE, NO_ANSWER = 200, 404, 412, 503, 0
CLASSES = ("get", "put", "conditional_put", "list", "delete")
READS = ("get", "list")
PAGE = 1_000             # keys in one answer to LIST
BACKOFF_MAX = 20.0       # seconds, the SDKs' longest back-off
Z99 = 2.3263478740408408
SENTENCES = {"get": "{node} reads {note} from {peer}", "put": "{node} writes {note} to {peer}",
             "conditional_put": "{node} writes {note}, on a condition, to {peer}",
             "list": "{node} lists {note} in {peer}", "delete": "{node} deletes {note} from {peer}"}


@dataclass(frozen=True)
class StoreProfile:
    """How a store behaves: the wait for the first byte by request class (seconds), bytes a second on one connection,
    requests a second.

    scope: what the request rates are counted for, a "prefix" (a key up to its last slash) or the whole "bucket".
    single_zone: the objects live in one zone and are lost with it.
    """
    get: Distribution | float
    put: Distribution | float
    conditional_put: Distribution | float
    list: Distribution | float
    delete: Distribution | float
    read_bandwidth: float = float("inf")
    write_bandwidth: float = float("inf")
    reads_per_second: float = float("inf")
    writes_per_second: float = float("inf")
    scope: str = "prefix"
    single_zone: bool = False

    def __post_init__(self):
        for name in CLASSES:
            object.__setattr__(self, name, as_distribution(name, getattr(self, name)))
        for name in ("read_bandwidth", "write_bandwidth", "reads_per_second", "writes_per_second"):
            value = getattr(self, name)
            check(name, value, is_number(value, finite=False) and value > 0, "a number greater than 0")
        check("scope", self.scope, self.scope in ("prefix", "bucket"), "'prefix' or 'bucket'")
        check("single_zone", self.single_zone, isinstance(self.single_zone, bool), "True or False")

    @classmethod
    def instant(cls) -> StoreProfile:
        """No waiting and no limits: for checks that should not depend on a store's speed."""
        return cls(0.0, 0.0, 0.0, 0.0, 0.0)


@cache
def profile(name: str) -> StoreProfile:
    """The store of this name in `objectstores.toml`."""
    known = tomllib.loads(Path(__file__).with_name("objectstores.toml").read_text(encoding="utf-8"))
    check("profile", name, name in known, f"one of {', '.join(known)}")
    entry = known[name]
    for section in (*CLASSES, "bandwidth", "limits"):
        numbers = entry.get(section, {})
        sourced = numbers.get("source") and numbers.get("date")
        check("profile", name, sourced, f"given a source and a date for {section}")
    bandwidth, limits = entry["bandwidth"], entry["limits"]
    return StoreProfile(*(_first_byte(entry[name]) for name in CLASSES), bandwidth["read"], bandwidth["write"],
                        limits["reads"], limits["writes"], limits["scope"], entry["single_zone"])


def _first_byte(entry: dict) -> Distribution:
    """The wait for a first byte: one lognormal, or two if the entry has a tail."""
    p99 = entry["p99"] if "p99" in entry else entry["p50"] * exp(Z99 * entry["sigma"])
    body = Lognormal.from_percentiles(entry["p50"], p99, entry.get("floor", 0.0))
    tail = entry.get("tail")
    return Mixture(body, Lognormal.from_percentiles(tail["p50"], tail["p99"]), tail["share"]) if tail else body


class StoredObject(NamedTuple):
    """What lies under a key: an ETag that no other version has, a size in bytes, and whatever a model keeps in it."""
    etag: int
    size: int
    body: object


class Answer(NamedTuple):
    """What the client is told: an HTTP status (0 if no answer came), the object if there is one, the keys of a LIST."""
    status: int
    key: str
    etag: int = -1
    size: int = 0
    body: object = None
    keys: tuple[str, ...] = ()
    more: bool = False     # a LIST that goes on after the last of `keys`
    event: int = -1        # the trace event of its arrival

    @property
    def ok(self) -> bool:
        return self.status == OK


@dataclass(slots=True, eq=False)
class Request:
    """One request of a client, from its first attempt to its last."""
    kind: str
    key: str
    done: Callable[[Answer], None]
    cause: int = -1
    size: int = 0
    body: object = None
    match: int | None = None    # the ETag that a conditional PUT expects, -1 if it expects nothing there
    span: int | None = None     # how many bytes a GET asks for, None for all
    after: str = ""             # where a LIST goes on
    life: int = 0
    attempt: int = 0


class Allowance:
    """A request rate with a second's worth of burst: a token bucket."""

    def __init__(self, rate: float):
        self.rate, self.tokens, self.since = rate, rate, 0.0

    def take(self, now: float) -> bool:
        """Whether one more request is allowed now."""
        if self.rate == float("inf"):
            return True
        self.tokens = min(self.rate, self.tokens + (now - self.since) * self.rate)
        self.since = now
        if self.tokens < 1.0:
            return False
        self.tokens -= 1.0
        return True


class ObjectStore:
    """One bucket on a node of its own, which faults may name: a crash is an outage, a power loss the loss of its zone.

    Meters: `counts["NAME GET requests"]` and so on for PUT, CONDITIONAL PUT, LIST, DELETE; `counts["NAME throttled
    requests"]`, which are not charged; `counts["NAME bytes read"]` and `["NAME bytes written"]`; `integrals["NAME
    byte-seconds"]`.
    """

    def __init__(self, world: World, profile: StoreProfile, name: str = "object-store", zone: str = "region"):
        self.world, self.profile, self.name = world, profile, name
        self.node = world.node(name, "store", zone)
        self.node.on_crash = self._lose
        self.objects: dict[str, StoredObject] = {}
        self.stored = 0
        self._etag = 0
        self._allowances: dict[tuple[str, bool], Allowance] = {}
        self.kinds = {kind: world.trace.kind(f"store_{kind}", "send", sentence) for kind, sentence in SENTENCES.items()}
        self.answered = world.trace.kind("store_answered", "send", "{node} answers {peer}: {note}")
        self.lost = world.trace.kind("objects_lost", "state", "{node} has lost {records} with its zone")

    def apply(self, request: Request) -> Answer:
        """What the store answers now, and does."""
        now, kind, counts = self.world.now, request.kind, self.world.meters.counts
        if not self.node.up:
            return Answer(UNAVAILABLE, request.key)
        if not self._allowance(request).take(now):
            counts[f"{self.name} throttled requests"] += 1
            return Answer(UNAVAILABLE, request.key)
        counts[f"{self.name} {kind.replace('_', ' ').upper()} requests"] += 1
        return getattr(self, f"_{kind}")(request)

    def _allowance(self, request: Request) -> Allowance:
        read, limits = request.kind in READS, self.profile
        scope = request.key.rpartition("/")[0] if limits.scope == "prefix" else ""
        if (scope, read) not in self._allowances:
            self._allowances[scope, read] = Allowance(limits.reads_per_second if read else limits.writes_per_second)
        return self._allowances[scope, read]

    def _get(self, request: Request) -> Answer:
        found = self.objects.get(request.key)
        if found is None:
            return Answer(NOT_FOUND, request.key)
        size = found.size if request.span is None else min(request.span, found.size)
        self.world.meters.counts[f"{self.name} bytes read"] += size
        return Answer(OK, request.key, found.etag, size, found.body)

    def _put(self, request: Request) -> Answer:
        before = self.objects.get(request.key)
        self._etag += 1
        self.objects[request.key] = StoredObject(self._etag, request.size, request.body)
        self.world.meters.counts[f"{self.name} bytes written"] += request.size
        self._keep(request.size - (before.size if before else 0))
        return Answer(OK, request.key, self._etag, request.size)

    def _conditional_put(self, request: Request) -> Answer:
        found = self.objects.get(request.key)
        if (found.etag if found else -1) != request.match:
            return Answer(PRECONDITION_FAILED, request.key, found.etag if found else -1)
        return self._put(request)

    def _list(self, request: Request) -> Answer:
        keys = sorted(key for key in self.objects if key.startswith(request.key) and key > request.after)
        return Answer(OK, request.key, keys=tuple(keys[:PAGE]), more=len(keys) > PAGE)

    def _delete(self, request: Request) -> Answer:
        gone = self.objects.pop(request.key, None)
        self._keep(-gone.size if gone else 0)
        return Answer(OK, request.key)

    def _keep(self, more: int) -> None:
        self.stored += more
        self.world.meters.level(f"{self.name} byte-seconds", self.world.now, self.stored)

    def _lose(self, power_lost: bool) -> None:
        if power_lost and self.profile.single_zone:
            lost = len(self.objects)
            self.world.trace.add(self.world.now, self.lost, self.node.code, cause=self.node.fault, count=lost)
            self.objects.clear()
            self._keep(-self.stored)


class StoreClient:
    """A node's way to a store: a pool of connections, first come first served, and retries. Every answer goes to the
    request's `done`.

    A crash of the node ends its requests; nobody is told.
    """

    def __init__(self, node: Node, store: ObjectStore, connections: int = 50, attempts: int = 3,
                 attempt_timeout: float = 10.0):
        check("connections", connections, is_whole(connections) and connections > 0, "a whole number, at least 1")
        check("attempts", attempts, is_whole(attempts) and attempts > 0, "a whole number, at least 1")
        check("attempt_timeout", attempt_timeout, is_number(attempt_timeout) and attempt_timeout > 0,
              "greater than 0 seconds")
        self.node, self.store, self.world = node, store, node.world
        self.connections, self.attempts, self.attempt_timeout = connections, attempts, attempt_timeout
        name = f"{store.name}/{node.name}"
        self._first_byte = {kind: self.world.sampler(f"{name}/{kind}", getattr(store.profile, kind))
                            for kind in CLASSES}
        self._jitter: Stream = self.world.stream(f"{name}/backoff")
        self._life, self._busy, self._queue = node.incarnation, 0, deque()

    # Requests

    def get(self, key: str, done: Callable[[Answer], None], *, span: int | None = None, cause: int = -1) -> None:
        """Reads an object, or `span` bytes of it."""
        self._submit(Request("get", key, done, cause, span=span))

    def put(self, key: str, size: int, done: Callable[[Answer], None], *, body: object = None, cause: int = -1) -> None:
        """Writes an object, over whatever was there."""
        self._submit(Request("put", key, done, cause, size, body))

    def put_if(self, key: str, size: int, done: Callable[[Answer], None], *, match: int | None = None,
               absent: bool = False, body: object = None, cause: int = -1) -> None:
        """Writes an object if the present one has this ETag (`match`), or if there is none (`absent`); else 412."""
        if absent == (match is not None):
            raise ValueError(f"match: {match!r} with absent={absent!r} is not allowed; "
                             "a conditional PUT needs exactly one of the two")
        self._submit(Request("conditional_put", key, done, cause, size, body, -1 if absent else match))

    def delete(self, key: str, done: Callable[[Answer], None], *, cause: int = -1) -> None:
        """Deletes an object; deleting nothing is no error."""
        self._submit(Request("delete", key, done, cause))

    def list(self, prefix: str, done: Callable[[Answer], None], *, after: str = "", cause: int = -1) -> None:
        """The keys that begin with a prefix, page after page; `done` gets all of them at once."""
        pages: list[str] = []

        def page(answer: Answer) -> None:
            pages.extend(answer.keys)
            if answer.more:
                self._submit(Request("list", prefix, page, answer.event, after=answer.keys[-1]))
            else:
                done(answer._replace(keys=tuple(pages)))
        self._submit(Request("list", prefix, page, cause, after=after))

    # One attempt: connection, way there, the store acts, way back

    def _submit(self, request: Request) -> None:
        if self._life != self.node.incarnation:  # the pool of the last life is gone
            self._life, self._busy, self._queue = self.node.incarnation, 0, deque()
        request.life = self._life
        if self._busy < self.connections:
            self._attempt(request)
        else:
            self._queue.append(request)

    def _attempt(self, request: Request) -> None:
        self._busy += 1
        request.attempt += 1
        store, world = self.store, self.world
        first_byte = self._first_byte[request.kind]()
        sent = world.trace.add(world.now, store.kinds[request.kind], self.node.code, store.node.code, -1, request.cause,
                               note=f"{request.key}{_sized(request.size)}" if world.trace.enabled else "")
        if self._cut_off(self.node, store.node):
            self._lose(store.node, self.node, sent)
            self._unanswered(request, sent)
        else:
            upload = request.size / store.profile.write_bandwidth
            world.after(upload + first_byte / 2, self._acted_on, request, first_byte / 2, sent)

    def _acted_on(self, request: Request, way_back: float, sent: int) -> None:
        store, world = self.store, self.world
        if request.life != self.node.incarnation:
            self._lose(store.node, self.node, sent)
            return
        received = world.trace.add(world.now, world.network.RECEIVE, store.node.code, self.node.code, -1, sent)
        answer = store.apply(request)
        if self._cut_off(store.node, self.node):
            self._unanswered(request, received)
            return
        replied = world.trace.add(world.now, store.answered, store.node.code, self.node.code, -1, received,
                                  note=f"{answer.status}{_sized(answer.size)}" if world.trace.enabled else "")
        download = answer.size / store.profile.read_bandwidth if request.kind == "get" else 0.0
        world.after(way_back + download, self._answered, request, answer, replied)

    def _answered(self, request: Request, answer: Answer, replied: int) -> None:
        if request.life == self.node.incarnation:
            self.node.call(request.life, self._over, (request, answer, replied))
        else:
            self._lose(self.node, self.store.node, replied)

    def _lose(self, target: Node, source: Node, sent: int) -> None:
        """Nobody gets this any more."""
        self.world.trace.add(self.world.now, self.world.network.DROP, target.code, source.code, -1, sent)

    def _cut_off(self, source: Node, target: Node) -> bool:
        rule = self.world.network.rule_for(source.name, target.name) if self.world.network.rules else None
        return rule is not None and rule.action in ("hold", "drop")

    def _unanswered(self, request: Request, cause: int) -> None:
        self.node.after(self.attempt_timeout, self._over, request, Answer(NO_ANSWER, request.key), cause)

    def _over(self, request: Request, answer: Answer, cause: int) -> None:
        self._busy -= 1
        if self._queue:
            self._attempt(self._queue.popleft())
        world = self.world
        event = cause
        if answer.status != NO_ANSWER:
            event = world.trace.add(world.now, world.network.RECEIVE, self.node.code, self.store.node.code, -1, cause)
        if answer.status in (UNAVAILABLE, NO_ANSWER) and request.attempt < self.attempts:
            request.cause = event
            self.node.after(self._backoff(request.attempt), self._submit, request)
        else:
            request.done(answer._replace(event=event))

    def _backoff(self, attempt: int) -> float:
        """Seconds before the next attempt: random, at most 1, 2, 4, ... up to `BACKOFF_MAX`."""
        return round(float(self._jitter.uniforms(1)[0]) * min(2.0 ** (attempt - 1), BACKOFF_MAX), 9)


def _sized(size: int) -> str:
    return f" ({size / 1e6:,.3g} MB)" if size >= 1e6 else f" ({size / 1e3:,.3g} kB)" if size else ""
