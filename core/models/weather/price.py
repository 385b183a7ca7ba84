"""From inputs to a prediction: the law of one event's daily high, or the reason there is none."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from core.domain.market import Extreme, Market
from core.feeds.observed import Bound, Evidence
from core.feeds.stations import DAY_MS, HOUR_MS, Station, climate_day, climate_day_bounds, shift_day
from core.feeds.values import (
    GRID_STALE_AFTER_S,
    OBSERVATION_STALE_AFTER_S,
    Ensemble,
    GridForecast,
    ModelForecast,
    Observation,
)
from core.models.fair_value import Driver, EventFair, InputAge, NoPrice
from core.models.pooling import Lead
from core.models.prediction import Laws, Prediction
from core.models.weather import article_normal, other_source, rolling
from core.models.weather.brackets import ladder, part
from core.models.weather.history import History, shipped
from core.models.weather.inputs import StationInputs
from core.models.weather.normal import Normal
from core.models.weather.running_extreme import remaining

HOURS_A_DAY = 24
NIGHT_MS = 6 * HOUR_MS
"""Before a day begins; what was measured the evening before was some nine hours ahead of it."""
DISAGREEMENT_MAX_F = 8.0
"""Two sources this far apart on one day's high: one of them is broken."""


Degrees = TypeVar("Degrees", int, float)


class ModelId(enum.Enum):
    ROLLING = rolling.NAME
    ARTICLE_NORMAL = article_normal.NAME


VERSIONS = {ModelId.ROLLING: rolling.VERSION, ModelId.ARTICLE_NORMAL: article_normal.VERSION}


class _RefusedError(Exception):
    """Carries the one sentence of a ``NoPrice`` out of the steps below."""


def predict(
    markets: Sequence[Market],
    inputs: StationInputs | None,
    model: ModelId,
    now_ms: int,
    previous: EventFair | None = None,
    replay_offset_days: int | None = None,
    history: History | None = None,
) -> Prediction | NoPrice:
    """What one daily-high event settles at, as seen at ``now_ms`` (world time).

    ``markets`` are all markets of the event. ``previous`` is the last ladder priced for it, for the
    sentence on what moved. ``replay_offset_days`` is set where recorded days are shown under another
    calendar (world day = original day + offset): forecasts are then matched with the history of the
    shortest lead, which is what such a world replays. ``history`` defaults to the one shipped.
    """
    event = markets[0].event_ticker if markets else ""
    past = shipped() if history is None else history
    try:
        return _predict(markets, inputs, model, now_ms, previous, replay_offset_days, past)
    except _RefusedError as refusal:
        return NoPrice(event, str(refusal))


class _Target(msgspec.Struct, frozen=True):
    """What the event settles on: a station's climate day, ``[start_ms, end_ms)``."""

    station: Station
    day: str
    start_ms: int
    end_ms: int

    def hours(self, hourly: Sequence[tuple[int, Degrees]]) -> dict[int, Degrees]:
        return {at: f for at, f in hourly if self.start_ms <= at < self.end_ms}


def _predict(
    markets: Sequence[Market],
    inputs: StationInputs | None,
    model: ModelId,
    now_ms: int,
    previous: EventFair | None,
    replay_offset_days: int | None,
    history: History,
) -> Prediction:
    rungs = ladder(markets)
    if isinstance(rungs, str):
        raise _RefusedError(rungs)
    if doubt := next((market.doubt for market in markets if market.doubt), ""):
        raise _RefusedError(doubt)
    if inputs is None:
        icao = markets[0].station
        raise _RefusedError(f"settles at {icao}, a station without a feed" if icao else "station not mapped")
    target = _target(markets, inputs.station, now_ms)
    forecast = inputs.model
    if forecast is None or target.day not in forecast.daily_max_f:
        raise _RefusedError(f"no Open-Meteo forecast of {target.station.icao} for {target.day} yet")

    high = forecast.daily_max_f[target.day]
    law, evidence = _day_law(model, target, high, forecast.stamp.event_ms, replay_offset_days, history)
    ages = [_fresh("Open-Meteo", forecast.stamp.event_ms, forecast.stale_after_s, now_ms)]
    drivers = [_driver("Open-Meteo", high, now_ms, previous)]
    second = _second_opinion(inputs.grid, target)
    if inputs.grid is not None and second is not None:
        ages.append(_fresh("NWS", inputs.grid.stamp.event_ms, GRID_STALE_AFTER_S, now_ms))
        drivers.append(_driver(*second, now_ms, previous))
        _check_agreement(inputs.grid, forecast, high - law.mean, target)
    if members := _members(inputs.ensemble, target, now_ms):
        evidence.append(f"{len(members)} ensemble members {min(members):.0f} to {max(members):.0f}F")
    if opinions := _opinions(inputs, target, now_ms):
        evidence.append(opinions)
    observed = _observed_today(inputs, target, now_ms)
    if observed is not None:
        reading, reached = observed
        measured_ms = reading.stamp.event_ms
        ages.append(_fresh(f"{reading.station} obs", measured_ms, OBSERVATION_STALE_AFTER_S, now_ms))
        law = _rest_of_day(law, forecast, high, reading, target, now_ms)
        by = "" if reached.by is Evidence.READING else f" ({reached.by.value})"
        evidence.append(f"reached {reached.f}F{by} so far; rest of the day {law.mean:.1f}F")
        evidence += _uncertain(inputs)

    at_least = observed[1].f if observed is not None else None
    source = markets[0].source
    if source:
        evidence.append(other_source.sentence(source))
    return Prediction(
        event_ticker=markets[0].event_ticker,
        tickers=tuple(rung.ticker for rung in rungs),
        exclusive=True,
        says=Laws(
            (part(rungs, law, at_least),),
            other_source.otherwise(rungs, law, at_least) if source else (),
        ),
        model=model.value,
        version=VERSIONS[model],
        mean=law.mean,
        spread=law.sigma,
        inputs=tuple(ages),
        computed_ms=now_ms,
        evidence=tuple(evidence),
        running_extreme=at_least,
        awaited_by_ms=_observed_by_ms(target) if observed is None else None,
        why=_why(drivers),
        drivers=tuple(drivers),
        lead=_lead(target, now_ms),
    )


def _lead(target: _Target, now_ms: int) -> Lead:
    if now_ms >= target.start_ms:
        return Lead.RUNNING
    return Lead.NIGHT if target.start_ms - now_ms < NIGHT_MS else Lead.EVENING


def _target(markets: Sequence[Market], station: Station, now_ms: int) -> _Target:
    day = markets[0].climate_day
    if day is None:
        raise _RefusedError("no climate day in the rules")
    for market in markets:
        if market.station != station.icao or market.climate_day != day:
            raise _RefusedError(f"{market.label} does not settle on {station.icao} {day}")
        if market.extreme is not Extreme.HIGH:
            raise _RefusedError(f"{market.label} is not about a daily high")
        if market.source != markets[0].source:
            raise _RefusedError(f"{market.label} settles on another source than its event's other markets")
    start_ms, end_ms = climate_day_bounds(station, day)
    if now_ms >= end_ms:
        raise _RefusedError("climate day is over; settles on the climate report")
    return _Target(station, day, start_ms, end_ms)


def _day_law(
    model: ModelId,
    target: _Target,
    high: float,
    issued_ms: int,
    replay_offset_days: int | None,
    history: History,
) -> tuple[Normal, list[str]]:
    """The whole day's distribution and the sentences that support it."""
    station, day = target.station, target.day
    evidence = [f"Open-Meteo high {high:.1f}F"]
    if replay_offset_days is not None:
        evidence.append(f"replays {shift_day(day, -replay_offset_days)}")
    if model is ModelId.ARTICLE_NORMAL:
        evidence.append(f"sigma fixed at {article_normal.SIGMA_F:g}F, no bias correction")
        return article_normal.predict(high), evidence
    issued_start_ms, _ = climate_day_bounds(station, climate_day(station, issued_ms))
    lead = 0 if replay_offset_days is not None else max(0, (target.start_ms - issued_start_ms) // DAY_MS)
    fit = rolling.fit(history, station, lead, issued_ms, replay_offset_days or 0)
    if isinstance(fit, str):
        raise _RefusedError(fit)
    evidence.append(
        f"bias {fit.bias_f:+.1f}F, sigma {fit.sigma_f:.1f}F from {fit.days} days {fit.first} to {fit.last}"
    )
    return fit.predict(high), evidence


def _second_opinion(grid: GridForecast | None, target: _Target) -> tuple[str, float] | None:
    """The weather service's high of the climate day: from all its hours, else its daytime maximum."""
    if grid is None:
        return None
    hours = target.hours(grid.hourly)
    if len(hours) == HOURS_A_DAY:
        return "NWS", float(max(hours.values()))
    daytime = grid.daily_max_f.get(target.day)
    return ("NWS daytime", float(daytime)) if daytime is not None else None


def _members(ensemble: Ensemble | None, target: _Target, now_ms: int) -> tuple[float, ...]:
    """What the members say of the day while that is fresh: to see, no part of the price."""
    if ensemble is None or now_ms - ensemble.stamp.event_ms > ensemble.stale_after_s * 1000:
        return ()
    return ensemble.daily_max_f.get(target.day, ())


def _opinions(inputs: StationInputs, target: _Target, now_ms: int) -> str:
    """What other models say of the day: for the operator to see, no part of the price."""
    fresh = [
        other
        for other in inputs.others.values()
        if target.day in other.daily_max_f and now_ms - other.stamp.event_ms <= other.stale_after_s * 1000
    ]
    told = ", ".join(f"{other.model} {other.daily_max_f[target.day]:.1f}F" for other in fresh)
    return f"not counted: {told}" if told else ""


def _check_agreement(grid: GridForecast, forecast: ModelForecast, bias_f: float, target: _Target) -> None:
    """Compare the two maxima over the hours of the day that both cover.

    The daytime maximum would not do: on a cold-front day the high is the reading after midnight.
    """
    ours, theirs = target.hours(forecast.hourly), target.hours(grid.hourly)
    common = ours.keys() & theirs.keys()
    if not common:
        return
    apart = abs(max(theirs[at] for at in common) - max(ours[at] - bias_f for at in common))
    if apart > DISAGREEMENT_MAX_F:
        raise _RefusedError(
            f"NWS and Open-Meteo are {apart:.0f}F apart for {target.day}, more than {DISAGREEMENT_MAX_F:g}F"
        )


def _observed_today(inputs: StationInputs, target: _Target, now_ms: int) -> tuple[Observation, Bound] | None:
    """The target day's newest reading and running maximum; ``None`` before the day and in its first
    minutes."""
    if now_ms < target.start_ms:
        return None
    held = inputs.observed
    if held is not None and held.day == target.day and held.latest is not None and held.high is not None:
        return held.latest, held.high
    if now_ms > _observed_by_ms(target):
        began = f"{target.day} began {_minutes(now_ms - target.start_ms)} min ago"
        limit = f"limit {OBSERVATION_STALE_AFTER_S // 60} min"
        raise _RefusedError(f"no observation of {target.station.icao} since {began}, {limit}")
    return None


def _observed_by_ms(target: _Target) -> int:
    """When a day without a reading has no price any more."""
    return target.start_ms + OBSERVATION_STALE_AFTER_S * 1000


def _uncertain(inputs: StationInputs) -> list[str]:
    """What is known of the running day and proves nothing."""
    held = inputs.observed
    if held is None:
        return []
    whole = held.likely_high_f
    likely = (
        [f"the whole day's high was told as {whole}F: likely, not yet settled"] if whole is not None else []
    )
    return [*likely, *held.unsure[-1:]]


def _rest_of_day(
    law: Normal,
    forecast: ModelForecast,
    high: float,
    reading: Observation,
    target: _Target,
    now_ms: int,
) -> Normal:
    newest = (reading.stamp.event_ms, reading.temperature_f)
    rest = remaining(law, forecast.hourly, high, now_ms, target.end_ms, newest)
    if rest is None:
        raise _RefusedError(f"the hourly forecast does not cover the rest of {target.day}")
    return rest


def _fresh(name: str, event_ms: int, stale_after_s: int, now_ms: int) -> InputAge:
    """An input that a price rests on; refuses it beyond its limit."""
    age_ms = now_ms - event_ms
    if age_ms > stale_after_s * 1000:
        raise _RefusedError(f"{name} is {_minutes(age_ms)} min old, limit {stale_after_s // 60} min")
    return InputAge(name, event_ms, stale_after_s)


def _minutes(age_ms: int) -> int:
    """Rounded up, so that what is beyond a limit reads as more than it."""
    return -(-age_ms // 60_000)


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
