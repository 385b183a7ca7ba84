"""The lowest temperature of a climate day: six brackets around what was forecast when trading opened.

The crowd corrects the forecast's low as it does its high; once the day has begun the low is the lower
of what was seen and of the hours since the last report, in which the error seen then dies away.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from datetime import UTC, date, datetime, timedelta

import msgspec

from core.sim.brackets import Bracket, six, strike, suffix, words
from core.sim.contracts import EventSpec, MarketSpec, SeriesSpec
from core.sim.families.family import Outcome
from core.sim.laws import Law, outermost, remaining, whole_day
from core.sim.scenarios.loader import Extreme, Station
from core.sim.weather import DAY_MS, HOUR_MS, Weather, climate_day, day_start_ms, half_up
from core.sim.world import (
    DETERMINED_UTC_H,
    OPENS_UTC_H,
    SETTLEMENT_SOURCE,
    SETTLEMENT_TIMER_S,
    source_of,
)

STATION, SERIES = "KNYC", "KXLOWTNYC"
_COLDER_F, _WIDER = 0.5, 1.2
"""Reports scatter around the curve of a night: the lowest lies under it, and is less sure than a high."""


Heard = Callable[[int], int]
"""As of when the crowd knows the forecasts at a world instant."""


def at_once(now_ms: int) -> int:
    return now_ms


class Low(msgspec.Struct, frozen=True):
    """One climate day's event."""

    station: Station
    day: date
    weather: Weather
    brackets: tuple[Bracket, ...]
    heard_ms: Heard = at_once

    @property
    def determined_ms(self) -> int:
        return _utc_ms(self.day) + DAY_MS + DETERMINED_UTC_H * HOUR_MS

    @property
    def spec(self) -> EventSpec:
        city, day = self.station.city, f"{self.day:%b} {self.day.day}, {self.day.year}"
        event, close_ms = event_ticker(self.day), _close_ms(self.station, self.day)
        source = source_of(self.day)
        markets = tuple(
            MarketSpec(
                ticker=f"{event}-{suffix(bracket)}",
                event_ticker=event,
                series_ticker=SERIES,
                title=f"Low in {city} {words(bracket)} on {day}?",
                yes_sub_title=words(bracket),
                open_ms=_opens_ms(self.day),
                close_ms=close_ms,
                settlement_timer_s=SETTLEMENT_TIMER_S,
                expected_expiration_ms=self.determined_ms,
                latest_expiration_ms=self.determined_ms + 7 * DAY_MS,
                rules_primary=(
                    f"Yes if the lowest temperature of {day} at {city} ({self.station.cli}) is "
                    f"{words(bracket)} Fahrenheit according to {source.name}. The day is "
                    f"midnight to midnight local standard time."
                ),
                rules_secondary="Simulated: settles on the low of this world's reports.",
                **strike(bracket),
            )
            for bracket in self.brackets
        )
        return EventSpec(
            event_ticker=event,
            series_ticker=SERIES,
            title=f"Lowest temperature in {city} on {day}?",
            sub_title=f"On {day}",
            markets=markets,
            mutually_exclusive=True,
            strike_date_ms=close_ms + 60_000,
            settlement_sources=(source,),
        )

    def chances(self, now_ms: int) -> tuple[float, ...]:
        law = self._law(now_ms)
        return tuple(law.chance(bracket) for bracket in self.brackets)

    def outcome(self) -> Outcome:
        seen_f = half_up(min(o.temp_f for o in self.weather.observations(self.station.icao, self.day)))
        return Outcome(tuple(bracket.pays(seen_f) for bracket in self.brackets), f"{seen_f}.00")

    def _law(self, now_ms: int) -> Law:
        weather, icao, heard_ms = self.weather, self.station.icao, self.heard_ms(now_ms)
        hours = weather.forecast_hours(icao, self.day, heard_ms)
        belief = weather.belief(icao, climate_day(self.station, now_ms))
        assert belief is not None
        forecast_f = outermost(hours, Extreme.LOW)
        weighed = weather.weighed(icao, self.day, Extreme.LOW, forecast_f, heard_ms)
        if weighed is not None:
            whole = whole_day(*weighed, hours, Extreme.LOW)
        else:
            mean = forecast_f - belief.bias_f - _COLDER_F
            whole = Law(mean, belief.sigma_f * _WIDER, Extreme.LOW)
        return remaining(whole, hours, weather.reported_of(icao, self.day, now_ms))


class Lows:
    """New York's days, as far as the record goes."""

    look_every_ms = 500
    series = SeriesSpec(
        SERIES,
        "Lowest temperature in New York",
        "Climate and Weather",
        ("Daily temperature",),
        settlement_sources=(SETTLEMENT_SOURCE,),
    )

    def __init__(self, weather: Weather, heard_ms: Heard = at_once) -> None:
        self._weather, self._heard_ms = weather, heard_ms

    def open(self, now_ms: int, listed: Container[str]) -> Iterator[Low]:
        station = self._weather.stations[STATION]
        today = climate_day(station, now_ms)
        for day in (today, today + timedelta(days=1)):
            trades = _opens_ms(day) <= now_ms < _close_ms(station, day)
            if trades and event_ticker(day) not in listed and self._weather.record(STATION, day) is not None:
                brackets = ladder(self._weather, station, day)
                yield Low(station, day, self._weather, brackets, self._heard_ms)


def event_ticker(day: date) -> str:
    return f"{SERIES}-{day:%y%b%d}".upper()


def ladder(weather: Weather, station: Station, day: date) -> tuple[Bracket, ...]:
    """Around the low that was forecast when trading opened."""
    hours = weather.forecast_hours(station.icao, day, _opens_ms(day))
    return six(half_up(min(f for _, f in hours)) - 4)


def _utc_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def _opens_ms(day: date) -> int:
    return _utc_ms(day) - DAY_MS + OPENS_UTC_H * HOUR_MS


def _close_ms(station: Station, day: date) -> int:
    return day_start_ms(station, day + timedelta(days=1)) - 60_000
