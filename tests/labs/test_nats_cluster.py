"""Real nats-servers: they die with their parent, and a stream survives the death of its leader."""
import json
import os
import signal
import subprocess
import sys

import pytest
from living import eventually, is_running

from labs.outage import ELECTION_TIMEOUT, pauses
from labs.recorders.nats import NatsRecorder, publish_latencies
from labs.servers.nats import NatsCluster, version
from simulator.evidence.checks import check
from simulator.evidence.history import INFO

PARENT = """
import json, time
from labs.servers.nats import NatsCluster
cluster = NatsCluster(nodes=3, quiet=True).start()
pids = [node.server.pid for node in cluster.nodes.values()]
print(json.dumps({"pids": pids, "folder": str(cluster.sandbox.folder)}), flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("nodes", [0, 2, 4, "three"])
def test_an_even_cluster_is_refused(nodes):
    with pytest.raises(ValueError, match=f"nodes: {nodes!r} is not 1, 3 or 5"):
        NatsCluster(nodes=nodes)


@pytest.mark.real
def test_the_binary_is_the_pinned_one(nats_server):
    assert version() == "nats-server: v2.15.1"


@pytest.mark.real
def test_servers_die_with_a_parent_that_is_killed(nats_server):
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    told = json.loads(parent.stdout.readline())
    assert len(told["pids"]) == 3 and all(map(is_running, told["pids"])) and os.path.isdir(told["folder"])
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert eventually(lambda: not any(map(is_running, told["pids"])) and not os.path.exists(told["folder"]))


@pytest.mark.real
def test_a_wrong_setting_shows_what_the_server_says(nats_server):
    with pytest.raises(RuntimeError, match="(?s)n1 ended with code 1.*sync_interval"):
        NatsCluster(nodes=1, sync_interval="sometimes").start()


@pytest.mark.real
def test_a_single_server_answers_and_its_setting_is_real(nats_server, capsys):
    with NatsCluster(nodes=1, sync_interval="always") as server:
        assert server.nodes["n1"].ask("jsz?config=1")["config"]["sync_always"] is True
        assert publish_latencies(server, seconds=0.2).min() > 0
        with pytest.raises(ValueError, match=r"name: 'n9' is not one of n1"):
            server.kill("n9")
        with pytest.raises(ValueError, match=r"name: n1 is still running"):
            server.restart("n1")
        with pytest.raises(RuntimeError, match="started already"):
            server.start()
    assert "started n1 (pid " in capsys.readouterr().out


@pytest.mark.real
def test_killing_the_leader_loses_nothing_that_was_acknowledged(nats_server):
    """Nor does a restart or a polite end. Of the times only Raft's lower limit is asserted."""
    with NatsCluster(quiet=True) as cluster, NatsRecorder(cluster, rate=100) as recorder:
        recorder.run_for(1)
        first = cluster.leader("orders")
        cluster.kill(first)
        assert not cluster.nodes[first].alive
        recorder.wait_for_recovery()
        assert cluster.leader("orders") != first
        cluster.restart(first)
        cluster.wait_in_sync("orders")
        cluster.terminate(cluster.leader("orders"))
        recorder.wait_for_recovery()
        history, faults = recorder.finish(), recorder.faults()
    report = check(history)
    assert report.ok, repr(report)
    assert history.drained and history.records_sent() > 400
    crash, = pauses(history, faults, "killed")
    assert crash > ELECTION_TIMEOUT[0] - 1.0, "no follower may suspect its leader before the shortest timeout"
    assert history.latencies("produce").max() > 0.9 * crash, "what fell due during the outage waited for its end"


@pytest.mark.real
def test_without_a_quorum_nothing_is_acknowledged_and_nobody_claims_it(nats_server):
    with NatsCluster(quiet=True) as cluster, NatsRecorder(cluster, rate=100, patience=2.0) as recorder:
        recorder.run_for(0.5)
        leader = cluster.leader("orders")
        for follower in cluster.nodes.keys() - {leader}:
            cluster.kill(follower)
        recorder.run_for(4)
        cluster.restart(follower)
        recorder.wait_for_recovery()
        history = recorder.finish()
    kinds = history.sends.rows["type"]
    assert (kinds == INFO).any(), "a record that nobody acknowledged in time is neither ok nor fail"
    assert check(history).ok, repr(check(history))
