"""FRED's series, such as the VIX's close: what its publisher says of each day or month, some time later.

An observation has a date and no time of day, so its time is the day's first instant in UTC: a value never
looks newer than it is, and the day it is about counts into its limit of age. ``"."`` is a day without a
value, a holiday as a rule.
"""

from __future__ import annotations

import re
from datetime import date

import msgspec

from core.domain.clock import Clocks
from core.domain.text import clean_text
from core.feeds.calendar.fred_dates import refused
from core.feeds.declaration import Declaration, Family, KeyNeed, Per, Quota, Rides
from core.feeds.feed import Feed
from core.feeds.fetch import Body, Failed, Fetcher, NotModified, decode
from core.feeds.polling import Polled
from core.feeds.quotes import SeriesPast, SeriesPoint
from core.feeds.sanity import time_fault
from core.feeds.stations import DAY_MS
from core.feeds.values import Sink
from core.feeds.wiring import Wiring

MISSING = "."
READ, READ_PAST = 5, 120
"""Newest observations asked for: a holiday or two may be among them; of figures ten years, which tell how far
off views of them were."""
DECLARATION = Declaration(
    name="fred",
    label="FRED",
    family=Family.MARKETS,
    gives="economic series: prices, jobs, output, the VIX's close",
    urls={"api": "https://api.stlouisfed.org"},
    every_s=6 * 3_600,
    stale_after_s=4 * 86_400,
    quotas=(Quota(120, Per.MINUTE),),
    key=KeyNeed(
        Rides.QUERY,
        "api_key",
        "A free key comes with an account at fredaccount.stlouisfed.org; [feeds.fred-releases] takes it too.",
    ),
    off="It needs a key of its own.",
    credit="Federal Reserve Bank of St. Louis, FRED",
)
FOLLOWED = (
    "VIXCLS", "CPIAUCSL", "CPILFESL", "CPIAUCNS", "PAYEMS", "UNRATE", "A191RL1Q225SBEA",
)  # fmt: skip
_SLOW_DAYS = {"A191RL1Q225SBEA": 230} | dict.fromkeys(
    ("CPIAUCSL", "CPILFESL", "CPIAUCNS", "PAYEMS", "UNRATE"), 90
)
"""Days after the begin of what a series' newest value is about until the next one is late."""
_VALUE = re.compile(r"-?\d{1,12}(?:\.\d{1,12})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_EPOCH = date(1970, 1, 1)


class Observation(msgspec.Struct, frozen=True):
    date: str
    value: str


class Page(msgspec.Struct, frozen=True):
    observations: tuple[Observation, ...]


class Point(msgspec.Struct, frozen=True):
    """One day's value, None where the publisher says that there is none."""

    day: str
    at_ms: int
    value: float | None


def parse(observations: tuple[Observation, ...]) -> tuple[Point, ...] | str:
    """The points by rising day, or what is wrong with one of them."""
    points: dict[str, Point] = {}
    for one in observations:
        shown = clean_text(f"{one.date} {one.value}", 60)
        at_ms = _day_ms(one.date)
        if at_ms is None:
            return f"{shown!r} has no date"
        if one.value != MISSING and not _VALUE.fullmatch(one.value):
            return f"{shown!r} is no value"
        value = None if one.value == MISSING else float(one.value)
        points[one.date] = Point(one.date, at_ms, value)
    return tuple(points[day] for day in sorted(points)) if points else "it has no observations"


def _day_ms(text: str) -> int | None:
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None
    return None if day is None else (day - _EPOCH).days * DAY_MS


class SeriesSource:
    """One series."""

    stale_after_s = DECLARATION.stale_after_s

    def __init__(self, series: str, fetcher: Fetcher, clocks: Clocks, sink: Sink) -> None:
        self.key = series
        self.newest_ms: int | None = None
        self._read = READ_PAST if series in _SLOW_DAYS else READ
        if series in _SLOW_DAYS:
            self.stale_after_s = _SLOW_DAYS[series] * 86_400
        self._fetcher, self._clocks, self._sink = fetcher, clocks, sink
        self._held: Point | None = None
        self._past: tuple[tuple[str, float], ...] = ()

    async def poll(self) -> Polled | Failed:
        """The newest number there is; a day without one replaces none."""
        query = {"series_id": self.key, "file_type": "json", "sort_order": "desc", "limit": str(self._read)}
        answer = await self._fetcher.get("/fred/series/observations", query)
        if isinstance(answer, NotModified):
            return Failed("HTTP 304 to a question without conditions", 304)
        if isinstance(answer, Failed):
            return refused(answer)
        page = decode(answer, Page)
        if isinstance(page, Failed):
            return page
        points = parse(page.observations)
        if isinstance(points, str):
            return Failed(f"{self.key} refused: {points}", 200)
        newest = next((point for point in reversed(points) if point.value is not None), points[-1])
        fault = time_fault(newest.at_ms, self.newest_ms, self._clocks.world_ms())
        if fault:
            return Failed(f"{self.key} refused: {fault}", 200)
        if self.key in _SLOW_DAYS:
            self._tell_past(points, answer)
        return self._take(newest, answer)

    def _tell_past(self, points: tuple[Point, ...], answer: Body) -> None:
        """Values are revised: all of them are told anew where one differs."""
        past = tuple((point.day, point.value) for point in points if point.value is not None)
        if past and past != self._past:
            self._past = past
            self._sink(SeriesPast(self.key, DECLARATION.name, past, answer.stamp(points[-1].at_ms)))

    def _take(self, newest: Point, answer: Body) -> Polled:
        changed = newest != self._held
        if changed:
            self._held, self.newest_ms = newest, newest.at_ms
            stamp = answer.stamp(newest.at_ms)
            self._sink(SeriesPoint(self.key, DECLARATION.name, newest.day, newest.value, stamp))
        return Polled(answer.received_ns, changed, latency_ms=answer.latency_ms)


def feed(wiring: Wiring) -> Feed:
    at, fetcher = wiring.shared, wiring.fetcher("api", "application/json")
    names = wiring.follows or FOLLOWED
    return wiring.polled([SeriesSource(name, fetcher, at.clocks, at.sink) for name in names])
