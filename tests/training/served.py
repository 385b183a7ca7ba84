"""Providers of the past in memory: one answer function for all of them, and what they were asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import msgspec

DAYS_KNOWN = date(2026, 9, 1)
"""Nothing older is served."""


class Past:
    """Every day's hours run from 40 F at midnight up to 63 F; markets settled on 63 and 40."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.change: Callable[[str, Any], Any] = lambda _, body: body
        """What is done to a body before it is sent, by its path."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        path, query = request.url.path, request.url.params
        made = {
            "/v1/forecast": self._hours,
            "/cgi-bin/request/mos.py": self._guidance,
            "/json/cli.py": self._reports,
            "/historical/markets": lambda _: {"markets": [], "cursor": ""},
            "/markets": self._markets,
        }[path](query)
        body = self.change(path, made)
        if isinstance(body, httpx.Response):
            return body
        if isinstance(body, str):
            return httpx.Response(200, text=body, headers={"Content-Type": "text/csv"})
        return httpx.Response(
            200, content=msgspec.json.encode(body), headers={"Content-Type": "application/json"}
        )

    def count(self, path: str) -> int:
        return sum(request.url.path == path for request in self.asked)

    def _hours(self, query: Any) -> Any:
        first, last = date.fromisoformat(query["start_date"]), date.fromisoformat(query["end_date"])
        times = [
            datetime.combine(first, datetime.min.time()) + timedelta(hours=hour)
            for hour in range(((last - first).days + 1) * 24)
        ]
        columns = query["hourly"].split(",")
        values = [40.0 + at.hour if at.date() >= DAYS_KNOWN else None for at in times]
        return {
            "latitude": float(query["latitude"]) + 0.1,
            "longitude": float(query["longitude"]) - 0.1,
            "utc_offset_seconds": -3600 * int(query["timezone"].removeprefix("Etc/GMT+")),
            "hourly_units": {"time": "iso8601", **dict.fromkeys(columns, "°F")},
            "hourly": {
                "time": [f"{at:%Y-%m-%dT%H:%M}" for at in times],
                **dict.fromkeys(columns, values),
            },
        }

    def _guidance(self, query: Any) -> str:
        run = datetime.fromisoformat(query["sts"]).astimezone(UTC) + timedelta(hours=19)
        until, lines = (
            datetime.fromisoformat(query["ets"]).astimezone(UTC),
            ["station,model,runtime,ftime,txn,xnd"],
        )
        while run.date() <= until.date():
            for hours in range(5, 72):
                at = run + timedelta(hours=hours)
                if at.hour in (0, 12):
                    told = 62 if at.hour == 0 else 41
                    lines.append(f"{query['station']},NBS,{run:%Y-%m-%d %H:%M},{at:%Y-%m-%d %H:%M},{told},2")
            run += timedelta(days=1)
        return "\n".join(lines) + "\n"

    def _reports(self, query: Any) -> Any:
        days = [DAYS_KNOWN + timedelta(days=back) for back in range(80)]
        rows = [
            {
                "station": query["station"], "valid": day.isoformat(), "high": 63, "low": 40,
                "product": f"{day + timedelta(days=1):%Y%m%d}0618-KOKX-CDUS41-CLINYC",
            }
            for day in days if day.year == int(query["year"])
        ]  # fmt: skip
        return {"results": rows}

    def _markets(self, query: Any) -> Any:
        series = query["series_ticker"]
        rules = (
            "If the temperature recorded at New York City (CLINYC) is between 60-61, according to "
            "The Weather Company, then the market resolves to Yes."
        )
        value = "63" if "HIGH" in series else "40. Although the report was late."
        rows = [
            {
                "ticker": f"{event}-{bracket}", "event_ticker": event, "status": "finalized",
                "expiration_value": value, "rules_primary": rules, "rules_secondary": "",
            }
            for event in (
                f"{series}-{day:%y%b%d}".upper()
                for day in (date(2026, 10, 1) + timedelta(days=back) for back in range(50))
            )
            for bracket in ("B60.5", "T70")
        ]  # fmt: skip
        return {"markets": rows, "cursor": ""}
