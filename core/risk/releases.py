"""Economic releases that move markets: which move which, and what stands against an entry at a moment.

A market is affected by the kinds that ``affected.csv`` names for its series, or the operator for it, its
event or its series. Where nobody names one of these, as of venues without codes for their series, the words
of its question and of its event's name tell (``affected_words.csv``). Exits are never held back.
"""

from __future__ import annotations

import csv
import enum
import functools
import importlib.resources
import re
from collections.abc import Iterable, Mapping

import msgspec

from core.domain.market import Market
from core.feeds.calendar.kinds import NAMES

Affected = Mapping[str, tuple[str, ...]]
"""Kinds by the ticker of a market, an event or a series."""
_WORD = re.compile(r"[a-z0-9]+", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9.-]{2,200}", re.ASCII)


class ReleaseState(enum.Enum):
    """What a kind of release means for entries of the markets it moves."""

    CLEAR = "clear"
    BLACKOUT = "BLACKOUT"
    """Within the window around its time."""
    PENDING = "PENDING"
    """Past its time, and neither its print nor a person's word has come."""
    UNKNOWN = "UNKNOWN"
    """Nobody can say when the next one comes."""


class Window(msgspec.Struct, frozen=True):
    """World seconds around a release in which nothing is opened."""

    before_s: int
    after_s: int


class ReleaseFacts(msgspec.Struct, frozen=True):
    """What is known of one kind at a moment; times are world time in Unix milliseconds."""

    kind: str
    last_ms: int | None
    """The newest one that was due by now."""
    next_ms: int | None
    came: bool
    """Whether the last one is known to be out."""
    fault: str
    """Why its calendar cannot be relied on, a clause; empty where it can."""
    window: Window


class Standing(msgspec.Struct, frozen=True):
    """What follows: ``why`` entries are held back and the ``limit`` that says so, both empty when clear."""

    state: ReleaseState
    why: str = ""
    limit: str = ""


CLEAR = Standing(ReleaseState.CLEAR)


def standing(facts: ReleaseFacts, world_ms: int) -> Standing:
    """What one kind means for entries now; of several reasons the one that a clock ends comes first."""
    kind, window = facts.kind, facts.window
    if facts.next_ms is not None and world_ms >= facts.next_ms - window.before_s * 1000:
        left_s = -(-(facts.next_ms - world_ms) // 1000)
        return Standing(ReleaseState.BLACKOUT, f"{kind} comes in {left_s} s", f"{window.before_s} s before")
    if facts.last_ms is not None and world_ms < facts.last_ms + window.after_s * 1000:
        since_s = (world_ms - facts.last_ms) // 1000
        return Standing(ReleaseState.BLACKOUT, f"{kind} was due {since_s} s ago", f"{window.after_s} s after")
    if facts.last_ms is not None and not facts.came:
        return Standing(ReleaseState.PENDING, f"{kind} was due and has not come", "its print or confirmation")
    if facts.fault:
        return Standing(ReleaseState.UNKNOWN, facts.fault, "a fresh calendar")
    return CLEAR


def held_back(kinds: Iterable[ReleaseFacts], world_ms: int) -> Standing:
    """What stands against an entry in a market moved by these kinds."""
    found = (standing(facts, world_ms) for facts in kinds)
    return next((one for one in found if one.state is not ReleaseState.CLEAR), CLEAR)


def kinds_of(market: Market, affected: Affected) -> tuple[str, ...]:
    """The kinds that move a market; the narrowest name counts, and where there is none its words."""
    names = market.ticker, market.event_ticker, market.series_ticker
    named = next((affected[name] for name in names if name in affected), None)
    return kinds_by_words(f"{market.title} {market.event_ticker}") if named is None else named


@functools.lru_cache(maxsize=10_000)
def kinds_by_words(text: str) -> tuple[str, ...]:
    """The kinds that move what a question is about, by whole words in a row."""
    said = f" {' '.join(_WORD.findall(text.lower()))} "
    found = {kind for words, kinds in _by_words() if f" {words} " in said for kind in kinds}
    return tuple(name for name in NAMES if name in found)


@functools.cache
def _by_words() -> tuple[tuple[str, tuple[str, ...]], ...]:
    text = (importlib.resources.files("core.risk") / "affected_words.csv").read_text("utf-8")
    return tuple((row["words"], tuple(row["kinds"].split())) for row in csv.DictReader(text.splitlines()))


@functools.cache
def shipped() -> Affected:
    """Series of Kalshi by what they settle on (its series list)."""
    text = (importlib.resources.files("core.risk") / "affected.csv").read_text("utf-8")
    return {row["series"]: tuple(row["kinds"].split()) for row in csv.DictReader(text.splitlines())}


def affected_by(entries: Iterable[str]) -> Affected | str:
    """What ships, with the operator's entries (``KXINX: CPI FOMC``) in its place; or what is wrong with one.

    ``KXINX:`` alone says that nothing moves it.
    """
    affected = dict(shipped())
    for entry in entries:
        name, colon, words = entry.partition(":")
        kinds = tuple(dict.fromkeys(words.upper().split()))
        unknown = [kind for kind in kinds if kind not in NAMES]
        if not colon or not _NAME.fullmatch(name.strip()):
            return f"{entry[:60]!r} is not a ticker with kinds: write such as 'KXINX: CPI FOMC'"
        if unknown:
            return f"{unknown[0][:20]!r} is no kind of release: use {', '.join(NAMES)}"
        affected[name.strip()] = kinds
    return affected
