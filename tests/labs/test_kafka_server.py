"""A real Apache Kafka: found or plainly missing, formatted as KRaft wants it, and gone with its parent."""
import os
import subprocess
import sys
from pathlib import Path

import pytest
from living import eventually, is_running

from labs import needs
from labs.servers import kafka, kafka_install
from labs.servers.kafka_install import Absent, Installation


@pytest.fixture
def nowhere(monkeypatch):
    """A machine without Kafka, Docker, Java and Maven."""
    monkeypatch.delenv("KAFKA_HOME", raising=False)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    kafka_install.look.cache_clear()
    kafka_install.java.cache_clear()
    yield
    kafka_install.look.cache_clear()
    kafka_install.java.cache_clear()


def test_without_kafka_every_way_is_named_with_its_reason(nowhere):
    assert kafka_install.find() is None
    told = kafka_install.missing()
    for part in ("KAFKA_HOME is not set", "no Docker engine answers", "no Java on the PATH", "apt-get install"):
        assert part in told
    with pytest.raises(FileNotFoundError, match="Apache Kafka is not in this environment"):
        kafka.single(quiet=True).start()


def test_a_cell_that_needs_kafka_says_so_instead_of_failing(nowhere):
    line, = needs.unless_missing(["%%needs kafka\n", "cluster = kafka.cluster()\n"])
    assert line.startswith("print('Not run: Apache Kafka is not in this environment")


def test_kafka_home_comes_first_and_must_hold_kafka_4(tmp_path, monkeypatch):
    monkeypatch.setattr(kafka_install, "java", lambda: "java")
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
    with pytest.raises(Absent, match="holds no libs/kafka-server-4"):
        kafka_install._kafka_home()
    (tmp_path / "libs").mkdir()
    (tmp_path / "libs" / "kafka-server-4.4.0.jar").touch()
    assert kafka_install._kafka_home().class_path == str(tmp_path / "libs" / "*")


def test_a_java_too_old_is_refused(tmp_path, monkeypatch):
    old = tmp_path / "bin" / "java"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n")
    old.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    kafka_install.java.cache_clear()
    with pytest.raises(Absent, match="Java is too old: .*11.0.2.*needs 17"):
        kafka_install.java()
    kafka_install.java.cache_clear()


@pytest.fixture
def maven(tmp_path, monkeypatch):
    """Installs a Maven that does what a line of shell says, and an empty cache."""
    monkeypatch.setattr(kafka_install, "CACHE", tmp_path / "cache" / "kafka")

    def install(line: str) -> None:
        program = tmp_path / "mvn"
        program.write_text(f"#!/bin/sh\n{line}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return install


def test_jars_are_fetched_once_and_all_or_none(maven, monkeypatch):
    monkeypatch.setattr(kafka_install, "java", lambda: "java")
    maven("exit 1")
    with pytest.raises(Absent, match="Maven could not fetch it"):
        kafka_install._maven()
    assert not kafka_install.CACHE.exists() and not list(kafka_install.CACHE.parent.iterdir())
    maven('for last; do :; done; mkdir "${last#-DoutputDirectory=}"')
    assert kafka_install._maven().class_path == str(kafka_install.CACHE / "*")
    maven("exit 1")  # not asked again
    assert kafka_install._maven().source.startswith("Maven")


def test_a_download_that_never_ends_is_given_up(maven, monkeypatch):
    monkeypatch.setattr(kafka_install, "PATIENCE", 0.2)
    maven("exec sleep 60")
    with pytest.raises(Absent, match="Maven could not fetch it"):
        kafka_install._fetch()


def test_a_container_gets_the_same_class_and_ends_with_the_folder(tmp_path):
    command = Installation("image", "/opt/kafka/libs/*", container=True).command(
        "kafka.Kafka", "server.properties", name="lab-broker-1", folder=tmp_path)
    assert command[:3] == ["docker", "run", "--rm"] and command[-2:] == ["kafka.Kafka", "server.properties"]
    assert f"--env=FOLDER={tmp_path / 'alive'}" in command and f"--volume={tmp_path}:{tmp_path}" in command


def test_ids_are_kafkas_and_never_look_like_an_option():
    ids = {kafka._random_id() for _ in range(1000)}
    assert len(ids) == 1000 and {len(id) for id in ids} == {22} and not any(id.startswith("-") for id in ids)


def test_roles_listeners_and_voters_of_six_nodes():
    six, sandbox = kafka.cluster(quiet=True), type("Sandbox", (), {"folder": Path("/lab")})
    six.sandbox = sandbox
    broker, controller = (six.properties(name).splitlines() for name in ("broker-1", "controller-1"))
    assert "process.roles=broker" in broker and "node.id=1" in broker and "process.roles=controller" in controller
    assert "transaction.state.log.min.isr=2" in broker and not any("advertised" in line for line in controller)
    assert "--no-initial-controllers" in six.format_arguments("broker-1")
    voters = six.format_arguments("controller-2")[-1].split(",")
    assert [voter.split("@")[0] for voter in voters] == ["101", "102", "103"]
    six.sandbox = None


def test_settings_of_ours_can_be_changed_and_removed():
    node = kafka.single(settings={"group.initial.rebalance.delay.ms": None, "broker.session.timeout.ms": 3000})
    node.sandbox = type("Sandbox", (), {"folder": Path("/lab")})
    text = node.properties("node-1")
    assert "broker.session.timeout.ms=3000" in text and "rebalance.delay" not in text
    node.sandbox = None


@pytest.mark.parametrize("field, options", [("controllers", {"controllers": 2}), ("brokers", {"brokers": 0}),
                                            ("brokers", {"brokers": 10})])
def test_nonsense_is_refused_by_name(field, options):
    with pytest.raises(ValueError, match=f"^{field}: {options[field]}"):
        kafka.cluster(**options)


@pytest.mark.real
def test_one_node_leads_everything(node):
    node.create_topic("first", partitions=2)
    assert node.leader("first", 1) == node.active_controller() == "node-1"
    assert node.in_sync("first") == ["node-1"]
    with pytest.raises(ValueError, match="name: 'node-9' is not one of node-1"):
        node.kill("node-9")
    with pytest.raises(ValueError, match="name: node-1 is still running"):
        node.restart("node-1")


@pytest.mark.real
def test_a_killed_node_comes_back_with_its_topics(node):
    node.create_topic("kept", partitions=1)
    node.kill("node-1")
    assert not node.nodes["node-1"].alive
    node.restart("node-1")
    assert node.leader("kept") == "node-1"
    assert [what for _, what, _ in node.events[-2:]] == ["killed", "restarted"]


@pytest.mark.real
def test_a_setting_kafka_refuses_shows_the_end_of_its_log(kafka_found):
    with pytest.raises(RuntimeError, match="(?s)could not be formatted.*broker.session.timeout.ms"):
        kafka.single(quiet=True, settings={"broker.session.timeout.ms": "soon"}).start()


@pytest.mark.real
def test_kafka_does_not_outlive_its_parent(kafka_found):
    code = """
import time
from labs.servers import kafka
node = kafka.single(quiet=True).start()
print(node.nodes["node-1"].server.pid, node.sandbox.folder, flush=True)
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    pid, folder = parent.stdout.readline().split()
    assert is_running(int(pid))
    parent.kill()
    parent.wait()
    assert eventually(lambda: not is_running(int(pid)) and not os.path.exists(folder))
