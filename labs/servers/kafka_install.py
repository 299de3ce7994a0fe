"""Where Apache Kafka is on this machine, and how to run one of its main classes there.

Looked for in this order:

1. `KAFKA_HOME`, an unpacked Kafka 4.x; it needs Java 17 or newer.
2. A Docker engine with the image apache/kafka, pulled if absent. The nodes use the host's network: on Linux as it is,
   in Docker Desktop after "Enable host networking". THIS PATH WAS WRITTEN WITHOUT A DOCKER ENGINE AT HAND AND NEVER
   RUN.
3. Java 17 or newer and Maven: the jars named in kafka-pom.xml (43 MB) are copied to a cache folder once.

All three give a class path, and the lab starts `kafka.tools.StorageTool` and `kafka.Kafka` on it, as Kafka's own
scripts do. `python -m labs.servers.kafka_install` says what was found.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .process import Server

VERSION = "4.4.0"
IMAGE = f"apache/kafka:{VERSION}"
POM = Path(__file__).with_name("kafka-pom.xml")
CACHES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "distributed-messaging-course"
CACHE = CACHES / f"kafka-{VERSION}"
ARCHIVE = CACHE.with_name(f"{CACHE.name}.jsa")
PATIENCE = 180  # seconds for a download
HOW_TO_GET = (f"unpack Kafka {VERSION} and set KAFKA_HOME to its folder, or start a Docker engine, or install Java 17 "
              "and Maven (Debian: `apt-get install default-jdk-headless maven`), then restart the kernel")

# Small and quick to start rather than fast in the long run. slf4j-simple and Log4j each ignore the other's options.
JVM = ("-Xms32m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
       "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.showDateTime=true",
       "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS", "-Dlog4j2.level=WARN")


class Absent(Exception):
    """Why Kafka cannot be run in one of the three ways."""


@dataclass(frozen=True)
class Installation:
    """A Kafka to run: where it came from, its class path, and whether that lies in a container.

    `archive` is where Java keeps loaded classes for the next start, which then takes half the processor time.
    """

    source: str
    class_path: str
    container: bool = False
    archive: Path | None = None

    def command(self, main: str, *arguments: str, name: str, folder: Path, heap: str = "256m", jvm=()) -> list[str]:
        """The command line that runs a main class of Kafka; `name` is the container's, `folder` all that it shares."""
        if not self.container:
            shared = [f"-XX:SharedArchiveFile={self.archive}"] if self.archive and self.archive.exists() else []
            return [java(), *JVM, *shared, *jvm, f"-Xmx{heap}", "-cp", self.class_path, main, *arguments]
        return contained(IMAGE, name, folder, "java", *JVM, f"-Xmx{heap}", "-cp", self.class_path, main, *arguments)


def contained(image: str, name: str, folder: Path, *command: str) -> list[str]:
    """The command line that runs a command in a container, as this user, while the folder has a file `alive`."""
    # `docker run` killed by the watchdog leaves its container alone; but the watchdog also removes the folder.
    script = ('"$@" & server=$!; while [ -e "$FOLDER" ] && kill -0 $server; do sleep 0.2; done; '
              '[ -e "$FOLDER" ] || kill -9 $server; wait $server')
    user = [f"--user={os.getuid()}:{os.getgid()}"] if hasattr(os, "getuid") else []
    return ["docker", "run", "--rm", f"--name={name}", "--network=host", *user, f"--volume={folder}:{folder}",
            f"--workdir={folder}", f"--env=FOLDER={folder / 'alive'}", "--entrypoint=sh", image, "-c", script, "sh",
            *command]


class Container(Server):
    """A server that runs in a container: signals to `docker run` would not reach it (never run, see above)."""

    def kill(self) -> None:
        self._docker("kill")
        self.process.wait()

    def pause(self) -> None:
        self._docker("pause")

    def resume(self) -> None:
        self._docker("unpause")

    def stop(self, wait: bool = True, patience: float = 5.0) -> None:
        if self.alive:
            self._docker("stop", f"--time={patience:.0f}")
        if wait:
            self.process.wait()

    def _docker(self, *verb: str) -> None:
        subprocess.run(["docker", *verb, self.name], check=verb != ("unpause",), capture_output=True)


@cache
def look() -> Installation | str:
    """The Kafka of this machine, or why there is none; the answer is kept for the life of this process."""
    reasons = []
    for way in (_kafka_home, _docker, _maven):
        try:
            return way()
        except Absent as reason:
            reasons.append(str(reason))
    return "; ".join(reasons)


def find() -> str | None:
    """Where Kafka comes from on this machine, None if it cannot be had."""
    found = look()
    return found.source if isinstance(found, Installation) else None


def missing() -> str:
    """One sentence for a machine without Kafka: what was looked for and how to get it."""
    tried = look()
    reasons = f" ({tried})" if isinstance(tried, str) else ""
    return f"Apache Kafka is not in this environment{reasons}: {HOW_TO_GET}"


def installation() -> Installation:
    """The Kafka of this machine, or an error that says how to get one."""
    found = look()
    if not isinstance(found, Installation):
        raise FileNotFoundError(missing())
    return found


@cache
def java() -> str:
    """The path of a Java that is new enough for Kafka 4."""
    home = os.environ.get("JAVA_HOME")
    path = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if not path:
        raise Absent("no Java on the PATH")
    told = subprocess.run([path, "-version"], capture_output=True, text=True).stderr
    version = re.search(r'version "(\d+)', told)
    if not version or int(version[1]) < 17:
        raise Absent(f"Java is too old: {told.splitlines()[0] if told else path}; Kafka 4 needs 17 or newer")
    return path


def _kafka_home() -> Installation:
    home = os.environ.get("KAFKA_HOME")
    if not home:
        raise Absent("KAFKA_HOME is not set")
    if not any(Path(home, "libs").glob("kafka-server-4*.jar")):
        raise Absent(f"KAFKA_HOME={home} holds no libs/kafka-server-4*.jar")
    java()
    return Installation(f"KAFKA_HOME {home}", str(Path(home, "libs", "*")))


def _docker() -> Installation:
    if not succeeds(20, "docker", "info", "--format", "{{.ServerVersion}}"):
        raise Absent("no Docker engine answers")
    present = succeeds(20, "docker", "image", "inspect", IMAGE)
    if not (present or succeeds(PATIENCE, "docker", "pull", "--quiet", IMAGE)):
        raise Absent(f"the Docker engine could not pull {IMAGE}")
    return Installation(f"Docker image {IMAGE}", "/opt/kafka/libs/*", container=True)


def _maven() -> Installation:
    java()
    if not CACHE.exists():
        _fetch()
    return Installation(f"Maven, copied to {CACHE}", str(CACHE / "*"), archive=ARCHIVE)


def _fetch() -> None:
    """The jars of kafka-pom.xml are in the cache folder: all of them or none."""
    maven = shutil.which("mvn")
    if not maven:
        raise Absent("no Maven on the PATH")
    CACHE.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE.parent) as folder:
        jars = Path(folder, "jars")
        if not succeeds(PATIENCE, maven, "--quiet", "--batch-mode", "--file", str(POM), "dependency:copy-dependencies",
                         "-DincludeScope=runtime", f"-DoutputDirectory={jars}"):
            raise Absent("Maven could not fetch it (no network?)")
        try:
            jars.rename(CACHE)
        except OSError:  # another process was quicker
            if not CACHE.exists():
                raise


def succeeds(timeout: float, *command: str) -> bool:
    """Whether a command ends well and in time."""
    try:
        return subprocess.run(command, capture_output=True, timeout=timeout, stdin=subprocess.DEVNULL).returncode == 0
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False


if __name__ == "__main__":
    print(find() or missing())
