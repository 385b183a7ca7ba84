"""Tomorrow.io over the simulated atmosphere: the free plan with its quota, its headers and its refusals.

It forecasts anew every hour: where the atmosphere has no news that shows in the hours no market is about.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.sim.feeds.around import Around
from core.sim.feeds.open_meteo import beyond_f, untraded_ms
from core.sim.scenarios.loader import Station
from core.sim.weather import HOUR_MS

PREFIX = "/tomorrow-io"
ADDRESSES = {"tomorrow-io": {"api": PREFIX}}

LIMITS = {"Second": (3, 1_000), "Hour": (25, HOUR_MS), "Day": (500, 24 * HOUR_MS)}
"""Calls, and the world milliseconds they are counted over."""
_HOURS = 120
_NEAR_DEGREES = 0.6
_OPINION_F = 0.8
"""It says a little more than the other models."""


class Quirks(msgspec.Struct):
    """What is odd about its answers until somebody ends it."""

    spent: bool = False
    """Every quota is used up."""
    frozen_ms: int | None = None
    """It goes on saying what it said then (world time)."""
    celsius: bool = False
    """Degrees are Celsius though Fahrenheit was asked for, hot enough to show."""
    elsewhere: bool = False
    """The answer is about another place."""
    nulls: bool = False
    """No hour holds a temperature."""


def routes(around: Around, quirks: Quirks | None = None) -> list[BaseRoute]:
    odd, calls = quirks or Quirks(), deque[int]()

    async def forecast(request: Request) -> Response:
        now_ms = around.now_ms()
        if request.query_params.get("apikey") != around.key:
            return _refusal(401, 401_001, "Invalid Auth", "The method requires authentication.", {})
        left = _left(calls, now_ms)
        if odd.spent or min(left.values()) <= 0:
            headers = _headers(dict.fromkeys(left, 0) if odd.spent else left) | {"Retry-After": "1"}
            return _refusal(429, 429_001, "Too Many Calls", "The request limit has been reached.", headers)
        calls.append(now_ms)
        station = _station(around, request.query_params.get("location", ""))
        if station is None or request.query_params.get("units") != "imperial":
            return _refusal(400, 400_001, "Invalid Body Parameters", "location or units", {})
        body = _body(around, station, odd.frozen_ms or now_ms, odd)
        headers = _headers({name: count - 1 for name, count in left.items()})
        return Response(msgspec.json.encode(body), headers=headers, media_type="application/json")

    return [Route(f"{PREFIX}/v4/weather/forecast", forecast)]


def _left(calls: deque[int], now_ms: int) -> dict[str, int]:
    while calls and now_ms - calls[0] >= LIMITS["Day"][1]:
        calls.popleft()
    return {
        name: most - sum(now_ms - at < span_ms for at in calls) for name, (most, span_ms) in LIMITS.items()
    }


def _headers(left: dict[str, int]) -> dict[str, str]:
    limits = {f"X-RateLimit-Limit-{name}": str(most) for name, (most, _) in LIMITS.items()}
    return limits | {f"X-RateLimit-Remaining-{name}": str(count) for name, count in left.items()}


def _refusal(status: int, code: int, kind: str, message: str, headers: dict[str, str]) -> Response:
    body = msgspec.json.encode({"code": code, "type": kind, "message": message})
    return Response(body, status, headers, "application/json")


def _station(around: Around, location: str) -> Station | None:
    lat, _, lon = location.partition(",")
    try:
        at = float(lat), float(lon)
    except ValueError:
        return None
    nearest = min(around.weather.stations.values(), key=lambda s: abs(s.lat - at[0]) + abs(s.lon - at[1]))
    near = max(abs(nearest.lat - at[0]), abs(nearest.lon - at[1])) <= _NEAR_DEGREES
    return nearest if near else None


def _body(around: Around, station: Station, said_ms: int, odd: Quirks) -> dict[str, Any]:
    start, beyond_ms = said_ms // HOUR_MS * HOUR_MS, untraded_ms(station, said_ms)
    hourly = []
    for at in range(start, start + _HOURS * HOUR_MS, HOUR_MS):
        f = around.weather.forecast_f(station.icao, at, said_ms)
        if f is None:
            break
        told = round(f + _OPINION_F + (beyond_f(start) if at >= beyond_ms else 0.0), 1)
        if odd.celsius:
            told = round(-100 + told, 1)
        values = {"temperature": None if odd.nulls else told, "humidity": 60, "weatherCode": 1000}
        when = datetime.fromtimestamp(at / 1000, UTC)
        hourly.append({"time": f"{when:%Y-%m-%dT%H:%M:%SZ}", "values": values})
    off = 5.0 if odd.elsewhere else 0.0
    return {
        "timelines": {"hourly": hourly},
        "location": {"lat": station.lat + off, "lon": station.lon, "type": "lat,lon"},
    }
