"""Kalshi's temperature index over the simulated atmosphere: several stations' minutes, late by five.

``/trade-api/v2/live_data/weather/{city}`` and its calibrations. Weights change with each week's
configuration, values of the last minutes are pending and are revised, some minutes have no quorum.
"""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.sim.feeds.around import Around
from core.sim.scenarios.loader import Station
from core.sim.weather import HOUR_MS

PREFIX = "/kalshi-index"
ADDRESSES = {"kalshi-index": {"api": PREFIX}}
CITIES = {"nyc": "KNYC", "chicago": "KMDW", "miami": "KMIA"}
"""Those whose surroundings this world holds."""

_MINUTE_MS = 60_000
_PENDING_MS = 5 * _MINUTE_MS
_WEEK_MS = 7 * 24 * HOUR_MS
_MEMBERS = 5
_QUORUM = 3
_LAST_S_MAX = 86_400


class Quirks(msgspec.Struct):
    """What is odd about its answers until somebody ends it."""

    degraded: bool = False
    """Stations are missing everywhere."""
    no_quorum: bool = False
    """No minute has enough stations."""
    silent_ms: int | None = None
    """It has said nothing new since then (world time)."""
    celsius: bool = False
    new_config: bool = False
    """A configuration a week ahead of its time."""


def routes(around: Around, quirks: Quirks | None = None) -> list[BaseRoute]:
    odd = quirks or Quirks()

    async def minutes(request: Request) -> Response:
        city, query = request.path_params["city"], request.query_params
        if city not in CITIES:
            return _refusal(404, "not_found", "city not found")
        now_ms = odd.silent_ms or around.now_ms()
        try:
            last_s = int(query.get("last_sec", str(_LAST_S_MAX)))
            from_ms = int(query.get("from", str(now_ms - last_s * 1000)))
            to_ms = int(query.get("to", str(now_ms)))
        except ValueError:
            return _refusal(400, "bad_request", "from, to and last_sec are whole numbers")
        if not 0 < last_s <= _LAST_S_MAX or to_ms - from_ms > _LAST_S_MAX * 1000:
            return _refusal(400, "bad_request", "a day is the most")
        first = -(-max(from_ms, now_ms - _LAST_S_MAX * 1000) // _MINUTE_MS) * _MINUTE_MS
        body = {
            "city": city,
            "units": "celsius" if odd.celsius else "fahrenheit",
            "config_version": _config(city, now_ms, odd),
            "timeseries": [
                row
                for at_ms in range(first, min(to_ms, now_ms - _MINUTE_MS) + 1, _MINUTE_MS)
                if (row := _minute(around, odd, city, at_ms, now_ms)) is not None
            ],
        }
        return Response(msgspec.json.encode(body), media_type="application/json")

    async def calibrations(request: Request) -> Response:
        city = request.path_params["city"]
        if city not in CITIES:
            return _refusal(404, "not_found", "city not found")
        now_ms = around.now_ms()
        begins = now_ms // _WEEK_MS * _WEEK_MS
        body = {
            "city": city,
            "units": "celsius",
            "calibrations": [
                {
                    "config_version": _config(city, now_ms, odd),
                    "published_at_ms": begins - 6 * HOUR_MS,
                    "effective_at_ms": begins,
                    "change_reason": "weekly recalibration",
                    "stations": [
                        {"station_id": f"SIM{n}1M", "weight": 1 / _MEMBERS, "offset_c": 0.0}
                        for n in range(_MEMBERS)
                    ],
                }
            ],
        }
        return Response(msgspec.json.encode(body), media_type="application/json")

    root = f"{PREFIX}/trade-api/v2/live_data/weather/{{city}}"
    return [Route(root, minutes), Route(f"{root}/calibrations", calibrations)]


def _minute(around: Around, odd: Quirks, city: str, at_ms: int, now_ms: int) -> dict[str, Any] | None:
    """One minute as told at ``now_ms``: missing now and then, pending and unsettled while it is new."""
    station = around.weather.stations[CITIES[city]]
    rng = random.Random(f"{around.weather.seed}|index|{city}|{at_ms // _MINUTE_MS}")
    if rng.random() < 0.01:
        return None
    there = sum(rng.random() < (0.55 if odd.degraded else 0.97) for _ in range(_MEMBERS))
    there = 0 if odd.no_quorum else there
    config = _config(city, at_ms, odd)
    if there < _QUORUM:
        return {"t": at_ms, "status": "incomplete", "contributors": there, "config_version": config}
    value = _temperature_f(around, station, at_ms)
    if value is None:
        return None
    value += rng.gauss(0, 0.15) + 0.2 * math.sin(at_ms / _WEEK_MS)
    if now_ms - at_ms < _PENDING_MS:
        value += random.Random(f"{city}|{at_ms}|{now_ms // _MINUTE_MS}").gauss(0, 0.1)
    status = "normal" if there == _MEMBERS else "degraded"
    return {
        "t": at_ms,
        "v": round(value, 2),
        "status": status,
        "contributors": there,
        "config_version": config,
    }


def _temperature_f(around: Around, station: Station, at_ms: int) -> float | None:
    """Between the hourly reports, linear; the last one holds until the next is known."""
    weather = around.weather
    seen = weather.reported(station.icao, at_ms + 2 * HOUR_MS, 4)
    before = next((o for o in seen if o.at_ms <= at_ms), None)
    after = next((o for o in reversed(seen) if o.at_ms > at_ms), None)
    if before is None:
        return None
    if after is None:
        return before.temp_f
    share = (at_ms - before.at_ms) / (after.at_ms - before.at_ms)
    return before.temp_f + (after.temp_f - before.temp_f) * share


def _config(city: str, at_ms: int, odd: Quirks) -> str:
    begins = (at_ms // _WEEK_MS + (1 if odd.new_config else 0)) * _WEEK_MS
    return f"{city}-temperature-v1.0-cal-{datetime.fromtimestamp(begins / 1000, UTC):%Y%m%d}"


def _refusal(status: int, code: str, message: str) -> Response:
    body = msgspec.json.encode({"error": {"code": code, "message": message}})
    return Response(body, status, media_type="application/json")
