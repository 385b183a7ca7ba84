"""The games of this world: who plays when, how likely who wins at any instant, what bookmakers offer.

What is known of a game grows from two days before its start to its end. The final margin is a normal
number that comes out bit by bit; the true probability is what is known of it so far, so it moves without
drift and ends at 0 or 1. Teams are real names, everything else is made from the seed.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta

import msgspec

from core.sim.chance import below, bridge, normal, uniform
from core.sim.new_york import DAY_MS, HOUR_MS, at, local_ms

OPENS_MS = 2 * DAY_MS
"""Before its start a game is offered."""
_BEFORE = 0.15
"""Of all that decides a game what comes out before it starts."""
_STRENGTH = 0.7
_BIAS = 0.02
_IN_PLAY = 20
"""Bookmakers price this much more often while a game is played."""


class League(msgspec.Struct, frozen=True):
    """One sport of one country. Points are what its games are counted in."""

    sport: str
    title: str
    teams: tuple[str, ...]
    games_a_day: int
    hours: tuple[int, ...]
    """New York's hours in which games begin."""
    lasts_ms: int
    margin: float
    """Standard deviation of a final margin, points."""
    total: float
    total_deviation: float
    draw: float = 0.0
    """Margins within this many points are draws."""


LEAGUES = (
    League(
        "basketball_nba", "NBA",
        (
            "Boston Celtics", "New York Knicks", "Miami Heat", "Chicago Bulls", "Denver Nuggets",
            "Los Angeles Lakers", "Golden State Warriors", "Philadelphia 76ers", "Dallas Mavericks",
            "Houston Rockets",
        ),
        3, (12, 15, 19, 22), int(2.4 * HOUR_MS), 12.5, 228.0, 18.0,
    ),
    League(
        "icehockey_nhl", "NHL",
        (
            "New York Rangers", "Boston Bruins", "Chicago Blackhawks", "Colorado Avalanche",
            "Los Angeles Kings", "Florida Panthers", "Dallas Stars", "Seattle Kraken",
        ),
        2, (13, 19, 21), int(2.6 * HOUR_MS), 2.4, 6.1, 2.2,
    ),
    League(
        "soccer_epl", "EPL",
        (
            "Arsenal", "Chelsea", "Liverpool", "Manchester City", "Manchester United", "Tottenham Hotspur",
            "Newcastle United", "Aston Villa",
        ),
        2, (10, 12, 15), int(1.9 * HOUR_MS), 1.8, 2.8, 1.6, draw=0.5,
    ),
)  # fmt: skip


class Bookmaker(msgspec.Struct, frozen=True):
    """``margin`` is what its prices' inverses sum to above 1."""

    key: str
    title: str
    region: str
    margin: float
    reprices_s: int
    """Between its looks at what is known, before a game; prices move then or not at all."""


BOOKMAKERS = (
    Bookmaker("pinnacle", "Pinnacle", "eu", 0.020, 120),
    Bookmaker("betfair_ex_eu", "Betfair", "eu", 0.007, 60),
    Bookmaker("matchbook", "Matchbook", "eu", 0.006, 180),
    Bookmaker("draftkings", "DraftKings", "us", 0.042, 300),
    Bookmaker("fanduel", "FanDuel", "us", 0.044, 420),
    Bookmaker("betmgm", "BetMGM", "us", 0.048, 900),
)


class Fixture(msgspec.Struct, frozen=True):
    """One game of the world's calendar."""

    id: str
    league: League
    home: str
    away: str
    starts_ms: int

    @property
    def ends_ms(self) -> int:
        return self.starts_ms + self.league.lasts_ms


class Chances(msgspec.Struct, frozen=True):
    """Probabilities that sum to 1; ``draw`` is 0 where a game is played to a winner."""

    home: float
    away: float
    draw: float


class Priced(msgspec.Struct, frozen=True):
    """One outcome as a bookmaker offers it."""

    outcome: str
    decimal: float
    point: float | None = None


class Offered(msgspec.Struct, frozen=True):
    """A bookmaker's prices of one game by market. ``looked_ms`` goes on though no price moves."""

    book: Bookmaker
    looked_ms: int
    markets: dict[str, tuple[Priced, ...]]
    """``h2h``, ``spreads`` and ``totals``."""


class Games:
    """All games of one world, from its seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._days: dict[date, tuple[Fixture, ...]] = {}

    def offered(self, at_ms: int) -> tuple[Fixture, ...]:
        """Games that bookmakers offer now: coming ones and those being played, in order of their starts."""
        found = self.between(at_ms - DAY_MS, at_ms + OPENS_MS)
        return tuple(game for game in found if game.ends_ms > at_ms)

    def between(self, from_ms: int, to_ms: int) -> tuple[Fixture, ...]:
        """Games that start from one instant to another, in order of their starts."""
        day, last = (datetime.fromtimestamp(local_ms(ms) / 1000, UTC).date() for ms in (from_ms, to_ms))
        found: list[Fixture] = []
        while day <= last:
            found += [game for game in self._of(day) if from_ms <= game.starts_ms <= to_ms]
            day += timedelta(days=1)
        return tuple(sorted(found, key=lambda game: (game.starts_ms, game.id)))

    def chances(self, game: Fixture, at_ms: int) -> Chances:
        """What is truly known now."""
        known, margin = self._margin(game, at_ms)
        draw = game.league.draw / game.league.margin
        home, away = _beyond(margin - draw, known), _beyond(-margin - draw, known)
        return Chances(home, away, max(0.0, 1 - home - away) if draw else 0.0)

    def offers(self, game: Fixture, at_ms: int) -> tuple[Offered, ...]:
        """What each bookmaker offers now; nothing once the game is over."""
        if at_ms >= game.ends_ms:
            return ()
        return tuple(self._offer(game, book, at_ms) for book in BOOKMAKERS)

    def _of(self, day: date) -> tuple[Fixture, ...]:
        if day not in self._days:
            self._days[day] = tuple(
                self._fixture(league, day, number)
                for league in LEAGUES
                for number in range(league.games_a_day)
            )
        return self._days[day]

    def _fixture(self, league: League, day: date, number: int) -> Fixture:
        label = f"{self._seed}|{league.sport}|{day}"
        order = sorted(league.teams, key=lambda team: uniform(f"{label}|{team}"))
        hour = league.hours[int(uniform(f"{label}|hour {number}") * len(league.hours))]
        minute = 30 * int(uniform(f"{label}|minute {number}") * 2)
        identity = hashlib.md5(f"{label}|{number}".encode(), usedforsecurity=False).hexdigest()
        return Fixture(identity, league, order[2 * number], order[2 * number + 1], at(day, hour, minute))

    def _known(self, game: Fixture, at_ms: int) -> float:
        """How much of what decides the game is out, 0 to 1."""
        if at_ms < game.starts_ms:
            return _BEFORE * max(0.0, 1 - (game.starts_ms - at_ms) / OPENS_MS)
        return min(1.0, _BEFORE + (1 - _BEFORE) * (at_ms - game.starts_ms) / game.league.lasts_ms)

    def _margin(self, game: Fixture, at_ms: int) -> tuple[float, float]:
        """What is known, and the final margin as it stands then, in standard deviations."""
        known = self._known(game, at_ms)
        return known, _STRENGTH * self._normal(game, "strength") + self._path(game, "margin", known)

    def _total(self, game: Fixture, known: float) -> float:
        """How far from the usual all points stand, in points."""
        return game.league.total_deviation * self._path(game, "total", known)

    def _path(self, game: Fixture, what: str, known: float) -> float:
        label = f"{self._seed}|{game.id}|{what}"
        return known * normal(label) + bridge(label, known)

    def _normal(self, game: Fixture, what: str) -> float:
        return normal(f"{self._seed}|{game.id}|{what}")

    def _offer(self, game: Fixture, book: Bookmaker, at_ms: int) -> Offered:
        playing = at_ms >= game.starts_ms
        every_ms = book.reprices_s * 1000 // (_IN_PLAY if playing else 1)
        phase = uniform(f"{self._seed}|{book.key}|{game.id}")
        priced_ms = at_ms - (at_ms + int(phase * every_ms)) % every_ms
        scrape_ms = 40_000 if playing else 60_000
        looked_ms = at_ms - (at_ms + int(uniform(f"{self._seed}|{book.key}") * scrape_ms)) % scrape_ms
        league, chances = game.league, self.chances(game, priced_ms)
        tilt = _BIAS * self._normal(game, book.key)
        h2h = [(game.home, chances.home * (1 + tilt)), (game.away, chances.away * (1 - tilt))]
        if league.draw:
            h2h.append(("Draw", chances.draw))
        known, margin = self._margin(game, priced_ms)
        spread = _half(league.margin * margin)
        cover = _beyond(margin - spread / league.margin, known)
        above = self._total(game, known)
        line = max(0.5, _half(league.total + above))
        over = _beyond((league.total + above - line) / league.total_deviation, known)
        sides = ((game.home, cover, -spread), (game.away, 1 - cover, spread))
        both = (("Over", over), ("Under", 1 - over))
        markets = {
            "h2h": tuple(Priced(name, _decimal(chance, book)) for name, chance in h2h),
            "spreads": tuple(Priced(name, _decimal(chance, book), point) for name, chance, point in sides),
            "totals": tuple(Priced(name, _decimal(chance, book), line) for name, chance in both),
        }
        return Offered(book, looked_ms, markets)


def _beyond(above: float, known: float) -> float:
    """Probability that a normal number of which ``known`` is out ends above zero."""
    if known >= 1:
        return 1.0 if above > 0 else 0.0
    return below(above / (1 - known) ** 0.5)


def _half(points: float) -> float:
    """The nearest line that no whole number of points hits."""
    return round(points - 0.5) + 0.5


def _decimal(chance: float, book: Bookmaker) -> float:
    return max(1.01, round(1 / (max(chance, 0.001) * (1 + book.margin)), 2))
