"""Groups to test Raft with: one to build, time under the eye of every invariant, random faults, and rest."""
from random import Random

import pytest

from simulator.kernel import faults
from simulator.kernel.disk import Disk, DiskProfile
from simulator.kernel.raft import Config, Group, Member
from simulator.kernel.raft.invariants import Seen, broken
from simulator.kernel.world import World

PULL = dict(form="pull", fetch_timeout=0.2, fetch_wait=0.05, heartbeat=0.1, check_quorum=0.3, election_backoff_max=0.1)
FORMS = {"push": Config(), "push, pre-vote": Config(pre_vote=True, check_quorum=0.3), "pull": Config(**PULL),
         "pull, pre-vote": Config(**PULL, pre_vote=True)}
EVERY_FORM = pytest.mark.parametrize("form", FORMS)


def group(config=None, voters=3, observers=0, seed=1, member=Member, network=None, writeback=30.0, trace=True) -> Group:
    world = World(seed, network, trace=trace)
    nodes = [world.node(f"node-{i}", "broker", "abc"[i % 3]) for i in range(1, voters + observers + 1)]
    disks = {node.name: Disk(node, DiskProfile(writeback=writeback)) for node in nodes}
    return Group(world, "orders-0", nodes[:voters], config or Config(), nodes[voters:], disks, member)


def run(group: Group, until: float, seen: Seen | None = None) -> list[str]:
    """Lets time pass and looks at every invariant after every event; the first sentences that say what is broken."""
    seen = seen or Seen()
    while group.world.env.peek() <= until:
        group.world.env.step()
        problems = broken(group, seen)
        if problems:
            return problems
    group.world.run(until)
    return []


def schedule(group: Group, random: Random, seconds: float, kinds: list[str], count: int = 8) -> None:
    """Random faults on random members, and a client that proposes a number every few milliseconds."""
    world, names = group.world, list(group.members)
    for _ in range(count):
        node, at, lasts = random.choice(names), random.uniform(0.2, seconds), random.uniform(0.02, seconds / 3)
        others = [name for name in names if name != node]
        fault = {"crash": lambda: faults.crash(node, at, lasts), "pause": lambda: faults.pause(node, at, lasts),
                 "isolate": lambda: faults.isolate(node, at=at, lasts=lasts),
                 "mute": lambda: faults.mute(node, others, at, lasts),
                 "drop": lambda: faults.drop([node], others, at, lasts),
                 "power_loss": lambda: faults.power_loss(node, at=at, lasts=lasts),
                 "blackout": lambda: faults.power_loss(*names, at=at, lasts=lasts)}[random.choice(kinds)]()
        fault.schedule(world)
    for number in range(int(seconds / 0.03)):
        world.after(0.03 * number, group.propose, number)


def under_faults(form: str, voters: int, observers: int, seed: int) -> list[str]:
    """What is broken while a random schedule lasts or after it: no invariant, and the group recovers."""
    raft, seen = group(FORMS[form], voters, observers, seed, trace=False), Seen()
    schedule(raft, Random(f"{form}/{voters}/{seed}"), 3.0, EVERYTHING)
    problems = run(raft, 5.0, seen)
    if not problems:
        settle(raft, seen)
    return problems or ["too little was committed"] * (len(seen.committed) <= 3)


EVERYTHING = ["crash", "pause", "isolate", "mute", "drop", "power_loss", "blackout"]


def settle(group: Group, seen: Seen) -> None:
    """After the faults: the group gets a leader, commits again, and all logs become one."""
    deadline = group.world.now + 20
    done = []
    while not done and group.world.now < deadline:
        group.propose(-7, lambda offset, event: done.append(offset))
        assert run(group, group.world.now + 0.5, seen) == []
    assert done, f"nothing was committed after the faults had ended: {group}"
    assert run(group, group.world.now + 2, seen) == []
    logs = [member.log.entries for member in group.members.values()]
    assert all(log == logs[0] for log in logs)
    assert {member.high_watermark for member in group.members.values()} == {len(logs[0])}
