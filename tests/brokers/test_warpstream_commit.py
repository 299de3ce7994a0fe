"""The commit under a thousand random fault schedules: nothing acknowledged is lost, stored twice or moved."""
from collections import Counter
from dataclasses import replace

import pytest

from simulator import faults, simulate
from simulator.brokers.warpstream.metadata import Metadata
from simulator.evidence.history import INFO, OK

from . import warpstream_schedules as schedules

BLOCK = 125


@pytest.mark.parametrize("block", range(8))
def test_nothing_acknowledged_is_lost_stored_twice_or_moved(block):
    happened = Counter()
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        run = schedules.run(seed)
        report = run.check()
        assert report.ok and run.history.drained, f"seed {seed}: {report}"
        assert run.seconds < 66, f"seed {seed} never came to rest"
        fates = run.history.sends.rows["type"]
        assert (fates != INFO).all() or any(name.startswith("producer") for f in run.faults for name in f.nodes)
        happened.update({name: int(run.meters.counts[f"{name}"]) for name in (
            "orphans", "compactions", "object-store throttled requests")} | {"ok": int((fates == OK).sum())})
    assert min(happened.values()) > 50, happened   # else the schedules prove nothing


def test_the_schedules_reach_every_rule_of_the_commit():
    kinds = ("deduplicated", "refused", "orphan", "failed", "compacted")
    found, why = Counter(), Counter()
    for seed in range(60):
        run = schedules.run(seed, trace=True)
        found.update({kind: len(run.trace.where(kind)) for kind in kinds})
        why.update(run.trace.notes[event] for event in run.trace.where("refused"))
    assert all(found[kind] > 5 for kind in kinds), found
    assert {"one before it is missing", "its file was declared an orphan"} <= set(why)


def test_what_a_dead_producer_left_behind_cannot_come_in_between():
    late = [faults.pause("agent-1", at=2.05, lasts=3.2), faults.crash("producer-1", at=2.2, lasts=0.1)]
    run = simulate(schedules.QUICK, schedules.WORKLOAD, faults=late, seed=1)
    assert run.check().ok and "its producer has begun a new epoch" in run.trace.notes.values()


def broken(seeds, **settings) -> set[str]:
    """The kinds of anomalies, permitted or not, that turn up under these schedules."""
    return {kind for seed in seeds for kind, verdict in schedules.run(seed, **settings).check().verdicts.items()
            if verdict.cases}


def test_without_sequences_at_the_commit_retries_are_stored_twice(monkeypatch):
    assert broken(range(40)) == set()
    monkeypatch.setattr(Metadata, "sequences", property(lambda self: False, lambda self, value: None), raising=False)
    assert "duplicate" in broken(range(40))
    assert not all(schedules.run(seed).check().ok for seed in range(40))


def test_a_collector_that_does_not_ask_loses_what_is_committed_meanwhile(monkeypatch):
    """Paused between PUT and commit for longer than the age of an orphan: the commit must be refused."""
    patient = replace(schedules.QUICK, request_timeout=30.0, orphan_age=2.0)

    def paused():
        away = [faults.pause("agent-2", at=1.31, lasts=4.0)]
        return [simulate(patient, schedules.WORKLOAD, faults=away, seed=seed) for seed in range(8)]
    runs = paused()
    assert all(run.check().ok for run in runs)
    assert any("its file was declared an orphan" in run.trace.notes.values() for run in runs)
    apply = Metadata._apply

    def forgetful(self, file, event):
        self.dead.discard(file.name)
        return apply(self, file, event)
    monkeypatch.setattr(Metadata, "_apply", forgetful)
    assert any(run.check().verdicts["lost write"].cases for run in paused())


# Lightning: acknowledged before the commit

def test_a_lightning_topic_keeps_all_records_and_promises_neither_order_nor_once():
    found = set()
    for seed in range(60):
        run = schedules.run(seed, lightning=True)
        assert run.check().ok, f"seed {seed}: {run.check()}"
        found |= {kind for kind, verdict in run.check().verdicts.items() if verdict.cases}
    assert found == {"duplicate", "nonmonotonic send"}


def test_without_the_slow_path_a_crash_before_the_commit_loses_what_was_acknowledged():
    """What lightning may lose if nobody looks for its files: found, named, and permitted only then."""
    found = broken(range(60), lightning=True, slow_path=False)
    assert "lost write" in found
    losing = next(run for seed in range(60) if (run := schedules.run(seed, lightning=True, slow_path=False))
                  .check().verdicts["lost write"].cases)
    assert losing.check().ok and not losing.guarantees.durable
    assert any(fault.kind in ("crash", "power_loss", "isolate", "partition", "drop", "mute", "pause")
               for fault in losing.faults)


def test_orphans_are_collected_and_were_never_seen():
    trouble = [faults.drop(["agent-1"], ["metadata"], at=1, lasts=1), faults.crash("agent-1", at=1.9, lasts=0.5)]
    run = simulate(schedules.QUICK, schedules.WORKLOAD, faults=trouble, seed=4, settle=60)
    orphans = {run.trace.notes[event] for event in run.trace.where("orphan")}
    assert run.check().ok and orphans
    appended = {run.trace.notes.get(event) for event in run.trace.where("committed")}
    assert not orphans & appended
    deleted = {note for event, note in run.trace.notes.items()
               if event in set(run.trace.where("store_delete").tolist())}
    assert orphans <= deleted
