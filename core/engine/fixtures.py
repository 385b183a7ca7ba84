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
LIKELY_MIN = 0.6
"""Likeness from which a game nobody has confirmed is good enough to show a price by."""
_PAYS = re.compile(r"\bif (?:the )?(.{2,60}?) (?:wins?|beats?|defeats?)\b", re.IGNORECASE)


class FixtureConfirmed(msgspec.Struct, frozen=True):
    """Payload of a ``FIXTURE`` row: from now on the market is about this game and pays this team's win."""

    source: str
    game: str
    team: str
    rules: str
    """Hash of the market's rules text that was read."""
    text: str


class About(msgspec.Struct, frozen=True):
    """The game a market is, or seems to be, about, and the team whose win it pays."""

    game: Game
    team: str
    why: str
    """How that is known, a clause."""


class Fixtures:
    """What was confirmed, by ticker, beside the games as they are told."""

    def __init__(
        self, log: EventLog, games: Mapping[tuple[str, str], Game], confirmed: Mapping[str, FixtureConfirmed]
    ) -> None:
        self._log, self._games = log, games
        self._confirmed = dict(confirmed)
        self._likely: dict[str, tuple[tuple[object, ...], tuple[Likeness, ...]]] = {}
        """Likenesses by ticker, with the text and the games they were found among."""

    def of(self, market: Market) -> tuple[Game, str] | None:
        """The game a market is about and the team whose win it pays; ``None`` unless a person has confirmed
        it, for this text, and the game is told of still."""
        known = self._confirmed.get(market.ticker)
        if known is None or known.rules != market.rules_hash:
            return None
        game = self._games.get((known.game, known.source))
        return (game, known.team) if game is not None else None

    def about(self, market: Market) -> About | str:
        """What a market is priced by: the confirmed game, else a likely one; or why there is none."""
        known = self.of(market)
        if known is not None:
            return About(*known, "the game is confirmed")
        if self._stands(market):
            return "its confirmed game is offered by nobody now"
        likely = next(iter(self.suggested(market)), None)
        if likely is None:
            return "no game that bookmakers offer has its teams and its day"
        named, sure = f"{likely.game.away} at {likely.game.home}", f"{likely.confidence:.2f}"
        if likely.confidence < LIKELY_MIN:
            return f"{named} is too little like it for a price: {sure} of {LIKELY_MIN:g} ({likely.why})"
        if not likely.team:
            return f"its words do not say whose win it pays: {self._remedy(market, likely)} --team NAME"
        return About(likely.game, likely.team, f"not confirmed: {named} by likeness {sure} ({likely.why})")

    def waits(self, market: Market) -> str:
        """Why nothing is opened in a market on a game; empty once a person has confirmed which one it is."""
        if market.contest is None or self._stands(market):
            return ""
        likely = next(iter(self.suggested(market)), None)
        if likely is None:
            return "trading waits for your word on which game it is about, and bookmakers offer none like it"
        return f"trading waits for your word on which game it is about: {self._remedy(market, likely)}"

    def _stands(self, market: Market) -> bool:
        """Whether its game is confirmed for its text as it reads now."""
        known = self._confirmed.get(market.ticker)
        return known is not None and known.rules == market.rules_hash

    @staticmethod
    def _remedy(market: Market, likely: Likeness) -> str:
        return f"pmconsole feeds match {market.ticker} {likely.game.id}"

    def suggested(self, market: Market) -> tuple[Likeness, ...]:
        """Games the market may be about, the likeliest first; none for a market about the weather."""
        if market.station is not None:
            return ()
        among = (market.rules_hash, market.title, *self._games)
        held = self._likely.get(market.ticker)
        if held is None or held[0] != among:
            held = self._likely[market.ticker] = among, likenesses(question_of(market), self._games.values())
        # Their prices move on, what they are called does not.
        return tuple(
            msgspec.structs.replace(one, game=self._games[one.game.id, one.game.source]) for one in held[1]
        )

    def forget(self, ticker: str) -> None:
        """A market left the desk."""
        self._likely.pop(ticker, None)

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
