"""What the simulated crowd thinks a contract is worth: a normal over the bias-corrected forecast.

T ~ N(f - b, s^2) with the bias and spread of the 75 days before, which who weighs several models beats; on
the days of a told story the crowd weighs them all itself. Once the day has begun what is left of it counts
(``laws``). A client computing the same from the same history finds no edge, except where the crowd is late.
It hears of forecasts and observations when a client reads them, or a little after they came out; now and
then it does not believe all of a forecast at once.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from core.sim.laws import Law, outermost, remaining, whole_day
from core.sim.scenarios.loader import Extreme
from core.sim.weather import HOUR_MS, Weather, climate_day
from core.sim.world import Listing

LOWEST, HIGHEST = 0.005, 0.995
PATIENCE_S = 12.0
"""Real seconds after which the crowd has heard of a forecast that no client has read."""

OUTCOME_KNOWN_AFTER_MS = 12 * HOUR_MS
"""A day's outcome counts for forecasts that started this long after the day ended."""

_NOTICED = 0.005
_MOVER_FROM, _MOVER_TO = 0.12, 0.7
"""Fair values between which being late makes a trade a person would look at."""


class Movers(msgspec.Struct, frozen=True):
    """The bracket a forecast lifted most, the one it lowered most, and by how much (dollars)."""

    riser: str
    faller: str
    change: float


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
        self._under: dict[str, float] = {}
        """Cents by event, by which all of it is priced too low."""
        self._held: dict[str, tuple[float, ...]] = {}
        """Chances by event, since the crowd last heard or saw anything new."""

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
        before = [self._chances(x) for x in listings]
        self._heard_ms = now_ms
        self._held.clear()
        fresh = {
            x.event_ticker: movers(x.tickers, old, self._chances(x))
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
        fresh = len(self._weather.reported_of(station, day, self._seen_ms[station])) > known
        if fresh:
            self._held.clear()
        return fresh

    # Values

    def lag(self, event: str) -> float:
        """Cents by which the crowd prices the event's riser too low and its faller too high."""
        return self._lags.get(event, 0.0)

    def set_lag(self, listed: Listing, cents: float) -> None:
        """Start or, with 0, end such a lag: of the last movers, before any of the likeliest two brackets."""
        event = listed.event_ticker
        if not cents:
            self._lags.pop(event, None)
            return
        if event not in self._movers:
            likeliest = sorted(zip(self._chances(listed), listed.tickers, strict=True))
            self._movers[event] = Movers(likeliest[-1][1], likeliest[-2][1], 0.0)
        self._lags[event] = cents

    def undersell(self, listed: Listing, cents: float) -> None:
        """Start or, with 0, end pricing everything in an event so far under what it is worth."""
        self._under[listed.event_ticker] = cents

    def fair(self, listed: Listing) -> dict[str, float]:
        """What the crowd quotes around, by ticker, within (0, 1)."""
        under = self._under.get(listed.event_ticker, 0.0) / 100
        chances = zip(listed.tickers, self._chances(listed), strict=True)
        fair = {ticker: chance - under for ticker, chance in chances}
        lag = self._lags.get(listed.event_ticker)
        if lag:
            moved = self._movers[listed.event_ticker]
            fair[moved.riser] -= lag / 100
            fair[moved.faller] += lag / 100
        return {ticker: min(HIGHEST, max(LOWEST, value)) for ticker, value in fair.items()}

    def _chances(self, listed: Listing) -> tuple[float, ...]:
        held = self._held.get(listed.event_ticker)
        if held is None:
            law = self._law(listed)
            held = self._held[listed.event_ticker] = tuple(law.chance(x) for x in listed.brackets)
        return held

    def heard_ms(self) -> int:
        """As of when the crowd knows the forecasts."""
        return self._heard_ms

    def _law(self, listed: Listing) -> Law:
        weather, icao, day = self._weather, listed.station, listed.day
        hours = weather.forecast_hours(icao, day, self._heard_ms)
        known_until_ms = weather.run(self._heard_ms).started_ms - OUTCOME_KNOWN_AFTER_MS
        belief = weather.belief(icao, climate_day(weather.stations[icao], known_until_ms))
        assert hours and belief is not None
        forecast_f = outermost(hours, Extreme.HIGH)
        weighed = weather.weighed(icao, day, Extreme.HIGH, forecast_f, self._heard_ms)
        if weighed is not None:
            whole = whole_day(*weighed, hours, Extreme.HIGH)
        else:
            whole = Law(forecast_f - belief.bias_f, belief.sigma_f)
        return remaining(whole, hours, weather.reported_of(icao, day, self._seen_ms[icao]))
