"""aviationweather.gov's station reports over the simulated atmosphere: ``/api/data/metar`` as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from core.sim.feeds import station_report
from core.sim.feeds.around import Around
from core.sim.scenarios.loader import Station
from core.sim.weather import HOUR_MS, OBSERVATION_DELAY_MS, Observation

PREFIX = "/metar"
ADDRESSES = {"metar": {"api": PREFIX}}

_HOURS_MAX = 360
_IDS_MAX = 400


class Quirks(msgspec.Struct):
    """What is odd about its reports until somebody ends it."""

    off_f: float = 0.0
    """The newest report of each station is wrong by this much, and a correction follows an hour later."""
    missing: bool = False
    """The newest report of each station never comes."""
    whole_celsius: bool = False
    """Reports come without remarks: a body in whole Celsius is all there is."""


def routes(around: Around, quirks: Quirks | None = None) -> list[BaseRoute]:
    odd = quirks or Quirks()

    async def reports(request: Request) -> Response:
        query = request.query_params
        hours = query.get("hours", "1")
        ids = query.get("ids", "").upper().split(",")[:_IDS_MAX]
        if query.get("format") != "json" or not (hours.isascii() and hours.isdigit() and len(hours) < 4):
            return PlainTextResponse("error: format must be json, hours a number", 400)
        rows: list[dict[str, Any]] = []
        for icao in ids:
            station = around.weather.stations.get(icao)
            if station is not None:
                around.readers.observations(icao)
                rows += _rows(around, odd, station, min(int(hours), _HOURS_MAX))
        if not rows:
            return Response(status_code=204)
        rows.sort(key=lambda row: (-row["obsTime"], row["icaoId"]))
        return Response(msgspec.json.encode(rows), media_type="application/json")

    return [Route(f"{PREFIX}/api/data/metar", reports)]


def _rows(around: Around, odd: Quirks, station: Station, hours: int) -> list[dict[str, Any]]:
    """Newest first. A corrected report follows the wrong one it replaces, both stay listed."""
    weather, now_ms = around.weather, around.now_ms()
    found = []
    for index, seen in enumerate(weather.reported(station.icao, now_ms, hours)):
        if odd.missing and index == 0:
            continue
        if odd.off_f and index < 2:
            wrong = Observation(seen.at_ms, seen.temp_f + odd.off_f)
            found.append(_row(around, odd, station, wrong))
            if index == 1:
                found.append(_row(around, odd, station, seen, corrected=True))
            continue
        found.append(_row(around, odd, station, seen))
    return found


def _row(
    around: Around, odd: Quirks, station: Station, seen: Observation, *, corrected: bool = False
) -> dict[str, Any]:
    raw = station_report.text(around.weather, station, seen, corrected=corrected)
    if odd.whole_celsius:
        raw = raw.partition(" RMK")[0]
    received = datetime.fromtimestamp((seen.at_ms + OBSERVATION_DELAY_MS) / 1000, UTC)
    rounded = datetime.fromtimestamp(-(-seen.at_ms // HOUR_MS) * HOUR_MS / 1000, UTC)
    return {
        "icaoId": station.icao,
        "receiptTime": f"{received:%Y-%m-%dT%H:%M:%S.000Z}",
        "obsTime": seen.at_ms // 1000,
        "reportTime": f"{rounded:%Y-%m-%dT%H:%M:%S.000Z}",
        "temp": round((seen.temp_f - 32) / 1.8, 1),
        "dewp": None,
        "wdir": 310,
        "wspd": 8,
        "visib": "10+",
        "altim": 1019.0,
        "metarType": "METAR",
        "rawOb": f"METAR {raw}",
        "lat": station.lat,
        "lon": station.lon,
        "elev": station.elevation_m,
        "name": station.place.title(),
        "clouds": [],
        "fltCat": "VFR",
    }
