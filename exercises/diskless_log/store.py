"""A small object store: put, get, list, delete, and puts with a condition. Some answers never arrive.

A request without an answer may have been carried out, or not, or will be later: whoever sent it cannot tell. The ETag
of an object is a hash of its content, as Amazon S3 has it for simple uploads, and the conditions are S3's: `If-Match`
and `If-None-Match: *`. Left out: buckets, versions, multipart uploads, 409 for writes at the same moment, throttling.
"""
import json
from collections.abc import Callable
from functools import partial
from hashlib import md5
from typing import Any, NamedTuple

LOSSES = ("request lost", "answer lost", "late")
LATE = 6  # requests of anybody, after which a late one arrives after all


class NoAnswer(Exception):
    """No answer arrived: the request may have been carried out, or not, or will be later."""


class NotFound(Exception):
    """404: there is no object of this name."""


class PreconditionFailed(Exception):
    """412: the condition of a put does not hold, so nothing was changed."""


class Object(NamedTuple):
    """What a `get` brings: the body, and the ETag that names this very content."""
    body: Any
    etag: str


def etag_of(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()[:6]


class Bucket:
    """Everything the store knows. Programs never see it, they see a `Store`."""

    def __init__(self, clock, losses=()):
        self.clock, self.losses, self.requests = clock, dict(losses), 0
        self.objects: dict[str, str] = {}
        self.late: list[tuple[int, str, Callable]] = []

    def request(self, process, what: str, act: Callable, changes: bool):
        """Carry out a request of a process, unless it gets lost; its answer may be lost as well."""
        step = process.step(what)
        fault = self.fault_of(process, what, act, changes)
        step.update({"peer": "the store"} | ({"lost": fault} if fault else {}))
        if fault in ("request lost", "late"):
            raise NoAnswer(f"no answer to {what}")
        try:
            answer = act()
        except (NotFound, PreconditionFailed) as refused:
            answer, step["error"] = refused, str(refused)
        if fault:
            step.pop("error", None)
            raise NoAnswer(f"no answer to {what}")
        if isinstance(answer, Exception):
            raise answer
        step["answer"] = answer.etag if isinstance(answer, Object) else answer
        return answer

    def fault_of(self, process, what: str, act: Callable, changes: bool) -> str | None:
        """What the plan does to this request; late ones of others whose time has come arrive before it."""
        if not process.counted:
            return None
        self.requests += 1
        self.arrive(self.requests)
        fault = self.losses.get(self.requests)
        if fault and not changes:
            fault = "answer lost"  # a question leaves no trace: lost is lost
        if fault:
            self.clock.fault(process.name, fault, request=what)
        if fault == "late":
            self.late.append((self.requests + LATE, what, act))
        return fault

    def arrive(self, now: float = float("inf")) -> None:
        """Carry out late requests."""
        for due, what, act in [each for each in self.late if each[0] <= now]:
            self.late.remove((due, what, act))
            event = self.clock.note("the store", f"only now this arrives: {what}")
            try:
                act()
            except (NotFound, PreconditionFailed) as refused:
                event["error"] = str(refused)

    def get(self, key: str) -> Object:
        if key not in self.objects:
            raise NotFound(f"404, there is no {key}")
        return Object(json.loads(self.objects[key]), etag_of(self.objects[key]))

    def put(self, key: str, text: str, if_match: str | None, if_none_match: str | None) -> str:
        there = self.objects.get(key)
        if if_none_match and there is not None:
            raise PreconditionFailed(f"412, there is a {key} already")
        if if_match and there is None:
            raise NotFound(f"404, there is no {key}")
        if if_match and etag_of(there) != if_match:
            raise PreconditionFailed(f"412, {key} is {etag_of(there)} by now")
        self.objects[key] = text
        return etag_of(text)

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)


class Store:
    """One process's connection to the store."""

    def __init__(self, bucket: Bucket, process):
        self._bucket, self._process = bucket, process

    def get(self, key: str) -> Object:
        """The object of this name; raises `NotFound` if there is none."""
        return self._bucket.request(self._process, f"get {key}", partial(self._bucket.get, named(key)), False)

    def put(self, key: str, body, *, if_match: str | None = None, if_none_match: str | None = None) -> str:
        """Store a body (anything JSON can hold) and return its ETag; raises `PreconditionFailed`.

        With `if_match` only if the object still has this ETag, with `if_none_match="*"` only if there is no object.
        """
        if if_none_match not in (None, "*") or not isinstance(if_match, (str, type(None))) or if_match == "":
            raise ValueError(f'if_match takes an ETag and if_none_match takes "*", not {if_match!r}, {if_none_match!r}')
        how = f" if it is {if_match}" if if_match else " if there is none" if if_none_match else ""
        act = partial(self._bucket.put, named(key), json.dumps(body), if_match, if_none_match)
        return self._bucket.request(self._process, f"put {key}{how}", act, True)

    def list(self, prefix: str = "") -> list[str]:
        """The names that begin with a prefix, sorted."""
        act = lambda: sorted(key for key in self._bucket.objects if key.startswith(prefix))  # noqa: E731
        return self._bucket.request(self._process, f"list {prefix}", act, False)

    def delete(self, key: str) -> None:
        """Delete an object, if there is one."""
        self._bucket.request(self._process, f"delete {key}", partial(self._bucket.delete, named(key)), True)


def named(key) -> str:
    """The key, if it is one."""
    if not isinstance(key, str) or not key:
        raise TypeError(f"an object's name is a string, not {key!r}")
    return key
