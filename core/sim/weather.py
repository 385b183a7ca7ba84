"""The simulated atmosphere: what was forecast when, and what the thermometer said.

Real are the recorded hourly forecast and each day's observed high. Generated around them, from the
seed: which run was out when and how far earlier runs were off, the office's own forecast, the
ensemble, the hourly observations. World time in Unix milliseconds, degrees Fahrenheit.
"""

from __future__ import annotations

import bisect
import math
import random
from datetime import UTC, date, datetime, timedelta

import msgspec

from core.sim.opinions import BLEND, Error, off_f, shift_f
from core.sim.past import Past
from core.sim.scenarios.loader import Belief, DayRecord, Extreme, Scenario, Station
from core.sim.spread import Spread

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

RUN_EVERY_MS = 6 * HOUR_MS
RUN_DELAY_MS = 4 * HOUR_MS + 20 * 60_000
"""From a run's start to its values being served; runs start at 00, 06, 12 and 18 UTC."""

OBSERVATION_DELAY_MS = 120_000
OFFICE_UPDATE_MINUTE = 20
ENSEMBLE_MEMBERS = 31

# Error of an earlier run's high against the last one's: grows with lead, follows its predecessor.
_ERROR_F_PER_HOUR = 0.03
_ERROR_FREE_H = 6.0
_ERROR_MAX_F = 1.2
_ERROR_MEMORY = 0.8
_ERROR_RUNS = 8

_CACHE_MAX = 4096
"""Of the kept answers to one question: a few months' days and runs of every station."""
_EPOCH = date(1970, 1, 1).toordinal()


class Calendar(msgspec.Struct, frozen=True):
    """World date = original date + ``offset_days``."""

    offset_days: int

    def original(self, day: date) -> date:
        return day - timedelta(days=self.offset_days)

    def world(self, day: date) -> date:
        return day + timedelta(days=self.offset_days)


class Run(msgspec.Struct, frozen=True):
    """One forecast run as its client sees it."""

    started_ms: int
    available_ms: int


class Observation(msgspec.Struct, frozen=True):
    at_ms: int
    temp_f: float


def half_up(value: float) -> int:
    """Whole degrees as thermometers round: halves go up."""
    return math.floor(value + 0.5)


def day_start_ms(station: Station, day: date) -> int:
    """Local standard midnight that begins a climate day."""
    return (
        int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000
        - station.lst_offset_h * HOUR_MS
    )


def climate_day(station: Station, at_ms: int) -> date:
    """The climate day an instant belongs to."""
    return date.fromordinal(_EPOCH + (at_ms + station.lst_offset_h * HOUR_MS) // DAY_MS)


def _measured(temp_f: float) -> float:
    """As a station has it, in tenths of a degree Celsius: whatever tells of it rounds the same number."""
    return round((temp_f - 32) / 1.8, 1) * 1.8 + 32


class Weather:
    """Forecasts and observations of one world. ``publish`` is the only thing that changes it."""

    def __init__(self, scenario: Scenario, calendar: Calendar, origin_ms: int, seed: int) -> None:
        self.scenario, self.calendar, self.seed = scenario, calendar, seed
        self.stations = scenario.stations
        self._held_until_ms = origin_ms + int(scenario.script.hold_forecasts_h * HOUR_MS)
        self._origin_run = self._run_number(origin_ms)
        self._offset_runs = calendar.offset_days * (DAY_MS // RUN_EVERY_MS)
        first = self._first = calendar.world(scenario.script.first_day)
        # When each shift took force, oldest first: the past stays as it was forecast.
        self._shifts = {
            (s.station, first + timedelta(days=s.day)): [(0, s.shift_f)] for s in scenario.script.shift
        }
        self._extra: list[Run] = []
        self._hours: dict[tuple[str, date, float], tuple[tuple[int, float], ...]] = {}
        self._observed: dict[tuple[str, date], tuple[Observation, ...]] = {}
        self._errors: dict[tuple[str, date, int], float] = {}
        self._normals: dict[str, float] = {}
        self._off: dict[tuple[str, date], Error] = {}
        self._past = Past(scenario.stations, scenario.days, scenario.beliefs, seed)

    # What is on record

    def record(self, station: str, day: date) -> DayRecord | None:
        """Ladder and outcome of a world day: recorded, or made for the time before; ``None`` after it."""
        original = self.calendar.original(day)
        return self.scenario.days.get((station, original)) or self._past.record(station, original)

    def belief(self, station: str, day: date) -> Belief | None:
        """How far forecasts issued on a world day are to be trusted."""
        original = self.calendar.original(day)
        return self.scenario.beliefs.get((station, original)) or self._past.belief(station, original)

    # Other models

    def other_shift_f(self, model: str, station: str, day: date, lead_days: int) -> float:
        """How far another model's forecast of a world day lies off the recorded one's."""
        if self.agreed(day):
            return off_f(model)
        label = f"{self.seed}|{station}|{self.calendar.original(day)}"
        return shift_f(model, self._error(station, day), label, lead_days)

    def agreed(self, day: date) -> bool:
        """Whether all models know the same of a day."""
        return self._first <= day < self._first + timedelta(days=self.scenario.script.models_agree_days)

    def weighed(
        self, station: str, day: date, extreme: Extreme, forecast_f: float, now_ms: int
    ) -> tuple[float, Spread] | None:
        """Mean and spread that the newest run comes to for who weighs all models, straight between those that
        are known; ``None`` where each model knows something of its own."""
        if not self.agreed(day):
            return None
        place, run = self.stations[station], self.valued_run(now_ms)
        lead_days = max(0, (day - climate_day(place, run.started_ms)).days)
        begun = climate_day(place, run.available_ms) >= day
        rows = self.scenario.weighed[station, self.calendar.original(day), extreme, lead_days, begun]
        at = min(max(1, bisect.bisect(rows, forecast_f, key=lambda row: row.forecast_f)), len(rows) - 1)
        low, high = rows[at - 1], rows[at]
        part = (forecast_f - low.forecast_f) / (high.forecast_f - low.forecast_f)
        return low.mean_f + (high.mean_f - low.mean_f) * part, Spread(
            run.started_ms,
            low.sigma_f + (high.sigma_f - low.sigma_f) * part,
            low.ahead_f + (high.ahead_f - low.ahead_f) * part,
        )

    def lead_days(self, station: str, day: date, now_ms: int) -> int:
        """From the day on which the run was out whose values are served now to a climate day."""
        return (day - climate_day(self.stations[station], self.valued_run(now_ms).available_ms)).days

    def _error(self, station: str, day: date) -> Error:
        """Nothing where no outcome is on record."""
        key = (station, day)
        if key not in self._off:
            if len(self._off) >= _CACHE_MAX:
                self._off.clear()
            record, belief = self.record(station, day), self.belief(station, day)
            start = day_start_ms(self.stations[station], day) - self.calendar.offset_days * DAY_MS
            hours = [self._recorded_f(station, at) for at in range(start, start + DAY_MS, HOUR_MS)]
            told = [f for f in hours if f is not None]
            off = max(told) - record.observed_high_f if told and record is not None else 0.0
            bias, usual = (belief.bias_f, belief.sigma_f) if belief is not None else (0.0, 0.0)
            self._off[key] = Error(off - bias if told and record is not None else 0.0, usual)
        return self._off[key]

    def _recorded_f(self, station: str, at_ms: int) -> float | None:
        """The last forecast of a full hour of the record's own time."""
        recorded = self.scenario.hourly_f[station].get(at_ms)
        return recorded if recorded is not None else self._past.hour_f(station, at_ms)

    # Open-Meteo's model

    def run(self, now_ms: int) -> Run:
        """The newest run that is out."""
        number = self._run_number(now_ms)
        started = number * RUN_EVERY_MS
        latest = Run(started, started + RUN_DELAY_MS)
        return max(
            [latest, *(r for r in self._extra if r.available_ms <= now_ms)], key=lambda r: r.available_ms
        )

    def valued_run(self, now_ms: int) -> Run:
        """The scheduled one whose values are served: those of the held hours repeat the first."""
        started = self._value_run(now_ms) * RUN_EVERY_MS
        return Run(started, started + RUN_DELAY_MS)

    def publish(self, station: str, day: date, shift_f: float, now_ms: int) -> None:
        """An extra run, out now, with this day's forecast ``shift_f`` from the recorded one."""
        self._shifts.setdefault((station, day), []).append((now_ms, shift_f))
        halfway = self.run(now_ms).started_ms + RUN_EVERY_MS // 2
        self._extra = [Run(halfway, now_ms)]

    def forecast_f(self, station: str, at_ms: int, now_ms: int) -> float | None:
        """The newest run's temperature for a full hour; ``None`` beyond the record."""
        recorded = self._recorded_f(station, at_ms - self.calendar.offset_days * DAY_MS)
        if recorded is None:
            return None
        return round(recorded + self._shift(station, climate_day(self.stations[station], at_ms), now_ms), 1)

    def forecast_hours(self, station: str, day: date, now_ms: int) -> tuple[tuple[int, float], ...]:
        """The newest run's hours of a climate day as (Unix ms, degrees), oldest first."""
        key = (station, day, self._shift(station, day, now_ms))
        if key not in self._hours:
            if len(self._hours) >= _CACHE_MAX:
                self._hours.clear()
            start = day_start_ms(self.stations[station], day)
            hours = (
                (at, self.forecast_f(station, at, now_ms)) for at in range(start, start + DAY_MS, HOUR_MS)
            )
            self._hours[key] = tuple((at, f) for at, f in hours if f is not None)
        return self._hours[key]

    def forecast_high_f(self, station: str, day: date, now_ms: int) -> float | None:
        """The newest run's maximum over a climate day."""
        return max((f for _, f in self.forecast_hours(station, day, now_ms)), default=None)

    def members_f(
        self, station: str, start_ms: int, hours: int, now_ms: int, members: int = ENSEMBLE_MEMBERS
    ) -> list[list[float | None]]:
        """The ensemble's temperatures from a full hour on; the control run comes first."""
        place, number = self.stations[station], self._value_run(now_ms)
        times = range(start_ms, start_ms + hours * HOUR_MS, HOUR_MS)
        control = [self.forecast_f(station, at, now_ms) for at in times]
        days = [climate_day(place, at) for at in times]
        spreads = {day: 0.6 + 0.8 * self._lead_error_f(station, day, number) for day in set(days)}
        series = [control]
        for member in range(1, members):
            off = {day: spreads[day] * self._normal("member", station, day, member) for day in spreads}
            series.append(
                [None if f is None else round(f + off[day], 1) for f, day in zip(control, days, strict=True)]
            )
        return series

    # The weather service's office

    def office_update_ms(self, now_ms: int) -> int:
        """When the office last sent its grid: hourly, and at once after a published run."""
        hourly = (now_ms - OFFICE_UPDATE_MINUTE * 60_000) // HOUR_MS * HOUR_MS + OFFICE_UPDATE_MINUTE * 60_000
        return max([hourly, *(r.available_ms for r in self._extra if r.available_ms <= now_ms)])

    def office_f(self, station: str, at_ms: int, now_ms: int) -> int | None:
        """The office's hourly temperature, whole degrees: the model's curve without its usual bias, as the
        weather service's blend of models has it."""
        forecast = self.forecast_f(station, at_ms, now_ms)
        if forecast is None:
            return None
        day = climate_day(self.stations[station], at_ms)
        issued = self.belief(station, climate_day(self.stations[station], now_ms))
        bias = issued.bias_f if issued else 0.0
        blend = self.other_shift_f(BLEND, station, day, self.lead_days(station, day, now_ms))
        return half_up(
            forecast - bias + blend + 0.3 * self._run_normal("office", station, day, self._value_run(now_ms))
        )

    def guidance_f(self, station: str, at_ms: int, run_ms: int) -> int | None:
        """An hour of the blend's station guidance, whole degrees: the office's, but of days of which all
        models know the same every run repeats what was forecast last."""
        day = climate_day(self.stations[station], at_ms)
        if not self.agreed(day):
            return self.office_f(station, at_ms, run_ms)
        recorded = self._recorded_f(station, at_ms - self.calendar.offset_days * DAY_MS)
        belief = self.belief(station, day)
        return half_up(recorded - belief.bias_f) if recorded is not None and belief is not None else None

    # The thermometer

    def observations(self, station: str, day: date) -> tuple[Observation, ...]:
        """Hourly reports of a climate day, oldest first; their maximum is the observed high."""
        key = (station, day)
        if key not in self._observed:
            if len(self._observed) >= _CACHE_MAX:
                self._observed.clear()
            self._observed[key] = self._observe(station, day)
        return self._observed[key]

    def reported(self, station: str, now_ms: int, hours: int) -> list[Observation]:
        """Reports of the last ``hours`` that are out by now, newest first."""
        place = self.stations[station]
        day, since = climate_day(place, now_ms - hours * HOUR_MS), now_ms - hours * HOUR_MS
        found: list[Observation] = []
        while day <= climate_day(place, now_ms):
            found += [
                o
                for o in self.observations(station, day)
                if since <= o.at_ms <= now_ms - OBSERVATION_DELAY_MS
            ]
            day += timedelta(days=1)
        return found[::-1]

    def reported_of(self, station: str, day: date, now_ms: int) -> list[Observation]:
        """Reports of a climate day that are out by now, oldest first."""
        return [o for o in self.observations(station, day) if o.at_ms <= now_ms - OBSERVATION_DELAY_MS]

    def _observe(self, station: str, day: date) -> tuple[Observation, ...]:
        place, record = self.stations[station], self.record(station, day)
        if record is None:
            return ()
        start, part = day_start_ms(place, day), place.metar_minute / 60
        shape: list[tuple[int, float]] = []
        for hour in range(24):
            at = start + hour * HOUR_MS - self.calendar.offset_days * DAY_MS
            begins = self._recorded_f(station, at)
            if begins is not None:
                ends = self._recorded_f(station, at + HOUR_MS)
                value = begins * (1 - part) + (begins if ends is None else ends) * part
                shape.append((start + hour * HOUR_MS + place.metar_minute * 60_000, value))
        if not shape:
            return ()
        peak = max(value for _, value in shape)
        rng = random.Random(f"{self.seed}|thermometer|{station}|{record.day}")
        return tuple(
            Observation(at, _measured(record.observed_high_f + value - peak - off))
            for at, value in shape
            for off in [0.0 if value == peak else abs(rng.gauss(0, 0.4))]
        )

    # Where generated numbers come from

    def _run_number(self, now_ms: int) -> int:
        return (now_ms - RUN_DELAY_MS) // RUN_EVERY_MS

    def _value_run(self, now_ms: int) -> int:
        """The run whose values are served: runs that come out during the hold repeat the first."""
        number = self._run_number(now_ms)
        held = number > self._origin_run and number * RUN_EVERY_MS + RUN_DELAY_MS < self._held_until_ms
        return self._origin_run if held else number

    def _shift(self, station: str, day: date, now_ms: int) -> float:
        number = self._value_run(now_ms)
        key = (station, day, number)
        error = self._errors.get(key)
        if error is None:
            if len(self._errors) >= _CACHE_MAX:
                self._errors.clear()
            error = self._lead_error_f(station, day, number) * self._run_noise(station, day, number)
            self._errors[key] = error
        staged = [shift for since_ms, shift in self._shifts.get((station, day), ()) if since_ms <= now_ms]
        return round((staged[-1] if staged else 0.0) + error, 1)

    def _lead_error_f(self, station: str, day: date, number: int) -> float:
        """Standard deviation of a run's error about the last run's, by hours to mid-afternoon."""
        afternoon = day_start_ms(self.stations[station], day) + 15 * HOUR_MS
        lead_h = (afternoon - number * RUN_EVERY_MS - RUN_DELAY_MS) / HOUR_MS
        return min(_ERROR_MAX_F, _ERROR_F_PER_HOUR * max(0.0, lead_h - _ERROR_FREE_H))

    def _run_noise(self, station: str, day: date, number: int) -> float:
        fresh = math.sqrt(1 - _ERROR_MEMORY**2)
        return sum(
            fresh * _ERROR_MEMORY**back * self._run_normal("run", station, day, number - back)
            for back in range(_ERROR_RUNS)
        )

    def _run_normal(self, what: str, station: str, day: date, number: int) -> float:
        """``_normal`` for a run, counted in the record's own time."""
        return self._normal(what, station, day, number - self._offset_runs)

    def _normal(self, what: str, station: str, day: date, number: int) -> float:
        """A standard normal number that depends on the seed and its labels only, not on when SIM starts."""
        key = f"{self.seed}|{what}|{station}|{self.calendar.original(day)}|{number}"
        if key not in self._normals:
            if len(self._normals) >= _CACHE_MAX:
                self._normals.clear()
            self._normals[key] = random.Random(key).gauss(0.0, 1.0)
        return self._normals[key]
