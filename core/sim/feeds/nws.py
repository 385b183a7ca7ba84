"""The weather service's documents over the simulated atmosphere: points, grid, forecasts, observations.

Shapes follow api.weather.gov. Times are world time; local times keep standard time all year. Each
function returns the document and the world time it was last modified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial
from typing import Any

import msgspec

from core.sim.feeds import station_report
from core.sim.scenarios.loader import Station
from core.sim.weather import HOUR_MS, Observation, Weather, climate_day, day_start_ms, half_up

_CONTEXT = ["https://geojson.org/geojson-ld/geojson-context.jsonld", {"@version": "1.1"}]
_GRID_HOURS = 7 * 24
_HOURLY_PERIODS = 156
_DAY_FROM_H, _DAY_HOURS = 7, 13
"""Daytime of the grid's ``maxTemperature``: 07 to 20 local standard time."""
_HALF_DAYS = 14
_REPORTS_MAX = 500
_REPORT_HOURS = 7 * 24


class Document(msgspec.Struct, frozen=True):
    body: Callable[[], dict[str, Any]]
    """Made where it is sent: most who ask have the newest state already."""
    modified_ms: int
    media_type: str = "application/geo+json"


def celsius(fahrenheit: float) -> float:
    return (fahrenheit - 32) / 1.8


def iso(at_ms: int, offset_h: int = 0) -> str:
    """ISO 8601 with an explicit offset, seconds resolution."""
    return datetime.fromtimestamp(at_ms // 1000, timezone(timedelta(hours=offset_h))).isoformat()


def _value(number: float | None, unit: str, **more: str) -> dict[str, Any]:
    return {"unitCode": f"wmoUnit:{unit}", "value": number, **more}


def _feature(identity: str, station: Station, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "@context": _CONTEXT,
        "id": identity,
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [station.lon, station.lat]},
        "properties": {"@id": identity, **properties},
    }


def grid_url(base: str, station: Station) -> str:
    return f"{base}/gridpoints/{station.wfo}/{station.grid_x},{station.grid_y}"


def points(base: str, station: Station, point: str, modified_ms: int) -> Document:
    """``/points/{lat},{lon}``: where a coordinate's forecasts are found."""
    grid = grid_url(base, station)
    properties = {
        "@type": "wx:Point",
        "cwa": station.wfo,
        "forecastOffice": f"{base}/offices/{station.wfo}",
        "gridId": station.wfo,
        "gridX": station.grid_x,
        "gridY": station.grid_y,
        "forecast": f"{grid}/forecast",
        "forecastHourly": f"{grid}/forecast/hourly",
        "forecastGridData": grid,
        "observationStations": f"{grid}/stations",
        "relativeLocation": {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [station.lon, station.lat]},
            "properties": {"city": station.city, "state": station.wfo_city.rsplit(" ", 1)[-1]},
        },
        "timeZone": station.clock_zone,
        "radarStation": station.icao,
    }
    return Document(partial(_feature, f"{base}/points/{point}", station, properties), modified_ms)


def gridpoint(base: str, weather: Weather, station: Station, now_ms: int) -> Document:
    """The raw grid: hourly temperature in merged intervals, daytime maxima, night minima, degrees C."""
    issued = weather.office_update_ms(now_ms)
    return Document(partial(_grid, base, weather, station, issued), issued)


def _grid(base: str, weather: Weather, station: Station, issued: int) -> dict[str, Any]:
    start = issued // HOUR_MS * HOUR_MS
    hours = [
        (at, f)
        for at in range(start, start + _GRID_HOURS * HOUR_MS, HOUR_MS)
        if (f := weather.office_f(station.icao, at, issued)) is not None
    ]
    properties = {
        "@type": "wx:Gridpoint",
        "updateTime": iso(issued),
        "validTimes": f"{iso(start)}/P{len(hours) // 24}DT{len(hours) % 24}H",
        "elevation": _value(station.elevation_m, "m"),
        "forecastOffice": f"{base}/offices/{station.wfo}",
        "gridId": station.wfo,
        "gridX": str(station.grid_x),
        "gridY": str(station.grid_y),
        "temperature": _layer(_merged(hours)),
        "maxTemperature": _layer(_halves(weather, station, issued, night=False)),
        "minTemperature": _layer(_halves(weather, station, issued, night=True)),
        "skyCover": {"uom": "wmoUnit:percent", "values": []},
        "probabilityOfPrecipitation": {"uom": "wmoUnit:percent", "values": []},
    }
    return _feature(grid_url(base, station), station, properties)


def _layer(intervals: list[tuple[int, int, int]]) -> dict[str, Any]:
    """Intervals are (start, hours, whole degrees F)."""
    return {
        "uom": "wmoUnit:degC",
        "values": [
            {"validTime": f"{iso(at)}/{_duration(hours)}", "value": celsius(f)} for at, hours, f in intervals
        ],
    }


def _duration(hours: int) -> str:
    days, rest = divmod(hours, 24)
    return "P" + (f"{days}D" if days else "") + (f"T{rest}H" if rest else "")


def _merged(hours: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
    merged: list[tuple[int, int, int]] = []
    for at, f in hours:
        if merged and merged[-1][2] == f and merged[-1][0] + merged[-1][1] * HOUR_MS == at:
            merged[-1] = (merged[-1][0], merged[-1][1] + 1, f)
        else:
            merged.append((at, 1, f))
    return merged


def _halves(weather: Weather, station: Station, issued: int, *, night: bool) -> list[tuple[int, int, int]]:
    """Extremes of the coming days' 13-hour windows, or of the 13 hours around the nights before them."""
    found, day = [], climate_day(station, issued)
    for _ in range(7):
        start = day_start_ms(station, day) + ((_DAY_FROM_H - 12) if night else _DAY_FROM_H) * HOUR_MS
        window = range(start, start + _DAY_HOURS * HOUR_MS, HOUR_MS)
        hours = [f for at in window if (f := weather.office_f(station.icao, at, issued)) is not None]
        if len(hours) == _DAY_HOURS and start + _DAY_HOURS * HOUR_MS > issued:
            found.append((start, _DAY_HOURS, min(hours) if night else max(hours)))
        day += timedelta(days=1)
    return found


def forecast(
    base: str, weather: Weather, station: Station, now_ms: int, *, hourly: bool, si: bool, objects: bool
) -> Document:
    """Twelve-hour or hourly periods; ``objects`` gives temperatures as quantities."""
    body = partial(_periods, base, weather, station, now_ms, hourly=hourly, si=si, objects=objects)
    return Document(body, weather.office_update_ms(now_ms))


def _periods(
    base: str,
    weather: Weather,
    station: Station,
    now_ms: int,
    *,
    hourly: bool,
    si: bool,
    objects: bool,
) -> dict[str, Any]:
    issued, path = weather.office_update_ms(now_ms), "/forecast/hourly" if hourly else "/forecast"
    spans = _hourly_spans(station, now_ms) if hourly else _half_day_spans(station, now_ms)
    periods: list[dict[str, Any]] = []
    for at, end, daytime, name in spans:
        known = [
            f for t in range(at, end, HOUR_MS) if (f := weather.office_f(station.icao, t, issued)) is not None
        ]
        if not known:
            break
        f = max(known) if daytime else min(known)
        number = half_up(celsius(f)) if si else f
        periods.append(
            {
                "number": len(periods) + 1,
                "name": name,
                "startTime": iso(at, station.lst_offset_h),
                "endTime": iso(end, station.lst_offset_h),
                "isDaytime": daytime,
                "temperature": _value(number, "degC" if si else "degF") if objects else number,
                "temperatureUnit": "C" if si else "F",
                "temperatureTrend": None,
                "probabilityOfPrecipitation": _value(None, "percent"),
                "windSpeed": "5 to 10 mph",
                "windDirection": "NW",
                "icon": "",
                "shortForecast": "Partly Cloudy",
                "detailedForecast": ""
                if hourly
                else f"Partly cloudy, {'high' if daytime else 'low'} near {number}.",
            }
        )
    properties = {
        "units": "si" if si else "us",
        "forecastGenerator": "HourlyForecastGenerator" if hourly else "BaselineForecastGenerator",
        "generatedAt": iso(now_ms),
        "updateTime": iso(issued),
        "validTimes": f"{iso(issued // HOUR_MS * HOUR_MS)}/P7D",
        "elevation": _value(station.elevation_m, "m"),
        "periods": periods,
    }
    return _feature(grid_url(base, station) + path, station, properties)


_Span = tuple[int, int, bool, str]


def _hourly_spans(station: Station, now_ms: int) -> Iterator[_Span]:
    start = now_ms // HOUR_MS * HOUR_MS
    for at in range(start, start + _HOURLY_PERIODS * HOUR_MS, HOUR_MS):
        yield at, at + HOUR_MS, 6 <= (at // HOUR_MS + station.lst_offset_h) % 24 < 18, ""


def _half_day_spans(station: Station, now_ms: int) -> Iterator[_Span]:
    """Local 06 to 18 and 18 to 06; the running half comes first."""
    half = 12 * HOUR_MS
    local = now_ms + station.lst_offset_h * HOUR_MS - 6 * HOUR_MS
    start = local // half * half + 6 * HOUR_MS - station.lst_offset_h * HOUR_MS
    for number in range(_HALF_DAYS):
        at = start + number * half
        moment = datetime.fromtimestamp(at / 1000 + station.lst_offset_h * 3600, UTC)
        daytime = moment.hour == 6
        if number == 0:
            name = "Today" if daytime else "Tonight"
        else:
            name = f"{moment:%A}" + ("" if daytime else " Night")
        yield at, at + half, daytime, name


def observations(
    base: str,
    weather: Weather,
    station: Station,
    now_ms: int,
    start_ms: int | None,
    end_ms: int | None,
    limit: int,
) -> Document:
    """Reports out by now, newest first."""
    found = [
        o
        for o in weather.reported(station.icao, now_ms, _REPORT_HOURS)
        if (start_ms is None or o.at_ms >= start_ms) and (end_ms is None or o.at_ms <= end_ms)
    ][: min(limit, _REPORTS_MAX)]

    def body() -> dict[str, Any]:
        features = [_observation(base, weather, station, o) for o in found]
        return {"@context": _CONTEXT, "type": "FeatureCollection", "features": features}

    return Document(body, found[0].at_ms if found else now_ms)


def latest_observation(base: str, weather: Weather, station: Station, now_ms: int) -> Document | None:
    found = weather.reported(station.icao, now_ms, 24)
    if not found:
        return None
    return Document(partial(_observation, base, weather, station, found[0]), found[0].at_ms)


def _observation(base: str, weather: Weather, station: Station, seen: Observation) -> dict[str, Any]:
    tenths = round(celsius(seen.temp_f), 1)
    properties = {
        "@type": "wx:ObservationStation",
        "elevation": _value(station.elevation_m, "m"),
        "station": f"{base}/stations/{station.icao}",
        "stationId": station.icao,
        "stationName": station.place.title(),
        "timestamp": iso(seen.at_ms),
        "rawMessage": station_report.text(weather, station, seen),
        "textDescription": "Clear",
        "presentWeather": [],
        "temperature": _value(tenths, "degC", qualityControl="V"),
        "dewpoint": _value(round(tenths - 8, 1), "degC", qualityControl="V"),
        "windDirection": _value(310, "degree_(angle)", qualityControl="V"),
        "windSpeed": _value(14.8, "km_h-1", qualityControl="V"),
        "windGust": _value(None, "km_h-1", qualityControl="Z"),
        "barometricPressure": _value(101_900, "Pa", qualityControl="V"),
        "seaLevelPressure": _value(None, "Pa", qualityControl="Z"),
        "visibility": _value(16_090, "m", qualityControl="C"),
        "maxTemperatureLast24Hours": _value(None, "degC"),
        "minTemperatureLast24Hours": _value(None, "degC"),
        "precipitationLast3Hours": _value(None, "mm", qualityControl="Z"),
        "relativeHumidity": _value(None, "percent", qualityControl="Z"),
        "windChill": _value(None, "degC", qualityControl="V"),
        "heatIndex": _value(None, "degC", qualityControl="V"),
        "cloudLayers": [{"base": _value(None, "m"), "amount": "CLR"}],
    }
    return _feature(f"{base}/stations/{station.icao}/observations/{iso(seen.at_ms)}", station, properties)


def report_days(weather: Weather, station: Station, now_ms: int) -> list[date]:
    """Climate days near now that the scenario holds, newest first."""
    today = climate_day(station, now_ms)
    days = [today - timedelta(days=back) for back in range(8)]
    return [day for day in days if weather.record(station.icao, day) is not None]
