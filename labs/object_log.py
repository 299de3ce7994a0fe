"""The parts of a log that lives in a bucket: batches, files, a manifest, an agent that writes, a reader.

Nobody here leads anything. A *file* holds batches of many keys and is never changed. The *manifest* is one small object
that lists the files in their order and says which offsets their batches got: what it does not list does not exist.
To commit is to read the manifest, add a file, and write it back on the condition that it is still the one that was
read (If-Match; If-None-Match for the first). Only then does a producer get its answer.

A batch keeps the name of its producer and a sequence number, so that a batch sent twice is recognised by whoever
commits it. A file that the manifest calls `dead` cannot be committed any more: only such a file may be deleted.

The switches are there to be switched off once: `condition=False` writes the manifest back whatever has happened to it,
`sequences=False` recognises nothing, `fence=False` deletes what it does not know without asking.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import NamedTuple

from labs.servers.seaweedfs import BUCKET

REPEATED, REFUSED = -1, -2      # instead of an offset: the log has the batch already; send it again
FILES = "files/"
ANOTHER = (409, 412)            # somebody else wrote; S3 says 409 if that happened at the very same time


class Request(NamedTuple):
    """One request to the store: its class, the status of the answer, and the seconds it took."""
    kind: str
    status: int
    seconds: float


class Bucket:
    """What a log needs of an object store, every request counted and timed in `requests`."""

    def __init__(self, client, name: str = BUCKET):
        self.client, self.name = client, name
        self.requests: list[Request] = []

    def put(self, key: str, body: bytes) -> None:
        """Writes an object, over whatever was there."""
        self._ask("PUT", self.client.put_object, Key=key, Body=body)

    def put_if(self, key: str, body: bytes, etag: str | None) -> bool:
        """Writes an object if the present one has this ETag, or if there is none (None); whether it did."""
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        answer = self._ask("CONDITIONAL PUT", self.client.put_object, ANOTHER, Key=key, Body=body, **condition)
        return answer is not None

    def get(self, key: str) -> tuple[bytes, str] | None:
        """An object and its ETag, None if there is none."""
        return self._ask("GET", lambda **where: _whole(self.client.get_object(**where)), (404,), Key=key)

    def names(self, prefix: str) -> list[str]:
        """The keys that begin with a prefix (the first 1,000, which is what one request brings)."""
        answer = self._ask("LIST", self.client.list_objects_v2, Prefix=prefix)
        return [entry["Key"] for entry in answer.get("Contents", [])]

    def delete(self, key: str) -> None:
        """Deletes an object; deleting nothing is no error."""
        self._ask("DELETE", self.client.delete_object, Key=key)

    def _ask(self, kind: str, call: Callable, expected=(), **arguments):
        """The answer, or None if its status is one of the expected ones."""
        from botocore.exceptions import ClientError     # here: what is left of this module needs no boto3
        started, status = time.perf_counter(), 200
        try:
            return call(Bucket=self.name, **arguments)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status not in expected:
                raise
            return None
        finally:
            self.requests.append(Request(kind, status, time.perf_counter() - started))


def _whole(answer: dict) -> tuple[bytes, str]:
    return answer["Body"].read(), answer["ETag"]


class Batch(NamedTuple):
    """Consecutive records of one producer for one key; a sequence counts the batches of that pair from 0."""
    producer: str
    key: str
    sequence: int
    values: tuple[int, ...]


def encode(batches: list[Batch], record_bytes: int = 1_000) -> bytes:
    """A file: a line that says what is in it, then the records, each padded to the same size."""
    head = json.dumps([record_bytes, [(*batch[:3], len(batch.values)) for batch in batches]])
    records = (value.to_bytes(8, "big").ljust(record_bytes, b".") for batch in batches for value in batch.values)
    return b"\n".join([head.encode(), b"".join(records)])


def decode(body: bytes) -> list[Batch]:
    """The batches of a file."""
    head, _, records = body.partition(b"\n")
    record_bytes, batches = json.loads(head)
    values = iter(int.from_bytes(records[at:at + 8], "big") for at in range(0, len(records), record_bytes))
    return [Batch(*batch, tuple(next(values) for _ in range(count))) for *batch, count in batches]


def empty() -> dict:
    """What the manifest of an empty log says."""
    return {"files": {}, "ends": {}, "next": {}, "dead": []}


def place(state: dict, name: str, batches: list[Batch], sequences: bool = True) -> list[int]:
    """Adds a file to what a manifest says; the first offset of each batch, REPEATED or REFUSED."""
    if name in state["dead"]:
        return [REFUSED] * len(batches)
    if name not in state["files"]:  # it may be: a conditional PUT whose answer was lost has happened
        state["files"][name] = [_offset(state, batch, sequences) for batch in batches]
    return state["files"][name]


def _offset(state: dict, batch: Batch, sequences: bool) -> int:
    producer = f"{batch.producer} {batch.key}"
    expected = state["next"].get(producer, 0)
    if sequences and batch.sequence != expected:
        return REPEATED if batch.sequence < expected else REFUSED
    state["next"][producer] = batch.sequence + 1
    offset = state["ends"].get(batch.key, 0)
    state["ends"][batch.key] = offset + len(batch.values)
    return offset


class Manifest:
    """The one object that everybody agrees on."""

    def __init__(self, bucket: Bucket, condition: bool = True, sequences: bool = True, key: str = "manifest"):
        self.bucket, self.condition, self.sequences, self.key = bucket, condition, sequences, key

    def read(self) -> tuple[dict, str | None]:
        """What it says, and its ETag."""
        found = self.bucket.get(self.key)
        return (json.loads(found[0]), found[1]) if found else (empty(), None)

    def write(self, state: dict, etag: str | None) -> bool:
        """Writes it back; False if it is no longer the one that was read."""
        body = json.dumps(state).encode()
        if self.condition:
            return self.bucket.put_if(self.key, body, etag)
        self.bucket.put(self.key, body)
        return True

    def commit(self, name: str, batches: list[Batch]) -> list[int]:
        """Adds a file, as often as it takes; the first offset of each batch, REPEATED or REFUSED."""
        while True:
            state, etag = self.read()
            offsets = place(state, name, batches, self.sequences)
            if self.write(state, etag):
                return offsets

    def forbid(self, names: list[str]) -> list[str]:
        """Declares files dead that nobody has committed; which of them are."""
        while True:
            state, etag = self.read()
            orphans = [name for name in names if name not in state["files"]]
            state["dead"] = sorted({*state["dead"], *orphans})
            if self.write(state, etag):
                return orphans


class Agent:
    """Takes batches of any key, writes them as one file, commits it; what it has in memory dies with it."""

    def __init__(self, name: str, manifest: Manifest, record_bytes: int = 1_000, step: Callable = lambda *what: None):
        self.name, self.manifest, self.record_bytes, self.step = name, manifest, record_bytes, step
        self.buffer: list[Batch] = []

    def append(self, batch: Batch) -> None:
        """A batch joins the buffer, whatever its key."""
        self.buffer.append(batch)

    def flush(self) -> list[int]:
        """PUT, commit: the offsets of the buffered batches. Whoever gets them may rely on them."""
        batches, self.buffer = self.buffer, []
        name = f"{FILES}{time.time_ns() // 1_000:016d}-{self.name}"
        self.step("put", name)
        self.manifest.bucket.put(name, encode(batches, self.record_bytes))
        self.step("commit", name)
        offsets = self.manifest.commit(name, batches)
        self.step("answer", name)
        return offsets


class Reader:
    """Follows the manifest: each file is read once, and only if it is listed."""

    def __init__(self, manifest: Manifest):
        self.manifest, self.seen = manifest, 0
        self.lost: list[str] = []

    def poll(self) -> dict[str, list[tuple[int, int]]]:
        """What has been committed since the last poll: {key: [(offset, value), ...]}."""
        files = list(self.manifest.read()[0]["files"].items())[self.seen:]
        records: dict[str, list[tuple[int, int]]] = {}
        for name, offsets in files:
            found = self.manifest.bucket.get(name)
            if found is None:
                self.lost.append(name)
                continue
            for batch, offset in zip(decode(found[0]), offsets):
                if offset >= 0:
                    records.setdefault(batch.key, []).extend(enumerate(batch.values, offset))
        self.seen += len(files)
        return records


def collect(manifest: Manifest, fence: bool = True) -> list[str]:
    """Deletes the files that nobody has committed; with a fence, only after nobody can any more. Which these were."""
    names = manifest.bucket.names(FILES)
    known = manifest.read()[0]["files"]
    orphans = [name for name in names if name not in known]
    if fence:
        orphans = manifest.forbid(orphans)
    for name in orphans:
        manifest.bucket.delete(name)
    return orphans
