"""Buf's command line on a Protobuf module: what it builds, what it advises, what it calls breaking. All of it offline.

The program is buf (buf.build, Apache-2.0) from the wheel `buf-bin`. A module is a dictionary of its files; every call
writes it into a temporary folder and asks the program. What `build` returns, a FileDescriptorSet, is all that the
package `protobuf` needs to make message classes: nothing is generated, no protoc is called.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from .servers import process

BINARY, PACKAGE = "buf", "google.protobuf"
HOW_TO_GET = ("run `pip install buf-bin==1.75.0 'protobuf>=6.31'` in this environment (or install the extra `proto`) "
              "and restart the kernel")
LEVELS = ("FILE", "PACKAGE", "WIRE_JSON", "WIRE")  # from the strictest to the most lenient
FOLDER = Path(__file__).parent / "protobuf"
BROKEN = 100  # the exit code of a check that found something

Files = dict[str, str]  # path within the module -> text


def find() -> str | None:
    """The path of buf, if the package for its messages is here too; else None."""
    return process.find(BINARY) if _has_protobuf() else None


def _has_protobuf() -> bool:
    try:
        return importlib.util.find_spec(PACKAGE) is not None
    except ModuleNotFoundError:  # not even a package `google`
        return False


def missing() -> str:
    """One sentence: what is not here, and how to get it."""
    return f"buf (with the package protobuf) is not in this environment: {HOW_TO_GET}"


def version() -> str:
    """The version that the installed program reports."""
    return _run("--version").strip()


def module() -> Files:
    """The module of this lab as it is in the folder `protobuf`."""
    return {path.relative_to(FOLDER).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(FOLDER.rglob("*.proto"))}


@cache
def _built(files: tuple) -> bytes:
    with _folder(dict(files)) as folder:
        _run("build", folder, "-o", f"{folder}/image.binpb")
        return Path(folder, "image.binpb").read_bytes()


def build(files: Files) -> bytes:
    """The module as a FileDescriptorSet; ValueError with buf's words if it does not compile."""
    return _built(tuple(files.items()))


def lint(files: Files) -> list[dict]:
    """What buf's rules for style find in a module."""
    with _folder(files) as folder:
        return _findings("lint", folder)


def breaking(new: Files, old: Files, *levels: str) -> list[dict]:
    """What buf's rules of these levels (FILE if none is named) find between two versions."""
    if wrong := set(levels) - set(LEVELS):
        raise ValueError(f"levels: {min(wrong)!r} is not one of {', '.join(LEVELS)}")
    config = json.dumps({"version": "v2", "breaking": {"use": levels or ["FILE"]}})
    with tempfile.TemporaryDirectory(prefix="lab-") as folder:
        paths = [Path(folder, name) for name in ("new.binpb", "old.binpb")]
        for path, files in zip(paths, (new, old)):
            path.write_bytes(build(files))
        return _findings("breaking", str(paths[0]), "--against", str(paths[1]), "--config", config)


@cache
def levels_of() -> dict[str, set[str]]:
    """Each of buf's rules for breaking changes, and the levels that it belongs to."""
    with _folder({}) as folder:
        rules = _run("config", "ls-breaking-rules", "--version", "v2", "--format", "json").splitlines()
    return {rule["id"]: set(rule["categories"]) for rule in map(json.loads, rules)}


def objecting(new: Files, old: Files) -> set[str]:
    """The levels that object to a change: all rules are asked at once, and each names its levels."""
    return set().union(*(levels_of()[each["type"]] for each in breaking(new, old, *LEVELS)))


def classes(image: bytes) -> dict[str, type]:
    """The message classes of a built module, by their names without the package."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    pool, found = descriptor_pool.DescriptorPool(), {}
    files = descriptor_pb2.FileDescriptorSet.FromString(image).file
    for file in files:  # buf sorts them: what is imported comes first
        pool.Add(file)
    for file in files:
        for message in file.message_type:
            descriptor = pool.FindMessageTypeByName(f"{file.package}.{message.name}")
            found[message.name] = message_factory.GetMessageClass(descriptor)
    return found


def _findings(*command: str) -> list[dict]:
    return [json.loads(line) for line in _run(*command, "--error-format", "json").splitlines()]


def _run(*command: str) -> str:
    """What buf prints; 100 is the exit code of a check with findings, any other is an error."""
    path = find()
    if path is None:
        raise FileNotFoundError(missing())
    done = subprocess.run([path, *command], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, "BUF_CACHE_DIR": tempfile.gettempdir()})
    if done.returncode not in (0, BROKEN) or (done.returncode == BROKEN and command[0] == "build"):
        raise ValueError((done.stderr or done.stdout).strip())
    return done.stdout


def _folder(files: Files) -> tempfile.TemporaryDirectory:
    """A folder with the module in it and this lab's buf.yaml; it goes with its `with` block."""
    folder = tempfile.TemporaryDirectory(prefix="lab-")
    for name, text in {"buf.yaml": (FOLDER / "buf.yaml").read_text(encoding="utf-8"), **files}.items():
        path = Path(folder.name, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
