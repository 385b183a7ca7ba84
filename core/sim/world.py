"""The calendar of the simulated exchange: what is listed when, when it closes and how it settles.

World day n is today + n; the scenario's first original day is shown as today. Everything here is
world time; ``World.tick`` brings the exchange up to now.
"""

from __future__ import annotations

import heapq
from datetime import UTC, date, datetime, timedelta

import msgspec

from core.domain.clock import Clock, WorldClock
from core.sim.brackets import Bracket, six, strike, suffix, words
from core.sim.contracts import EventSpec, MarketSpec, SeriesSpec, Source
from core.sim.exchange import Exchange
from core.sim.scenarios.loader import DayRecord, Scenario, Station
from core.sim.weather import DAY_MS, HOUR_MS, Calendar, Weather, climate_day, day_start_ms

OPENS_UTC_H = 15
"""Markets of a day open at 15:00Z the day before."""
DETERMINED_UTC_H = 12
"""Outcomes are set at 12:00Z the day after, 07:00 in New York."""
SETTLEMENT_TIMER_S = 3600
LATEST_EXPIRATION_MS = 7 * DAY_MS

SETTLEMENT_SOURCE = Source("The Weather Company", "https://weather.com/kalshi")
_BEFORE = Source(
    "the National Weather Service's Climatological Report (Daily)", "https://www.weather.gov/wrh/climate"
)
_SOURCE_SINCE = date(2026, 8, 14)
FEE_TYPE = "quadratic"

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


class Listing(msgspec.Struct, frozen=True):
    """One city's event of one world day. ``tickers`` run like ``brackets``, coldest first."""

    station: str
    day: date
    event_ticker: str
    tickers: tuple[str, ...]
    brackets: tuple[Bracket, ...]
    open_ms: int
    close_ms: int
    determine_ms: int


def start_clock(scenario: Scenario, speed: float, now_ms: int) -> WorldClock:
    """World time from now on: the scenario's time of day, or simply real time at speed 1."""
    if speed == 1:
        return WorldClock(now_ms, now_ms, 1.0)
    today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
    origin = datetime.combine(today, scenario.script.starts_at_utc, UTC)
    return WorldClock(now_ms, int(origin.timestamp()) * 1000, speed)


def start_calendar(scenario: Scenario, world_origin_ms: int) -> Calendar:
    """The scenario's first day becomes the climate day that runs in the first station's city."""
    today = climate_day(next(iter(scenario.stations.values())), world_origin_ms)
    return Calendar((today - scenario.script.first_day).days)


def replay_note(scenario: Scenario, seed: int) -> str:
    """What of this world is real and what is generated, for the ready line and the screen."""
    script = scenario.script
    if not script.weather_markets:
        return "Synthetic markets: nothing here is real."
    return (
        f"Replays {script.first_day} to {script.last_day}. Real: bracket ladders, observed highs, hourly "
        f"forecasts (Open-Meteo.com, CC BY 4.0). Generated from seed {seed}: issue times and earlier errors "
        f"of forecasts, other models, all days before, observations within the day, NWS forecasts, ensemble "
        f"members, order flow, prices, games and releases."
    )


def listing(station: Station, day: date, record: DayRecord) -> Listing:
    """Names and times of one event; its markets trade until a minute before local standard midnight."""
    event = f"{station.series}-{day:%y}{_MONTHS[day.month - 1]}{day:%d}"
    ladder = six(record.lowest_cap_f)
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
    return Listing(
        station.icao,
        day,
        event,
        tuple(f"{event}-{suffix(bracket)}" for bracket in ladder),
        ladder,
        midnight - DAY_MS + OPENS_UTC_H * HOUR_MS,
        day_start_ms(station, day + timedelta(days=1)) - 60_000,
        midnight + DAY_MS + DETERMINED_UTC_H * HOUR_MS,
    )


def source_of(day: date) -> Source:
    """Whose record the rules of a day's markets name."""
    return SETTLEMENT_SOURCE if day >= _SOURCE_SINCE else _BEFORE


def series_spec(station: Station) -> SeriesSpec:
    return SeriesSpec(
        ticker=station.series,
        title=f"Highest temperature in {station.city}",
        category="Climate and Weather",
        tags=("Daily temperature",),
        fee_type=FEE_TYPE,
        settlement_sources=(SETTLEMENT_SOURCE,),
    )


def event_spec(station: Station, listed: Listing) -> EventSpec:
    """The event as the exchange publishes it; texts are our own."""
    day, source = f"{listed.day:%b} {listed.day.day}, {listed.day.year}", source_of(listed.day)
    markets = tuple(
        MarketSpec(
            ticker=ticker,
            event_ticker=listed.event_ticker,
            series_ticker=station.series,
            title=f"High in {station.city} {words(bracket)} on {day}?",
            yes_sub_title=words(bracket),
            no_sub_title=words(bracket),
            open_ms=listed.open_ms,
            close_ms=listed.close_ms,
            settlement_timer_s=SETTLEMENT_TIMER_S,
            expected_expiration_ms=listed.determine_ms,
            latest_expiration_ms=listed.determine_ms + LATEST_EXPIRATION_MS,
            rules_primary=(
                f"Yes if the highest temperature of {day} at {station.city} ({station.cli}) is "
                f"{words(bracket)} Fahrenheit according to {source.name}. The day is midnight to "
                f"midnight local standard time."
            ),
            rules_secondary="Simulated: settles on the high observed on the replayed date.",
            **strike(bracket),
        )
        for ticker, bracket in zip(listed.tickers, listed.brackets, strict=True)
    )
    return EventSpec(
        event_ticker=listed.event_ticker,
        series_ticker=station.series,
        title=f"Highest temperature in {station.city} on {day}?",
        sub_title=f"On {day}",
        markets=markets,
        mutually_exclusive=True,
        strike_date_ms=listed.close_ms + 60_000,
        settlement_sources=(source,),
    )


class World:
    """Lists, closes and settles events as world time passes."""

    def __init__(
        self, scenario: Scenario, weather: Weather, exchange: Exchange, real: Clock, world: WorldClock
    ) -> None:
        self.scenario, self.weather, self.exchange = scenario, weather, exchange
        self.listings: dict[str, Listing] = {}
        """Every event listed so far, by ticker."""
        self._real, self._clock = real, world
        self.first_day = weather.calendar.world(scenario.script.first_day)
        self.off_f: dict[str, int] = {}
        """Degrees by which the source's value lies off the climate report's, by event ticker: no event's
        does until somebody says so."""
        self.prose: set[str] = set()
        """Events whose settled value comes as a sentence."""
        self.trades_until_ms: int | None = None
        """World time at which the record's last market closes; ``None`` where nothing is replayed."""
        self._unlisted: list[tuple[int, str, date]] = []
        self._undetermined: list[tuple[int, str]] = []
        if not scenario.script.weather_markets:
            return
        for station in scenario.stations.values():
            exchange.list_series(series_spec(station))
        day = self.first_day
        while day <= weather.calendar.world(scenario.script.last_day):
            for station in scenario.stations.values():
                record = weather.record(station.icao, day)
                if record is not None:
                    planned = listing(station, day, record)
                    heapq.heappush(self._unlisted, (planned.open_ms, station.icao, day))
                    self.trades_until_ms = max(self.trades_until_ms or 0, planned.close_ms)
            day += timedelta(days=1)

    def now_ms(self) -> int:
        """World time."""
        return self._clock.at(self._real.wall_ms())

    def ended(self) -> bool:
        """Whether the record is used up: its last market has closed and no other will be listed."""
        return self.trades_until_ms is not None and self.now_ms() >= self.trades_until_ms

    def tick(self) -> list[Listing]:
        """Bring the exchange up to now; returns the events that were listed by it."""
        now_ms, fresh = self.now_ms(), []
        while self._unlisted and self._unlisted[0][0] <= now_ms:
            _, icao, day = heapq.heappop(self._unlisted)
            fresh.append(self._list(icao, day))
        self.exchange.advance()
        while self._undetermined and self._undetermined[0][0] <= now_ms:
            self._determine(self.listings[heapq.heappop(self._undetermined)[1]])
        return fresh

    def open_listings(self) -> list[Listing]:
        """Events that trade now, in listing order."""
        now_ms = self.now_ms()
        return [x for x in self.listings.values() if x.open_ms <= now_ms < x.close_ms]

    def event(self, station: str, day: int) -> Listing | None:
        """The city's event ``day`` days after the first, if it trades now."""
        wanted = self.first_day + timedelta(days=day)
        return next((x for x in self.open_listings() if x.station == station and x.day == wanted), None)

    def _list(self, icao: str, day: date) -> Listing:
        station, record = self.scenario.stations[icao], self.weather.record(icao, day)
        assert record is not None
        listed = listing(station, day, record)
        self.listings[listed.event_ticker] = listed
        self.exchange.list_event(event_spec(station, listed))
        heapq.heappush(self._undetermined, (listed.determine_ms, listed.event_ticker))
        return listed

    def _determine(self, listed: Listing) -> None:
        record = self.weather.record(listed.station, listed.day)
        assert record is not None
        observed = record.observed_high_f + self.off_f.get(listed.event_ticker, 0)
        value = f"{observed:.2f}"
        if listed.event_ticker in self.prose:
            value = f"{observed}. Although the report was late, this is the value that counts."
        for ticker, bracket in zip(listed.tickers, listed.brackets, strict=True):
            self.exchange.determine(ticker, "yes" if bracket.pays(observed) else "no", value)
