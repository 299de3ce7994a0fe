"""A campaign walks through attacks, stops at the first that works, shrinks it and words the verdict.

The walk is written once and used twice: live, where each attack is performed on a learner's program, and over recorded
runs, where a judge in another process makes sure that exactly these attacks were carried out.
"""
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace

CORRECT, WRONG, NOT_ATTEMPTED = "correct", "wrong", "not attempted"


class Replayed(ValueError):
    """A recorded campaign is not the one that was asked for."""


@dataclass
class Finding:
    """One broken rule: its name, what happened in a sentence, how it came about, and every step that led there."""
    rule: str
    sentence: str
    how: str
    story: list[str] = field(default_factory=list, repr=False)
    events: list[dict] = field(default_factory=list, repr=False)
    words: Callable | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.rule}: {self.sentence} {self.how}"


@dataclass
class Campaign:
    """A check's runs, in the order in which they were performed."""
    check: str
    seeds: list[int]
    runs: list

    def as_dict(self) -> dict:
        """The evidence as plain data, for a judge elsewhere."""
        return asdict(self)


@dataclass
class Verdict:
    """`correct`, `wrong` with the finding that shows it, or `not attempted`."""
    check: str
    outcome: str
    runs: int
    faults: int
    finding: Finding | None = None

    @property
    def reason(self) -> str:
        """Why the check is not correct, in one line."""
        return str(self.finding) if self.finding else ("" if self.outcome == CORRECT else "not attempted")

    def play(self):
        """The failing run as a film to scrub and step; None if nothing failed."""
        from .film import film  # here, because a graded run needs no picture

        found = self.finding
        return found and film(found.events, found.words, title=found.sentence, question=f"{self.check}: {found.rule}")

    def __repr__(self) -> str:
        if self.outcome == CORRECT:
            survived = f", {counted(self.faults, 'fault')} survived" if self.faults else ""
            return f"{self.check}: correct. {counted(self.runs, 'run')}{survived}."
        if self.outcome == NOT_ATTEMPTED:
            return f"{self.check}: not attempted. Replace the line that raises NotImplementedError and run this again."
        return "\n".join([
            f"{self.check}: wrong, found in run {self.runs}.",
            f"  Broken: {self.finding.rule}. {self.finding.sentence}",
            f"  How:    {self.finding.how}", "", "  The run, step by step (the same as a film: _.play()):",
            *map("    {}".format, self.finding.story)])


def counted(number: int, noun: str) -> str:
    """`1 run`, `1,200 runs`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def walk(plans: Iterable, perform: Callable) -> Iterator:
    """Every run of a campaign: each plan calmly, then, where it asks for it, once for each step at which to die.

    Instead of True a plan may come with the name of another fault that strikes at steps, such as "pauses".
    """
    for plan, everywhere in plans:
        calm = perform(plan)
        yield calm
        kind = "crashes" if everywhere is True else everywhere
        for step in range(1, calm.steps + 1) if kind else ():
            yield perform(replace(plan, **{kind: (step,)}))


def live(plans: Iterable, perform: Callable, broken: Callable) -> list:
    """The runs up to and including the first one that breaks a rule."""
    runs = []
    for run in walk(plans, perform):
        runs.append(run)
        if broken(run):
            break
    return runs


def replayed(plans: Iterable, runs: list, as_dict: Callable) -> Iterator:
    """The recorded runs, each compared with the attack it should be; raises `Replayed` if one is another."""
    recorded = iter(runs)

    def perform(plan):
        run = next(recorded, None)
        if run is None or run.plan != as_dict(plan):
            raise Replayed("the recorded runs are not the attacks that were asked for")
        return run

    return walk(plans, perform)


def smallest(plan, fails: Callable, fewer: Callable[[object], Iterable]):
    """A plan with as few faults as possible that still fails: drop one fault after another while it does."""
    for candidate in fewer(plan):
        if fails(candidate):
            return smallest(candidate, fails, fewer)
    return plan
