"""Kalshi's own temperature index of a city, minute by minute: what its hourly markets settle on.

A calibrated average of several stations, never one airport. A minute becomes official some minutes later
and may change until then; a minute without enough stations has no value, and nothing is put in its place.
"""

from __future__ import annotations

from typing import Final

import msgspec

from core.domain.text import clean_text
from core.feeds.declaration import Declaration, Family, Per, Quota
from core.feeds.feed import Feed
from core.feeds.fetch import Body, Failed, Fetcher, decode
from core.feeds.polling import Polled
from core.feeds.sanity import plausible, time_fault
from core.feeds.values import IndexStatus, WeatherIndex
from core.feeds.wiring import Transports, Wiring

OFFICIAL_AFTER_MS: Final = 6 * 60_000
"""About five minutes pass before a minute is official; one more for "about"."""
WINDOW_S: Final = 1_800
MINUTE_MS: Final = 60_000
MINUTES_MAX: Final = 2_000
CONFIG_CHARS_MAX: Final = 80

INDEX = Declaration(
    name="kalshi-index",
    label="KXINDEX",
    family=Family.WEATHER,
    gives="Kalshi's temperature index by the minute: it settles the hourly markets, not the daily ones",
    urls={"api": "https://external-api.kalshi.com"},
    every_s=30.0,
    stale_after_s=600,
    quotas=(Quota(60, Per.MINUTE),),
    offers=(
        "nyc", "chicago", "miami", "dfw", "houston", "phl-delaware-valley", "puget-sound", "sf-bay",
        "greater-boston", "southeast-michigan", "kansas-city", "minneapolis-st-paul", "la-coastal",
    ),
)  # fmt: skip


class Minute(msgspec.Struct, frozen=True):
    """One minute as listed; ``v`` is absent while it is incomplete."""

    t: int
    v: float | None = None
    status: str = ""
    contributors: int = 0
    config_version: str = ""


class Answer(msgspec.Struct, frozen=True):
    city: str
    units: str
    config_version: str = ""
    timeseries: tuple[Minute, ...] = ()


class IndexSource:
    """One city. ``newest_ms`` is its newest minute with a value."""

    stale_after_s = INDEX.stale_after_s

    def __init__(self, city: str, fetcher: Fetcher, shared: Transports) -> None:
        self.key = city
        self.newest_ms: int | None = None
        self._fetcher, self._clocks, self._sink = fetcher, shared.clocks, shared.sink
        self._told: dict[int, tuple[int | None, IndexStatus, bool, str]] = {}

    async def poll(self) -> Polled | Failed:
        answer = await self._fetcher.get(
            f"/trade-api/v2/live_data/weather/{self.key}", {"last_sec": str(WINDOW_S)}
        )
        if not isinstance(answer, Body):
            return answer if isinstance(answer, Failed) else Failed("not modified without a question", 304)
        wire = decode(answer, Answer)
        if isinstance(wire, Failed):
            return wire
        world_ms = self._clocks.world_ms()
        minutes = read_minutes(wire, self.key, world_ms)
        if isinstance(minutes, Failed):
            return minutes
        changed = False
        for at_ms, (value, status, settled, contributors, config) in sorted(minutes.items()):
            told = (value, status, settled, config)
            if self._told.get(at_ms) == told:
                continue
            self._told[at_ms] = told
            changed = True
            if value is not None:
                self.newest_ms = max(at_ms, self.newest_ms or 0)
            stamp = answer.stamp(at_ms)
            self._sink(WeatherIndex(self.key, value, status, settled, contributors, config, stamp))
        since_ms = world_ms - 2 * WINDOW_S * 1000
        self._told = {at: told for at, told in self._told.items() if at >= since_ms}
        return Polled(answer.received_ns, changed, latency_ms=answer.latency_ms)


Read = dict[int, tuple[int | None, IndexStatus, bool, int, str]]
"""Value, status, whether official, contributors and configuration by minute."""


def read_minutes(wire: Answer, city: str, world_ms: int) -> Read | Failed:
    """The minutes of an answer, or what is wrong: another city, another unit, a value no weather has."""
    if wire.city != city:
        return Failed(f"{city}: answer is of {clean_text(wire.city, 40)!r}", 200)
    if wire.units != "fahrenheit":
        return Failed(f"{city}: answer is in {clean_text(wire.units, 20)!r}, not in degrees Fahrenheit", 200)
    found: Read = {}
    for minute in wire.timeseries[:MINUTES_MAX]:
        try:
            status = IndexStatus(minute.status)
        except ValueError:
            return Failed(f"{city}: a minute is {clean_text(minute.status, 20)!r}, which nobody knows", 200)
        fault = time_fault(minute.t, None, world_ms) or ("it is none" if minute.t % MINUTE_MS else "")
        if fault:
            return Failed(f"{city}: a minute is refused: {fault}", 200)
        if minute.v is not None and not plausible(minute.v):
            return Failed(f"{city}: a value is outside what stations see", 200)
        value = round(minute.v * 100) if minute.v is not None else None
        if value is None or status is IndexStatus.INCOMPLETE:
            value, status = None, IndexStatus.INCOMPLETE
        config = clean_text(minute.config_version or wire.config_version, CONFIG_CHARS_MAX)
        official = world_ms - minute.t >= OFFICIAL_AFTER_MS
        found[minute.t] = (value, status, official, max(0, minute.contributors), config)
    return found


def index_feed(wiring: Wiring) -> Feed:
    """Of the cities whose stations are traded, and of those that are followed by name."""
    cities = dict.fromkeys([*(s.index_city for s in wiring.stations if s.index_city), *wiring.follows])
    fetcher = wiring.fetcher("api", "application/json")
    return wiring.polled([IndexSource(city, fetcher, wiring.shared) for city in cities])
