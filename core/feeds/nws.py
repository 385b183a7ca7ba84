"""The US weather service: grid forecast, station observations and climate reports of one station each.

api.weather.gov needs a descriptive User-Agent and refuses unknown parameters. Grid indices move, so a
station's grid is looked up anew every day and after a 404.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from core.domain.clock import Clocks
from core.domain.text import clean_text
from core.feeds import nws_wire as wire
from core.feeds.cli_text import CliSummary, parse_cli
from core.feeds.declaration import Declaration, Family, Probe
from core.feeds.feed import Feed
from core.feeds.fetch import Body, Failed, Fetcher, NotModified, decode
from core.feeds.pace import Pace
from core.feeds.polling import Polled
from core.feeds.sanity import plausible, time_fault
from core.feeds.stations import DAY_MS, HOUR_MS, Station, climate_day, climate_day_bounds, shift_day
from core.feeds.values import (
    GRID_STALE_AFTER_S,
    OBSERVATION_STALE_AFTER_S,
    REPORT_STALE_AFTER_S,
    ClimateReport,
    GridForecast,
    Observation,
    Sink,
    TakenBack,
)
from core.feeds.wiring import Wiring

GRID_EVERY_S = 600
OBSERVATIONS_EVERY_S = 120
REPORTS_EVERY_S = 900
REPORTS_DUE_EVERY_S = 60
"""Within the window in which a station's final report usually comes, until it has come."""
REPORT_WINDOW_MS = 35 * 60_000
TOO_EARLY = 425
"""As HTTP calls what is not to be had yet."""

_URLS = {"api": "https://api.weather.gov"}
ACCEPT = "application/geo+json, application/ld+json, application/json"
GRID = Declaration(
    name="nws-grid",
    label="NWS",
    family=Family.WEATHER,
    gives="the forecaster's grid: hourly temperatures and daytime maxima",
    urls=_URLS,
    every_s=GRID_EVERY_S,
    stale_after_s=GRID_STALE_AFTER_S,
    probe=Probe("where Central Park lies in the grid", "/points/40.779,-73.9693", accept=ACCEPT),
)
OBSERVATIONS = Declaration(
    name="nws-observations",
    label="OBS",
    family=Family.WEATHER,
    gives="station readings of the running climate day",
    urls=_URLS,
    every_s=OBSERVATIONS_EVERY_S,
    stale_after_s=OBSERVATION_STALE_AFTER_S,
)
REPORTS = Declaration(
    name="nws-reports",
    label="CLI",
    family=Family.WEATHER,
    gives="daily climate reports with their corrections",
    urls=_URLS,
    every_s=REPORTS_EVERY_S,
    stale_after_s=REPORT_STALE_AFTER_S,
    probe=Probe("the list of Central Park's reports", "/products/types/CLI/locations/NYC", accept=ACCEPT),
)

LATE_MS = 30 * 60_000
"""A routine report may arrive after readings that are newer: it is asked for again this far back."""
WHOLE_EVERY_MS = 30 * 60_000
"""So often the whole day is read again: quality control may come hours after a reading."""
OBSERVATIONS_LIMIT = 500
REPORTS_READ_MAX = 3
REFUSED_MS = 3_600_000
"""So long a report is asked for that does not come; one that came and cannot be used is asked for once."""
_CLI_CODE = re.compile(r"^(CLI[A-Z]{3})\s*$", re.ASCII | re.MULTILINE)
_GRID_ID = re.compile(r"[A-Z]{3}")


class StationLink(msgspec.Struct, frozen=True):
    """What a source of one station works with. The fetcher is its own, pace and sink are shared."""

    station: Station
    fetcher: Fetcher
    pace: Pace
    clocks: Clocks
    sink: Sink


class GridSource:
    """Raw grid layers of the cell a station lies in."""

    stale_after_s = GRID_STALE_AFTER_S

    def __init__(self, at: StationLink) -> None:
        self.key = at.station.icao
        self.newest_ms: int | None = None
        self._at = at
        self._grid = ""
        self._resolved_ms = 0

    async def poll(self) -> Polled | Failed:
        fault = await self._resolve()
        if fault is not None and not self._grid:
            return fault
        async with self._at.pace.turn():
            answer = await self._at.fetcher.get(self._grid, conditional=True)
        if isinstance(answer, NotModified):
            return Polled(answer.received_ns, changed=False)
        if isinstance(answer, Failed):
            if answer.status == 404:
                self._grid = ""
            return answer
        taken = await self._take(answer)
        if isinstance(taken, Failed):
            self._at.fetcher.forget()
        return taken

    async def _resolve(self) -> Failed | None:
        world_ms = self._at.clocks.world_ms()
        if self._grid and world_ms - self._resolved_ms < DAY_MS:
            return None
        path = f"/points/{_coordinate(self._at.station.lat)},{_coordinate(self._at.station.lon)}"
        async with self._at.pace.turn():
            answer = await self._at.fetcher.get(path)
        if not isinstance(answer, Body):
            return answer if isinstance(answer, Failed) else Failed("not modified without a question", 304)
        point = decode(answer, wire.Point)
        if isinstance(point, Failed):
            return point
        cell = point.properties
        if not _GRID_ID.fullmatch(cell.grid_id):
            return Failed("point names no grid", 200)
        self._grid = f"/gridpoints/{cell.grid_id}/{cell.grid_x},{cell.grid_y}"
        self._resolved_ms = world_ms
        return None

    async def _take(self, body: Body) -> Polled | Failed:
        grid = decode(body, wire.Grid)
        if isinstance(grid, Failed):
            return grid
        event_ms = wire.time_ms(grid.properties.update_time)
        if event_ms is None:
            return Failed("grid has no update time", 200)
        fault = time_fault(event_ms, self.newest_ms, self._at.clocks.world_ms())
        if fault:
            return Failed(f"grid refused: {fault}", 200)
        if event_ms == self.newest_ms:
            return Polled(body.received_ns, changed=False)
        hours = wire.hourly(grid.properties.temperature) or await self._hourly_forecast()
        daily = wire.daily(grid.properties.max_temperature, self._at.station)
        if not hours and not daily:
            return Failed("grid has no temperatures", 200)
        self.newest_ms = event_ms
        nights = wire.nightly(grid.properties.min_temperature, self._at.station)
        self._at.sink(GridForecast(self.key, daily, hours, body.stamp(event_ms), nights))
        return Polled(body.received_ns, changed=True)

    async def _hourly_forecast(self) -> tuple[tuple[int, int], ...]:
        """The same hours from the forecast for people, when the grid's layer came empty."""
        async with self._at.pace.turn():
            answer = await self._at.fetcher.get(f"{self._grid}/forecast/hourly")
        parsed = decode(answer, wire.Hourly) if isinstance(answer, Body) else None
        return wire.period_hours(parsed) if isinstance(parsed, wire.Hourly) else ()


class ObservationSource:
    """Station readings since the climate day began; each is handed on once."""

    stale_after_s = OBSERVATION_STALE_AFTER_S

    def __init__(self, at: StationLink) -> None:
        self.key = at.station.icao
        self.newest_ms: int | None = None
        self._at = at
        self._seen: dict[int, bool] = {}
        """Times of what was handed on, and whether that was a correction: one more comes of what was none."""
        self._taken_back: set[int] = set()
        """Times of readings that failed quality control, as told."""
        self._whole_ms: int | None = None
        """When the whole day was read last."""

    async def poll(self) -> Polled | Failed:
        world_ms = self._at.clocks.world_ms()
        day_start_ms, _ = climate_day_bounds(self._at.station, climate_day(self._at.station, world_ms))
        whole = (
            self._whole_ms is None or self.newest_ms is None or world_ms - self._whole_ms >= WHOLE_EVERY_MS
        )
        since_ms = day_start_ms if whole or self.newest_ms is None else self.newest_ms - LATE_MS
        params = {"start": _iso(since_ms), "limit": str(OBSERVATIONS_LIMIT)}
        async with self._at.pace.turn():
            answer = await self._at.fetcher.get(f"/stations/{self.key}/observations", params)
        if not isinstance(answer, Body):
            return answer if isinstance(answer, Failed) else Polled(answer.received_ns, changed=False)
        observed = decode(answer, wire.Observations)
        if isinstance(observed, Failed):
            return observed
        if whole:
            self._whole_ms = world_ms
        kept_ms = min(day_start_ms, since_ms)
        self._seen = {at: corrected for at, corrected in self._seen.items() if at >= kept_ms}
        self._taken_back = {at for at in self._taken_back if at >= kept_ms}
        world_ms = self._at.clocks.world_ms()
        failed = [at for at in wire.failed(observed) if at >= kept_ms and not time_fault(at, None, world_ms)]
        gone = self._take_back(answer, failed)
        fresh = [
            r
            for r in wire.readings(observed)
            if r.at_ms >= since_ms
            and (r.at_ms not in self._seen or (r.corrected and not self._seen[r.at_ms]))
        ]
        # One reading with a wrong clock must not hold back the others for as long as it is listed.
        faults = [fault for r in fresh if (fault := time_fault(r.at_ms, None, world_ms))]
        fresh = [r for r in fresh if not time_fault(r.at_ms, None, world_ms)]
        if faults and not fresh:
            return Failed(f"observation refused: {faults[-1]}", 200)
        for reading in fresh:
            self._seen[reading.at_ms] = reading.corrected
            self.newest_ms = max(reading.at_ms, self.newest_ms or 0)
            band, stamp = reading.band, answer.stamp(reading.at_ms)
            corrects = reading.corrected or reading.at_ms in self._taken_back
            self._taken_back.discard(reading.at_ms)
            self._at.sink(
                Observation(self.key, band.f, band.lowest_f, band.highest_f, stamp, reading.groups, corrects)
            )
        return Polled(answer.received_ns, changed=bool(fresh or gone))

    def _take_back(self, answer: Body, failed: Sequence[int]) -> bool:
        """Tell of readings that failed quality control, once each; whether there was one."""
        news = [at_ms for at_ms in failed if at_ms not in self._taken_back]
        for at_ms in news:
            self._taken_back.add(at_ms)
            self._seen.pop(at_ms, None)
            self._at.sink(TakenBack(self.key, answer.stamp(at_ms)))
        return bool(news)


class Refused(msgspec.Struct, frozen=True):
    """A report that could not be read: since when, why, and whether it is asked for no more."""

    since_ms: int
    why: str
    aside: bool


class ReportSource:
    """Daily climate reports as they are issued, corrections included."""

    stale_after_s = REPORT_STALE_AFTER_S

    def __init__(self, at: StationLink) -> None:
        self.key = at.station.icao
        self.newest_ms: int | None = None
        self._at = at
        self._read: dict[str, None] = {}
        self._refused: dict[str, Refused] = {}
        """Reports that could not be read, by their id."""
        self._final_day = ""
        """The newest climate day whose final report was read."""

    async def poll(self) -> Polled | Failed:
        location = self._at.station.cli.removeprefix("CLI")
        async with self._at.pace.turn():
            answer = await self._at.fetcher.get(f"/products/types/CLI/locations/{location}", conditional=True)
        if not isinstance(answer, Body):
            return answer if isinstance(answer, Failed) else self._polled(answer.received_ns, changed=False)
        listed = decode(answer, wire.ProductList)
        if isinstance(listed, Failed):
            self._at.fetcher.forget()
            return listed
        dated = [(at, p) for p in listed.graph if (at := wire.time_ms(p.issuance_time)) is not None]
        newest = sorted(dated, key=lambda item: item[0])[-REPORTS_READ_MAX:]
        listed_ids = {product.id for _, product in newest}
        self._refused = {each: why for each, why in self._refused.items() if each in listed_ids}
        changed = False
        # One that cannot be read must not hold back the newer ones, nor call the source down.
        for issued_ms, product in newest:
            before = self._refused.get(product.id)
            if product.id in self._read or (before is not None and before.aside):
                continue
            fault = await self._read_product(issued_ms, product.id)
            if fault is not None and fault.of_provider:
                self._at.fetcher.forget()
                return fault
            if fault is not None:
                self._refused[product.id] = self._again(fault, before)
                continue
            self._refused.pop(product.id, None)
            changed = True
        if not all(each.aside for each in self._refused.values()):
            self._at.fetcher.forget()  # unchanged, the list would not be sent again, nor they be tried
        return self._polled(answer.received_ns, changed=changed)

    def _polled(self, received_ns: int, *, changed: bool) -> Polled:
        again_s = REPORTS_DUE_EVERY_S if self._due() else None
        refused = (
            f"report {clean_text(name, 40)} {'set aside' if each.aside else 'not read'}: {each.why}"
            for name, each in self._refused.items()
        )
        return Polled(received_ns, changed, again_in_s=again_s, remark="; ".join(refused))

    def _again(self, fault: Failed, before: Refused | None) -> Refused:
        """What is to become of a report that could not be read."""
        now_ms = self._at.clocks.world_ms()
        since_ms = before.since_ms if before is not None else now_ms
        came = fault.status == 200  # and would come no better
        return Refused(since_ms, fault.reason, came or now_ms - since_ms >= REFUSED_MS)

    def _due(self) -> bool:
        """Whether the final report of the climate day before may come any minute."""
        station, world_ms = self._at.station, self._at.clocks.world_ms()
        if not station.cli_usual_utc:
            return False
        hour, _, minute = station.cli_usual_utc.partition(":")
        from_usual_ms = world_ms % DAY_MS - int(hour) * HOUR_MS - int(minute) * 60_000
        yesterday = shift_day(climate_day(station, world_ms), -1)
        return abs(from_usual_ms) <= REPORT_WINDOW_MS and self._final_day < yesterday

    async def _read_product(self, issued_ms: int, product_id: str) -> Failed | None:
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,80}", product_id):
            return Failed("its name is no report's", 200)
        if fault := time_fault(issued_ms, None, self._at.clocks.world_ms()):
            return Failed(fault, TOO_EARLY)
        async with self._at.pace.turn():
            answer = await self._at.fetcher.get(f"/products/{product_id}")
        if not isinstance(answer, Body):
            return answer if isinstance(answer, Failed) else Failed("not modified without a question", 304)
        product = decode(answer, wire.Product)
        if isinstance(product, Failed):
            return product
        named = _CLI_CODE.search(product.product_text)
        if named is not None and named.group(1) != self._at.station.cli:
            return Failed(f"it is {named.group(1)}, not {self._at.station.cli}", 200)
        summary = _of_station(parse_cli(product.product_text), self._at.station)
        # An unreadable product is remembered too: it would not read better a minute later.
        self._read = dict.fromkeys([*self._read, product_id][-REPORTS_READ_MAX * 4 :])
        if summary is None:
            return None
        self.newest_ms = max(issued_ms, self.newest_ms or 0)
        final = summary.final and issued_ms >= climate_day_bounds(self._at.station, summary.day)[1]
        if final and summary.max_f is not None:
            self._final_day = max(self._final_day, summary.day)
        self._at.sink(
            ClimateReport(
                station=self.key,
                day=summary.day,
                final=final,
                corrected=summary.corrected,
                max_f=_checked(summary.max_f),
                min_f=_checked(summary.min_f),
                stamp=answer.stamp(issued_ms),
            )
        )
        return None


def grid_feed(wiring: Wiring) -> Feed:
    return wiring.polled([GridSource(link) for link in _links(wiring)])


def observation_feed(wiring: Wiring) -> Feed:
    return wiring.polled([ObservationSource(link) for link in _links(wiring)])


def report_feed(wiring: Wiring) -> Feed:
    return wiring.polled([ReportSource(link) for link in _links(wiring)])


def _links(wiring: Wiring) -> list[StationLink]:
    """One a station: a fetcher of its own remembers what it asked."""
    at = wiring.shared
    return [
        StationLink(station, wiring.fetcher("api", ACCEPT), wiring.pace, at.clocks, at.sink)
        for station in wiring.stations
    ]


def _of_station(summaries: tuple[CliSummary, ...], station: Station) -> CliSummary | None:
    """The station's own summary: some offices put several places into one product.

    Among several the one that shares most words with the station's name, with the fewest words besides;
    none when no place shares any.
    """
    if len(summaries) <= 1:
        return summaries[0] if summaries else None
    words = _words(station.name)
    best = max(summaries, key=lambda s: (len(words & _words(s.place)), -len(_words(s.place) - words)))
    return best if words & _words(best.place) else None


def _words(name: str) -> set[str]:
    return set(re.findall(r"[A-Z]+", name.upper()))


def _checked(value: int | None) -> int | None:
    return value if value is not None and plausible(value) else None


def _coordinate(value: float) -> str:
    """At most four decimals and no trailing zeros: anything else is redirected or refused."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
