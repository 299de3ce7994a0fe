"""Chapter 02a: all replicas' logs at any moment, from the trace alone, drawn with the epoch of every record."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from simulator.run import Run
from simulator.views import style
from simulator.views.picture import Picture, picture, sentence, words

from .counterexamples import KEEPS, LADDER, diverged, forgetful_follower, lost, verdict

# one a leader epoch, with its number
EPOCHS = [style.OKABE_ITO[name] for name in ("sky", "orange", "purple", "yellow", "green", "blue")]
ON_DARK = (style.OKABE_ITO["blue"],)  # colours on which words are white
DOWN, UP = ("crash", "power_loss"), ("restart",)
CHANGES = ("append", "replicate", "truncate", "lost_unflushed", "fetched", "high_watermark", "elected", *DOWN, *UP)


@dataclass
class Replica:
    """A replica at one moment: its records as (leader epoch, value), by offset, and what it takes for committed."""
    name: str
    records: list[tuple[int, int]] = field(default_factory=list)
    high_watermark: int = 0
    up: bool = True
    leads: bool = False


def replicas(run: Run, at: float = inf) -> dict[str, Replica]:
    """Every broker's log at this moment, from what the trace says was appended, copied, cut and lost."""
    trace, rows = run.trace, run.trace.events.rows
    found = {code: Replica(info.name) for code, info in enumerate(trace.nodes) if info.role == "broker"}
    answers: dict[int, list] = {}  # what a leader's log was when it answered a fetch
    for event in trace.where(*CHANGES).tolist():
        row, kind = rows[event], trace.kinds[rows["kind"][event]].name
        if row["time"] > at:
            break
        if row["node"] in found:
            _apply(found, found[row["node"]], kind, row, event, answers, trace)
    return {replica.name: replica for replica in found.values()}


def _apply(found, replica: Replica, kind: str, row, event: int, answers: dict, trace) -> None:
    offset, count = int(row["offset"]), int(row["count"])
    if kind == "append":
        replica.records += [(int(row["epoch"]), int(row["value"]) + i) for i in range(count)]
    elif kind == "fetched":
        answers[event] = list(replica.records)
    elif kind == "replicate":
        answer = next(answers[cause] for cause in reversed(trace.causes(event)) if cause in answers)
        replica.records[offset:] = answer[offset:offset + count]
    elif kind in ("truncate", "lost_unflushed"):
        del replica.records[offset:]
        replica.high_watermark = min(replica.high_watermark, offset)
    elif kind == "high_watermark":
        replica.high_watermark = offset
    elif kind == "elected":
        for other in found.values():
            other.leads = other is replica
    else:
        replica.up = kind in UP


# Pictures

def small_multiples(runs: dict[str, Run], at: float = inf) -> Picture:
    """The same execution on several rungs, one above the other: all logs at this moment, and the end of it."""
    logs = {rung: replicas(run, at) for rung, run in runs.items()}
    one, lines = len(runs) == 1, len(next(iter(logs.values())))
    figure, axes = picture(_finding(runs), _caption(runs, logs, at), head=0.0 if one else 0.25, left=1.25,
                           rows=len(runs), sharex=True, height=len(runs) * (0.36 * lines + 0.36))
    for axis, (rung, run) in zip(axes, runs.items()):
        axis.set_title("" if one else f"{rung}: {verdict(run)}", loc="left", fontsize=style.LABEL)
        _draw(axis, list(logs[rung].values()))
    axes[0].set_xlim(-0.1, max(len(replica.records) for log in logs.values() for replica in log.values()) + 0.3)
    words(axes[-1], "offset")
    return figure


def _finding(runs: dict[str, Run]) -> str:
    """The verdict of a single run; of several, the rungs that fail."""
    if len(runs) == 1:
        return " ".join(f"{rung} {verdict(run)}" for rung, run in runs.items())
    failed = [rung for rung, run in runs.items() if verdict(run) != KEEPS]
    if len(failed) in (0, len(runs)):
        return f"{'No' if failed else 'Every'} rung keeps everything"
    return f"Fails: {', '.join(failed)}"


def _caption(runs: dict[str, Run], logs: dict[str, dict[str, Replica]], at: float) -> str:
    """How to read it, and the content in words: every log of a single run, the verdicts of several."""
    when, one = "at the end" if at == inf else f"at {at:g} s", next(iter(runs.values()))
    told = _told(next(iter(logs.values())))
    if len(runs) > 1:
        told = "; ".join(f"{rung} {verdict(run)}" for rung, run in runs.items()) + "."
    return sentence(f"Logs {when}. A box is an offset: the record's number, and the leader epoch that wrote it (colour "
                    "and e). A bar is the replica's own high watermark, a star leads, a framed and hatched box differs "
                    f"from the leader's. {told}", one.seed)


def _told(logs: dict[str, Replica]) -> str:
    return ". ".join(f"{replica.name}: "
                     + (", ".join(f"{value} e{epoch}" for epoch, value in replica.records) or "empty")
                     for replica in logs.values()) + "."


def _draw(axis, logs: list[Replica]) -> None:
    leader = next((replica for replica in logs if replica.leads), logs[0])
    for line, replica in enumerate(logs):
        for offset, (epoch, value) in enumerate(replica.records):
            _box(axis, offset, line, epoch, value,
                 offset < len(leader.records) and leader.records[offset] != (epoch, value))
        axis.plot([replica.high_watermark] * 2, [line - 0.46, line + 0.46], color=style.LIGHT["ink"], linewidth=3,
                  solid_capstyle="butt")
    axis.set_ylim(len(logs) - 0.4, -0.6)
    axis.set_yticks(range(len(logs)), [f"{'★ ' * one.leads}{one.name}{' (down)' * (not one.up)}" for one in logs])
    axis.grid(False)
    axis.xaxis.get_major_locator().set_params(integer=True)


def _box(axis, offset: int, line: int, epoch: int, value: int, differs: bool) -> None:
    colour = EPOCHS[epoch % len(EPOCHS)]
    axis.barh(line, 0.92, left=offset + 0.04, height=0.78, color=colour,
              edgecolor=style.LIGHT["lost"] if differs else "white", linewidth=2.5 if differs else 0.5,
              hatch="////" if differs else None)
    axis.text(offset + 0.5, line, f"{value}\ne{epoch}", ha="center", va="center", fontsize=7, linespacing=0.95,
              color="white" if colour in ON_DARK else style.LIGHT["ink"],
              bbox={"facecolor": colour, "edgecolor": "none", "pad": 0.8} if differs else None)


def crash(rung: str = LADDER[0], crash_at: float = 4.2) -> Run:
    """The forgetful follower on this rung, its leader dying at this moment."""
    return forgetful_follower(crash_at).on(rung).shown_as(lambda run: small_multiples({rung: run}))


def in_the_dark(run: Run, offset: int) -> float:
    """Seconds from the leader's high watermark passing this offset to broker-3's own doing so."""
    trace = run.trace
    marks = [trace.events.rows[trace.where("high_watermark", node=name)] for name in ("broker-1", "broker-3")]
    first, last = (rows["time"][rows["offset"] >= offset][0] for rows in marks)
    return float(last - first)


def both(run: Run) -> bool:
    """Whether an execution lost a record and left replicas that differ."""
    return lost(run) > 0 and diverged(run) > 0
