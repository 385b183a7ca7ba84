"""What Open-Meteo is asked: parameters, places, zones and dates, each refused as the service refuses it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta

from core.sim.scenarios.loader import Station
from core.sim.weather import Weather

HOURLY = "temperature_2m"
LEADS_MAX = 7
"""Days before of which previous runs tell."""

_KNOWN = frozenset(
    [
        "latitude",
        "longitude",
        "hourly",
        "daily",
        "models",
        "temperature_unit",
        "timezone",
        "past_days",
        "forecast_days",
        "start_date",
        "end_date",
        "timeformat",
        "cell_selection",
        "elevation",
        "wind_speed_unit",
        "precipitation_unit",
        "apikey",
    ]
)
_NEAR_DEGREES = 0.6
_DAYS_MAX = {"past_days": 92, "forecast_days": 16}
_DATES_MAX = 120
_FAR_DAYS = 500
"""Dates farther from today are refused; beyond what the world knows of there are nulls."""
_PLACES_MAX = 10


class BadRequestError(Exception):
    """What the service answers 400 to; the text is its ``reason``."""


def check(query: Mapping[str, str]) -> None:
    """Raises ``BadRequestError`` for a parameter the service does not have."""
    for name in query:
        if name not in _KNOWN:
            raise BadRequestError(f"Unknown parameter {name[:40]!r}")


def lead_of(variable: str, leads: bool) -> int:
    """Days before of an hourly variable; 0: the newest run."""
    before = variable.removeprefix(f"{HOURLY}_previous_day")
    if variable == HOURLY:
        return 0
    if leads and before.isascii() and before.isdigit() and 1 <= int(before[:2]) <= LEADS_MAX:
        return int(before)
    raise BadRequestError(f"Unknown hourly variable: this world has {HOURLY} only")


def words(query: Mapping[str, str], name: str) -> list[str]:
    return [word for word in query.get(name, "").split(",") if word]


def places(weather: Weather, query: Mapping[str, str]) -> list[Station]:
    try:
        latitudes = [float(x) for x in query["latitude"].split(",")]
        longitudes = [float(x) for x in query["longitude"].split(",")]
    except (KeyError, ValueError):
        raise BadRequestError("Parameter 'latitude' and 'longitude' must be given as numbers") from None
    if len(latitudes) != len(longitudes):
        raise BadRequestError("Parameter 'latitude' and 'longitude' must have the same number of elements")
    if len(latitudes) > _PLACES_MAX:
        raise BadRequestError(f"Too many places: this world answers for at most {_PLACES_MAX} at a time")
    found = []
    for lat, lon in zip(latitudes, longitudes, strict=True):
        nearest = min(weather.stations.values(), key=lambda s: abs(s.lat - lat) + abs(s.lon - lon))
        if not max(abs(nearest.lat - lat), abs(nearest.lon - lon)) <= _NEAR_DEGREES:
            raise BadRequestError(
                f"No data here: this world holds the surroundings of {', '.join(weather.stations)}"
            )
        found.append(nearest)
    return found


def zone_of(name: str, station: Station) -> tuple[str, int]:
    """Zone name and hours against UTC. The world's clocks keep standard time."""
    if name in ("GMT", "UTC"):
        return "GMT", 0
    if name == "auto" or name == station.clock_zone:
        return station.clock_zone, station.lst_offset_h
    if name.startswith("Etc/GMT") and name[7:8] in ("+", "-") and name[8:].isdigit() and int(name[8:]) <= 14:
        return name, -int(name[7:])
    raise BadRequestError(f"Invalid timezone {name[:40]!r}: GMT, auto, Etc/GMT+5 and the like")


def dates(query: Mapping[str, str], today: date) -> tuple[date, date]:
    try:
        if "start_date" in query or "end_date" in query:
            first, last = date.fromisoformat(query["start_date"]), date.fromisoformat(query["end_date"])
        else:
            past, ahead = int(query.get("past_days", "0")), int(query.get("forecast_days", "7"))
            if not 0 <= past <= _DAYS_MAX["past_days"] or not 1 <= ahead <= _DAYS_MAX["forecast_days"]:
                raise BadRequestError("Parameter 'past_days' must be 0 to 92 and 'forecast_days' 1 to 16")
            first, last = today - timedelta(days=past), today + timedelta(days=ahead - 1)
    except (KeyError, ValueError, OverflowError):
        raise BadRequestError("Invalid date or number of days") from None
    if not 0 <= (last - first).days < _DATES_MAX:
        raise BadRequestError("Parameter 'end_date' must not lie before 'start_date' nor far after it")
    if max(abs((day - today).days) for day in (first, last)) > _FAR_DAYS:
        raise BadRequestError(f"Parameter 'start_date' is more than {_FAR_DAYS} days from today")
    return first, last


def unit_of(name: str) -> tuple[str, Callable[[float], float]]:
    if name == "fahrenheit":
        return "°F", lambda f: f
    if name == "celsius":
        return "°C", lambda f: round((f - 32) / 1.8, 1)
    raise BadRequestError(f"Invalid temperature_unit {name[:40]!r}")


TO_THE_MINUTE, TO_THE_DAY = len("2026-11-29T15:05"), len("2026-11-29")


def stamp_of(style: str, offset_h: int) -> Callable[[int, int], str | int]:
    """Told by an instant and how far its ISO 8601 goes."""
    if style == "unixtime":
        return lambda at_ms, _: at_ms // 1000
    if style == "iso8601":
        return lambda at_ms, to: datetime.fromtimestamp(at_ms / 1000 + offset_h * 3600, UTC).isoformat()[:to]
    raise BadRequestError(f"Invalid timeformat {style[:40]!r}")
