"""What the sources hand on: typed values, temperatures in degrees Fahrenheit, times in world time.

A ``day`` is a station's climate day, ``YYYY-MM-DD`` (see ``stations.climate_day_bounds``). An hourly
series is ``(start of the hour in Unix ms, degrees)`` in rising order.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from core.feeds.feed import Stamp
from core.feeds.quotes import Average, OptionMark, Quote, SeriesPoint, Volatility
from core.feeds.releases import Calendar
from core.feeds.sports import Game

GRID_STALE_AFTER_S = 6 * 3600
OBSERVATION_STALE_AFTER_S = 80 * 60
REPORT_STALE_AFTER_S = 26 * 3600
"""World seconds after its own time at which a value may not support a new entry."""


class GridForecast(msgspec.Struct, frozen=True):
    """The forecaster's grid (NWS): whole degrees. ``stamp.event_ms`` is its update time."""

    station: str
    daily_max_f: dict[str, int]
    """Daytime maximum by climate day: about 12 hours, not the whole climate day."""
    hourly: tuple[tuple[int, int], ...]
    stamp: Stamp


class ModelForecast(msgspec.Struct, frozen=True):
    """One numerical model (Open-Meteo). ``stamp.event_ms`` is the run's initialisation."""

    station: str
    model: str
    hourly: tuple[tuple[int, float], ...]
    daily_max_f: dict[str, float]
    """Maximum over the hours of each climate day that the answer covers completely."""
    stamp: Stamp
    stale_after_s: int
    """Twice the model's own update interval, from its run metadata."""


class Ensemble(msgspec.Struct, frozen=True):
    """Members of an ensemble, aggregated like ``ModelForecast``; the control run comes first."""

    station: str
    model: str
    daily_max_f: dict[str, tuple[float, ...]]
    stamp: Stamp
    stale_after_s: int


class Observation(msgspec.Struct, frozen=True):
    """One station reading. ``stamp.event_ms`` is the time of measurement."""

    station: str
    temperature_f: float
    at_least_f: int
    """The lowest whole degree the reading can stand for: a reading in whole Celsius is a band."""
    six_hour_max_f: int | None
    """Maximum of the six hours before, from the report's own group: it sees peaks between readings."""
    stamp: Stamp


class ClimateReport(msgspec.Struct, frozen=True):
    """The daily climate report (CLI). Only a final one is a settlement proxy.

    ``stamp.event_ms`` is the issue time.
    """

    station: str
    day: str
    final: bool
    corrected: bool
    max_f: int | None
    min_f: int | None
    stamp: Stamp


WeatherValue = GridForecast | ModelForecast | Ensemble | Observation | ClimateReport
"""Of one station."""
FeedValue = WeatherValue | Quote | Average | Volatility | OptionMark | SeriesPoint | Game | Calendar
Sink = Callable[[FeedValue], None]
"""Called in the feed's loop step; must not block or await."""
