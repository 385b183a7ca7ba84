"""Who wins a basketball game: one event a day, a market for each team."""

from __future__ import annotations

from collections.abc import Container, Iterator
from datetime import UTC, datetime

import msgspec

from core.sim.contracts import EventSpec, MarketSpec, SeriesSpec, Source
from core.sim.families.family import Outcome
from core.sim.games import OPENS_MS, Fixture, Games
from core.sim.new_york import DAY_MS, local_ms

SERIES, SPORT = "KXNBAGAME", "basketball_nba"
SOURCE = Source("NBA", "https://www.nba.com/games")
DETERMINED_AFTER_MS = 10 * 60_000
SETTLEMENT_TIMER_S = 300

CODES = {
    "Boston Celtics": "BOS",
    "New York Knicks": "NYK",
    "Miami Heat": "MIA",
    "Chicago Bulls": "CHI",
    "Denver Nuggets": "DEN",
    "Los Angeles Lakers": "LAL",
    "Golden State Warriors": "GSW",
    "Philadelphia 76ers": "PHI",
    "Dallas Mavericks": "DAL",
    "Houston Rockets": "HOU",
}


def event_ticker(game: Fixture) -> str:
    start = _local(game.starts_ms)
    return f"{SERIES}-{start:%y}{start:%b}{start:%d}{CODES[game.away]}{CODES[game.home]}".upper()


def _local(at_ms: int) -> datetime:
    return datetime.fromtimestamp(local_ms(at_ms) / 1000, UTC)


class Winner(msgspec.Struct, frozen=True):
    """One game's event: the away team's market, then the home team's."""

    game: Fixture
    games: Games

    @property
    def determined_ms(self) -> int:
        return self.game.ends_ms + DETERMINED_AFTER_MS

    @property
    def spec(self) -> EventSpec:
        game = self.game
        start, event = _local(game.starts_ms), event_ticker(game)
        day = f"{start:%b} {start.day}, {start.year}"
        title = f"{game.away} at {game.home} winner?"
        markets = tuple(
            MarketSpec(
                ticker=f"{event}-{CODES[team]}",
                event_ticker=event,
                series_ticker=SERIES,
                title=title,
                yes_sub_title=team,
                strike_type="structured",
                open_ms=game.starts_ms - OPENS_MS,
                close_ms=game.ends_ms,
                settlement_timer_s=SETTLEMENT_TIMER_S,
                expected_expiration_ms=self.determined_ms,
                latest_expiration_ms=game.starts_ms + 14 * DAY_MS,
                rules_primary=(
                    f"If {team} wins the {game.away} at {game.home} professional basketball game "
                    f"originally scheduled for {day}, this market pays Yes."
                ),
                rules_secondary="Overtime counts. Simulated: settles on this world's own game.",
            )
            for team in (game.away, game.home)
        )
        return EventSpec(
            event_ticker=event,
            series_ticker=SERIES,
            title=title,
            sub_title=f"{CODES[game.away]} at {CODES[game.home]} on {day}",
            markets=markets,
            mutually_exclusive=True,
            settlement_sources=(SOURCE,),
        )

    def chances(self, now_ms: int) -> tuple[float, ...]:
        known = self.games.chances(self.game, now_ms)
        return known.away, known.home

    def outcome(self) -> Outcome:
        home = self.games.chances(self.game, self.game.ends_ms).home > 0.5
        return Outcome((not home, home), self.game.home if home else self.game.away)


class Winners:
    """The first game of each day, from when bookmakers offer it."""

    look_every_ms = 2_000
    series = SeriesSpec(
        SERIES, "NBA game winner", "Sports", ("Basketball",), "custom", settlement_sources=(SOURCE,)
    )

    def __init__(self, games: Games) -> None:
        self._games = games

    def open(self, now_ms: int, listed: Container[str]) -> Iterator[Winner]:
        days = set()
        for game in self._games.between(now_ms - DAY_MS, now_ms + OPENS_MS):
            day = local_ms(game.starts_ms) // DAY_MS
            if game.league.sport != SPORT or day in days:
                continue
            days.add(day)
            if game.ends_ms > now_ms and event_ticker(game) not in listed:
                yield Winner(game, self._games)
