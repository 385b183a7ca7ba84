"""Which markets of the desk are about which games, as a person has confirmed.

A likeness (``core/feeds/teams.py``) is a suggestion. What is confirmed stands in the journal, with the
market's rules text it rests on: one that reads differently counts for nothing until it is confirmed again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time

import msgspec

from core.domain.market import Market
from core.feeds.calendar.eastern import eastern_ms
from core.feeds.sports import Game
from core.feeds.teams import Likeness, Question, likenesses
from core.journal.events import Event, Kind
from core.journal.store import EventLog

_KALSHI_DAY = re.compile(r"-(\d{2}[A-Z]{3}\d{2})", re.ASCII)
_ISO_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})", re.ASCII)
_PAYS = re.compile(r"\bif (?:the )?(.{2,60}?) (?:wins?|beats?|defeats?)\b", re.IGNORECASE)


class FixtureConfirmed(msgspec.Struct, frozen=True):
    """Payload of a ``FIXTURE`` row: from now on the market is about this game and pays this team's win."""

    source: str
    game: str
    team: str
    rules: str
    """Hash of the market's rules text that was read."""
    text: str


class Fixtures:
    """What was confirmed, by ticker, beside the games as they are told."""

    def __init__(
        self, log: EventLog, games: Mapping[tuple[str, str], Game], confirmed: Mapping[str, FixtureConfirmed]
    ) -> None:
        self._log, self._games = log, games
        self._confirmed = dict(confirmed)

    def of(self, market: Market) -> tuple[Game, str] | None:
        """The game a market is about and the team whose win it pays; ``None`` unless a person has confirmed
        it, for this text, and the game is told of still."""
        known = self._confirmed.get(market.ticker)
        if known is None or known.rules != market.rules_hash:
            return None
        game = self._games.get((known.game, known.source))
        return (game, known.team) if game is not None else None

    def suggested(self, market: Market) -> tuple[Likeness, ...]:
        """Games the market may be about, the likeliest first; none for a market about the weather."""
        return likenesses(question_of(market), self._games.values()) if market.station is None else ()

    def open(self, markets: Iterable[Market]) -> tuple[Likeness, ...]:
        """The likeliest game of each market that waits for a person's word."""
        waiting = (self.suggested(market)[:1] for market in markets if self.of(market) is None)
        return tuple(one for likely in waiting for one in likely)

    def confirm(self, market: Market, game_id: str, team: str, by: str) -> FixtureConfirmed | str:
        """A person says which game it is, and whose win is paid where the market's words leave that open.
        Returns why not, in a sentence."""
        found = next((one for one in self.suggested(market) if one.game.id == game_id), None)
        if found is None:
            return (
                f"{market.ticker} does not name the teams of game {game_id[:40]!r} within 12 h of its start."
            )
        teams = (found.game.home, found.game.away)
        wanted = team or found.team
        paid = next((name for name in teams if name.casefold() == wanted.casefold()), "")
        if not paid:
            return f"Say whose win {market.ticker} pays: {teams[0]!r} or {teams[1]!r}."
        if found.team and paid != found.team:
            return f"{market.ticker} pays {found.team!r} by its own words, not {paid!r}: read its rules."
        text = f"{market.ticker} pays if {paid} win {found.game.away} at {found.game.home}"
        made = FixtureConfirmed(found.game.source, found.game.id, paid, market.rules_hash, text)
        self._confirmed[market.ticker] = made
        self._log.append(Event(Kind.FIXTURE, made, ticker=market.ticker, actor=by))
        return made


def question_of(market: Market) -> Question:
    """A market's own words, for the comparison with games."""
    pays = _PAYS.search(market.rules)
    day = _day(market.event_ticker) or _day(market.ticker)
    about_ms = eastern_ms(day, time(12)) if day is not None else None
    return Question(market.ticker, market.title, pays[1] if pays is not None else "", about_ms)


def _day(ticker: str) -> date | None:
    """The day a ticker names: ``KXNBAGAME-26NOV23NYKBOS``, ``nba-nyk-bos-2026-11-23``."""
    for pattern, form in ((_ISO_DAY, "%Y-%m-%d"), (_KALSHI_DAY, "%y%b%d")):
        found = pattern.search(ticker)
        if found is not None:
            try:
                return datetime.strptime(found[1].title(), form).date()  # noqa: DTZ007 - a day has no zone
            except ValueError:
                continue
    return None
