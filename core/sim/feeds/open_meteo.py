"""Open-Meteo's forecast, ensemble and run metadata over the simulated atmosphere.

Shapes follow open-meteo.com/en/docs. Only temperature is known here, only near the scenario's
stations. ``time`` starts at the world's local midnight and ends in nulls beyond the record.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.sim.feeds.around import Around
from core.sim.feeds.open_meteo_query import (
    TO_THE_DAY,
    TO_THE_MINUTE,
    BadRequestError,
    check,
    dates,
    lead_of,
    places,
    stamp_of,
    unit_of,
    words,
    zone_of,
)
from core.sim.opinions import BLEND, OPINIONS, SAME
from core.sim.scenarios.loader import Station
from core.sim.weather import (
    DAY_MS,
    ENSEMBLE_MEMBERS,
    HOUR_MS,
    RUN_EVERY_MS,
    Run,
    Weather,
    climate_day,
    day_start_ms,
)

PREFIX = "/open-meteo"
ADDRESSES = {
    "open-meteo": {"api": PREFIX},
    "open-meteo-ensemble": {"api": PREFIX},
    "open-meteo-past": {"api": f"{PREFIX}/previous-runs"},
}

HRRR = "ncep_hrrr_conus"
FORECAST_MODELS = frozenset(
    {"best_match", "gfs_seamless", "gfs_global", "ncep_gfs013", *SAME, *OPINIONS.keys() - {BLEND}}
)
"""The record holds the default model only; the others differ from it by ``opinions``."""
MEMBERS = {
    "gfs025": ENSEMBLE_MEMBERS,
    "gfs_seamless": ENSEMBLE_MEMBERS,
    "ncep_gefs025": ENSEMBLE_MEMBERS,
    "ncep_gefs_seamless": ENSEMBLE_MEMBERS,
    "ecmwf_ifs025_ensemble": 51,
}
META_MODELS = (FORECAST_MODELS | MEMBERS.keys() | {"ncep_gfs025", "dwd_icon", "cmc_gem_gdps"}) - {
    "best_match"
}
HRRR_DELAY_MS = 55 * 60_000
TRADED_MS = 2 * DAY_MS
"""From today's midnight on, what markets are about. Beyond it no run of a model repeats the one before, as
no real one does: not where the scenario holds its values, nor an hourly one between two six-hourly ones."""
_BEYOND_F = 0.1

_DAILY: dict[str, Callable[[list[float]], float]] = {"temperature_2m_max": max, "temperature_2m_min": min}


class Quirks(msgspec.Struct):
    """What is odd about its answers until somebody ends it."""

    frozen_ms: int | None = None
    """Runs and values stay what they were then (world time): it looks healthy."""
    torn: bool = False
    """Every other answer about a run is a server's that has not heard of the newest one."""
    celsius: bool = False
    empty: bool = False
    """No hour has a value."""
    members: int | None = None
    """Ensembles come with so few members."""


def routes(around: Around, quirks: Quirks | None = None) -> list[BaseRoute]:
    weather, odd = around.weather, quirks or Quirks()
    asked = itertools.count()

    def now_ms() -> int:
        return odd.frozen_ms if odd.frozen_ms is not None else around.now_ms()

    def model(request: Request) -> Any:
        answer = _answer(weather, request.query_params, now_ms(), dict.fromkeys(FORECAST_MODELS, 1), odd)
        around.readers.forecast()
        return answer

    def members(request: Request) -> Any:
        return _answer(weather, request.query_params, now_ms(), MEMBERS, odd)

    def past(request: Request) -> Any:
        known = dict.fromkeys(FORECAST_MODELS, 1)
        return _answer(weather, request.query_params, now_ms(), known, odd, leads=True)

    def run(request: Request) -> Any:
        model = request.path_params["model"]
        late_ms = RUN_EVERY_MS if odd.torn and next(asked) % 2 else 0
        return meta(weather, now_ms() - late_ms, model) if model in META_MODELS else None

    return [
        _route("/v1/forecast", model),
        _route("/v1/ensemble", members),
        _route("/previous-runs/v1/forecast", past),
        _route("/data/{model}/static/meta.json", run),
        _route("/previous-runs/data/{model}/static/meta.json", run),
    ]


def untraded_ms(station: Station, now_ms: int) -> int:
    """From when on the hours that a forecast tells of are no market's."""
    return day_start_ms(station, climate_day(station, now_ms)) + TRADED_MS


def beyond_f(started_ms: int) -> float:
    """What a run adds to those; runs are one or six hours apart, so that each adds something else."""
    return _BEYOND_F * (1 + started_ms // HOUR_MS % 4)


def outage(_: Request) -> Response:
    """What it answers while it is down."""
    return _refusal(503, "The service is overloaded")


def _route(path: str, handle: Callable[[Request], Any]) -> Route:
    """``None`` from the handler is 404."""

    async def endpoint(request: Request) -> Response:
        try:
            answer = handle(request)
        except BadRequestError as error:
            return _refusal(400, str(error))
        if answer is None:
            return _refusal(404, "Not Found")
        return Response(msgspec.json.encode(answer), media_type="application/json")

    return Route(PREFIX + path, endpoint)


def _refusal(status: int, reason: str) -> Response:
    body = msgspec.json.encode({"error": True, "reason": reason})
    return Response(body, status, media_type="application/json")


def meta(weather: Weather, now_ms: int, model: str) -> dict[str, Any]:
    """``/data/<model>/static/meta.json``: when the newest run began and was available."""
    run, every_ms = _run(weather, now_ms, model), HOUR_MS if model == HRRR else RUN_EVERY_MS
    return {
        "chunk_time_length": 337,
        "crs_wkt": "",
        "data_end_time": run.started_ms // 1000 + 384 * 3600,
        "last_run_availability_time": run.available_ms // 1000,
        "last_run_initialisation_time": run.started_ms // 1000,
        "last_run_modification_time": run.available_ms // 1000,
        "temporal_resolution_seconds": 3600,
        "update_interval_seconds": every_ms // 1000,
    }


def _run(weather: Weather, now_ms: int, model: str) -> Run:
    """A model's newest one that is out. What they all know, the hourly one tells at once as the others do."""
    newest = weather.run(now_ms)
    if model != HRRR:
        return newest
    started_ms = (now_ms - HRRR_DELAY_MS) // HOUR_MS * HOUR_MS
    return Run(started_ms, max(started_ms + HRRR_DELAY_MS, newest.available_ms))


def _answer(
    weather: Weather,
    query: Mapping[str, str],
    now_ms: int,
    known: Mapping[str, int],
    odd: Quirks,
    *,
    leads: bool = False,
) -> Any:
    """One place's answer, a list for several. Raises ``BadRequestError``. ``known`` are members by model;
    the control run stands under the plain name, then come ``_member01`` and on."""
    check(query)
    default = "best_match" if "best_match" in known else "ncep_gefs025"
    models = list(dict.fromkeys(words(query, "models"))) or [default]
    for model in models:
        if model not in known:
            raise BadRequestError(f"Unknown model {model[:40]!r}: this world has {', '.join(sorted(known))}")
    if odd.members is not None:
        known = {model: min(count, odd.members) for model, count in known.items()}
    asked = {model: known[model] for model in models}
    answers = [
        _location(weather, station, query, now_ms, asked, odd, leads=leads)
        for station in places(weather, query)
    ]
    return answers if len(answers) > 1 else answers[0]


_Columns = dict[str, list[float | None]]
"""Rows of hourly values by what follows a variable's name: ``_member01_gfs_seamless``."""


def _location(
    weather: Weather,
    station: Station,
    query: Mapping[str, str],
    now_ms: int,
    models: Mapping[str, int],
    odd: Quirks,
    *,
    leads: bool,
) -> dict[str, Any]:
    zone, offset_h = zone_of(query.get("timezone", "GMT"), station)
    first, last = dates(query, datetime.fromtimestamp(now_ms / 1000 + offset_h * 3600, UTC).date())
    start_ms = (
        int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp()) * 1000 - offset_h * HOUR_MS
    )
    days = (last - first).days + 1
    unit, convert = unit_of("celsius" if odd.celsius else query.get("temperature_unit", "celsius"))
    stamp = stamp_of(query.get("timeformat", "iso8601"), offset_h)
    answer: dict[str, Any] = {
        "latitude": round(station.lat * 8) / 8,
        "longitude": round(station.lon * 8) / 8,
        "generationtime_ms": 0.2,
        "utc_offset_seconds": offset_h * 3600,
        "timezone": zone,
        "timezone_abbreviation": f"GMT{offset_h:+d}" if offset_h else "GMT",
        "elevation": station.elevation_m,
    }
    times = range(start_ms, start_ms + days * DAY_MS, HOUR_MS)
    hourly, daily = words(query, "hourly"), words(query, "daily")
    time_unit = query.get("timeformat", "iso8601")
    if hourly:
        columns = {
            f"{variable}{name}": row
            for variable in hourly
            for name, row in _columns(
                weather, station, times, now_ms, models, lead_of(variable, leads)
            ).items()
        }
        answer["hourly_units"] = {"time": time_unit, **dict.fromkeys(columns, unit)}
        answer["hourly"] = {
            "time": [stamp(at, TO_THE_MINUTE) for at in times],
            **{
                name: [None if f is None or odd.empty else convert(f) for f in row]
                for name, row in columns.items()
            },
        }
    if daily:
        answer["daily_units"], answer["daily"] = (
            {"time": time_unit},
            {"time": [stamp(start_ms + d * DAY_MS, TO_THE_DAY) for d in range(days)]},
        )
        members = _columns(weather, station, times, now_ms, models, 0)
        for variable in daily:
            if variable not in _DAILY:
                raise BadRequestError(
                    f"Unknown daily variable {variable[:40]!r}: this world has {', '.join(_DAILY)}"
                )
            for name, one in members.items():
                answer["daily_units"][f"{variable}{name}"] = unit
                answer["daily"][f"{variable}{name}"] = [
                    _extreme(one[d * 24 : d * 24 + 24], _DAILY[variable], convert) for d in range(days)
                ]
    return answer


def _columns(
    weather: Weather,
    station: Station,
    times: range,
    now_ms: int,
    models: Mapping[str, int],
    lead: int,
) -> _Columns:
    """Every model's members; with a lead, what was said of each hour so many days before it."""
    found: _Columns = {}
    told: dict[int, list[list[float | None]]] = {}
    """Of the recorded model, by how many members: the others lie off it."""
    beyond_ms = untraded_ms(station, now_ms)
    for model, members in models.items():
        suffix = f"_{model}" if len(models) > 1 else ""
        run = _run(weather, now_ms, model) if model == HRRR else weather.valued_run(now_ms)
        moved = beyond_f(run.started_ms)
        if members not in told:
            told[members] = (
                [[weather.forecast_f(station.icao, at, min(now_ms, at - lead * DAY_MS)) for at in times]]
                if lead
                else weather.members_f(station.icao, times.start, len(times), now_ms, members)
            )
        off_f = _off_f(weather, station.icao, times, now_ms, model, lead)
        for member, row in enumerate(told[members]):
            name = "" if member == 0 else f"_member{member:02d}"
            found[name + suffix] = [
                None if f is None else round(f + off_f[at] + (moved if at >= beyond_ms else 0.0), 1)
                for at, f in zip(times, row, strict=True)
            ]
    return found


def _off_f(weather: Weather, icao: str, times: range, now_ms: int, model: str, lead: int) -> dict[int, float]:
    """How far a model lies off the recorded one at each hour: the same over a climate day."""
    place = weather.stations[icao]
    by_day: dict[date, float] = {}
    found = {}
    for at in times:
        day = climate_day(place, at)
        if day not in by_day:
            ahead = lead or max(0, weather.lead_days(icao, day, now_ms))
            by_day[day] = weather.other_shift_f(model, icao, day, ahead)
        found[at] = by_day[day]
    return found


def _extreme(
    hours: list[float | None], pick: Callable[[list[float]], float], convert: Callable[[float], float]
) -> float | None:
    known = [f for f in hours if f is not None]
    return convert(pick(known)) if known else None
