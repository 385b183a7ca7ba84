"""Shapes of api.weather.gov answers and the pure steps from them to values. No I/O.

Intervals are ``start/duration`` with equal hours merged into one; grid values are Celsius made from
the forecaster's whole Fahrenheit, which is recovered by rounding.
"""

from __future__ import annotations

import math
import re
from datetime import datetime

import msgspec

from core.feeds import metar_text
from core.feeds.metar_text import Band
from core.feeds.sanity import dated, plausible
from core.feeds.stations import HOUR_MS, Station, climate_day, round_half_up
from core.feeds.values import Groups

VALUES_MAX = 2_000
HOURS_MAX = 400
"""Over two weeks: the grid reaches eight days."""

_DURATION = re.compile(r"P(?:(\d{1,3})D)?(?:T(?:(\d{1,3})H)?(?:(\d{1,4})M)?)?")
QUALITY_ACCEPTED = frozenset("ZCSVG")
QUALITY_FAILED = frozenset("XQB")
"""Failed, questioned, called bad by an analyst."""


class Quantity(msgspec.Struct, frozen=True):
    """A measured value; old answers carry numbers as text or another unit prefix."""

    value: float | str | None = None
    unitCode: str = ""  # noqa: N815 - wire name
    qualityControl: str | None = None  # noqa: N815 - wire name


class LayerValue(msgspec.Struct, frozen=True, rename="camel"):
    valid_time: str
    value: float | str | None = None


class Layer(msgspec.Struct, frozen=True):
    uom: str = ""
    values: tuple[LayerValue, ...] = ()


class GridProperties(msgspec.Struct, frozen=True, rename="camel"):
    update_time: str
    temperature: Layer = Layer()
    max_temperature: Layer = Layer()
    min_temperature: Layer = Layer()


class Grid(msgspec.Struct, frozen=True):
    properties: GridProperties


class PointProperties(msgspec.Struct, frozen=True, rename="camel"):
    grid_id: str
    grid_x: int
    grid_y: int


class Point(msgspec.Struct, frozen=True):
    properties: PointProperties


class Period(msgspec.Struct, frozen=True, rename="camel"):
    start_time: str
    temperature: float | Quantity | None = None
    temperature_unit: str = "F"


class HourlyProperties(msgspec.Struct, frozen=True):
    periods: tuple[Period, ...] = ()


class Hourly(msgspec.Struct, frozen=True):
    properties: HourlyProperties


class ObservationProperties(msgspec.Struct, frozen=True, rename="camel"):
    timestamp: str | None = None
    raw_message: str | None = None
    temperature: Quantity | None = None


class ObservationFeature(msgspec.Struct, frozen=True):
    properties: ObservationProperties


class Observations(msgspec.Struct, frozen=True):
    features: tuple[ObservationFeature, ...] = ()


class Product(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    issuance_time: str
    product_text: str = ""


class ProductList(msgspec.Struct, frozen=True):
    graph: tuple[Product, ...] = msgspec.field(default=(), name="@graph")


class Reading(msgspec.Struct, frozen=True):
    """One accepted temperature: its time, what it stands for and its report's groups."""

    at_ms: int
    band: Band
    groups: Groups
    corrected: bool


def time_ms(text: str) -> int | None:
    """An ISO time with zone in Unix milliseconds, ``None`` when it is not one of our days."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    at_ms = int(at.timestamp() * 1000) if at.tzinfo is not None else None
    return at_ms if at_ms is not None and dated(at_ms) else None


def interval(text: str) -> tuple[int, int] | None:
    """``start/duration`` as start in Unix ms and whole hours (at least one)."""
    start, _, duration = text.partition("/")
    at_ms, match = time_ms(start), _DURATION.fullmatch(duration)
    if at_ms is None or match is None:
        return None
    days, hours, minutes = (int(group or 0) for group in match.groups())
    total = days * 24 + hours + (1 if minutes else 0)
    return (at_ms, min(total, HOURS_MAX)) if total else None


def degrees(value: float | str | None, unit: str) -> float | None:
    """Degrees Fahrenheit of a value in ``unit``; ``None`` if implausible or in none that is known."""
    try:
        number = float(value) if value is not None else math.nan
    except ValueError:
        return None
    if unit.endswith("degF"):
        f = number
    elif unit.endswith("degC"):
        f = number * 9 / 5 + 32
    else:
        return None
    return f if plausible(f) else None


def hourly(layer: Layer) -> tuple[tuple[int, int], ...]:
    """A layer as one whole-degree value an hour, merged intervals expanded."""
    hours: dict[int, int] = {}
    for item in layer.values[:VALUES_MAX]:
        span, f = interval(item.valid_time), degrees(item.value, layer.uom)
        if span is None or f is None:
            continue
        if len(hours) >= HOURS_MAX:
            break
        for hour in range(span[1]):
            hours[span[0] + hour * HOUR_MS] = round_half_up(f)
    return tuple(sorted(hours.items()))


def daily(layer: Layer, station: Station) -> dict[str, int]:
    """A daytime-maximum layer by the climate day in which each interval begins."""
    days: dict[str, int] = {}
    for item in layer.values[:VALUES_MAX]:
        span, f = interval(item.valid_time), degrees(item.value, layer.uom)
        if span is not None and f is not None:
            day = climate_day(station, span[0])
            days[day] = max(round_half_up(f), days.get(day, -999))
    return days


def nightly(layer: Layer, station: Station) -> dict[str, int]:
    """A night-minimum layer by the climate day in which each interval ends."""
    days: dict[str, int] = {}
    for item in layer.values[:VALUES_MAX]:
        span, f = interval(item.valid_time), degrees(item.value, layer.uom)
        if span is not None and f is not None:
            day = climate_day(station, span[0] + span[1] * HOUR_MS - 1)
            days[day] = min(round_half_up(f), days.get(day, 999))
    return days


def period_hours(wire: Hourly) -> tuple[tuple[int, int], ...]:
    """The hourly forecast as ``(start ms, whole degrees)``; both spellings of ``temperature`` accepted."""
    hours: dict[int, int] = {}
    for period in wire.properties.periods[:VALUES_MAX]:
        at_ms, held = time_ms(period.start_time), period.temperature
        f = (
            degrees(held.value, held.unitCode)
            if isinstance(held, Quantity)
            else degrees(held, f"deg{period.temperature_unit}")
        )
        if at_ms is not None and f is not None:
            hours[at_ms] = round_half_up(f)
    return tuple(sorted(hours.items()))


def readings(wire: Observations) -> tuple[Reading, ...]:
    """Usable temperatures, oldest first. Failed or questioned quality and missing values are left out."""
    found: dict[int, Reading] = {}
    for feature in wire.features[:VALUES_MAX]:
        held = feature.properties.temperature
        at_ms = time_ms(feature.properties.timestamp or "")
        if held is None or at_ms is None:
            continue
        f = degrees(held.value, held.unitCode)
        if _quality(held) not in QUALITY_ACCEPTED or f is None:
            continue
        raw = feature.properties.raw_message or ""
        corrected = metar_text.corrected(raw)
        if at_ms not in found or corrected or not found[at_ms].corrected:
            found[at_ms] = Reading(at_ms, _band(f, raw), metar_text.groups(raw), corrected)
    return tuple(found[at_ms] for at_ms in sorted(found))


def failed(wire: Observations) -> tuple[int, ...]:
    """Times of readings that failed quality control and are in no other version there, oldest first."""
    found = {
        time_ms(feature.properties.timestamp or "")
        for feature in wire.features[:VALUES_MAX]
        if (held := feature.properties.temperature) is not None and _quality(held) in QUALITY_FAILED
    }
    usable = {reading.at_ms for reading in readings(wire)}
    return tuple(sorted(at_ms for at_ms in found if at_ms is not None and at_ms not in usable))


def _quality(held: Quantity) -> str:
    """Its letter; one without is not checked yet."""
    return (held.qualityControl or "Z").rpartition(":")[2]


def _band(f: float, raw: str) -> Band:
    """By the report's own T group, else by the value: with tenths it names one whole Fahrenheit."""
    if (told := metar_text.temperature(raw)) is not None and told.lowest_f == told.highest_f:
        return told
    celsius = (f - 32) * 5 / 9
    if abs(celsius - round(celsius)) > 0.04:
        return Band(f, round_half_up(f), round_half_up(f))
    whole = metar_text.of_whole(round(celsius))
    return Band(f, whole.lowest_f, whole.highest_f)
