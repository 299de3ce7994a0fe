"""What a submission may not do is refused with a sentence, by Python itself and, on Linux, behind its back, too."""
import json
import subprocess
import sys
from pathlib import Path

import exercises
import pytest
from exercises.grader import fence

HOME = Path(exercises.__file__).parent
TRY = """
import ctypes, json, os, socket, sqlite3, sys, threading
from pathlib import Path
from exercises.grader import fence
mine, theirs = Path(sys.argv[1]), Path(sys.argv[2])
(mine / "link").symlink_to(theirs)
fence.put_up(str(mine))
said = {}
for line in json.loads(sys.argv[3]):
    try:
        exec(line)
        said[line] = ""
    except Exception as error:
        said[line] = str(error)
sys.stdout.write(json.dumps(said))
"""
REFUSED = {
    "os.fork()": "starts no processes (os.fork)", "os.system('true')": "starts no processes (os.system)",
    "import subprocess; subprocess.run(['true'])": "starts no processes (subprocess.Popen)",
    "(theirs / 'new').write_text('')": "writes in its own folder only", "(mine / 'link' / 'new').touch()": "only",
    "os.remove(theirs / 'kept')": "changes its own folder only", "os.rename(mine / 'link', theirs / 'link')": "only",
    "sqlite3.connect(theirs / 'new.db')": "changes its own folder only",
    f"Path({str(HOME / 'outbox' / 'source.md')!r}).read_text()": "the course's own answers (outbox/source.md)",
    "import exercises.outbox.alternatives.dead_letters": "own answers (outbox/alternatives/dead_letters.py)",
    "socket.getaddrinfo('example.org', 80)": "no network beyond this machine (socket.getaddrinfo example.org)",
    "socket.create_connection(('192.0.2.1', 80))": "no network beyond this machine",
}
ALLOWED = ["(mine / 'new').write_text('x')", "os.rename(mine / 'new', mine / 'newer')", "open(os.devnull, 'w').close()",
           "sqlite3.connect(':memory:').close(); sqlite3.connect(mine / 'new.db').close()", "socket.socketpair()",
           "thread = threading.Thread(target=str); thread.start(); thread.join()", "import exercises.outbox.check"]
BEHIND = ["assert ctypes.pythonapi.fork() == -1, 'forked'", "assert ctypes.pythonapi.socket(2, 1, 0) == -1, 'socket'"]


@pytest.fixture(scope="module")
def said(tmp_path_factory) -> dict[str, str]:
    """What each line raised behind the fence; empty if it went through."""
    mine, theirs = tmp_path_factory.mktemp("mine"), tmp_path_factory.mktemp("theirs")
    (theirs / "kept").touch()
    lines = json.dumps([*REFUSED, *ALLOWED, *(BEHIND if sys.platform == "linux" else ())])
    done = subprocess.run([sys.executable, "-c", TRY, str(mine), str(theirs), lines], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in theirs.iterdir()] == ["kept"]
    return json.loads(done.stdout)


def test_each_refusal_says_what_was_tried(said):
    assert {line: said[line] for line, words in REFUSED.items() if words not in said[line]} == {}


def test_what_honest_work_needs_goes_through(said):
    assert {line: said[line] for line in ALLOWED if said[line]} == {}


@pytest.mark.skipif(sys.platform != "linux", reason="the filter on system calls is Linux's")
def test_behind_pythons_back_linux_refuses(said):
    assert {line: said[line] for line in BEHIND if said[line]} == {}


@pytest.mark.parametrize("machine", fence.NUMBERS)
def test_the_filter_lets_threads_and_local_sockets_pass_and_nothing_like_them(machine):
    numbers = {name: number for name, number in fence.NUMBERS[machine].items() if name != "seccomp"}
    steps = fence.program(**numbers)

    def answer(call: int, first: int = 0, machine: int = numbers["machine"]) -> int:
        """What the small machine makes of a system call."""
        known, loaded, at = {fence.CALL: call, fence.MACHINE: machine, fence.FIRST_ARGUMENT: first}, 0, 0
        while True:
            code, yes, no, operand = steps[at]
            if code == fence.RETURN:
                return operand
            if code == fence.LOAD:
                loaded, yes, no = known[operand], 0, 0
            at += 1 + (yes if (loaded == operand if code == fence.EQUAL else loaded & operand) else no)
    assert answer(0) == answer(numbers["clone"], fence.CLONE_THREAD) == answer(numbers["socket"], 1) == fence.ALLOW
    refused = [answer(each) for each in (numbers["clone"], *numbers["refuse"])]
    assert {*refused, answer(numbers["socket"], 2), answer(0, machine=1)} == {fence.NOT_PERMITTED}
    assert answer(fence.CLONE3) == fence.UNKNOWN_CALL
