"""The course's own commands."""
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from socket import socket

import pytest
from classroom import __main__ as commands
from classroom import doctor, lab, places, progress
from classroom.places import ROOT


def test_lab_opens_the_first_chapter_and_passes_options_on():
    first = lab.command(["--no-browser"])
    assert "--LabApp.default_url=/lab/tree/chapters/00-prologue.ipynb" in first and first[-1] == "--no-browser"
    assert "--LabApp.default_url=/lab/tree/labs/nats-jetstream.ipynb" in lab.command(["labs/nats-jetstream.ipynb"])


def test_lab_keeps_the_learners_own_settings(monkeypatch):
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "/mine")
    ours, mine = lab.environment()["JUPYTER_CONFIG_PATH"].split(os.pathsep)
    assert (Path(ours) / "jupyter_lab_config.py").exists() and mine == "/mine"
    overrides = json.loads((Path(ours) / "labconfig" / "default_setting_overrides.json").read_text())
    assert overrides["@jupyterlab/notebook-extension:tracker"]["codeCellConfig"]["lineWrap"] is True


def test_lab_starts_guarded_by_a_token(tmp_path):
    """JupyterLab answers, leads to the first chapter, and lets nobody in without the token."""
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = {name: str(tmp_path) for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR")}
    options = ["--no-browser", f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token=secret"]
    server = subprocess.Popen([sys.executable, "-m", "classroom", "lab", *options], env=os.environ | home,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert "chapters/00-prologue.ipynb" in answer(f"http://127.0.0.1:{port}/?token=secret")
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/api/contents")
    finally:
        server.terminate()
        server.wait(20)


def answer(url: str, patience: float = 60) -> str:
    """Where the url leads once the server is up."""
    until = time.monotonic() + patience
    while True:
        try:
            return urllib.request.urlopen(url, timeout=10).url
        except urllib.error.HTTPError as error:
            return error.url  # the server is up; the chapter itself may be missing
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def test_doctor_finds_this_machine_fit():
    command = [sys.executable, "-m", "classroom", "doctor"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0 and "[FAIL]" not in ran.stdout, ran.stdout + ran.stderr
    assert "a simulation runs" in ran.stdout and ran.stdout.splitlines()[-1].startswith("Next: chapters/")


def test_doctor_fails_only_for_what_is_needed(monkeypatch, capsys):
    assert not doctor.report(lambda: 1 / 0)
    assert capsys.readouterr().out.startswith("[FAIL] <lambda>: ZeroDivisionError")
    monkeypatch.setattr(doctor, "OPTIONAL", {"teapot": ("no-such-program", "tea")})
    for check in ("packages", "imports", "kernel", "tiny_simulation"):
        monkeypatch.setattr(doctor, check, lambda: "fine")
    assert doctor.main([]) == 0
    assert "[ -- ] teapot: not found; only needed for tea" in capsys.readouterr().out


def test_doctor_reads_pins_that_apply_here():
    rows = ['numpy==1.0 ; python_full_version < "3.0" \\', "    --hash=sha256:0",
            'numpy==2.0 ; python_full_version >= "3.0" \\', "simpy==4.1.2 \\"]
    assert list(doctor.pinned("\n".join(rows))) == [("numpy", "2.0"), ("simpy", "4.1.2")]


def test_next_notebook_follows_the_quizzes(monkeypatch):
    chapters = [Path("chapters/00-prologue.md"), Path("chapters/02-kafka.md")]
    monkeypatch.setattr(doctor, "sources", lambda: chapters)
    assert doctor.next_notebook().endswith("00-prologue.ipynb")
    progress.put("quizzes", "00-end", right=True, tries=["x"])
    assert doctor.next_notebook().endswith("02-kafka.ipynb")


def test_a_notebook_is_named_from_where_the_learner_stands(monkeypatch):
    monkeypatch.chdir(ROOT / "chapters")
    assert "--LabApp.default_url=/lab/tree/chapters/02-kafka.ipynb" in lab.command(["02-kafka.ipynb"])


@pytest.mark.parametrize("arguments, sentence", [
    (["lab", "nope.ipynb"], "nope.ipynb: there is no such file"),
    (["build", "nope.md"], "nope.md: there is no such file"),
    (["build", "README.md"], "README.md is no chapter and no lab; there are: 00-prologue"),
    (["book", "INSTRUCTORS.md"], "INSTRUCTORS.md is no chapter and no lab"),
    (["timetable"], "timetable: name notebooks"),
    (["timetable", "00-prologue", "--start", "noon"], "timetable: name notebooks"),
    (["timetable", "nope"], "timetable: there is no chapter, lab or exercise nope"),
    (["doctor", "quickly"], "doctor: it takes no arguments, and got quickly"),
])
def test_bad_usage_is_one_sentence(arguments, sentence):
    with pytest.raises(SystemExit, match=f"^{sentence}"):
        commands.main(arguments)


def test_the_timetable_adds_up(capsys):
    assert commands.main(["timetable", "00-prologue", "outbox", "--start", "13:30"]) == 0
    first, second, end = capsys.readouterr().out.splitlines()
    assert first.startswith("13:30   30 min  00-prologue") and "which kind of system" in first
    assert second.startswith("14:10   60 min  outbox") and end.startswith("15:10  the end")


def test_a_notebook_stands_for_its_source_and_is_never_read_as_one():
    assert places.chosen(["chapters/00-prologue.ipynb"]) == [ROOT / "chapters" / "00-prologue.md"]


def test_every_command_tells_its_purpose(capsys):
    assert commands.main(["build", "--help"]) == 0
    assert "generate the notebooks" in capsys.readouterr().out


def test_an_unknown_command_shows_the_usage(capsys):
    assert commands.main(["dance"]) == 2 and commands.main([]) == 0
    assert "doctor     check this machine" in capsys.readouterr().out
