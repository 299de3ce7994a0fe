"""What simulations leave behind: one run, several side by side, or a grid; each judges, explains and draws itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape

from .evidence.checks import Anomaly, Guarantees, Report, check
from .evidence.history import History
from .evidence.meters import Meters
from .evidence.report import LOSS
from .evidence.statistics import Latency
from .evidence.trace import Trace
from .kernel.faults import Fault
from .workload import Workload


@dataclass
class Run:
    """One simulation: what clients saw (`history`), what nodes did (`trace`), what it cost (`meters`).

    `seconds` is simulated time.
    """
    system: object
    workload: Workload
    faults: tuple[Fault, ...]
    seed: int
    history: History
    trace: Trace
    meters: Meters
    guarantees: Guarantees
    seconds: float
    drawn: Callable[[Run], object] | None = None

    # Judging

    @cached_property
    def report(self) -> Report:
        """The verdict of every check."""
        return check(self.history, self.guarantees)

    def check(self) -> Report:
        """The verdict of every check, in one sentence and in a table."""
        return self.report

    @property
    def anomalies(self) -> list[Anomaly]:
        """What went wrong, broken promises first."""
        return self.report.anomalies

    def why(self, anomaly: Anomaly | None = None):
        """The chain of causes behind one anomaly (the first, if none is named), in words."""
        from .evidence.why import why
        if anomaly is None and not self.anomalies:
            raise ValueError("anomaly: this run has none to explain")
        return why(self.history, self.trace, anomaly or self.anomalies[0])

    # Measuring

    @cached_property
    def latency(self) -> Latency:
        """From a record's creation to its acknowledgement, in seconds."""
        return Latency(self.history.latencies("produce"), "produce latency")

    @cached_property
    def end_to_end(self) -> Latency:
        """From a record's creation to its first delivery, in seconds."""
        return Latency(self.history.latencies("end_to_end"), "end-to-end latency")

    def figures(self) -> dict[str, float]:
        """The run in numbers: seconds for latencies, records for counts, bytes for traffic."""
        found = {name: getattr(self.latency, name) for name in ("mean", "p50", "p99", "p999")}
        found |= {f"end_to_end_{name}": getattr(self.end_to_end, name) for name in ("mean", "p50", "p99")}
        found |= {"records": self.latency.n, "cross_zone_bytes": self.meters.cross_zone_bytes()}
        return found | {kind.replace(" ", "_"): verdict.records for kind, verdict in self.report.verdicts.items()}

    # Telling and showing

    def story(self, **filters):
        """What happened, one line an event, filtered as by `evidence.why.story` (limit, node, key, since, until)."""
        from .evidence.why import story
        return story(self.trace, **filters)

    def picture(self, kind: str = "throughput", **options):
        """A figure: throughput, lag, latency, end_to_end, isr, topology, or space_time (with start and end)."""
        from .views import figures
        marks = [(fault.at, str(fault)) for fault in self.faults]
        makers = {
            "throughput": lambda **o: figures.throughput(self.history, faults=marks, seed=self.seed, **o),
            "lag": lambda **o: figures.lag(self.history, faults=marks, seed=self.seed, **o),
            "latency": lambda **o: figures.latency_cdf(self.history, seed=self.seed, **o),
            "end_to_end": lambda **o: figures.latency_cdf(self.history, what="end_to_end", seed=self.seed, **o),
            "isr": lambda **o: figures.isr_gantt(self.trace, seed=self.seed, **o),
            "topology": lambda **o: figures.topology(self.trace, seed=self.seed, **o),
            "space_time": lambda start, end, **o: figures.space_time(self.trace, start, end, seed=self.seed, **o),
        }
        if kind not in makers:
            raise ValueError(f"kind: {kind!r} is not one of {', '.join(makers)}")
        return makers[kind](**options)

    def play(self, **options):
        """The run as a film to scrub, step and pause; it needs no kernel once made."""
        from .views.player import player
        if self.anomalies and "explanation" not in options:
            chain = self.why()
            options |= {"explanation": [(line.time, line.node, line.sentence) for line in chain.lines]
                        + [(None, "", chain.ending)], "question": chain.title}
            options.setdefault("key", self.anomalies[0].key if self.anomalies[0].key in self.trace.keys else None)
        return player(self.trace, title=self.title, subtitle=self.subtitle, verdicts=self._chips(),
                      seed=self.seed, **options)

    def shown_as(self, draw: Callable[[Run], object]) -> Run:
        """The same run; a notebook shows it as the picture `draw(run)`."""
        return replace(self, drawn=draw)

    @property
    def title(self) -> str:
        """The finding, in one clause."""
        return str(self.report).split(":")[0]

    @property
    def subtitle(self) -> str:
        """What was run: system, workload, faults, seed."""
        faults = "; ".join(map(str, self.faults)) or "no faults"
        load = f"{self.workload.rate:,g} records/s for {self.workload.seconds:g} s"
        return f"{self.system} · {load} · {faults} · seed {self.seed}"

    def _chips(self) -> list[tuple[bool | None | str, str]]:
        """The verdicts worth a glance: all that found something, and those that everybody asks for."""
        well = {"lost write": "nothing lost", "duplicate": "nothing stored twice", "nonmonotonic send": "order kept",
                "lost": "nothing lost", "order inversion": "order kept"}
        symbols = {"holds": True, "broken": False, "permitted": "○", "unknown": None}
        if any(self.report.verdicts[kind].cases for kind in LOSS if kind in self.report.verdicts):
            well = {kind: text for kind, text in well.items() if kind not in LOSS}
        return [(symbols[verdict.word], verdict.finding if verdict.cases else well[kind])
                for kind, verdict in self.report.verdicts.items() if kind in well or verdict.cases]

    def __repr__(self) -> str:
        return f"{self.report}\n{self.subtitle}\n{self.latency}\n{self.end_to_end}"

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        """Verdict, headline figures and one picture, with the text as fallback; or the picture that was asked for."""
        if self.drawn:
            return self.drawn(self)._repr_mimebundle_()
        picture = self.picture("throughput")
        html = (f"<p><strong>{escape(str(self.report))}</strong></p><p>{escape(self.subtitle)}</p>"
                f"{self.latency._repr_html_()}{self.end_to_end._repr_html_()}")
        return {"text/html": html + picture._repr_mimebundle_()["text/html"], "text/plain": repr(self)}


@dataclass
class Comparison:
    """The same workload, faults and seed on several systems."""
    runs: dict[str, Run]

    def __getitem__(self, name: str) -> Run:
        return self.runs[name]

    def __iter__(self):
        return iter(self.runs.values())

    def to_pandas(self):
        """One row a system: the run's figures."""
        import pandas as pd
        return pd.DataFrame([{"system": name} | run.figures() for name, run in self.runs.items()])

    def picture(self, what: str = "produce", **options):
        """The latencies as small multiples."""
        from .views import figures
        seed = next(iter(self.runs.values())).seed if self.runs else None
        return figures.compare({name: run.history for name, run in self.runs.items()}, what=what, seed=seed, **options)

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {run.title}; {_headline(run.latency)}" for name, run in self.runs.items())

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        head = "".join(f"<th scope='col'>{column}</th>" for column in ("system", "verdict", "produce latency"))
        rows = "".join(f"<tr><th scope='row'>{escape(name)}</th><td>{escape(run.title)}</td>"
                       f"<td>{_headline(run.latency)}</td></tr>" for name, run in self.runs.items())
        table = (f"<table><caption>One verdict a system</caption><thead><tr>{head}</tr></thead>"
                 f"<tbody>{rows}</tbody></table>")
        return {"text/html": table + self.picture()._repr_mimebundle_()["text/html"], "text/plain": repr(self)}


def _headline(latency: Latency) -> str:
    return f"p50 {1000 * latency.p50:.3g} ms, p99 {1000 * latency.p99:.3g} ms" if latency.n else "nothing acknowledged"


class Sweep:
    """A grid of settings under several seeds; `rows` maps the settings, the seed and the run's figures."""

    def __init__(self, settings: tuple[str, ...], rows: list[Mapping[str, float]]):
        self.settings, self.rows = settings, rows

    def to_pandas(self):
        """One row a run."""
        import pandas as pd
        return pd.DataFrame(self.rows)

    def picture(self, measure: str, *, x: str | None = None, by: str | None = None, **options):
        """A measure against a setting (or the first) with its confidence band, a line for each value of `by`."""
        from .views import figures
        x = x or self.settings[0]
        by = by or next((setting for setting in self.settings if setting != x), None)
        for field, value, known in (("measure", measure, tuple(self.rows[0])), ("x", x, self.settings)):
            if value not in known:
                raise ValueError(f"{field}: {value!r} is not one of {', '.join(known)}")
        return figures.sweep(self.to_pandas(), x, measure, by=by, **options)

    def __repr__(self) -> str:
        return f"Sweep of {', '.join(self.settings)}: {len(self.rows)} runs"
