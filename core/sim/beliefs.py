"""What the simulated crowd thinks a contract is worth: a normal over the bias-corrected forecast.

T ~ N(f - b, s^2) with the bias and spread of the 75 days before; once the day has begun the high is
max(M, R), M observed so far and R over the hours to come, where the forecast's error seen now decays
with a time constant of three hours. A client computing the same from the same history finds no edge,
except where the crowd is late. It hears of forecasts and observations when a client reads them, or a
little after they came out; now and then it does not believe all of a forecast at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from core.sim.brackets import Bracket
from core.sim.weather import HOUR_MS, Weather, climate_day, half_up
from core.sim.world import Listing

ALL_WEIGHED = 0.8
"""What is left of one forecast's spread for who weighs several: the crowd is as sure where all agree."""
LOWEST, HIGHEST = 0.005, 0.995
PATIENCE_S = 12.0
"""Real seconds after which the crowd has heard of a forecast that no client has read."""

OUTCOME_KNOWN_AFTER_MS = 12 * HOUR_MS
"""A day's outcome counts for forecasts that started this long after the day ended."""

_SIGMA_MIN_F = 0.8
_ERROR_LASTS_H = 3.0
_NOTICED = 0.005
_MOVER_FROM, _MOVER_TO = 0.12, 0.7
"""Fair values between which being late makes a trade a person would look at."""


class Movers(msgspec.Struct, frozen=True):
    """The bracket a forecast lifted most, the one it lowered most, and by how much (dollars)."""

    riser: str
    faller: str
    change: float


class Law(msgspec.Struct, frozen=True):
    """The final high is max(``at_least``, R) with R normal."""

    mean: float
    sigma: float
    at_least: int | None = None

    def upto(self, high_f: int | None) -> float:
        """Chance that the rounded high is at most ``high_f``."""
        if high_f is None:
            return 1.0
        if self.at_least is not None and high_f < self.at_least:
            return 0.0
        return 0.5 * math.erfc((self.mean - high_f - 0.5) / (self.sigma * math.sqrt(2)))

    def chance(self, bracket: Bracket) -> float:
        return self.upto(bracket.high_f) - (0.0 if bracket.low_f is None else self.upto(bracket.low_f - 1))


def movers(tickers: tuple[str, ...], before: tuple[float, ...], after: tuple[float, ...]) -> Movers:
    """Largest riser and faller, among brackets of middling value where there are any."""
    moved = [(new - old, ticker, new) for ticker, old, new in zip(tickers, before, after, strict=True)]
    middling = [m for m in moved if _MOVER_FROM <= m[2] <= _MOVER_TO]
    up = max(middling, default=max(moved))
    down = min(middling, default=min(moved))
    up, down = up if up[0] > 0 else max(moved), down if down[0] < 0 else min(moved)
    return Movers(up[1], down[1], min(up[0], -down[0]))


class Beliefs:
    """Fair values of the crowd, and how far it lags behind what it has heard."""

    def __init__(self, weather: Weather, speed: float, now_ms: int) -> None:
        self._weather = weather
        self._patience_ms = int(PATIENCE_S * 1000 * speed)
        self._heard_ms = now_ms
        self._seen_ms = dict.fromkeys(weather.stations, now_ms)
        """As of when the crowd knows each station's observations."""
        self._movers: dict[str, Movers] = {}
        self._lags: dict[str, float] = {}
        """Cents by event."""

    # Forecasts

    def unheard(self, now_ms: int) -> bool:
        """Whether a run is out that the crowd has not taken in."""
        return self._weather.run(now_ms).available_ms > self._weather.run(self._heard_ms).available_ms

    def news(self, now_ms: int, *, read: bool) -> bool:
        """Whether the crowd learns of a run now: a client ``read`` it, or time has passed."""
        out_ms = self._weather.run(now_ms).available_ms
        return self.unheard(now_ms) and (read or now_ms - out_ms > self._patience_ms)

    def hear(self, listings: Iterable[Listing], now_ms: int) -> dict[str, Movers]:
        """Take in the newest run; what it moved noticeably, by event."""
        listings = tuple(listings)
        before = [self._chances(x, now_ms) for x in listings]
        self._heard_ms = now_ms
        fresh = {
            x.event_ticker: movers(x.tickers, old, self._chances(x, now_ms))
            for x, old in zip(listings, before, strict=True)
        }
        moved = {event: m for event, m in fresh.items() if m.change > _NOTICED}
        self._movers |= moved
        return moved

    # Observations

    def look(self, station: str, now_ms: int, *, read: bool) -> bool:
        """Take in a station's observations: all when a client ``read`` them, else those out for a while."""
        until_ms = now_ms if read else now_ms - self._patience_ms
        day = climate_day(self._weather.stations[station], now_ms)
        known = len(self._weather.reported_of(station, day, self._seen_ms[station]))
        self._seen_ms[station] = max(until_ms, self._seen_ms[station])
        return len(self._weather.reported_of(station, day, self._seen_ms[station])) > known

    # Values

    def lag(self, event: str) -> float:
        """Cents by which the crowd prices the event's riser too low and its faller too high."""
        return self._lags.get(event, 0.0)

    def set_lag(self, listed: Listing, cents: float, now_ms: int) -> None:
        """Start or, with 0, end such a lag: of the last movers, before any of the likeliest two brackets."""
        event = listed.event_ticker
        if not cents:
            self._lags.pop(event, None)
            return
        if event not in self._movers:
            likeliest = sorted(zip(self._chances(listed, now_ms), listed.tickers, strict=True))
            self._movers[event] = Movers(likeliest[-1][1], likeliest[-2][1], 0.0)
        self._lags[event] = cents

    def fair(self, listed: Listing, now_ms: int) -> dict[str, float]:
        """What the crowd quotes around, by ticker, within (0, 1)."""
        fair = dict(zip(listed.tickers, self._chances(listed, now_ms), strict=True))
        lag = self._lags.get(listed.event_ticker)
        if lag:
            moved = self._movers[listed.event_ticker]
            fair[moved.riser] -= lag / 100
            fair[moved.faller] += lag / 100
        return {ticker: min(HIGHEST, max(LOWEST, value)) for ticker, value in fair.items()}

    def _chances(self, listed: Listing, now_ms: int) -> tuple[float, ...]:
        law = self._law(listed, now_ms)
        return tuple(law.chance(bracket) for bracket in listed.brackets)

    def _law(self, listed: Listing, now_ms: int) -> Law:
        weather, icao, day = self._weather, listed.station, listed.day
        station = weather.stations[icao]
        hours = weather.forecast_hours(icao, day, self._heard_ms)
        known_until_ms = weather.run(self._heard_ms).started_ms - OUTCOME_KNOWN_AFTER_MS
        belief = weather.belief(icao, climate_day(station, known_until_ms))
        assert hours and belief is not None
        sure = ALL_WEIGHED if weather.agreed(day) else 1.0
        whole = Law(max(f for _, f in hours) - belief.bias_f, belief.sigma_f * sure)
        reports = weather.reported_of(icao, day, self._seen_ms[icao])
        if not reports:
            return whole
        newest = reports[-1]
        at_least = half_up(max(report.temp_f for report in reports))
        error = newest.temp_f - (_between(hours, newest.at_ms) - belief.bias_f)
        ahead = [
            (at, f - belief.bias_f + error * _kept(at - newest.at_ms)) for at, f in hours if at >= now_ms
        ]
        if not ahead:
            return Law(newest.temp_f, _SIGMA_MIN_F, at_least)
        peak_f, peak_ms = max((f, -at) for at, f in ahead)
        fresh = math.sqrt(1 - _kept(-peak_ms - newest.at_ms) ** 2)
        return Law(peak_f, max(_SIGMA_MIN_F, whole.sigma * fresh), at_least)


def _kept(span_ms: int) -> float:
    """Share of an error that is left after a while."""
    return math.exp(-max(0, span_ms) / (_ERROR_LASTS_H * HOUR_MS))


def _between(hours: tuple[tuple[int, float], ...], at_ms: int) -> float:
    """The hourly series at a moment, straight between hours, level after the last."""
    earlier = [(at, f) for at, f in hours if at <= at_ms][-1]
    later = next(((at, f) for at, f in hours if at > at_ms), None)
    if later is None:
        return earlier[1]
    return earlier[1] + (later[1] - earlier[1]) * (at_ms - earlier[0]) / (later[0] - earlier[0])
