"""FRED's ``releases/dates`` over the releases of this world: dates by name, no times of day.

What has not come yet is listed only where the caller asks for dates without data.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.sim.feeds.around import Around
from core.sim.new_york import DAY_MS, local_ms

PREFIX = "/fred-releases"
ADDRESSES = {"fred-releases": {"api": PREFIX}}
AHEAD_MS = 200 * DAY_MS
_NAMES = {
    "CPI": (10, "Consumer Price Index"),
    "JOBS": (50, "Employment Situation"),
    "GDP": (53, "Gross Domestic Product"),
    "FOMC": (101, "FOMC Press Release"),
}
_DAILY = (18, "H.15 Selected Interest Rates")
_LIMIT_MAX = 1_000


def routes(around: Around) -> list[BaseRoute]:
    async def dates(request: Request) -> Response:
        query = request.query_params
        try:
            return _json(_answer(around, query))
        except _RefusedError as refused:
            return _json({"error_code": 400, "error_message": f"Bad Request.  {refused}"}, 400)

    return [Route(f"{PREFIX}/fred/releases/dates", dates)]


class _RefusedError(Exception):
    """What the service answers 400 to."""


def _answer(around: Around, query: Mapping[str, str]) -> dict[str, Any]:
    if query.get("api_key") != around.key:
        raise _RefusedError("The value for variable api_key is not registered.")
    if query.get("file_type") != "json":
        raise _RefusedError("This world answers in JSON only: set file_type to json.")
    now = around.now_ms()
    today = _day(now)
    first = _date(query, "realtime_start", date(today.year, 1, 1))
    last = _date(query, "realtime_end", date(9999, 12, 31))
    limit, offset = _number(query, "limit", _LIMIT_MAX), _number(query, "offset", 0)
    if not 1 <= limit <= _LIMIT_MAX:
        raise _RefusedError("Variable limit is not between 1 and 1000.")
    coming = query.get("include_release_dates_with_no_data", "false") == "true"
    found = around.releases.between(now - 400 * DAY_MS, now + AHEAD_MS)
    listed = [(_day(one.due_ms), *_NAMES[one.kind.name], one.printed_ms <= now) for one in found]
    listed += [(_day(now - back * DAY_MS), *_DAILY, True) for back in range(400)]
    rows = [
        {"release_id": number, "release_name": name, "date": day.isoformat()}
        for day, number, name, out in sorted(listed, reverse=query.get("sort_order", "desc") == "desc")
        if first <= day <= last and (out or coming)
    ]
    return {
        "realtime_start": first.isoformat(),
        "realtime_end": last.isoformat(),
        "order_by": "release_date",
        "sort_order": query.get("sort_order", "desc"),
        "count": len(rows),
        "offset": offset,
        "limit": limit,
        "release_dates": rows[offset : offset + limit],
    }


def _day(at_ms: int) -> date:
    return datetime.fromtimestamp(local_ms(at_ms) / 1000, UTC).date()


def _date(query: Mapping[str, str], name: str, default: date) -> date:
    try:
        return date.fromisoformat(query[name]) if name in query else default
    except ValueError:
        raise _RefusedError(f"The value for variable {name} is not a date.") from None


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise _RefusedError(f"The value for variable {name} is not a number.")
    return int(text)


def _json(body: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
