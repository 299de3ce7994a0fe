"""The player: one output that replays a trace and needs no kernel once made; a picture and a text without scripts.

The HTML holds a PNG and the story as text; an inline script swaps in the player (player_data.js decodes and derives,
player_draw.js, player_topology.js and player_times.js draw, player.js is the controls). It lives in a shadow root: no
style leaks either way, several fit on a page, nothing is global.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from pathlib import Path

import numpy as np

from simulator.evidence.trace import Trace
from simulator.evidence.why import Explanation

from . import reading, style
from .excerpt import Excerpt, excerpt
from .picture import image_tag, png
from .timelines import lanes_of, space_time

_SCRIPTS = ("player_data.js", "player_draw.js", "player_topology.js", "player_times.js", "player.js")
_NARROWEST = {np.dtype(np.int8): "i1", np.dtype(np.int16): "i2", np.dtype(np.int32): "i4"}
_TELLING = ("crash", "power_loss", "pause", "offline", "rebalance")
_STORY_LINES = 120
_COLUMNS = ("kind", "node", "peer", "key", "offset", "count", "epoch", "value")
_SYMBOLS = {True: "✓", False: "✗", None: "?", "holds": "✓", "broken": "✗", "permitted": "~", "unknown": "?"}


def player(trace: Trace, *, title: str = "", subtitle: str = "", verdicts=(), explanation=None,
           question: str = "Why did it happen?", key: str | None = None, window: tuple[float, float] | None = None,
           limit: int = 10_000, seed=None) -> Player:
    """A trace as something to scrub, step and read.

    `verdicts` are (verdict, text) pairs; a verdict is True, False or None (unknown), or the word for it. `explanation`
    is what `evidence.why` found, or its lines as (time or None, node, sentence) under the heading `question`; the
    player opens at its decisive moment. `key` is the partition whose log is drawn. `window` is (start, end) in seconds;
    of a longer trace at most about `limit` events are carried.
    """
    if limit < 1:
        raise ValueError(f"limit: {limit} is not a number of events; give 1 or more")
    if window is not None and not window[0] < window[1]:
        raise ValueError(f"window: {window} does not end after it starts; give (start, end) in seconds")
    if key is not None and key not in trace.keys:
        raise ValueError(f"key: {key!r} is not one of {', '.join(trace.keys) or 'none (the trace has no key)'}")
    return Player(trace, title or f"{style.plural(len(trace), 'event')} on {style.plural(len(trace.nodes), 'node')}",
                  subtitle, [(_SYMBOLS.get(verdict, verdict), str(text)) for verdict, text in verdicts],
                  *_lines(trace, explanation, question), key, window, limit, seed)


def _lines(trace: Trace, explanation, question: str) -> tuple[list[tuple], str]:
    """The lines of an explanation, (time or None, node, sentence, event or -1) each, and its heading."""
    if isinstance(explanation, Explanation):
        lines = [(line.time, line.node, line.sentence, line.event) for line in explanation.lines]
        return lines + [(None, "", explanation.ending, -1)] * bool(explanation.ending), explanation.title
    return [(time, node, sentence, _event_at(trace, time, node, sentence))
            for time, node, sentence in explanation or ()], question


class Player:
    """What `player` returns: shown by a notebook as HTML, a PNG and plain text, whichever it can use."""

    def __init__(self, trace, title, subtitle, verdicts, explanation, question, key, window, limit, seed):
        self.trace, self.title, self.seed = trace, title, seed
        seeded = seed is None or "seed" in subtitle
        self.subtitle = " · ".join(part for part in (subtitle, "" if seeded else f"seed {seed}") if part)
        self.verdicts, self.explanation, self.question, self.key = verdicts, explanation, question, key
        focus = [event for *_, event in explanation if event >= 0]
        self.key = key or _busiest_key(trace, focus)
        self.excerpt = excerpt(trace, limit, focus=focus, key=key, window=window)
        self.start = _telling(trace, focus, self.excerpt)
        self._bundle: dict[str, str] | None = None

    def html(self) -> str:
        """The player as one piece of HTML with everything in it."""
        return self._repr_mimebundle_()["text/html"]

    def story(self, most: int = _STORY_LINES) -> str:
        """The same content as text: verdicts, explanation and the events nearest to what matters."""
        lines = [self.title, self.subtitle, *(f"{symbol} {text}" for symbol, text in self.verdicts)]
        if self.explanation:
            lines += ["", self.question, *(f"{_clock(time):>12}  {text}" for time, _, text, _ in self.explanation)]
        told = self._told(most)
        part = f"{len(told):,} of {self.excerpt.total:,}" if len(told) < self.excerpt.total else "All"
        lines += ["", f"{part} events:"]
        lines += [f"{_clock(time):>12}  {text}" for time, _, text in reading.story(self.trace, told)]
        return "\n".join(line for line in lines if line is not None).strip()

    def _told(self, most: int) -> np.ndarray:
        """The changes of state and the events around the start, at most so many."""
        shown = self.excerpt.ids[self.excerpt.shown]
        if len(shown) <= most:
            return shown
        states = shown[reading.shapes(self.trace)[shown] == reading.STATE][:most // 2]
        at = int(np.searchsorted(shown, max(self.start, 0)))
        rest = (most - len(states)) // 2
        return np.union1d(states, shown[max(0, at - rest):at + rest])

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        if self._bundle is None:
            picture = base64.b64encode(png(self.picture(), colours=96)).decode()
            story = self.story()
            self._bundle = {"text/html": self._html(picture, story), "image/png": picture, "text/plain": story}
        return self._bundle

    def picture(self):
        """The moment at which the player opens, as a figure."""
        rows, shown = self.trace.events.rows, self.excerpt.ids[self.excerpt.shown]
        if not len(shown):
            return space_time(self.trace, seed=self.seed, title=self.title)
        at = int(np.searchsorted(shown, self.start))
        first, last = (float(rows["time"][shown[index]]) for index in (max(0, at - 40), min(len(shown) - 1, at + 25)))
        figure = space_time(self.trace, first, max(last, first + 1e-6), key=self.key, seed=self.seed, title=self.title)
        verdicts = "   ".join(f"{symbol} {text}" for symbol, text in self.verdicts)
        figure.axes[0].set_title(verdicts, fontsize=style.LABEL, loc="left", color=style.LIGHT["muted"], pad=3)
        return figure

    def _html(self, picture: str, story: str) -> str:
        data = json.dumps(self.data(), separators=(",", ":"), ensure_ascii=False)
        data = data.replace("</", "<\\/").replace("<!--", "<\\!--")  # so that no text can end the script
        name = hashlib.sha256(data.encode()).hexdigest()[:12]
        here = Path(__file__).parent
        script = "\n".join((here / file).read_text(encoding="utf-8") for file in _SCRIPTS)
        css = json.dumps(_hues() + (here / "player.css").read_text(encoding="utf-8"))
        alt = f"{self.title}. {'; '.join(text for _, text in self.verdicts)}"
        return (
            f'<div data-player="{name}" data-lm-suppress-shortcuts="true">{image_tag(picture, alt)}'
            f"<details><summary>The same as text</summary><pre>{html.escape(story)}</pre></details></div>\n"
            f'<script type="module">\n{script}\nupgrade("{name}", {data}, {css});\n</script>')

    def data(self) -> dict:
        """Everything the script needs: packed columns of events, and names as JSON."""
        rows, ids = self.trace.events.rows[self.excerpt.ids], self.excerpt.ids
        start = float(rows["time"][self.excerpt.shown].min(initial=rows["time"][-1])) if len(ids) else 0.0
        place = {int(event): number for number, event in enumerate(ids)}
        cause = np.array([number - place.get(int(c), number) for number, c in enumerate(rows["cause"])], np.int64)
        columns = {"time": ["f8", _encode((rows["time"] - start).astype("<f8"))], "cause": _narrow(cause),
                   "background": _narrow((~self.excerpt.shown).astype(np.int64)),
                   **{name: _narrow(rows[name]) for name in _COLUMNS}}
        return {
            "title": self.title, "subtitle": self.subtitle, "verdicts": self.verdicts, "question": self.question,
            "explanation": [[None if time is None else time - start, text, place.get(event, -1), self._hue(event, node)]
                            for time, node, text, event in self.explanation],
            "origin": start, "size": len(ids), "columns": columns, "notice": self.excerpt.notice(),
            "gaps": [[a - start, b - start] for a, b in self.excerpt.gaps],
            "start": place.get(self.start, len(ids) - 1),
            "key": self.trace.keys.code(self.key) if self.key else -1, "keys": self.trace.keys.names,
            "chosen": self.explanation != [] or len(self.trace.keys) == 1,
            "lanes": list(lanes_of(self.trace)),
            "nodes": [[info.name, info.role, info.zone, style.role(info.role)] for info in self.trace.nodes],
            "kinds": [_look(kind) for kind in self.trace.kinds],
            "notes": {place[event]: note for event, note in self.trace.notes.items() if event in place}}

    def _hue(self, event: int, node: str) -> str:
        """The meaning an explanation's line is coloured by: the change of state it tells, else the role of its node."""
        if event >= 0:
            kind = self.trace.kinds[self.trace.events.rows["kind"][event]]
            if kind.shape == "state":
                return style.mark(kind.name).hue
        return next((style.role(info.role) for info in self.trace.nodes if info.name == node), "ink")


def _look(kind) -> list:
    """A kind of event as the script needs it: its name, shape and sentence, whether it is a reply, its hue and mark."""
    mark = style.mark(kind.name)
    return [kind.name, kind.shape, kind.sentence, style.is_reply(kind.name), mark.hue, mark.shape]


def _event_at(trace: Trace, time, node: str, sentence: str) -> int:
    """The event a line is about: at that time and node, best the one told by that very sentence; -1 if none."""
    if time is None or not len(trace):
        return -1
    rows = trace.events.rows
    low, high = np.searchsorted(rows["time"], [time - 1e-9, time + 1e-9])
    near = [e for e in range(low, high) if not node or reading.name_of(trace, rows["node"][e]) == node]
    said = [e for e in near if trace.describe(e) == sentence]
    return next(iter(said + near), min(int(low), len(rows) - 1))


def _busiest_key(trace: Trace, focus) -> str | None:
    """The partition to draw unless one is named: the explanation's, else the one with most events."""
    keys = trace.events.rows["key"]
    told = [int(keys[event]) for event in focus if keys[event] >= 0]
    if told or (keys >= 0).any():
        return trace.keys[told[0] if told else int(np.bincount(keys[keys >= 0]).argmax())]
    return None


def _telling(trace: Trace, focus, chosen: Excerpt) -> int:
    """The event to open at: the first change of state that explains the run, else the first fault, else the last."""
    shown = chosen.ids[chosen.shown]
    if not len(shown):
        return -1
    shapes, here = reading.shapes(trace), set(shown.tolist())
    decisive = [event for event in sorted(focus) if shapes[event] == reading.STATE and event in here]
    faults = [event for event in trace.where(*_TELLING).tolist() if event in here]
    return next(iter(decisive + faults), int(shown[-1]))


def _narrow(column) -> list[str]:
    """A column of integers in the narrowest type that holds it (float64 beyond 32 bits), packed."""
    low, high = (int(column.min()), int(column.max())) if len(column) else (0, 0)
    for dtype, name in _NARROWEST.items():
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return [name, _encode(column.astype(dtype.newbyteorder("<")))]
    return ["f8", _encode(column.astype("<f8"))]


def _encode(column) -> str:
    return base64.b64encode(np.ascontiguousarray(column).tobytes()).decode()


def _clock(time) -> str:
    return "–" if time is None else f"{time:.6f} s"


def _hues() -> str:
    """The palette as CSS, for light pages and for dark ones."""
    rules = lambda palette: "".join(f"--{name}:{value};" for name, value in palette.items())
    return f".page{{{rules(style.LIGHT)}}} .page.dark{{{rules(style.DARK)}}}\n"
