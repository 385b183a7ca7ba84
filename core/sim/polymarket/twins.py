"""The same weather on this venue: for some of the world's events, Polymarket's way of asking.

A city's ladder is one neg-risk event whose markets are its brackets; New York has a plain yes/no question
beside it. New York's markets are of the first generation, Miami's of the second. Texts are our own.
"""

from __future__ import annotations

import heapq

import msgspec

from core.sim.brackets import Bracket
from core.sim.polymarket import chain
from core.sim.polymarket.contracts import EventSpec, MarketSpec, Version
from core.sim.polymarket.exchange import Exchange
from core.sim.scenarios.loader import Station
from core.sim.weather import HOUR_MS
from core.sim.world import Listing, World

CHALLENGE_MS = 2 * HOUR_MS
"""How long in world time an asserted outcome may be disputed."""
VERSIONS = {"KNYC": Version.V1, "KMIA": Version.V2}
"""Cities that are listed here too."""
SHORT_NAMES = {"KNYC": "NYC"}
BINARY_CITY = "KNYC"
_BINARY_FROM = 3
"""The plain question is whether the high reaches this bracket of the ladder, counted from 0."""


class Twin(msgspec.Struct, frozen=True):
    """One market here and the brackets of the world's event that make it YES."""

    condition_id: str
    listed: Listing
    tickers: frozenset[str]


class Twins:
    """Lists, asserts and resolves as world time passes."""

    def __init__(self, exchange: Exchange, world: World) -> None:
        self._exchange, self._world = exchange, world
        self._numbers = 0
        self._due: list[tuple[int, str, bool]] = []
        self.markets: dict[str, Twin] = {}
        """Those not yet resolved, by condition id."""

    def enter(self, listed: Listing) -> list[Twin]:
        """List an event's twins, if its city has any."""
        if listed.station not in VERSIONS:
            return []
        station = self._world.scenario.stations[listed.station]
        made = [self._ladder(station, listed)]
        if listed.station == BINARY_CITY:
            made.append(self._binary(station, listed))
        fresh = []
        for event, tickers in made:
            self._exchange.list_event(event)
            for market, yes in zip(event.markets, tickers, strict=True):
                fresh.append(Twin(market.condition_id, listed, yes))
                heapq.heappush(self._due, (listed.determine_ms, market.condition_id, False))
        self.markets |= {twin.condition_id: twin for twin in fresh}
        return fresh

    def step(self) -> None:
        """Assert outcomes that are known, and make final what nobody has disputed."""
        now_ms = self._world.now_ms()
        while self._due and self._due[0][0] <= now_ms:
            at_ms, condition, final = heapq.heappop(self._due)
            outcome = self._outcome(self.markets[condition])
            if final:
                self._exchange.resolve(condition, outcome)
                del self.markets[condition]
            else:
                self._exchange.propose(condition, outcome)
                heapq.heappush(self._due, (at_ms + CHALLENGE_MS, condition, True))

    def _outcome(self, twin: Twin) -> int:
        """0 for YES, 1 for NO."""
        record = self._world.weather.record(twin.listed.station, twin.listed.day)
        assert record is not None
        ladder = zip(twin.listed.tickers, twin.listed.brackets, strict=True)
        paying = next(t for t, bracket in ladder if bracket.pays(record.observed_high_f))
        return 0 if paying in twin.tickers else 1

    def _ladder(self, station: Station, listed: Listing) -> tuple[EventSpec, list[frozenset[str]]]:
        slug, title = (
            f"highest-temperature-in-{_slug(station)}-on-{_day_slug(listed)}",
            _title(station, listed),
        )
        description = _description(station, listed)
        version = VERSIONS[station.icao]
        markets = []
        for index, bracket in enumerate(listed.brackets):
            part = f"{slug}-{_bracket_slug(bracket)}"
            if version is Version.V2:
                condition = chain.condition_v2(slug, index, neg_risk=True)
                tokens = chain.tokens_v2(condition)
            else:
                condition = chain.condition_v1(part)
                tokens = chain.tokens_v1(condition)
            markets.append(
                MarketSpec(
                    number=self._number(),
                    slug=part,
                    question=f"Will the highest temperature in {_city(station)} be {_between(bracket)} on "
                    f"{_day(listed)}?",
                    description=description,
                    condition_id=condition,
                    tokens=tokens,
                    version=version,
                    neg_risk=True,
                    opens_ms=listed.open_ms,
                    ends_ms=listed.close_ms,
                    group_title=_words(bracket),
                    resolution_source=_source(station),
                    refines=True,
                )
            )
        event = self._event(station, slug, title, description, tuple(markets), neg_risk=True)
        return event, [frozenset({ticker}) for ticker in listed.tickers]

    def _binary(self, station: Station, listed: Listing) -> tuple[EventSpec, list[frozenset[str]]]:
        low_f = listed.brackets[_BINARY_FROM].low_f
        slug = f"will-{_slug(station)}-reach-{low_f}f-on-{_day_slug(listed)}"
        question = f"Will it reach {low_f}°F in {_city(station)} on {_day(listed)}?"
        description, condition = _description(station, listed), chain.condition_v1(slug)
        market = MarketSpec(
            number=self._number(),
            slug=slug,
            question=question,
            description=description,
            condition_id=condition,
            tokens=chain.tokens_v1(condition),
            version=Version.V1,
            neg_risk=False,
            opens_ms=listed.open_ms,
            ends_ms=listed.close_ms,
            resolution_source=_source(station),
            refines=True,
        )
        event = self._event(station, slug, question, description, (market,), neg_risk=False)
        return event, [frozenset(listed.tickers[_BINARY_FROM:])]

    def _event(
        self,
        station: Station,
        slug: str,
        title: str,
        description: str,
        markets: tuple[MarketSpec, ...],
        *,
        neg_risk: bool,
    ) -> EventSpec:
        return EventSpec(
            self._number(),
            slug,
            title,
            description,
            markets,
            neg_risk,
            _source(station),
            series_slug=f"{_slug(station)}-daily-weather",
        )

    def _number(self) -> int:
        self._numbers += 1
        return 500_000 + self._numbers


def _city(station: Station) -> str:
    return SHORT_NAMES.get(station.icao, station.city)


def _slug(station: Station) -> str:
    return _city(station).lower().replace(" ", "-")


def _day(listed: Listing) -> str:
    return f"{listed.day:%B} {listed.day.day}"


def _day_slug(listed: Listing) -> str:
    return f"{listed.day:%B}-{listed.day.day}-{listed.day.year}".lower()


def _title(station: Station, listed: Listing) -> str:
    return f"Highest temperature in {_city(station)} on {_day(listed)}?"


def _source(station: Station) -> str:
    return f"https://www.wunderground.com/history/daily/us/{station.icao}"


def _description(station: Station, listed: Listing) -> str:
    return (
        f"This market resolves by the highest temperature recorded at station {station.icao} "
        f"({station.place}) on {_day(listed)}, {listed.day.year}, in whole degrees Fahrenheit. Source: "
        f"Wunderground (The Weather Company), {_source(station)}, once the day's data are final. The day is "
        f"midnight to midnight local standard time. Simulated: settles on the high of the replayed date."
    )


def _words(bracket: Bracket) -> str:
    if bracket.low_f is None:
        return f"{bracket.high_f}°F or below"
    return f"{bracket.low_f}°F or higher" if bracket.high_f is None else f"{bracket.low_f}-{bracket.high_f}°F"


def _between(bracket: Bracket) -> str:
    inner = bracket.low_f is not None and bracket.high_f is not None
    return f"between {_words(bracket)}" if inner else _words(bracket)


def _bracket_slug(bracket: Bracket) -> str:
    if bracket.low_f is None:
        return f"{bracket.high_f}forbelow".replace("-", "minus")
    if bracket.high_f is None:
        return f"{bracket.low_f}forhigher".replace("-", "minus")
    return f"{bracket.low_f}-{bracket.high_f}f"
