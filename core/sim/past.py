"""The days before the record, made from the seed as if they had been recorded: what was forecast, what came.

A day's high is its season's with a weather of its own that outlasts it; the last forecast of it is as far off
as the record's first belief has its forecasts. Everything else (earlier runs, other models, reports) is made
from these two as it is for recorded days. Original dates; degrees Fahrenheit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, timedelta

import msgspec

from core.sim.chance import normal, uniform
from core.sim.scenarios.loader import Belief, DayRecord, Station

PAST_DAYS = 420
"""So many days before the record there is something to tell of."""
HOUR_MS = 3_600_000
_EPOCH = date(1970, 1, 1)

_WARMEST_DAY = 201
"""Of the year."""
_MEMORY, _MEMORY_DAYS = 0.7, 12
"""Of one day's weather what the next one has, and how far back that is followed."""
_COLDEST_H, _HOTTEST_H = 5, 15
"""Standard time."""
_COOLS_H = 24 - _HOTTEST_H + _COLDEST_H


class Season(msgspec.Struct, frozen=True):
    """A station's highs over the year, and how far a day is from its season's and its night from its day."""

    mean: float
    swing: float
    spread: float
    night: float


SEASONS: Mapping[str, Season] = {
    "KNYC": Season(62, 22, 7.5, 14),
    "KMDW": Season(59, 25, 9.5, 15),
    "KMIA": Season(84, 7, 3.5, 13),
    "KAUS": Season(80, 17, 8.0, 20),
    "KDEN": Season(65, 21, 10.5, 26),
}


class _Day(msgspec.Struct, frozen=True):
    """What came, what was forecast last, and how much colder its night is."""

    high_f: int
    forecast_f: float
    night_f: float


class Past:
    """Made day by day as it is asked for."""

    def __init__(
        self,
        stations: Mapping[str, Station],
        days: Mapping[tuple[str, date], DayRecord],
        beliefs: Mapping[tuple[str, date], Belief],
        seed: int,
    ) -> None:
        self._stations, self._seed = stations, seed
        self._days: dict[tuple[str, date], _Day] = {}
        self._hours: dict[tuple[str, int], tuple[float, ...]] = {}
        """Of a day of standard time, counted from 1970; none before the days that are told of."""
        self._ends = {icao: min(day for of, day in days if of == icao) for icao in stations}
        self._first_beliefs = {
            icao: min((row for row in beliefs.values() if row.station == icao), key=lambda row: row.day)
            for icao in stations
        }

    def record(self, station: str, day: date) -> DayRecord | None:
        """Outcome and ladder of a day before the record."""
        made = self._day(station, day)
        if made is None:
            return None
        middle = math.floor(made.forecast_f - self._first_beliefs[station].bias_f + 0.5)
        drawn = math.floor(3 * uniform(f"{self._seed}|ladder|{station}|{day}"))
        return DayRecord(station, day, middle - 5 + drawn, made.high_f)

    def belief(self, station: str, day: date) -> Belief | None:
        """What was believed of forecasts then: what the record begins with."""
        return self._first_beliefs[station] if day < self._first_beliefs[station].day else None

    def hour_f(self, station: str, at_ms: int) -> float | None:
        """What was forecast last of a full hour before the record."""
        number, hour = divmod(at_ms // HOUR_MS + self._stations[station].lst_offset_h, 24)
        hours = self._hours.get((station, number))
        if hours is None:
            hours = self._hours[station, number] = self._day_f(station, _EPOCH + timedelta(days=number))
        return hours[hour] if hours else None

    def _day_f(self, station: str, day: date) -> tuple[float, ...]:
        """Its 24 hours, none of a day that is not told of."""
        made = self._day(station, day)
        if made is None:
            return ()
        before = self._day(station, day - timedelta(days=1)) or made
        coldest = self._coldest_f(station, day, made)
        ahead = self._coldest_f(station, day + timedelta(days=1), made)
        found = []
        for hour in range(24):
            if hour >= _HOTTEST_H:
                value = _swing(made.forecast_f, ahead, (hour - _HOTTEST_H) / _COOLS_H)
            elif hour >= _COLDEST_H:
                value = _swing(coldest, made.forecast_f, (hour - _COLDEST_H) / (_HOTTEST_H - _COLDEST_H))
            else:
                value = _swing(before.forecast_f, coldest, (hour + 24 - _HOTTEST_H) / _COOLS_H)
            found.append(round(min(value, made.forecast_f), 1))
        return tuple(found)

    def _coldest_f(self, station: str, day: date, instead: _Day) -> float:
        """At the end of the night before a day: below what both days around it reach."""
        made = self._day(station, day) or instead
        before = self._day(station, day - timedelta(days=1)) or made
        return min(made.forecast_f, before.forecast_f) - made.night_f

    def _day(self, station: str, day: date) -> _Day | None:
        if not self._ends[station] - timedelta(days=PAST_DAYS) <= day < self._ends[station]:
            return None
        made = self._days.get((station, day))
        if made is None:
            season, belief, label = SEASONS[station], self._first_beliefs[station], f"{station}|{day}"
            error = belief.bias_f + belief.sigma_f * normal(f"{self._seed}|error|{label}")
            night_f = season.night * (0.6 + 0.8 * uniform(f"{self._seed}|night|{label}"))
            high_f = self._high_f(station, day)
            made = self._days[station, day] = _Day(high_f, high_f + error, night_f)
        return made

    def _high_f(self, station: str, day: date) -> int:
        season = SEASONS[station]
        year = 2 * math.pi * (day.timetuple().tm_yday - _WARMEST_DAY) / 365.25
        drawn = (
            _MEMORY**back * normal(f"{self._seed}|weather|{station}|{day - timedelta(days=back)}")
            for back in range(_MEMORY_DAYS)
        )
        weather = math.fsum(drawn) * math.sqrt(1 - _MEMORY**2)
        return round(season.mean + season.swing * math.cos(year) + season.spread * weather)


def _swing(begins: float, ends: float, part: float) -> float:
    """From one extreme to the next."""
    return begins + (ends - begins) * (1 - math.cos(math.pi * part)) / 2
