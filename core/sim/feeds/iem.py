"""The Iowa Environmental Mesonet over the simulated atmosphere: NBM station guidance, runs of the past
among it, daily summaries, and a year's climate reports as figures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from core.sim.feeds.around import Around
from core.sim.scenarios.loader import Station
from core.sim.weather import DAY_MS, HOUR_MS, Observation, Weather, climate_day, day_start_ms, half_up

PREFIX = "/iem"
ADDRESSES = {"nbm": {"api": PREFIX}, "dsm": {"api": PREFIX}}

_LEADS_H = {"NBS": (5, 72, 3), "NBE": (11, 192, 12)}
"""First and last hour after the run, and the step of the clock's hours that are told."""
_OUT_AFTER_MS = 70 * 60_000
_SPREAD_F = {"NBS": 2, "NBE": 4}
_FINAL_AFTER_MS = 10 * 60_000
"""From a station's midnight to its full-day message."""
_PARTIAL_H = 16
_HALF_DAY_H = 13
_ARCHIVE_DAYS_MAX = 62


class Quirks(msgspec.Struct):
    """What is odd about its answers until somebody ends it."""

    busy: bool = False
    """503, as under load."""
    late: bool = False
    """The newest run is not there yet: an answer without rows."""
    other_station: bool = False
    """Rows of another station."""
    corrected_f: int = 0
    """Full-day messages were wrong by this much and are followed by their correction."""
    missing: bool = False
    """Summaries hold no values."""


def routes(around: Around, quirks: Quirks | None = None) -> list[BaseRoute]:
    odd = quirks or Quirks()

    async def guidance(request: Request) -> Response:
        query = request.query_params
        if odd.busy:
            return PlainTextResponse("Service Unavailable", 503)
        if query.get("model") not in _LEADS_H:
            return Response(b'{"detail":"model"}', 422, media_type="application/json")
        rows = _guidance(around, odd, query.get("station", ""), query["model"], query.get("runtime", ""))
        return Response(msgspec.json.encode({"data": rows}), media_type="application/json")

    async def texts(request: Request) -> Response:
        pil, limit = request.query_params.get("pil", ""), request.query_params.get("limit", "1")
        if odd.busy:
            return PlainTextResponse("Service Unavailable", 503)
        if not re.fullmatch(r"DSM[A-Z]{3}", pil) or not re.fullmatch(r"\d{1,3}", limit):
            return PlainTextResponse("ERROR: Could not Find: " + pil[:10])
        station = next((s for s in around.weather.stations.values() if s.cli[3:] == pil[3:]), None)
        found = _summaries(around, odd, station)[: int(limit)] if station else []
        return PlainTextResponse("".join(found) or f"ERROR: Could not Find: {pil}")

    async def archive(request: Request) -> Response:
        query = request.query_params
        if odd.busy:
            return PlainTextResponse("Service Unavailable", 503)
        first, last = _date(query.get("sts", "")), _date(query.get("ets", ""))
        if query.get("model") not in _LEADS_H or first is None or last is None:
            return PlainTextResponse("ERROR: model, sts and ets", 422)
        if not 0 <= (last - first).days <= _ARCHIVE_DAYS_MAX:
            return PlainTextResponse("ERROR: too many days", 422)
        text = _archive(around, odd, query.get("station", ""), query["model"], first, last)
        return PlainTextResponse(text, media_type="text/csv")

    async def climate(request: Request) -> Response:
        query = request.query_params
        if odd.busy:
            return PlainTextResponse("Service Unavailable", 503)
        station = around.weather.stations.get(query.get("station", ""))
        year = query.get("year", "")
        rows = _climate(around, station, int(year)) if station and re.fullmatch(r"\d{4}", year) else []
        return Response(msgspec.json.encode({"results": rows}), media_type="application/json")

    return [
        Route(f"{PREFIX}/api/1/mos.json", guidance),
        Route(f"{PREFIX}/cgi-bin/request/mos.py", archive),
        Route(f"{PREFIX}/json/cli.py", climate),
        Route(f"{PREFIX}/cgi-bin/afos/retrieve.py", texts),
    ]


def _guidance(around: Around, odd: Quirks, icao: str, model: str, runtime: str) -> list[dict[str, Any]]:
    """The rows of one run: at 00 UTC the day's maximum, at 12 UTC the night's minimum."""
    station, run_ms = around.weather.stations.get(icao), _instant(runtime)
    if station is None or run_ms is None or odd.late or run_ms % (6 * HOUR_MS) != HOUR_MS:
        return []
    if run_ms + _OUT_AFTER_MS > around.now_ms():
        return []
    told = dict(extremes(around.weather, station, model, run_ms))
    rows = []
    for at_ms in _hours(model, run_ms):
        extreme = told.get(at_ms)
        rows.append(
            {
                "station": "KLGA" if odd.other_station else icao,
                "model": model,
                "runtime": _iso(run_ms),
                "ftime": _iso(at_ms),
                "tmp": around.weather.office_f(icao, at_ms, run_ms),
                "txn": extreme,
                "xnd": None if extreme is None else _SPREAD_F[model],
            }
        )
    return rows


def extremes(weather: Weather, station: Station, model: str, run_ms: int) -> Iterator[tuple[int, int]]:
    """The maxima and minima of one run's half days, by when they end."""
    for at_ms in _hours(model, run_ms):
        extreme = _half_day(weather, station, at_ms, run_ms) if at_ms % (12 * HOUR_MS) == 0 else None
        if extreme is not None:
            yield at_ms, extreme


def _hours(model: str, run_ms: int) -> range:
    first, last, step = (hours * HOUR_MS for hours in _LEADS_H[model])
    return range(-(-(run_ms + first) // step) * step, run_ms + last + 1, step)


def _archive(around: Around, odd: Quirks, icao: str, model: str, first: date, last: date) -> str:
    """Every run from one day's first hour to another's, a line an hour of a run."""
    columns = ("station", "model", "runtime", "ftime", "tmp", "txn", "xnd")
    lines, run_ms = [",".join(columns)], _midnight_ms(first) + HOUR_MS
    while run_ms <= _midnight_ms(last) + DAY_MS:
        for row in _guidance(around, odd, icao, model, _iso(run_ms).replace(".000", "")):
            told = [str(row[name]) if row[name] is not None else "" for name in columns]
            lines.append(",".join(told).replace("T", " ").replace(".000Z", ""))
        run_ms += 6 * HOUR_MS
    return "\n".join(lines) + "\n"


def _climate(around: Around, station: Station, year: int) -> list[dict[str, Any]]:
    """The year's reports as they stand now; today's is the part of the day that was seen by 16 standard
    time."""
    weather, now_ms = around.weather, around.now_ms()
    day, rows = date(year, 1, 1), []
    hour, minute = (int(part) for part in station.cli_final_utc.split(":"))
    while day.year == year and day <= climate_day(station, now_ms):
        seen = weather.observations(station.icao, day)
        final_ms = _midnight_ms(day + timedelta(days=1)) + hour * HOUR_MS + minute * 60_000
        issued_ms = final_ms
        if final_ms > now_ms:
            issued_ms = day_start_ms(station, day) + _PARTIAL_H * HOUR_MS + _FINAL_AFTER_MS
            seen = tuple(o for o in seen if o.at_ms < issued_ms)
        if seen and issued_ms <= now_ms:
            issued = datetime.fromtimestamp(issued_ms / 1000, UTC)
            rows.append(
                {
                    "station": station.icao,
                    "valid": day.isoformat(),
                    "high": half_up(max(o.temp_f for o in seen)),
                    "low": half_up(min(o.temp_f for o in seen)),
                    "product": f"{issued:%Y%m%d%H%M}-K{station.wfo}-{station.wmo_header}-{station.cli}",
                }
            )
        day += timedelta(days=1)
    return rows


def _half_day(weather: Weather, station: Station, at_ms: int, run_ms: int) -> int | None:
    """A night's minimum; the maximum is that of the whole climate day, so that in this world one after a
    front just past midnight is none that the guidance never speaks of."""
    warm = at_ms % DAY_MS == 0
    first = at_ms - _HALF_DAY_H * HOUR_MS
    last = at_ms
    if warm:
        first = day_start_ms(station, climate_day(station, at_ms - HOUR_MS))
        last = first + DAY_MS - HOUR_MS
    told = (weather.guidance_f(station.icao, at, run_ms) for at in range(first, last + 1, HOUR_MS))
    known = [f for f in told if f is not None]
    if not known:
        return None
    return max(known) if warm else min(known)


def _summaries(around: Around, odd: Quirks, station: Station) -> list[str]:
    """Newest first: the part of today that is over by 16 standard time, and the last days in full."""
    now_ms = around.now_ms()
    today = climate_day(station, now_ms)
    found = []
    for back in range(4):
        day = today - timedelta(days=back)
        begins = day_start_ms(station, day)
        for hours in (24, _PARTIAL_H):
            issued_ms = begins + hours * HOUR_MS + _FINAL_AFTER_MS
            seen = [
                o
                for o in around.weather.observations(station.icao, day)
                if o.at_ms < begins + hours * HOUR_MS
            ]
            if issued_ms > now_ms or not seen:
                continue
            until = "" if hours == 24 else f"{hours:02d}00 "
            if odd.corrected_f and hours == 24:
                found.append(_message(station, day, f"COR {until}", issued_ms + HOUR_MS, seen, 0, odd))
            found.append(_message(station, day, until, issued_ms, seen, odd.corrected_f, odd))
    return found


def _message(
    station: Station, day: date, until: str, issued_ms: int, seen: list[Observation], off_f: int, odd: Quirks
) -> str:
    issued = datetime.fromtimestamp(issued_ms / 1000, UTC)
    high, low = max(seen, key=lambda o: o.temp_f), min(seen, key=lambda o: o.temp_f)
    timed = f"{_timed(station, high, off_f)}/ {_timed(station, low, off_f)}//"
    first = "M/ M//" if odd.missing else timed
    body = f"{station.icao} DS {until}{day:%d/%m} {first} {half_up(high.temp_f)}/ {half_up(low.temp_f)}//"
    head = f"\x01\n000 \nCDUS27 K{station.wfo} {issued:%d%H%M}\nDSM{station.cli[3:]}\n"
    return f"{head}{body}0021509/45/00/00=\n\x03\n"


def _timed(station: Station, seen: Observation, off_f: int) -> str:
    local = datetime.fromtimestamp(seen.at_ms / 1000 + station.lst_offset_h * 3600, UTC)
    return f"{half_up(seen.temp_f) + off_f}{local:%H%M}"


def _instant(text: str) -> int | None:
    try:
        return int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()) * 1000
    except ValueError:
        return None


def _date(text: str) -> date | None:
    """The day of a time such as ``2026-11-01T00:00Z``."""
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        return None


def _midnight_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
