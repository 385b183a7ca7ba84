"""From inputs to fair values: one event's ladder of daily-high brackets, or the reason there is none."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import UTC, datetime

from core.domain.market import Market
from core.feeds.stations import DAY_MS, Station, climate_day, climate_day_bounds, shift_day
from core.feeds.values import GRID_STALE_AFTER_S, OBSERVATION_STALE_AFTER_S, GridForecast, ModelForecast
from core.models.fair_value import Driver, EventFair, FairValue, InputAge, NoPrice
from core.models.weather import article_normal, rolling
from core.models.weather.brackets import ladder, probabilities, standard_errors
from core.models.weather.history import History, shipped
from core.models.weather.inputs import StationInputs
from core.models.weather.normal import Normal
from core.models.weather.running_extreme import remaining

HOURS_A_DAY = 24
DISAGREEMENT_MAX_F = 8.0
"""Two sources this far apart on one day's high: one of them is broken."""


class ModelId(enum.Enum):
    ROLLING = rolling.NAME
    ARTICLE_NORMAL = article_normal.NAME


VERSIONS = {ModelId.ROLLING: rolling.VERSION, ModelId.ARTICLE_NORMAL: article_normal.VERSION}

DEFAULT_MODEL = ModelId.ROLLING
"""``article-normal`` runs only where it is asked for by name."""


class _RefusedError(Exception):
    """Carries the one sentence of a ``NoPrice`` out of the steps below."""


def price_event(
    markets: Sequence[Market],
    inputs: StationInputs | None,
    model: ModelId,
    now_ms: int,
    previous: EventFair | None = None,
    replay_offset_days: int | None = None,
    history: History | None = None,
) -> EventFair | NoPrice:
    """Fair values of every bracket of one daily-high event at ``now_ms`` (world time).

    ``markets`` are all markets of the event. ``previous`` is the last ladder priced for it, for the
    sentence on what moved. ``replay_offset_days`` is set where recorded days are shown under another
    calendar (world day = original day + offset): forecasts are then matched with the history of the
    shortest lead, which is what such a world replays. ``history`` defaults to the one shipped.
    """
    event = markets[0].event_ticker if markets else ""
    try:
        return _price(markets, inputs, model, now_ms, previous, replay_offset_days, history or shipped())
    except _RefusedError as refusal:
        return NoPrice(event, str(refusal))


def _price(
    markets: Sequence[Market],
    inputs: StationInputs | None,
    model: ModelId,
    now_ms: int,
    previous: EventFair | None,
    replay_offset_days: int | None,
    history: History,
) -> EventFair:
    rungs = ladder(markets)
    if isinstance(rungs, str):
        raise _RefusedError(rungs)
    first = markets[0]
    if inputs is None or first.climate_day is None:
        raise _RefusedError("station not mapped")
    station, day = inputs.station, first.climate_day
    if any(m.station != station.icao or m.climate_day != day for m in markets):
        raise _RefusedError(f"brackets do not all settle on {station.icao} {day}")
    if first.series_ticker != station.high_series:
        raise _RefusedError(f"{first.series_ticker} is not the daily high of {station.icao}")
    start_ms, end_ms = climate_day_bounds(station, day)
    if now_ms >= end_ms:
        raise _RefusedError("climate day is over; settles on the climate report")

    forecast = inputs.model
    if forecast is None or day not in forecast.daily_max_f:
        raise _RefusedError(f"no Open-Meteo forecast of {station.icao} for {day} yet")
    ages = [InputAge("Open-Meteo", forecast.stamp.event_ms, forecast.stale_after_s)]
    high = forecast.daily_max_f[day]
    law, evidence = _day_law(model, station, day, high, forecast.stamp.event_ms, replay_offset_days, history)
    drivers = [_driver("Open-Meteo", high, now_ms, previous)]

    grid = inputs.grid
    second = _second_opinion(grid, day, start_ms, end_ms) if grid is not None else None
    if grid is not None and second is not None:
        ages.append(InputAge("NWS", grid.stamp.event_ms, GRID_STALE_AFTER_S))
        drivers.append(_driver("NWS", float(second), now_ms, previous))
        apart = _apart(grid, forecast, high - law.mean, start_ms, end_ms)
        if abs(apart) > DISAGREEMENT_MAX_F:
            raise _RefusedError(
                f"NWS and Open-Meteo are {abs(apart):.0f}F apart for {day}, more than {DISAGREEMENT_MAX_F:g}F"
            )

    at_least: int | None = None
    if now_ms >= start_ms:
        observed = inputs.observed
        if observed is not None and observed.day == day:
            ages.append(
                InputAge(f"{station.icao} obs", observed.latest.stamp.event_ms, OBSERVATION_STALE_AFTER_S)
            )
            at_least = observed.at_least_f
            reading = (observed.latest.stamp.event_ms, observed.latest.temperature_f)
            rest = remaining(law, forecast.hourly, high, now_ms, end_ms, reading)
            if rest is None:
                raise _RefusedError(f"the hourly forecast does not cover the rest of {day}")
            law = rest
            evidence.append(f"{station.icao} has reached {at_least}F; rest of the day {law.mean:.1f}F")
        elif now_ms - start_ms > OBSERVATION_STALE_AFTER_S * 1000:
            raise _RefusedError(f"no observation of {station.icao} since {day} began")
    for age in ages:
        seconds = (now_ms - age.event_ms) // 1000
        if seconds > age.stale_after_s:
            raise _RefusedError(f"{age.name} is {seconds // 60} min old, limit {age.stale_after_s // 60} min")

    masses = probabilities(rungs, law, at_least)
    errors = standard_errors(rungs, law, at_least)
    values = tuple(
        FairValue(
            ticker=rung.ticker,
            event_ticker=first.event_ticker,
            probability=mass,
            sigma=error,
            model=model.value,
            version=VERSIONS[model],
            mean=law.mean,
            spread=law.sigma,
            inputs=tuple(ages),
            issued_ms=min(age.event_ms for age in ages),
            computed_ms=now_ms,
            evidence=tuple(evidence),
            running_extreme=at_least,
        )
        for rung, mass, error in zip(rungs, masses, errors, strict=True)
    )
    return EventFair(
        event_ticker=first.event_ticker,
        model=model.value,
        version=VERSIONS[model],
        mean=law.mean,
        spread=law.sigma,
        values=values,
        why=_why(drivers),
        drivers=tuple(drivers),
        computed_ms=now_ms,
    )


def _day_law(
    model: ModelId,
    station: Station,
    day: str,
    high: float,
    issued_ms: int,
    replay_offset_days: int | None,
    history: History,
) -> tuple[Normal, list[str]]:
    """The whole day's distribution and the sentences that support it."""
    evidence = [f"Open-Meteo high {high:.1f}F"]
    if replay_offset_days is not None:
        evidence.append(f"replays {shift_day(day, -replay_offset_days)}")
    if model is ModelId.ARTICLE_NORMAL:
        evidence.append(f"sigma fixed at {article_normal.SIGMA_F:g}F, no bias correction")
        return article_normal.predict(high), evidence
    lead = 0 if replay_offset_days is not None else _lead_days(station, day, issued_ms)
    fit = rolling.fit(history, station, lead, issued_ms, replay_offset_days or 0)
    if isinstance(fit, str):
        raise _RefusedError(fit)
    evidence.append(
        f"bias {fit.bias_f:+.1f}F, sigma {fit.sigma_f:.1f}F from {fit.days} days {fit.first} to {fit.last}"
    )
    return fit.predict(high), evidence


def _second_opinion(grid: GridForecast, day: str, start_ms: int, end_ms: int) -> int | None:
    """The weather service's high of the climate day: from all its hours, else its daytime maximum."""
    hours = [f for at, f in grid.hourly if start_ms <= at < end_ms]
    return max(hours) if len(hours) == HOURS_A_DAY else grid.daily_max_f.get(day)


def _apart(grid: GridForecast, forecast: ModelForecast, bias_f: float, start_ms: int, end_ms: int) -> float:
    """Difference of the two maxima over the hours of the day that both cover; 0 when none.

    The daytime maximum would not do: on a cold-front day the high is the reading after midnight.
    """
    model = {at: f for at, f in forecast.hourly if start_ms <= at < end_ms}
    common = [(f, model[at] - bias_f) for at, f in grid.hourly if at in model]
    return max(f for f, _ in common) - max(f for _, f in common) if common else 0.0


def _lead_days(station: Station, day: str, issued_ms: int) -> int:
    issued_day = climate_day(station, issued_ms)
    return max(
        0, (climate_day_bounds(station, day)[0] - climate_day_bounds(station, issued_day)[0]) // DAY_MS
    )


def _driver(name: str, value: float, now_ms: int, previous: EventFair | None) -> Driver:
    """The forecast ``name`` now, remembering when it last changed and from what."""
    held = next((d for d in previous.drivers if d.name == name), None) if previous else None
    if held is None:
        return Driver(name, value, now_ms)
    return held if held.value == value else Driver(name, value, now_ms, held.value)


def _why(drivers: Sequence[Driver]) -> str:
    moved = [d for d in drivers if d.before is not None]
    if not moved:
        return "first forecast: " + ", ".join(f"{d.name} {d.value:.1f}F" for d in drivers)
    moved.sort(key=lambda d: -d.since_ms)
    return ", ".join(f"{d.name} {d.value - (d.before or 0.0):+.1f}F at {_hhmm(d.since_ms)}" for d in moved)


def _hhmm(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%MZ")
