"""What a run leaves behind: plain data, so that a file can hold it and any process can judge it."""
import json
from dataclasses import asdict, dataclass, field


def plain(value):
    """The value as JSON would give it back."""
    return json.loads(json.dumps(value, default=str))


@dataclass
class Evidence:
    """What could be seen of one run: plan, number of steps, events; an exercise adds what its rules look at."""
    plan: dict
    steps: int
    events: list = field(repr=False)

    @classmethod
    def of(cls, plan, clock, **seen) -> "Evidence":
        """The evidence of a plan's run under a clock."""
        return cls(plain(asdict(plan)), clock.steps, plain(clock.events), **seen)
