"""The verdicts of both arms beside what was expected, as text."""

from __future__ import annotations

from .verdicts import SCENARIOS

LAYOUT = "{:<36} {:<20} {:<20} {:<20} {}"


def table(models: dict[str, frozenset[str]], reals: dict[str, frozenset[str]] | str) -> str:
    """A line a scenario; `reals` may be the sentence that says why the real broker was not run."""
    lines = [LAYOUT.format("scenario", "expected", "model", "Apache Kafka", "").rstrip()]
    for name, scenario in SCENARIOS.items():
        expected, real = frozenset(scenario["expected"]), reals if isinstance(reals, str) else reals.get(name)
        seen = [verdict for verdict in (models.get(name), real) if isinstance(verdict, frozenset)]
        agree = "DIFFER" if any(verdict != expected for verdict in seen) else "agree" if len(seen) == 2 else ""
        lines.append(LAYOUT.format(name, told(expected), told(models.get(name)), told(real), agree).rstrip())
    return "\n".join([*lines, f"Apache Kafka was not run: {reals}" if isinstance(reals, str) else ""]).rstrip()


def told(verdicts) -> str:
    """A set of verdicts in words; "not run" if there is none."""
    return (", ".join(sorted(verdicts)) or "nothing wrong") if isinstance(verdicts, frozenset) else "not run"
