"""A city's temperature index in a minute to come: where it stands, and where a forecast goes from there.

The index is carried on by what the hourly forecast of a station in its midst changes until then; where the
forecast itself stands is left out, as the index is an average of several stations. The error has the
variance ``FLOOR_F^2 + SD_HOUR_F^2 h`` at ``h`` hours and a Student's t.

No recording of an index is in any free source, so neither figure is fitted to one. Hours carried on by
nothing but the usual change of their time of day were off by 1.0 F after one and by 2.6 to 3.2 F after four
in Chicago, Miami and New York, by 1.5 and 4.8 F in Austin (Open-Meteo's hours of 25 days, January and
February 2025): a forecast is taken to know what makes the later ones that large. The scale's error is a
prior.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from core.domain.market import CityReading, Market
from core.feeds.kalshi_index import INDEX, OFFICIAL_AFTER_MS
from core.feeds.stations import HOUR_MS
from core.feeds.values import (
    GRID_STALE_AFTER_S,
    FeedValue,
    GridForecast,
    IndexStatus,
    ModelForecast,
    WeatherIndex,
)
from core.models import rungs as ladder
from core.models.fair_value import InputAge, NoPrice
from core.models.families import HOURLY_TEMPERATURE, Family
from core.models.laws import T_SHAPES
from core.models.prediction import Part, Prediction, edges
from core.models.ranges.event import predicted, settles_on
from core.models.refusal import RefusedError, attempted
from core.models.weather.inputs import FITTED
from core.models.weather.running_extreme import at_time
from core.models.weather.target import fresh, minutes

VERSION = f"{HOURLY_TEMPERATURE}-1"
SD_HOUR_F = 1.0
FLOOR_F = 0.3
"""What stays open to the end: a minute may change until it is official, and stations that tell whole degrees
Celsius make an average of five jump by as much."""
SCALE_ERROR = 0.3
AHEAD_MS_MAX = 12 * HOUR_MS
"""By then where the index stands says nothing any more."""
GAP_MS_MAX = 3 * 60_000
"""Minutes without all of their stations are passed over for so long."""


class HourlyInputs(msgspec.Struct, frozen=True):
    """What is known of one city's index."""

    family: Family
    city: str
    station: str
    """Whose hourly forecasts are read."""
    newest: WeatherIndex | None = None
    normal: WeatherIndex | None = None
    """The newest minute with all of its stations."""
    model: ModelForecast | None = None
    grid: GridForecast | None = None


def absorb(held: HourlyInputs, value: FeedValue) -> HourlyInputs:
    """``held`` with one more value; the same where it says nothing new of this city."""
    replace = msgspec.structs.replace
    match value:
        case WeatherIndex() if value.city == held.city:
            if _older(value, held.newest):
                return held
            normal = value if value.status is IndexStatus.NORMAL else held.normal
            if normal is not value and normal is not None and not _older(normal, value):
                normal = None  # the same minute, told again and no longer whole
            return replace(held, newest=value, normal=normal)
        case ModelForecast() if value.station == held.station and value.model == FITTED:
            return held if _older(value, held.model) else replace(held, model=value)
        case GridForecast() if value.station == held.station:
            return held if _older(value, held.grid) else replace(held, grid=value)
        case _:
            return held


Timed = WeatherIndex | ModelForecast | GridForecast


def _older(value: Timed, other: Timed | None) -> bool:
    return other is not None and value.stamp.event_ms < other.stamp.event_ms


def predict(markets: Sequence[Market], inputs: HourlyInputs, now_ms: int) -> Prediction | NoPrice:
    """What one event settles at, as seen at ``now_ms`` (world time); ``markets`` are all of it."""
    return attempted(markets, lambda: _predict(markets, inputs, now_ms))


def _predict(markets: Sequence[Market], inputs: HourlyInputs, now_ms: int) -> Prediction:
    reading = settles_on(markets, lambda market: market.reading, "no city's index in the rules", "minute")
    found = ladder.rungs(markets, reading.precision, signed=True)
    if isinstance(found, str):
        raise RefusedError(found)
    if now_ms >= reading.at_ms:
        raise RefusedError(f"the minute of the {reading.name} is past; it settles on that")
    if reading.at_ms - now_ms > AHEAD_MS_MAX:
        hours = f"{-(-(reading.at_ms - now_ms) // HOUR_MS)} h"
        raise RefusedError(f"its minute is {hours} away, its model reaches {AHEAD_MS_MAX // HOUR_MS} h")
    f, at_ms, official = _index(inputs, reading, now_ms)
    age = fresh(reading.name, at_ms, INDEX.stale_after_s, now_ms)
    change, source = _change(inputs, at_ms, reading.at_ms, now_ms)
    ahead_ms = reading.at_ms - at_ms
    deviation = math.sqrt(FLOOR_F**2 + SD_HOUR_F**2 * ahead_ms / HOUR_MS)
    shape = T_SHAPES[inputs.family.degrees]
    lower, upper = edges([(rung.lower, rung.upper) for rung in found])
    when = f"{datetime.fromtimestamp(at_ms / 1000, UTC):%H:%M} UTC"
    return predicted(
        markets,
        found,
        Part(shape, f + change, deviation / shape.deviation, lower, upper, scale_error=SCALE_ERROR),
        model=HOURLY_TEMPERATURE,
        version=VERSION,
        mean=f + change,
        spread=deviation,
        ages=(age, source),
        evidence=(
            f"{reading.name} {f:.2f}F at {when}{'' if official else ', not yet official'}",
            f"{source.name} of {inputs.station} moves {change:+.1f}F in {minutes(ahead_ms)} min",
            f"settles at {f + change:.2f}F +- {deviation:.2f}F (t, {inputs.family.degrees} degrees)",
        ),
        now_ms=now_ms,
    )


def _index(inputs: HourlyInputs, reading: CityReading, now_ms: int) -> tuple[float, int, bool]:
    """Its newest whole value, of which minute, and whether that can still change."""
    newest, normal = inputs.newest, inputs.normal
    if newest is None:
        raise RefusedError(f"no minute of the {reading.name} yet")
    newest_ms = newest.stamp.event_ms
    if normal is None or (normal is not newest and newest_ms - normal.stamp.event_ms > GAP_MS_MAX):
        stations = f"{newest.contributors} station{'s' if newest.contributors != 1 else ''}"
        since = f" for {minutes(newest_ms - normal.stamp.event_ms)} min" if normal is not None else ""
        raise RefusedError(
            f"the {reading.name} is {newest.status.value}{since}, {stations} in its newest minute"
        )
    if normal.hundredths_f is None:
        raise RefusedError(f"the newest minute of the {reading.name} has no value")
    at_ms = normal.stamp.event_ms
    return normal.hundredths_f / 100, at_ms, normal.settled or now_ms - at_ms >= OFFICIAL_AFTER_MS


def _change(inputs: HourlyInputs, from_ms: int, to_ms: int, now_ms: int) -> tuple[float, InputAge]:
    """Degrees by which the first forecast at hand moves between two moments, and its age."""
    model, grid = inputs.model, inputs.grid
    forecasts: list[tuple[Sequence[tuple[int, float]], InputAge]] = []
    if model is not None:
        forecasts.append((model.hourly, InputAge("Open-Meteo", model.stamp.event_ms, model.stale_after_s)))
    if grid is not None:
        forecasts.append((grid.hourly, InputAge("NWS", grid.stamp.event_ms, GRID_STALE_AFTER_S)))
    why = f"no hourly forecast of {inputs.station} yet"
    for hourly, age in forecasts:
        if not age.fresh(now_ms):
            why = (
                f"{age.name} is {minutes(now_ms - age.event_ms)} min old, limit {age.stale_after_s // 60} min"
            )
            continue
        start, end = at_time(hourly, from_ms), at_time(hourly, to_ms)
        if start is not None and end is not None:
            return end - start, age
        why = f"{age.name}'s hours of {inputs.station} do not reach its minute"
    raise RefusedError(why)
