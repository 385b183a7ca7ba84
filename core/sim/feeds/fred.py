"""FRED's ``series/observations`` over this world: closes by date, ``"."`` where there was none, and figures.

A day's close is published the morning after.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.sim.feeds import fred_figures
from core.sim.feeds.around import Around
from core.sim.new_york import US_STOCKS, at, local_ms

PREFIX = "/fred"
ADDRESSES = {"fred": {"api": PREFIX}}
SERIES = {"VIXCLS": "VIX", "SP500": "SPX"}
"""The series served, and whose price of this world each closes at."""
_CLOSE_HOUR, _PUBLISHED_HOUR = 16, 9
_BACK_DAYS = 40
_LIMIT_MAX = 100_000
_MISSING = "."


class RefusedError(Exception):
    """What the service answers 400 to."""


class Fred:
    """The provider. ``holidays`` are days without a value; ``limited``: it is asked too often."""

    def __init__(self, around: Around) -> None:
        self.around = around
        self.holidays: set[date] = set()
        self.limited = False

    def routes(self) -> list[BaseRoute]:
        async def observations(request: Request) -> Response:
            if self.limited:
                return _json({"error_code": 429, "error_message": "Too Many Requests."}, 429)
            try:
                return _json(self._answer(request.query_params))
            except RefusedError as refused:
                return _json({"error_code": 400, "error_message": f"Bad Request.  {refused}"}, 400)

        return [Route(f"{PREFIX}/fred/series/observations", observations)]

    def _answer(self, query: Mapping[str, str]) -> dict[str, Any]:
        if query.get("api_key") != self.around.key:
            raise RefusedError("The value for variable api_key is not registered.")
        if query.get("file_type") != "json":
            raise RefusedError("This world answers in JSON only: set file_type to json.")
        asked = query.get("series_id", "")
        if asked not in SERIES and asked not in fred_figures.SERIES:
            raise RefusedError("The series does not exist.")
        limit = query.get("limit", str(_LIMIT_MAX))
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:7]) <= _LIMIT_MAX):
            raise RefusedError("Variable limit is not between 1 and 100000.")
        now_ms = self.around.now_ms()
        today = datetime.fromtimestamp(local_ms(now_ms) / 1000, UTC).date()
        rows = self._figures(asked, today) if asked in fred_figures.SERIES else self._closes(asked, today)
        ordered = rows if query.get("sort_order", "asc") == "desc" else rows[::-1]
        return {
            "realtime_start": today.isoformat(),
            "realtime_end": today.isoformat(),
            "units": "lin",
            "sort_order": query.get("sort_order", "asc"),
            "count": len(rows),
            "offset": 0,
            "limit": int(limit),
            "observations": ordered[: int(limit)],
        }

    def _closes(self, asked: str, today: date) -> list[dict[str, str]]:
        now_ms, name = self.around.now_ms(), SERIES[asked]
        return [self._row(name, day, today) for day in _weekdays(today) if _published_ms(day) <= now_ms]

    def _figures(self, asked: str, today: date) -> list[dict[str, str]]:
        told = {"realtime_start": today.isoformat(), "realtime_end": today.isoformat()}
        found = fred_figures.observations(asked, self.around)
        return [told | {"date": day.isoformat(), "value": value} for day, value in reversed(found)]

    def _row(self, name: str, day: date, today: date) -> dict[str, str]:
        close_ms = US_STOCKS.last_ms(at(day, _CLOSE_HOUR))
        value = f"{self.around.prices.value(name, close_ms):.2f}"
        return {
            "realtime_start": today.isoformat(),
            "realtime_end": today.isoformat(),
            "date": day.isoformat(),
            "value": _MISSING if day in self.holidays else value,
        }


def routes(around: Around) -> list[BaseRoute]:
    return Fred(around).routes()


def _weekdays(today: date) -> list[date]:
    """Newest first."""
    days = [today - timedelta(days=back) for back in range(1, _BACK_DAYS)]
    return [day for day in days if day.weekday() < 5]


def _published_ms(day: date) -> int:
    return at(day + timedelta(days=1), _PUBLISHED_HOUR)


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
