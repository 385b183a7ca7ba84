"""Station reports (METAR and SPECI) from aviationweather.gov: the groups of the 6 and 24 hours before.

One request asks for as many stations as one answer holds reports of. ``obsTime`` is the time of
measurement; ``reportTime`` is rounded to the hour and never used. The report's own text is what counts: its
groups are exact.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from core.domain.clock import Clocks
from core.feeds import metar_text
from core.feeds.declaration import Declaration, Family, Per, Quota
from core.feeds.feed import Feed
from core.feeds.fetch import Body, Failed, Fetcher, NotModified, decode
from core.feeds.polling import Polled
from core.feeds.sanity import time_fault
from core.feeds.stations import HOUR_MS, Station, climate_day, climate_day_bounds
from core.feeds.values import Observation, Sink
from core.feeds.wiring import Wiring

DUE_EVERY_S: Final = 60.0
"""Around the hour, when routine reports come; else the declared cadence."""
DUE_MINUTES: Final = (50, 6)
"""From :50 to :06 of the next hour."""
STALE_AFTER_S: Final = 75 * 60
HOURS_MAX: Final = 30
LATE_HOURS: Final = 2
"""Of reports asked for once a day's are held: corrections come late."""
ROWS_MAX: Final = 5_000
ENTRIES_MAX: Final = 400
"""More reports than these the service puts into no answer; it does not say that it left some out."""
REPORTS_AN_HOUR: Final = 2
"""Of one station over a day, special ones among them."""

REPORTS = Declaration(
    name="metar",
    label="METAR",
    family=Family.WEATHER,
    gives="station reports with their 6- and 24-hour extremes",
    urls={"api": "https://aviationweather.gov"},
    every_s=300.0,
    stale_after_s=STALE_AFTER_S,
    quotas=(Quota(60, Per.MINUTE),),
)


class Row(msgspec.Struct, frozen=True):
    """One report as listed. Times in Unix seconds."""

    icaoId: str  # noqa: N815 - wire name
    obsTime: int | float | str | None = None  # noqa: N815 - wire name
    rawOb: str | None = None  # noqa: N815 - wire name
    receiptTime: int | float | str | None = None  # noqa: N815 - wire name


class ReportSource:
    """All stations together. ``newest_ms`` is the newest report of the station that lags most."""

    key = "all stations"
    stale_after_s = STALE_AFTER_S

    def __init__(self, stations: Sequence[Station], fetcher: Fetcher, clocks: Clocks, sink: Sink) -> None:
        self._stations = {station.icao: station for station in stations}
        self._fetcher, self._clocks, self._sink = fetcher, clocks, sink
        self._newest: dict[str, int] = {}
        self._heard_ms: int | None = None
        """When all stations were last asked about with success."""
        self._handed: dict[tuple[str, int], tuple[str, ...]] = {}
        """Texts of each report handed on, by station and time: a correction is another text."""

    @property
    def newest_ms(self) -> int | None:
        return min(self._newest.values()) if len(self._newest) == len(self._stations) else None

    async def poll(self) -> Polled | Failed:
        asked_ms, changed, fault = self._clocks.world_ms(), False, ""
        refused: list[Failed] = []
        hours, last = self._hours(asked_ms), Body(b"", 0, self._clocks.mono_ns())
        for icaos in self._questions(hours):
            answer = await self._fetcher.get(
                "/api/data/metar", {"ids": ",".join(icaos), "format": "json", "hours": str(hours)}
            )
            rows = _rows(answer)
            if isinstance(rows, Failed):
                if rows.of_provider:
                    return rows
                # What is wrong with one answer says nothing of the other stations' ones.
                refused.append(Failed(f"{', '.join(icaos)}: {rows.reason}", rows.status, body=rows.body))
                continue
            body, found = rows
            more, wrong = await self._take(found[:ROWS_MAX], body, self._clocks.world_ms())
            changed, fault, last = changed or more, wrong or fault, body
        if refused and not last.data:
            return refused[0]
        if not refused:
            self._heard_ms = asked_ms
        if fault and not changed:
            return Failed(f"report refused: {fault}", 200)
        again_s = DUE_EVERY_S if self._due(self._clocks.world_ms()) else None
        remark = "; ".join(each.reason for each in refused)
        return Polled(last.received_ns, changed, again_s, last.latency_ms, remark)

    def _hours(self, world_ms: int) -> int:
        """Until every station has a report: all of the climate day; then what may still come late, and what
        came while nobody could ask."""
        if len(self._newest) == len(self._stations) and self._heard_ms is not None:
            return min(HOURS_MAX, LATE_HOURS + (world_ms - self._heard_ms) // HOUR_MS)
        begins = (
            climate_day_bounds(station, climate_day(station, world_ms))[0]
            for station in self._stations.values()
        )
        return min(HOURS_MAX, 1 - (min(begins) - world_ms) // HOUR_MS)

    def _questions(self, hours: int) -> Iterator[list[str]]:
        """The stations, as many at once as have room in an answer about so many hours."""
        icaos, at_once = list(self._stations), max(1, ENTRIES_MAX // (hours * REPORTS_AN_HOUR))
        for first in range(0, len(icaos), at_once):
            yield icaos[first : first + at_once]

    async def _take(self, rows: Sequence[Row], answer: Body, world_ms: int) -> tuple[bool, str]:
        """Hand on what is new, oldest first and of one time in the order it was received; whether anything
        was, and what is wrong with one refused. Each is priced at once: between two the loop turns."""
        found = [
            (at_ms, row.icaoId, str(row.receiptTime or ""), row.rawOb or "")
            for row in rows
            if (at_ms := _time_ms(row)) is not None
        ]
        changed, fault = False, ""
        for at_ms, icao, _, raw in sorted(found):
            key = (icao, at_ms)
            if icao not in self._stations or raw in self._handed.get(key, ()):
                continue
            band = metar_text.temperature(raw)
            if band is None:
                continue
            if wrong := time_fault(at_ms, None, world_ms):
                fault = f"{icao}: {wrong}"
                continue
            corrects = metar_text.corrected(raw)
            if key in self._handed and not corrects:
                continue
            self._handed[key] = (*self._handed.get(key, ()), raw)
            self._newest[icao] = max(at_ms, self._newest.get(icao, 0))
            self._sink(
                Observation(
                    icao, band.f, band.lowest_f, band.highest_f, answer.stamp(at_ms),
                    metar_text.groups(raw), corrects,
                )
            )  # fmt: skip
            changed = True
            await asyncio.sleep(0)
        since_ms = world_ms - HOURS_MAX * HOUR_MS
        self._handed = {key: raws for key, raws in self._handed.items() if key[1] >= since_ms}
        return changed, fault

    def _due(self, world_ms: int) -> bool:
        minute = world_ms // 60_000 % 60
        return minute >= DUE_MINUTES[0] or minute <= DUE_MINUTES[1]


def report_feed(wiring: Wiring) -> Feed:
    at = wiring.shared
    return wiring.polled(
        [ReportSource(wiring.stations, wiring.fetcher("api", "application/json"), at.clocks, at.sink)]
    )


def _rows(answer: Body | NotModified | Failed) -> tuple[Body, list[Row]] | Failed:
    """The reports of an answer; an empty one has none."""
    if isinstance(answer, NotModified):
        return Failed("not modified without a question", 304)
    if isinstance(answer, Failed) or not answer.data.strip():
        return answer if isinstance(answer, Failed) else (answer, [])
    rows = decode(answer, list[Row])
    return rows if isinstance(rows, Failed) else (answer, rows)


def _time_ms(row: Row) -> int | None:
    """The time of measurement; ``None`` where it is not a number of seconds."""
    try:
        seconds = int(row.obsTime) if row.obsTime is not None else None
    except (ValueError, OverflowError):
        return None
    return seconds * 1000 if seconds is not None and abs(seconds) < 10**11 else None
