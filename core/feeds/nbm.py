"""Calibrated station guidance of the National Blend of Models (NBS three days, NBE eight), by IEM's archive.

``txn`` is the extreme of the half day that ends about its time, ``xnd`` the spread that comes with it: at the
end of the day it is the daytime maximum, in the morning the night's minimum. Neither is the climate day's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from core.domain.clock import Clocks
from core.feeds.declaration import Declaration, Family, Per, Probe, Quota
from core.feeds.feed import Feed
from core.feeds.fetch import Body, Failed, Fetcher, decode
from core.feeds.nbm_text import GuidanceRow, by_day, utc_ms
from core.feeds.pace import Pace
from core.feeds.polling import Polled
from core.feeds.sanity import time_fault
from core.feeds.stations import HOUR_MS, Station
from core.feeds.values import Sink, StationGuidance
from core.feeds.wiring import Wiring

MODELS: Final = ("NBS", "NBE")
RUN_EVERY_MS: Final = 6 * HOUR_MS
RUN_AT_MS: Final = HOUR_MS
"""Runs that are kept for good are those of 01, 07, 13 and 19 UTC."""
OUT_AFTER_MS: Final = 75 * 60_000
"""From a run's time to its text, usually."""
SPACING_S: Final = 1.0
"""World seconds between requests to the archive, as it asks."""
ROWS_MAX: Final = 500

GUIDANCE = Declaration(
    name="nbm",
    label="NBM",
    family=Family.WEATHER,
    gives="calibrated day maxima and night minima with their spread",
    urls={"api": "https://mesonet.agron.iastate.edu"},
    every_s=900.0,
    stale_after_s=2 * 6 * 3_600,
    quotas=(Quota(60, Per.MINUTE), Quota(2_000, Per.DAY)),
    credit="NBM guidance by NOAA, through the Iowa Environmental Mesonet",
    probe=Probe(
        "Central Park's newest guidance", "/api/1/mos.json", params={"station": "KNYC", "model": "NBS"}
    ),
)


class JsonRow(msgspec.Struct, frozen=True):
    """One hour of one run. Times are UTC, with or without a zone; some answers name them ``_utc``."""

    station: str
    model: str
    runtime: str | None = None
    ftime: str | None = None
    runtime_utc: str | None = None
    ftime_utc: str | None = None
    txn: float | str | None = None
    xnd: float | str | None = None


class Answer(msgspec.Struct, frozen=True):
    data: tuple[JsonRow, ...] = ()


class GuidanceSource:
    """One kind of guidance for all stations. ``newest_ms`` is the oldest run held."""

    stale_after_s = GUIDANCE.stale_after_s

    def __init__(
        self,
        model: str,
        stations: Sequence[Station],
        fetcher: Fetcher,
        pace: Pace,
        clocks: Clocks,
        sink: Sink,
    ) -> None:
        self.key = model
        self._stations = tuple(stations)
        self._fetcher, self._pace, self._clocks, self._sink = fetcher, pace, clocks, sink
        self._runs: dict[str, int] = {}
        self._received_ns = clocks.mono_ns()

    @property
    def newest_ms(self) -> int | None:
        return min(self._runs.values()) if len(self._runs) == len(self._stations) else None

    async def poll(self) -> Polled | Failed:
        """Ask for the newest run that should be out, of every station that does not hold it."""
        changed, last = False, None
        run_ms = newest_run_ms(self._clocks.world_ms())
        for station in self._stations:
            if self._runs.get(station.icao, 0) >= run_ms:
                continue
            async with self._pace.turn(SPACING_S):
                taken = await self._ask(station, run_ms)
            if isinstance(taken, Failed):
                if taken.of_provider:
                    return taken
                last = taken
                continue
            changed = changed or taken
        if last is not None and not changed:
            return last
        # A turn in which nothing was due asked nobody: it refreshes no receipt.
        return Polled(self._received_ns, changed)

    async def _ask(self, station: Station, run_ms: int) -> bool | Failed:
        """Whether the run is there; one that is late is no failure."""
        answer = await self._fetcher.get(
            "/api/1/mos.json",
            {"station": station.icao, "model": self.key, "runtime": _iso(run_ms)},
        )
        if not isinstance(answer, Body):
            return answer if isinstance(answer, Failed) else Failed("not modified without a question", 304)
        self._received_ns = answer.received_ns
        found = decode(answer, Answer)
        if isinstance(found, Failed):
            return found
        rows = []
        for row in found.data[:ROWS_MAX]:
            if (row.station, row.model) != (station.icao, self.key):
                return Failed(f"{station.icao}: answer is of another station or model", 200)
            of_run = utc_ms(row.runtime or row.runtime_utc)
            at_ms = utc_ms(row.ftime or row.ftime_utc)
            if of_run != run_ms or at_ms is None:
                return Failed(f"{station.icao}: answer is of another run", 200)
            rows.append(GuidanceRow(at_ms, row.txn, row.xnd))
        highs, lows = by_day(rows, station)
        if not highs and not lows:
            return False
        if fault := time_fault(run_ms, self._runs.get(station.icao), self._clocks.world_ms()):
            return Failed(f"{station.icao}: run refused: {fault}", 200)
        self._runs[station.icao] = run_ms
        self._sink(StationGuidance(station.icao, self.key, highs, lows, answer.stamp(run_ms)))
        return True


def newest_run_ms(world_ms: int) -> int:
    """The newest of the kept runs that should be out."""
    since = world_ms - OUT_AFTER_MS - RUN_AT_MS
    return since // RUN_EVERY_MS * RUN_EVERY_MS + RUN_AT_MS


def guidance_feed(wiring: Wiring) -> Feed:
    at = wiring.shared
    fetcher = wiring.fetcher("api", "application/json")
    return wiring.polled(
        [GuidanceSource(model, wiring.stations, fetcher, wiring.pace, at.clocks, at.sink) for model in MODELS]
    )


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
