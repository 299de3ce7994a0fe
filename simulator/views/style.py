"""What a colour, a line and a mark mean: the same in every figure and in the player.

The hues are Okabe and Ito's (jfly.uni-koeln.de/color), told apart under every common colour blindness; each meaning
also has its own marker and, where it is a line, its own dash, so that nothing is said by colour alone. A loss is
vermillion with a cross, never red against green.
"""

from __future__ import annotations

from dataclasses import dataclass

OKABE_ITO = {
    "black": "#000000", "orange": "#E69F00", "sky": "#56B4E9", "green": "#009E73", "yellow": "#F0E442",
    "blue": "#0072B2", "vermillion": "#D55E00", "purple": "#CC79A7"}

# One meaning, one hue. DARK holds the same hues lightened just enough to be read as text on a dark page.
LIGHT = {
    "producer": OKABE_ITO["purple"], "consumer": OKABE_ITO["sky"], "broker": OKABE_ITO["blue"], "controller": "#6B7280",
    "lost": OKABE_ITO["vermillion"], "leader": OKABE_ITO["green"], "watermark": OKABE_ITO["orange"], "ink": "#1A1D23",
    "muted": "#5B6270", "rule": "#D9DDE3", "paper": "#FFFFFF"}
DARK = {
    "producer": "#E29BC3", "consumer": "#7CC8F2", "broker": "#4AA3DF", "controller": "#9CA3AF", "lost": "#F58442",
    "leader": "#35C79A", "watermark": "#F0B429", "ink": "#E8EAED", "muted": "#A4ABB8", "rule": "#3A404B",
    "paper": "#16181D"}

TITLE, LABEL, SMALL = 12, 9.5, 8.5  # font sizes in points

_ROLES = {
    "producer": "producer", "publisher": "producer", "consumer": "consumer", "subscriber": "consumer",
    "worker": "consumer", "broker": "broker", "queue": "broker", "server": "broker", "database": "broker",
    "service": "broker"}


@dataclass(frozen=True)
class Mark:
    """How a change of state looks: the meaning its hue comes from, a shape, and that shape's name in matplotlib."""
    hue: str
    shape: str
    marker: str


_CROSS, _ARROW, _STAR = ("cross", "X"), ("triangle", "^"), ("star", "*")
_DIAMOND, _SQUARE, _BARS = ("diamond", "D"), ("square", "s"), ("bars", "P")
_MARKS = {
    "crash": Mark("lost", *_CROSS), "power_loss": Mark("lost", *_CROSS), "offline": Mark("lost", *_CROSS), "truncate":
    Mark("lost", *_SQUARE), "pause": Mark("watermark", *_BARS), "restart": Mark("leader", *_ARROW), "resume": Mark(
        "leader", *_ARROW), "elected": Mark("leader", *_STAR), "fenced": Mark("controller", *_SQUARE), "isr": Mark(
            "broker",
            *_DIAMOND), "unfenced": Mark("leader", *_SQUARE), "lost_unflushed": Mark("lost", *_SQUARE), "reset": Mark(
                "lost", *_DIAMOND), "gave_up": Mark("watermark", *_SQUARE), "timeout": Mark("watermark", *_DIAMOND),
    "assigned": Mark("leader", *_ARROW), "revoked": Mark("watermark", *_SQUARE), "left_behind": Mark("lost", *_SQUARE),
    "rebalance": Mark("watermark", *_STAR), "removed": Mark("lost", *_DIAMOND), "refused": Mark("lost", *_CROSS),
    "commit_failed": Mark("lost", *_CROSS), "poll_expired": Mark("watermark", *_BARS), "poisoned": Mark("lost", *_STAR),
    "invalid": Mark("watermark", *_SQUARE), "rejected": Mark("lost", *_SQUARE),
    "kept_back": Mark("watermark", *_SQUARE), "zero": Mark("lost", *_DIAMOND)}

LINES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
SERIES = ("broker", "lost", "leader", "producer", "watermark", "consumer", "ink", "controller")


def role(name: str) -> str:
    """The meaning of a node's role; a role nobody has named yet looks like a controller's."""
    return _ROLES.get(name, "controller")


def conversation(one: str, other: str) -> str:
    """The meaning of a message between two roles: a controller's, else a client's, else replication."""
    meanings = {role(one), role(other)}
    return next(meaning for meaning in ("controller", "producer", "consumer", "broker") if meaning in meanings)


def is_reply(kind_name: str) -> bool:
    """Replies are named by participles (`produced` answers `produce`) or as responses, and drawn dashed."""
    return kind_name.endswith(("ed", "_response", "_reply", "_answer"))


def mark(kind_name: str) -> Mark:
    """How a change of state of this kind looks."""
    return _MARKS.get(kind_name, Mark("controller", *_DIAMOND))


def series(number: int) -> dict[str, str]:
    """Colour, line and marker of the n-th of several curves; no two of the first eight share a colour or a marker."""
    return {
        "color": LIGHT[SERIES[number % len(SERIES)]], "linestyle": LINES[number % len(LINES)], "marker":
        MARKERS[number % len(MARKERS)]}


def seconds(value: float) -> str:
    """A duration to three significant digits, in the unit a person would say it in."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if abs(value) >= size:
            return f"{_plain(value / size)} {unit}"
    return f"{_plain(value * 1e9)} ns" if value else "0 s"


def _plain(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def instant(value: float) -> str:
    """A moment of a run, to the millisecond."""
    return f"{value:,.3f} s"


def number(value: float) -> str:
    """A count or a rate, to three significant digits once it is small."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def plural(count: int, noun: str) -> str:
    """`1 record`, `3 records`."""
    return f"{number(count)} {noun}" + ("" if count == 1 else "s")
