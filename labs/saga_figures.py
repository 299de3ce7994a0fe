"""What Temporal wrote down about an order, as a table, and what happened in a scene, as a picture."""

from __future__ import annotations

import pandas as pd
from temporalio.api.enums.v1 import EventType, RetryState
from temporalio.client import WorkflowHistory

from simulator.views.picture import Picture, picture, words
from simulator.views.style import LIGHT, SMALL, plural

from .saga_scene import Scene

ANSWERS = {"done": ("o", "leader", "carried out"), "NoAnswer": ("X", "lost", "no answer"),
           "Busy": ("s", "watermark", "busy"), "Rejected": ("D", "ink", "rejected")}
EVENTS = {"killed": ("X", "lost"), "started": ("^", "leader"), "restarted": ("^", "leader")}
ENDED = ("ActivityTaskCompleted", "ActivityTaskFailed", "ActivityTaskTimedOut")


def name(event) -> str:
    """An event's type as the documentation writes it: ActivityTaskScheduled."""
    return EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").title().replace("_", "")


def details(event):
    """The fields of an event, which are of another kind for each type."""
    return getattr(event, event.WhichOneof("attributes"))


def activities(history: WorkflowHistory) -> dict[int, str]:
    """The service of each scheduled activity, by the id of the event that scheduled it."""
    return {event.event_id: details(event).activity_type.name for event in history.events
            if name(event) == "ActivityTaskScheduled"}


def events(history: WorkflowHistory, everything: bool = False) -> pd.DataFrame:
    """The history as a table; without `everything`, the server's requests to run workflow code are left out."""
    services, began = activities(history), history.events[0].event_time.ToDatetime()
    rows = [(event.event_id, f"{(event.event_time.ToDatetime() - began).total_seconds():.2f}", name(event),
             _about(event, services), _detail(event)) for event in history.events]
    columns = ["event", "seconds", "type", "activity", "what it says"]
    return pd.DataFrame([row for row in rows if everything or not row[2].startswith("WorkflowTask")],
                        columns=columns).set_index("event")


def _about(event, services: dict[int, str]) -> str:
    return services.get(getattr(details(event), "scheduled_event_id", event.event_id), "")


def _detail(event) -> str:
    kind, what = name(event), details(event)
    if kind == "ActivityTaskScheduled":
        tries, total = what.retry_policy.maximum_attempts or "unlimited", what.schedule_to_close_timeout.ToTimedelta()
        limit = f", all within {total.total_seconds():g} s" if total else ""
        return f"tries: {tries}, each within {what.start_to_close_timeout.ToTimedelta().total_seconds():g} s{limit}"
    if kind == "ActivityTaskStarted":
        return f"try {what.attempt}" + (f"; before it: {what.last_failure.message}" if what.attempt > 1 else "")
    if kind in ENDED[1:]:
        why = RetryState.Name(what.retry_state).removeprefix("RETRY_STATE_").replace("_", " ").lower()
        return f"{what.failure.message} ({why})"
    return ""


def spans(history: WorkflowHistory) -> list[tuple[str, float, float]]:
    """(service, scheduled, ended) of each activity that ended, as times of day."""
    begun = {event.event_id: event for event in history.events if name(event) == "ActivityTaskScheduled"}
    return [(details(start).activity_type.name, _clock(start), _clock(event)) for event in history.events
            if name(event) in ENDED and (start := begun[details(event).scheduled_event_id])]


def _clock(event) -> float:
    return event.event_time.ToNanoseconds() / 1e9


def timeline(scene: Scene) -> Picture:
    """Each activity of each order as a bar, each request to a service as a mark, and what was done to whom."""
    bars = [(f"{order} {service}", begin, end) for order in scene.placed
            for service, begin, end in spans(scene.history(order))]
    rows, began = list(dict.fromkeys(row for row, *_ in bars)), min(begin for _, begin, _ in bars)
    moments = [(when - began, what, who) for when, what, who in scene.events if when > began]
    requests = scene.seen()["requests"]
    said = _story(scene, requests, max(end for *_, end in bars) - began, moments)
    figure, (axis,) = picture(*said, left=1.1, head=0.28, height=0.45 + 0.24 * len(rows))
    for row, begin, end in bars:
        axis.broken_barh([(begin - began, max(end - begin, 0.02))], (rows.index(row) - 0.3, 0.6), alpha=0.45,
                         color=LIGHT["consumer"], label="" if rows.index(row) else "an activity, scheduled to ended")
    _marks(axis, rows, [(one["time"] - began, f"{one['order']} {one['service']}", one["answer"]) for one in requests])
    for when, what, who in moments:
        _moment(axis, when, what, who)
    axis.set_yticks(range(len(rows)), rows)
    axis.set_ylim(len(rows) - 0.4, -1.4 if moments else -0.6)
    figure.legend(loc="upper left", ncols=5, frameon=False, fontsize=SMALL, columnspacing=1.2, handletextpad=0.4,
                  bbox_to_anchor=(0.005, 1 - 0.32 / figure.get_figheight()))
    words(axis, "seconds since the first activity was scheduled")
    return figure


def _marks(axis, rows: list[str], requests: list[tuple[float, str, str]]) -> None:
    for answer, (marker, hue, label) in ANSWERS.items():
        found = [(when, rows.index(row)) for when, row, what in requests if what == answer and row in rows]
        if found:
            axis.plot(*zip(*found), marker, color=LIGHT[hue], markersize=6, label=f"request: {label}")


def _moment(axis, when: float, what: str, who: str) -> None:
    marker, hue = EVENTS[what]
    axis.axvline(when, color=LIGHT[hue], linestyle="--", linewidth=1, zorder=0)
    axis.plot(when, -1, marker, color=LIGHT[hue], markersize=7)
    axis.annotate(f"{who} {what}", (when, -1), xytext=(6, 0), textcoords="offset points", va="center", fontsize=SMALL)


def _story(scene: Scene, requests: list[dict], end: float, moments) -> tuple[str, str]:
    ended = ", ".join(f"{order} {scene.status(order)}" for order in scene.placed)
    unanswered = sum(one["answer"] == "NoAnswer" for one in requests)
    title = f"{ended}: {plural(len(requests), 'request')}, {unanswered} of them without an answer"
    acts = [f"{who} {what} at {when:.1f} s" for when, what, who in moments]
    acts = "; ".join([*acts, f"the last activity ended at {end:.1f} s"])
    return title, f"{acts[0].upper() + acts[1:]}. Measured on this machine."
