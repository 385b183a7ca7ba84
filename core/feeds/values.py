"""What the sources hand on: typed values, temperatures in degrees Fahrenheit, times in world time.

A ``day`` is a station's climate day, ``YYYY-MM-DD`` (see ``stations.climate_day_bounds``). An hourly
series is ``(start of the hour in Unix ms, degrees)`` in rising order.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

import msgspec

from core.feeds.feed import Stamp
from core.feeds.quotes import Average, OptionMark, Quote, SeriesPast, SeriesPoint, Volatility
from core.feeds.releases import Calendar, Views
from core.feeds.sports import Game

GRID_STALE_AFTER_S = 6 * 3600
OBSERVATION_STALE_AFTER_S = 80 * 60
REPORT_STALE_AFTER_S = 26 * 3600
"""World seconds after its own time at which a value may not support a new entry."""


class IndexStatus(enum.Enum):
    """How complete a minute of a temperature index is."""

    NORMAL = "normal"
    DEGRADED = "degraded"
    """Fewer stations than usual."""
    INCOMPLETE = "incomplete"
    """Too few for a value."""


class GridForecast(msgspec.Struct, frozen=True):
    """The forecaster's grid (NWS): whole degrees. ``stamp.event_ms`` is its update time."""

    station: str
    daily_max_f: dict[str, int]
    """Daytime maximum by climate day: about 12 hours, not the whole climate day."""
    hourly: tuple[tuple[int, int], ...]
    stamp: Stamp
    daily_min_f: dict[str, int] = {}
    """Minimum of the night that ends in a climate day: an evening that undercuts it is not in it."""


class ModelForecast(msgspec.Struct, frozen=True):
    """One numerical model. ``stamp.event_ms`` is the run's initialisation; where a provider names none,
    the time at which its hours last changed."""

    station: str
    model: str
    hourly: tuple[tuple[int, float], ...]
    daily_max_f: dict[str, float]
    """Maximum over the hours of each climate day that the answer covers completely."""
    stamp: Stamp
    stale_after_s: int
    """From the model's own update interval, by its run metadata."""
    daily_min_f: dict[str, float] = {}
    """Minimum, as ``daily_max_f``."""


class Ensemble(msgspec.Struct, frozen=True):
    """Members of an ensemble, aggregated like ``ModelForecast``; the control run comes first."""

    station: str
    model: str
    daily_max_f: dict[str, tuple[float, ...]]
    stamp: Stamp
    stale_after_s: int
    daily_min_f: dict[str, tuple[float, ...]] = {}


class PastForecasts(msgspec.Struct, frozen=True):
    """What one model said days before about the days just past: the labels its bias is measured by.

    ``stamp.event_ms`` is the time of the answer.
    """

    station: str
    model: str
    daily_max_f: dict[int, dict[str, float]]
    """By lead in days, then by climate day."""
    daily_min_f: dict[int, dict[str, float]]
    stamp: Stamp


class Guessed(msgspec.Struct, frozen=True):
    """An expected extreme and the spread its source gives with it, degrees Fahrenheit."""

    f: int
    spread_f: int | None


class StationGuidance(msgspec.Struct, frozen=True):
    """Calibrated guidance for a station (NBM). ``stamp.event_ms`` is the run."""

    station: str
    model: str
    """``NBS`` (three days) or ``NBE`` (eight)."""
    daily_max_f: dict[str, Guessed]
    """Daytime maximum by climate day: about 12 hours, not the whole climate day."""
    daily_min_f: dict[str, Guessed]
    """Night minimum by the climate day in which the night ends."""
    stamp: Stamp


class Groups(msgspec.Struct, frozen=True):
    """Extremes of the last 6 and 24 hours from a report's own groups, whole degrees Fahrenheit: they see
    peaks between readings."""

    six_hour_max_f: int | None = None
    six_hour_min_f: int | None = None
    day_max_f: int | None = None
    day_min_f: int | None = None


class Observation(msgspec.Struct, frozen=True):
    """One station reading. ``stamp.event_ms`` is the time of measurement."""

    station: str
    temperature_f: float
    at_least_f: int
    """The lowest whole degree the reading can stand for: a reading in whole Celsius is a band."""
    at_most_f: int
    """The highest one."""
    stamp: Stamp
    groups: Groups = Groups()
    corrected: bool = False
    """Whether it replaces an earlier reading of the same time."""


class TakenBack(msgspec.Struct, frozen=True):
    """A station reading that failed its source's quality control after it was told, or before another source
    tells it. ``stamp.event_ms`` is the time of the measurement."""

    station: str
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


class DailySummary(msgspec.Struct, frozen=True):
    """The station's own daily summary message (DSM), made by the machine before anybody looks at it.

    ``stamp.event_ms`` is the time up to which it has seen its day.
    """

    station: str
    day: str
    final: bool
    """Whether it has seen the whole climate day."""
    corrected: bool
    max_f: int | None
    min_f: int | None
    stamp: Stamp


class WeatherIndex(msgspec.Struct, frozen=True):
    """One minute of a venue's own temperature index. ``stamp.event_ms`` is that minute."""

    city: str
    hundredths_f: int | None
    """``None`` for a minute without quorum: nothing is put in its place."""
    status: IndexStatus
    settled: bool
    """Whether the minute is official; before that its value may still change."""
    contributors: int
    config: str
    """Version of weights and calibration; it changes about weekly."""
    stamp: Stamp


WeatherValue = (
    GridForecast
    | ModelForecast
    | Ensemble
    | PastForecasts
    | StationGuidance
    | Observation
    | TakenBack
    | ClimateReport
    | DailySummary
)
"""Of one station."""
Sourced = Quote | Average | Volatility | OptionMark | SeriesPoint | SeriesPast | Game | Calendar | Views
"""Whose ``source`` is the name of its declaration."""
FeedValue = WeatherValue | WeatherIndex | Sourced
Sink = Callable[[FeedValue], None]
"""Called in the feed's loop step; must not block or await."""
