"""Which game a venue's market is about, and whose win it pays: a likeness for a person to confirm.

Names are compared as words: a team's whole name, its nickname, or its place where no other team shares it.
A game within twelve hours of the market's own time counts; of two games of the same teams the nearer one.
Nothing rests on a likeness alone, however high.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

import msgspec

from core.feeds.sports import Game

WITHIN_MS = 12 * 3_600_000
NEAR_MS = 3_600_000
APART_MS = 2 * 3_600_000
"""Two games of the same teams are told apart where one is nearer by this much."""
WHOLE, NICKNAME, PLACE, SHARED_PLACE = 1.0, 0.85, 0.7, 0.4
DOUBLE = 0.4
"""No likeness of a double header's games is higher while its market does not say which one it is."""
TWO_WORDS = frozenset(
    {
        "red sox", "white sox", "blue jays", "maple leafs", "red wings", "golden knights", "blue jackets",
        "trail blazers",
    }
)  # fmt: skip
_CLUB_WORDS = frozenset({"city", "united", "town", "fc", "afc", "sc", "rovers", "albion", "county"})
"""Ends of club names that name nobody."""
_WORD = re.compile(r"[a-z0-9]+")


class Question(msgspec.Struct, frozen=True):
    """A market about a game as its venue words it. ``about_ms`` is the game's start as far as it says so,
    or the noon of its day where it says no more (``exact`` false)."""

    ticker: str
    words: str
    pays: str
    """Whose win it pays, in the venue's words; empty where they do not say."""
    about_ms: int | None
    exact: bool = False


class Likeness(msgspec.Struct, frozen=True):
    """A game a market may be about. ``team`` is one of the game's own names, empty where nobody is named."""

    ticker: str
    game: Game
    team: str
    confidence: float
    """0 to 1: of the weakest thing it rests on."""
    why: str


def likenesses(question: Question, games: Iterable[Game]) -> tuple[Likeness, ...]:
    """Every game of the question's day whose teams it names, the likeliest first."""
    known, about_ms = tuple(games), question.about_ms
    if about_ms is None:
        return ()
    found = [one for game in known if (one := _likeness(question, about_ms, game, known)) is not None]
    apart = [_apart(one, found, about_ms, exact=question.exact) for one in found]
    return tuple(sorted(apart, key=lambda one: (-one.confidence, abs(one.game.starts_ms - about_ms))))


def _likeness(question: Question, about_ms: int, game: Game, games: Sequence[Game]) -> Likeness | None:
    off_ms = abs(game.starts_ms - about_ms)
    if off_ms > WITHIN_MS:
        return None
    text = _words(question.words)
    sides = [(team, *_named(team, text, game.sport, games)) for team in (game.home, game.away)]
    if any(score == 0 for _, score, _ in sides):
        return None
    team, of_team = _paid(question, game, games)
    when = 1.0 if question.exact and off_ms <= NEAR_MS else 0.9
    parts = [score for _, score, _ in sides] + ([of_team] if team else [])
    why = ", ".join(f"{name} by {how}" for name, _, how in sides)
    why += f", starts {off_ms // 60_000} min from its time" if question.exact else ", of its day"
    return Likeness(question.ticker, game, team, round(min(parts) * when, 2), why)


def _apart(one: Likeness, found: Sequence[Likeness], about_ms: int, *, exact: bool) -> Likeness:
    """Of a double header the farther game counts little, or both where the market does not tell which."""
    teams = {one.game.home, one.game.away}
    others = [o for o in found if o.game.id != one.game.id and {o.game.home, o.game.away} == teams]
    if not others:
        return one
    nearest_ms = min(abs(o.game.starts_ms - about_ms) for o in others)
    if exact and nearest_ms - abs(one.game.starts_ms - about_ms) >= APART_MS:
        return one
    why = f"{one.why}; these teams meet {len(others) + 1} times"
    return msgspec.structs.replace(one, confidence=min(one.confidence, DOUBLE), why=why)


def _paid(question: Question, game: Game, games: Sequence[Game]) -> tuple[str, float]:
    """Whose win it pays, where its words name one of the two and not the other as well."""
    text = _words(question.pays)
    home, away = (_named(team, text, game.sport, games)[0] for team in (game.home, game.away))
    if home == away:
        return "", 0.0
    return (game.home, home) if home > away else (game.away, away)


def _named(team: str, text: tuple[str, ...], sport: str, games: Sequence[Game]) -> tuple[float, str]:
    """How well words name a team, and by what; 0 where they do not."""
    whole = _words(team)
    if not whole:
        return 0.0, ""
    cut = len(whole) - (2 if " ".join(whole[-2:]) in TWO_WORDS else 1)
    place, nickname = whole[:cut], whole[cut:]
    if _within(whole, text):
        return WHOLE, "name"
    if place and nickname[-1] not in _CLUB_WORDS and _within(nickname, text):
        return NICKNAME, "nickname"
    if place and _within(place, text):
        others = {name for game in games if game.sport == sport for name in (game.home, game.away)} - {team}
        shared = any(_words(other)[: len(place)] == place for other in others)
        return (SHARED_PLACE, "a place others share") if shared else (PLACE, "place")
    return 0.0, ""


def _within(part: tuple[str, ...], text: tuple[str, ...]) -> bool:
    return any(text[at : at + len(part)] == part for at in range(len(text) - len(part) + 1))


def _words(text: str) -> tuple[str, ...]:
    """Lower case without accents or punctuation: ``St. Louis`` is ``st louis``."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return tuple(_WORD.findall(plain.replace("'", "")))
