"""Progress survives restarts, crashes and damage."""
import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from classroom import progress


def test_records_merge_and_survive(progress_path):
    progress.put("goals", "00-x", sentence="Do it.")
    progress.put("goals", "00-x", reached="now")
    assert json.loads(progress_path.read_text())["goals"]["00-x"] == {"sentence": "Do it.", "reached": "now"}
    assert progress.get("goals", "00-x")["reached"] == "now" and progress.get("goals", "00-y") is None


@pytest.mark.parametrize("damage", ["{", "[]", "null", '{"goals": 3}', '{"goals": ["a"]}', "\x00"])
def test_a_broken_file_is_kept_aside(progress_path, capsys, damage):
    progress_path.write_text(damage)
    assert progress.get("goals", "00-x") is None
    assert "kept as" in capsys.readouterr().err
    assert progress_path.with_suffix(".broken.json").read_text() == damage
    progress.put("goals", "00-x", reached="now")
    assert progress.get("goals", "00-x")


def test_a_crash_while_saving_leaves_the_old_file(progress_path, monkeypatch):
    progress.put("goals", "00-x", reached="now")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(RuntimeError("power cut")))
    with pytest.raises(RuntimeError):
        progress.put("goals", "00-x", reached="later")
    assert json.loads(progress_path.read_text())["goals"]["00-x"]["reached"] == "now"


def test_where_nothing_can_be_written_it_lasts_as_long_as_the_kernel(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "file" / "progress.json"))
    progress.put("goals", "00-x", reached="now")
    progress.put("goals", "00-y", reached="later")
    assert set(progress.load()["goals"]) == {"00-x", "00-y"}
    assert capsys.readouterr().err.count("Your progress cannot be saved") == 1


def test_readers_never_see_half_a_file():
    progress.put("goals", "00-x", reached="x" * 50_000)
    with ThreadPoolExecutor(4) as pool:
        writes = [pool.submit(progress.put, "goals", "00-x", reached="y" * 50_000) for _ in range(20)]
        reads = [pool.submit(progress.get, "goals", "00-x") for _ in range(40)]
    assert all(read.result() is not None for read in reads) and all(write.result() for write in writes)
