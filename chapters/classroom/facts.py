"""Claims checked against sources, one TOML file a chapter: never retyped in a notebook, always shown with a date."""
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from .cards import BLUE, GREY, ORANGE, VERMILLION, Card, Place, link, words
from .places import FACTS, shown

VERDICTS = {"correct": ("✓", BLUE), "imprecise": ("≈", ORANGE), "wrong": ("✗", VERMILLION), "unverifiable": ("?", GREY)}


@dataclass(frozen=True)
class Fact:
    """A claim, the verdict on it, what holds instead, where that is written, and when it was."""

    id: str
    claim: str
    verdict: str
    correction: str
    source: list[str]
    date: str

    def __post_init__(self):
        for name in ("claim", "correction", "date"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name).strip():
                raise ValueError(f"{self.id}: {name} must be a sentence, not {getattr(self, name)!r}")
        if self.verdict not in VERDICTS:
            raise ValueError(f"{self.id}: verdict {self.verdict!r} is not one of {', '.join(VERDICTS)}")
        if not isinstance(self.source, list) or not all(map(is_source, self.source)):
            raise ValueError(f"{self.id}: source must list addresses (https://...) or 'github.com/owner/repo, path'")
        if not self.source and self.verdict != "unverifiable":
            raise ValueError(f"{self.id}: source is empty, which only an unverifiable claim may be")


def is_source(text: object) -> bool:
    return isinstance(text, str) and (text.startswith("https://") or text.startswith("github.com/") and ", " in text)


def fact(*ids: str) -> None:
    """Show the checked facts with these ids, as boxes."""
    for id in ids:
        Place().show(fact_card(lookup(id)))


def lookup(id: str) -> Fact:
    known = all_facts(FACTS)
    if id not in known:
        near = ", ".join(get_close_matches(id, known, cutoff=0.3)) or "none"
        raise ValueError(f"fact: {id!r} is not in chapters/facts; close to it: {near}")
    return known[id]


@cache
def all_facts(folder: Path) -> dict[str, Fact]:
    """Every fact in the folder by id; an id used twice is refused."""
    known: dict[str, Fact] = {}
    for path in sorted(folder.glob("*.toml")):
        for item in read_facts(path):
            if item.id in known:
                raise ValueError(f"{shown(path)}: {item.id} is described twice")
            known[item.id] = item
    return known


def read_facts(path: Path) -> Iterator[Fact]:
    """The facts of one file, each complete, or one sentence about what is wrong with it."""
    try:
        for id, fields in tomllib.loads(path.read_text(encoding="utf-8")).items():
            yield Fact(id=id, **fields)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{shown(path)}: {error}") from None


def fact_card(item: Fact) -> Card:
    sign, tone = VERDICTS[item.verdict]
    sources = "; ".join(map(link, item.source)) or "none found"
    body = (f'<p><span class="kind">Claim.</span> {words(item.claim)}</p>'
            f'<p><span class="kind">{sign} {item.verdict.capitalize()}.</span> {words(item.correction)}</p>'
            f"<p><small>Source: {sources} · {words(item.date)} · fact {item.id}</small></p>")
    text = "\n".join([f"Claim. {item.claim}", f"{sign} {item.verdict.capitalize()}. {item.correction}",
                      f"Source: {'; '.join(item.source) or 'none found'} ({item.date}), fact {item.id}"])
    return Card(body, text, tone=tone, label=f"checked claim, {item.verdict}")
