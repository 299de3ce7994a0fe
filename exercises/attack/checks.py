"""The checks of one exercise: each performs its attacks, judges the runs, and shows a failure in its smallest form.

An exercise brings its plans, its world (`perform`) and a module of rules with `finding(run, rules)`,
`unattempted(run)` and `unfired`, the rule that faults which never struck prove nothing.
"""
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from .campaign import CORRECT, NOT_ATTEMPTED, WRONG, Campaign, Replayed, Verdict, live, replayed, smallest
from .runs import plain

PUBLIC = (1,)


@dataclass(frozen=True)
class Check:
    """What a check needs from the learner, its attacks, and the rules it judges by."""
    functions: tuple[str, ...]
    plans: Callable
    rules: tuple[Callable, ...]


class Exercise:
    """All checks of an exercise, by name, with the world they are performed in."""

    def __init__(self, checks: dict[str, Check], rules, perform: Callable, run: type, plan_of: Callable,
                 fewer: Callable):
        self.checks, self.rules, self.perform = checks, rules, perform
        self.run, self.plan_of, self.fewer = run, plan_of, fewer

    def plans(self, check: str, seeds) -> Iterator:
        """All plans of a check for some seeds, the same in every process."""
        for seed in seeds:
            yield from self.checks[check].plans(random.Random(f"{check} {seed}"))

    def attack(self, check: str, functions: dict, seeds=PUBLIC) -> Campaign:
        """Perform a check's attacks until one works."""
        def broken(run) -> bool:
            return self.rules.unattempted(run) or self.finding(check, run) is not None
        runs = live(self.plans(check, seeds), lambda plan: self.perform(plan, functions), broken)
        return Campaign(check, list(seeds), runs)

    def finding(self, check: str, run):
        """What a run breaks of the rules of a check; a run in which nothing was attacked proves nothing."""
        return self.rules.finding(run, (*self.checks[check].rules, self.rules.unfired))

    def verdict(self, check: str, runs: list) -> Verdict:
        """The verdict on a campaign, from its last run: it is the only one that may have broken a rule."""
        faults = sum(bool(event.get("fault")) for run in runs for event in run.events)
        found = self.finding(check, runs[-1])
        outcome = NOT_ATTEMPTED if self.rules.unattempted(runs[-1]) else WRONG if found else CORRECT
        return Verdict(check, outcome, len(runs), faults, found if outcome == WRONG else None)

    def judge(self, check: str, evidence: dict, seeds) -> Verdict:
        """The verdict on recorded evidence; raises `Replayed` if it is not the campaign that was asked for."""
        try:
            runs = [self.run(**run) for run in evidence["runs"]]
            judged = []
            for run in replayed(self.plans(check, seeds), runs, lambda plan: plain(asdict(plan))):
                judged.append(run)
                if self.rules.unattempted(run) or self.finding(check, run):
                    break
            return self.verdict(check, judged)
        except (KeyError, TypeError, IndexError, AttributeError, StopIteration) as error:
            raise Replayed(f"the recorded evidence cannot be read ({type(error).__name__}: {error})") from error

    def shrunk(self, check: str, functions: dict, run):
        """The smallest attack found that still breaks the same rule."""
        rule = self.finding(check, run).rule

        def fails(plan) -> bool:
            found = self.finding(check, self.perform(plan, functions))
            return found is not None and found.rule == rule
        return self.perform(smallest(self.plan_of(run), fails, self.fewer), functions)

    def attacked(self, check: str, seeds, record, **functions) -> Verdict:
        """Perform, record if asked, and judge; a failure is shown in its smallest form."""
        campaign = self.attack(check, functions, seeds)
        if record:
            Path(record).write_text(json.dumps(campaign.as_dict()), encoding="utf-8")
        result = self.verdict(check, campaign.runs)
        if result.outcome == WRONG:
            result = replace(result, finding=self.finding(check, self.shrunk(check, functions, campaign.runs[-1])))
        return result


def without_one(plan, kinds) -> Iterator:
    """The same plan with one fault less of these kinds, in every way."""
    for kind in kinds:
        faults = getattr(plan, kind)
        yield from (replace(plan, **{kind: faults[:n] + faults[n + 1:]}) for n in range(len(faults)))
