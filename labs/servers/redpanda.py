"""One Redpanda node, if this machine has one: an installed `redpanda` with `rpk`, or the image in a Docker engine.

Redpanda is no Python package, and nothing is fetched here. The machines on which this course is built have neither of
the two: the command follows Redpanda's documentation ("rpk redpanda start", version 26.1) and has not been run there.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from . import process
from .kafka_install import Container, contained, succeeds
from .process import HOST, Sandbox, Server, free_ports

IMAGE = "redpandadata/redpanda:v26.1.14"
HOW_TO_GET = f"install the packages of docs.redpanda.com, or run `docker pull {IMAGE}`, and restart the kernel"
APIS = ("kafka", "pandaproxy", "schema-registry")       # each listens somewhere, wanted or not


@cache
def find() -> str | None:
    """`rpk` on this machine, or the image; None if there is neither."""
    if process.find("redpanda") and process.find("rpk"):
        return process.find("rpk")
    return IMAGE if succeeds(20, "docker", "image", "inspect", IMAGE) else None


def missing() -> str:
    """One sentence: what is not here, and how to get it."""
    return f"Redpanda is not in this environment (no `redpanda` and `rpk`, no image in a Docker engine): {HOW_TO_GET}"


class Redpanda:
    """One node for development, on loopback, its data in the sandbox's folder."""

    def __init__(self):
        *apis, self.rpc, self.admin_port = free_ports(len(APIS) + 2)
        self.ports = dict(zip(APIS, apis))
        self.sandbox: Sandbox | None = None

    @property
    def bootstrap(self) -> str:
        """Where clients connect."""
        return f"{HOST}:{self.ports['kafka']}"

    def start(self) -> Redpanda:
        """Starts the node and waits until it answers."""
        source = find()
        if source is None:
            raise FileNotFoundError(missing())
        self.sandbox = Sandbox()
        try:
            self._launch(source).wait_ready(self._answers, 60)
        except BaseException:
            self.stop()
            raise
        return self

    def _launch(self, source: str) -> Server:
        folder, name = self.sandbox.folder, f"{self.sandbox.folder.name}-redpanda"
        (folder / "alive").touch()  # for the container: gone with the folder
        (folder / "redpanda.yaml").write_text(self.config(folder))
        if source != IMAGE:
            return self.sandbox.start("redpanda", [source, *self.arguments(folder)], HOME=str(folder))
        running = self.sandbox.start("redpanda", contained(IMAGE, name, folder, "rpk", *self.arguments(folder)))
        self.sandbox.servers["redpanda"] = Container(name, running.process, running.log)
        return self.sandbox.servers["redpanda"]

    def config(self, folder: Path) -> str:
        """What no flag of `rpk redpanda start` says."""
        return (f"redpanda:\n  data_directory: {folder / 'data'}\n  admin:\n    - address: {HOST}\n"
                f"      port: {self.admin_port}\n")

    def arguments(self, folder: Path) -> list[str]:
        """What follows `rpk`: one core, half a gigabyte, every address on loopback."""
        addresses = [flag for api, port in self.ports.items() for flag in
                     (f"--{api}-addr={HOST}:{port}", f"--advertise-{api}-addr={HOST}:{port}")]
        addresses.remove(f"--advertise-schema-registry-addr={HOST}:{self.ports['schema-registry']}")  # there is none
        return ["redpanda", "start", "--mode=dev-container", "--smp=1", "--memory=512M", "--node-id=0",
                f"--config={folder / 'redpanda.yaml'}", *addresses, f"--rpc-addr={HOST}:{self.rpc}",
                f"--advertise-rpc-addr={HOST}:{self.rpc}"]

    def _answers(self) -> bool:
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient
        try:
            client = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
            return bool(client.list_topics(timeout=1).brokers)
        except KafkaException:
            return False

    def stop(self) -> None:
        """Ends the node and removes its data."""
        if self.sandbox:
            self.sandbox.close()
            self.sandbox = None

    def __enter__(self) -> Redpanda:
        return self.start()

    def __exit__(self, *exception) -> None:
        self.stop()
