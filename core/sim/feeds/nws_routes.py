"""The weather service's HTTP side: routes, request checks, problem documents and conditional answers.

``Date`` is real time; everything the documents say, ``Last-Modified`` included, is world time, and
``If-Modified-Since`` is compared with it. ``ETag`` is the document's path and that time.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from core.sim.feeds import climate_report, nws
from core.sim.feeds.around import Around
from core.sim.feeds.nws import Document
from core.sim.scenarios.loader import Station

PREFIX = "/nws"
ADDRESSES = {name: {"api": PREFIX} for name in ("nws-grid", "nws-observations", "nws-reports")}

_NEAR_DEGREES = 0.3
_MAX_AGE_S = 749
_PLAIN_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,2})(?:\.\d{0,3}[1-9])?", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,3}(?:\.\d{1,12})?", re.ASCII)


class _ProblemError(Exception):
    """A refusal, told as ``application/problem+json``."""

    def __init__(self, status: int, kind: str, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.kind, self.title, self.detail = status, kind, title, detail


def routes(around: Around, quirks: climate_report.Quirks | None = None) -> list[BaseRoute]:
    service = _Service(around, quirks or climate_report.Quirks())
    cell = "/gridpoints/{wfo}/{cell}"
    return [
        _route("/points/{point}", service.points),
        _route(cell, service.grid),
        _route(f"{cell}/forecast", service.forecast),
        _route(f"{cell}/forecast/hourly", service.hourly),
        _route("/stations/{station}/observations", service.observations),
        _route("/stations/{station}/observations/latest", service.latest),
        _route("/products/types/CLI/locations/{location}", service.reports),
        _route("/products/{product}", service.report),
        _route("/{path:path}", service.nowhere),
    ]


def outage(request: Request) -> Response:
    """What it answers while it is down."""
    return _problem(
        request,
        _ProblemError(503, "UnavailableWebService", "Service Unavailable", "Please try again later"),
    )


class _Service:
    def __init__(self, around: Around, odd: climate_report.Quirks) -> None:
        self.odd = odd
        self.weather, self.now_ms, self.readers = around.weather, around.now_ms, around.readers
        self.started_ms = around.now_ms()

    def points(self, request: Request) -> Document | Response:
        self._allow(request)
        lat, _, lon = request.path_params["point"].partition(",")
        if not _NUMBER.fullmatch(lat) or not _NUMBER.fullmatch(lon):
            raise _ProblemError(
                400, "InvalidParameter", "Bad Request", "The point is not 'latitude,longitude'"
            )
        if not _PLAIN_NUMBER.fullmatch(lat) or not _PLAIN_NUMBER.fullmatch(lon):
            return RedirectResponse(f"{PREFIX}/points/{_plain(lat)},{_plain(lon)}", 301)
        stations = self.weather.stations.values()
        nearest = min(stations, key=lambda s: abs(s.lat - float(lat)) + abs(s.lon - float(lon)))
        if max(abs(nearest.lat - float(lat)), abs(nearest.lon - float(lon))) > _NEAR_DEGREES:
            raise _ProblemError(
                404,
                "InvalidPoint",
                "Data Unavailable For Requested Point",
                "This world has no data for the point",
            )
        return nws.points(_base(request), nearest, f"{lat},{lon}", self.started_ms)

    def grid(self, request: Request) -> Document:
        self._allow(request)
        return nws.gridpoint(_base(request), self.weather, self._grid_station(request), self.now_ms())

    def forecast(self, request: Request) -> Document:
        return self._periods(request, hourly=False)

    def hourly(self, request: Request) -> Document:
        return self._periods(request, hourly=True)

    def observations(self, request: Request) -> Document:
        self._allow(request, "start", "end", "limit")
        station, query = self._station(request), request.query_params
        limit = query.get("limit", "500")
        if not (limit.isascii() and limit.isdigit() and len(limit) <= 3 and 1 <= int(limit) <= 500):
            raise _ProblemError(
                400, "InvalidParameter", "Bad Request", "Query parameter 'limit' must be 1 to 500"
            )
        self.readers.observations(station.icao)
        start, end = (_instant(query.get(name), name) for name in ("start", "end"))
        return nws.observations(_base(request), self.weather, station, self.now_ms(), start, end, int(limit))

    def latest(self, request: Request) -> Document:
        self._allow(request, "require_qc")
        station = self._station(request)
        self.readers.observations(station.icao)
        found = nws.latest_observation(_base(request), self.weather, station, self.now_ms())
        if found is None:
            raise _ProblemError(404, "NotFound", "Not Found", "No recent observation")
        return found

    def reports(self, request: Request) -> Document:
        self._allow(request)
        code = f"CLI{request.path_params['location']}"
        station = next((s for s in self.weather.stations.values() if s.cli == code), None)
        found = climate_report.reports(self.weather, station, self.now_ms(), self.odd) if station else []
        return climate_report.listing(_base(request), found, self.now_ms())

    def report(self, request: Request) -> Document:
        self._allow(request)
        for station in self.weather.stations.values():
            for found in climate_report.reports(self.weather, station, self.now_ms(), self.odd):
                if found.identity == request.path_params["product"]:
                    return climate_report.product(_base(request), self.weather, found)
        raise _ProblemError(404, "NotFound", "Not Found", "No such product")

    def _periods(self, request: Request, *, hourly: bool) -> Document:
        self._allow(request, "units")
        units = request.query_params.get("units", "us")
        if units not in ("us", "si"):
            raise _ProblemError(
                400, "InvalidParameter", "Bad Request", "Query parameter 'units' must be us or si"
            )
        objects = "forecast_temperature_qv" in request.headers.get("feature-flags", "")
        return nws.forecast(
            _base(request),
            self.weather,
            self._grid_station(request),
            self.now_ms(),
            hourly=hourly,
            si=units == "si",
            objects=objects,
        )

    def _allow(self, request: Request, *names: str) -> None:
        unknown = [name for name in request.query_params if name not in names]
        if unknown:
            raise _ProblemError(
                400, "InvalidParameter", "Bad Request", f"Query parameter {unknown[0][:40]!r} is unknown"
            )

    def _station(self, request: Request) -> Station:
        station = self.weather.stations.get(request.path_params["station"])
        if station is None:
            raise _ProblemError(404, "NotFound", "Not Found", "No such station")
        return station

    def _grid_station(self, request: Request) -> Station:
        wanted = (request.path_params["wfo"], request.path_params["cell"])
        for station in self.weather.stations.values():
            if wanted == (station.wfo, f"{station.grid_x},{station.grid_y}"):
                return station
        raise _ProblemError(404, "NotFound", "Not Found", "No such grid cell")

    def nowhere(self, _: Request) -> Document:
        raise _ProblemError(404, "NotFound", "Not Found", "No such page")


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/") + PREFIX


def _plain(number: str) -> str:
    """At most four decimals, no trailing zeros: the only form the service answers."""
    text = f"{float(number):.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _instant(text: str | None, name: str) -> int | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _ProblemError(
            400, "InvalidParameter", "Bad Request", f"Query parameter {name!r} is not an ISO 8601 time"
        )
    return int(moment.timestamp() * 1000)


def _conditional(request: Request, document: Document) -> Response:
    """The document, or 304 where the client holds its newest state."""
    seconds = document.modified_ms // 1000
    etag = f'W/"{hashlib.sha256(f"{request.url}|{seconds}".encode()).hexdigest()[:16]}"'
    headers = {
        "ETag": etag,
        "Last-Modified": format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True),
        "Cache-Control": f"public, max-age={_MAX_AGE_S}, s-maxage=3600",
        "X-Correlation-ID": hashlib.sha256(f"{request.url}{seconds}".encode()).hexdigest()[:8],
        "Vary": "Accept,Feature-Flags",
    }
    held = request.headers.get("if-none-match")
    if held is not None:
        fresh = etag in (tag.strip() for tag in held.split(","))
    else:
        since = _http_date(request.headers.get("if-modified-since"))
        fresh = since is not None and since >= seconds
    if fresh:
        return Response(status_code=304, headers=headers)
    return Response(msgspec.json.encode(document.body()), media_type=document.media_type, headers=headers)


def _http_date(text: str | None) -> int | None:
    try:
        return int(parsedate_to_datetime(text).timestamp()) if text else None
    except ValueError:
        return None


def _problem(request: Request, problem: _ProblemError) -> Response:
    correlation = hashlib.sha256(str(request.url).encode()).hexdigest()[:8]
    body = {
        "correlationId": correlation,
        "title": problem.title,
        "type": f"https://api.weather.gov/problems/{problem.kind}",
        "status": problem.status,
        "detail": problem.detail,
        "instance": f"https://api.weather.gov/requests/{correlation}",
    }
    return Response(msgspec.json.encode(body), problem.status, media_type="application/problem+json")


def _route(path: str, handle: Callable[[Request], Document | Response]) -> Route:
    async def endpoint(request: Request) -> Response:
        if not request.headers.get("user-agent", "").strip():
            return HTMLResponse("<html><body><h1>Access Denied</h1></body></html>", 403)
        try:
            answer = handle(request)
        except _ProblemError as problem:
            return _problem(request, problem)
        return _conditional(request, answer) if isinstance(answer, Document) else answer

    return Route(PREFIX + path, endpoint)
