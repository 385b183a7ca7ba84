"""Settlement stations and the climate-day calendar.

A climate day runs from midnight to midnight in the station's local *standard* time all year (NWS
Climatological Report, Daily); while clocks show daylight time that is 01:00 to 01:00 by the clock.
"""

from __future__ import annotations

import csv
import functools
import importlib.resources
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_EPOCH = date(1970, 1, 1).toordinal()


class Station(msgspec.Struct, frozen=True):
    """One settlement station; ``lst_offset_h`` is local standard time minus UTC."""

    icao: str
    name: str
    cli: str
    """AFOS code of its daily climate report, ``CLINYC``."""
    wfo: str
    lat: float
    lon: float
    elevation_m: int
    """Field elevation, to the nearest 20 m or better."""
    lst_offset_h: int
    clock_tz: str
    cli_usual_utc: str = ""
    """``HH:MM`` at which the final climate report usually comes, give or take 35 minutes; empty: unknown."""
    high_series: str = ""
    low_series: str = ""
    index_city: str = ""
    """The city of Kalshi's temperature index that lies around it: several stations, not this one."""
    air_mass: str = ""
    """Stations whose forecast errors move together, by a common name; empty: alone. Daily highs of 20 cities,
    2022-01 to 2025-02, four models' mean less its monthly bias: Austin with San Antonio .52, Houston .27 and
    Dallas .24, Dallas with Oklahoma City .30, Washington with Philadelphia .28, it with New York .16; half of
    all pairs under .01, Boston with its nearest .13."""


@functools.cache
def stations() -> dict[str, Station]:
    """Every known station by ICAO code."""
    text = (importlib.resources.files("core.feeds") / "data" / "stations.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["icao"]: msgspec.convert(row, Station, strict=False) for row in rows}


def station_of_series(series: str) -> Station | None:
    """The station of a temperature series, such as ``KXHIGHNY``."""
    return next((s for s in stations().values() if series and series in (s.high_series, s.low_series)), None)


def index_station(city: str) -> Station | None:
    """The station that Kalshi's index of a city lies around; ``None`` where none is known."""
    return next((s for s in stations().values() if city and s.index_city == city), None)


def climate_day(station: Station, at_ms: int) -> str:
    """The climate day a moment belongs to, ``YYYY-MM-DD``."""
    return date.fromordinal(_EPOCH + (at_ms + station.lst_offset_h * HOUR_MS) // DAY_MS).isoformat()


def climate_day_start(station: Station, at_ms: int) -> int:
    """Start of the climate day a moment belongs to, in Unix milliseconds."""
    shift_ms = station.lst_offset_h * HOUR_MS
    return (at_ms + shift_ms) // DAY_MS * DAY_MS - shift_ms


def climate_day_bounds(station: Station, day: str) -> tuple[int, int]:
    """Start (inclusive) and end (exclusive) of a climate day in Unix milliseconds."""
    midnight = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    start = int(midnight.timestamp()) * 1000 - station.lst_offset_h * HOUR_MS
    return start, start + DAY_MS


def lst(station: Station, at_ms: int) -> datetime:
    """Local standard time as a naive-looking clock: the fields are LST, the zone is marked UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC) + timedelta(hours=station.lst_offset_h)


def shift_day(day: str, days: int) -> str:
    """``day`` moved by whole days."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def daily(
    times: Sequence[int], row: Sequence[float | None], station: Station
) -> dict[str, tuple[float, float]]:
    """Minimum and maximum of hourly values by climate day, only for days with all their 24 hours."""
    days: dict[int, list[float]] = {}
    shift_ms = station.lst_offset_h * HOUR_MS
    for at_ms, value in zip(times, row, strict=True):
        if value is not None:
            days.setdefault((at_ms + shift_ms) // DAY_MS, []).append(value)
    return {
        date.fromordinal(_EPOCH + day).isoformat(): (min(values), max(values))
        for day, values in days.items()
        if len(values) == 24
    }


def whole_f(celsius: float) -> int:
    """Celsius to whole Fahrenheit, half up, as the weather service rounds."""
    return round_half_up(celsius * 9 / 5 + 32)


def round_half_up(value: float) -> int:
    return int((value + 0.5) // 1)
