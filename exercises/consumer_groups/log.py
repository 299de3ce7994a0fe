"""A small log in this process, the service that each record is for, and a topic for dead letters.

The service takes a record as often as it is given (it recognises copies). It may fail for a while, for ever, or so that
the process that called it dies: nothing tells these apart but trying again.
"""

LIMIT = 3  # a record that was tried so often goes to the dead letters


class Failed(Exception):
    """The service did not take the record. It may do so next time, or never."""


class NotSent(Exception):
    """No confirmation: the dead letter may or may not have been stored."""


class World:
    """What the broker and the service know."""

    def __init__(self, plan, clock):
        self.plan, self.clock = plan, clock
        self.committed = [0] * len(plan.log)
        self.tried: dict[str, int] = {}
        self.applied: list[str] = []
        self.letters: list[str] = []
        self.sends = 0

    def end(self, partition: int) -> int:
        """The offset behind the last record."""
        log = self.plan.log[partition]
        return log[-1][0] + 1 if log else 0

    def outcome(self, id: str) -> str:
        """What comes of this try of a record: "done", "fails" or "kills"."""
        self.tried[id] = self.tried.get(id, 0) + 1
        if id in self.plan.killers:
            return "kills"
        return "fails" if id in self.plan.poison or self.tried[id] <= dict(self.plan.hiccups).get(id, 0) else "done"


class Record:
    """One delivery of one record: where it stands, and its id."""

    def __init__(self, partition: int, offset: int, id: str, world: World, process):
        self.partition, self.offset, self.id, self.world, self.process = partition, offset, id, world, process

    def commit(self) -> None:
        """Tell the broker that everything in this partition up to and including this record is done."""
        step = self.process.step(f"commit offset {self.offset + 1}")
        step.update(partition=self.partition, next=self.offset + 1)
        self.world.committed[self.partition] = self.offset + 1


class Downstream:
    """One process's connection to the service that the records are for."""

    def __init__(self, world: World, process):
        self.world, self.process = world, process

    def apply(self, record: Record) -> None:
        """Hand a record over; may raise `Failed`."""
        self.process.step(f"apply {record.id}")
        outcome = self.world.outcome(record.id)
        if outcome == "kills":
            self.process.die(record.id)
        if outcome == "fails":
            self.world.clock.note(self.process.name, "failed", fault=True, record=record.id)
            raise Failed(f"the service did not take {record.id}")
        self.world.applied.append(record.id)


class DeadLetters:
    """One process's connection to the topic for records that nobody could handle."""

    def __init__(self, world: World, process):
        self.world, self.process = world, process

    def send(self, record: Record) -> None:
        """Store a record among the dead letters; may raise `NotSent`."""
        self.process.step(f"dead letter {record.id}")
        world = self.world
        world.sends += 1
        loss = dict(world.plan.losses).get(world.sends)
        if loss:
            world.clock.fault(self.process.name, loss, record=record.id)
        if loss != "letter lost":
            world.letters.append(record.id)
        if loss:
            raise NotSent(f"no confirmation for the dead letter {record.id}")
