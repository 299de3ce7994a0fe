"""What a lab needs beyond Python, asked for in its first cell; cells that lack it say so instead of failing.

    from labs import needs
    needs.check("nats-server")

A later cell that begins with `%%needs nats-server` is an ordinary cell where nats-server is found, and one printed
sentence where it is not. Nothing is pretended: what did not run shows no result.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import NamedTuple

from labs import buf
from labs.servers import kafka_install, mock_kafka, postgres, process, redpanda, seaweedfs, temporal


class Package(NamedTuple):
    """A Python package that needs another one for what a lab does with it."""
    name: str
    other: str
    install: str

    def find(self) -> str | None:
        """Where the package is, None unless both are here."""
        found = [find_spec(name) for name in (self.name, self.other)]
        return found[0].origin if all(found) else None

    def missing(self) -> str:
        """One sentence for an environment without one of them."""
        return f"{self.name} with {self.other} is not in this environment: run `{self.install}` and restart the kernel"


MARK = "%%needs "
# What is more than one program on the PATH knows itself where it is.
ELSEWHERE = {"buf": buf, "kafka": kafka_install, "mock-kafka": mock_kafka, "postgres": postgres,
             "redpanda": redpanda, "seaweedfs": seaweedfs, "temporal": temporal,
             "eventsourcing": Package("eventsourcing", "psycopg_pool",
                                      "pip install eventsourcing==9.5.6 'psycopg[pool]'")}


def find(program: str) -> str | None:
    """Where a program is, None if it is not here."""
    return ELSEWHERE[program].find() if program in ELSEWHERE else process.find(program)


def missing(program: str) -> str:
    """One sentence for a program that is not here: what it is and how to get it."""
    return ELSEWHERE[program].missing() if program in ELSEWHERE else process.missing(program)


def check(*programs: str) -> None:
    """Says which of these programs this environment has, and how to get the others."""
    for program in programs:
        path = find(program)
        print(f"[ OK ] {program}: {path}" if path else f"[MISS] {missing(program)}; cells that need it are skipped.")
    _watch_cells()


def unless_missing(lines: list[str]) -> list[str]:
    """The lines of a cell without its `%%needs` line, or lines that print what is missing."""
    if not lines or not lines[0].startswith(MARK):
        return lines
    absent = [program for program in lines[0].removeprefix(MARK).split() if not find(program)]
    return [f"print({f'Not run: {missing(program)}.'!r})\n" for program in absent] or lines[1:]


def _watch_cells() -> None:
    """Puts `unless_missing` before IPython's own reading of `%%` lines, so that such a cell stays plain Python."""
    from IPython import get_ipython
    if (shell := get_ipython()) and unless_missing not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(unless_missing)
