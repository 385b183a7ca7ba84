"""Tomorrow.io's hourly forecast: one more opinion, made into climate days here.

Its own days begin at 06:00 local time, which is no climate day. Answers name neither a run nor an issue
time: the age of what it says is the time since its hours last changed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from core.domain.text import clean_text
from core.feeds.budget import Budget
from core.feeds.declaration import Declaration, Family, KeyNeed, Per, Quota, Rides
from core.feeds.feed import Feed
from core.feeds.fetch import Body, Failed, Fetcher, decode
from core.feeds.nws_wire import time_ms
from core.feeds.pace import Pace
from core.feeds.polling import Polled
from core.feeds.sanity import plausible
from core.feeds.stations import HOUR_MS, Station, daily
from core.feeds.values import ModelForecast
from core.feeds.wiring import Transports, Wiring

MODEL: Final = "tomorrow-io"
STALE_AFTER_S: Final = 3 * 3_600
CALLS_A_DAY: Final = 500
HOURS_MAX: Final = 400
NEAR_DEGREES: Final = 0.1
"""An answer about a place farther away is about another place."""
REMAINING: Final = {
    Per.SECOND: "x-ratelimit-remaining-second",
    Per.HOUR: "x-ratelimit-remaining-hour",
    Per.DAY: "x-ratelimit-remaining-day",
}
TOO_MANY: Final = 429_001
NO_ACCESS: Final = 403_001

FORECAST = Declaration(
    name="tomorrow-io",
    label="TMRW",
    family=Family.WEATHER,
    gives="hourly temperatures, one more opinion",
    urls={"api": "https://api.tomorrow.io"},
    every_s=3_600.0,
    stale_after_s=STALE_AFTER_S,
    quotas=(Quota(3, Per.SECOND), Quota(25, Per.HOUR), Quota(CALLS_A_DAY, Per.DAY)),
    key=KeyNeed(
        Rides.QUERY,
        "apikey",
        "A free key comes with an account at app.tomorrow.io: Development, API Keys.",
    ),
    off="Tomorrow.io needs a key and has its own terms of use.",
)


class Hour(msgspec.Struct, frozen=True):
    time: str
    values: Mapping[str, float | str | None] = {}


class Timelines(msgspec.Struct, frozen=True):
    hourly: tuple[Hour, ...] = ()


class Location(msgspec.Struct, frozen=True):
    lat: float
    lon: float


class Answer(msgspec.Struct, frozen=True):
    timelines: Timelines
    location: Location


class Refusal(msgspec.Struct, frozen=True):
    """Its error body; ``code`` tells more than the status: 429001, 401001, 403001."""

    code: int = 0
    type: str = ""
    message: str = ""


class ForecastSource:
    """One station's hours."""

    stale_after_s = STALE_AFTER_S

    def __init__(
        self, station: Station, fetcher: Fetcher, pace: Pace, budget: Budget, shared: Transports
    ) -> None:
        self.key = station.icao
        self.newest_ms: int | None = None
        self._station, self._fetcher, self._pace, self._budget = station, fetcher, pace, budget
        self._clocks, self._sink = shared.clocks, shared.sink
        self._held: dict[int, float] = {}

    async def poll(self) -> Polled | Failed:
        place = f"{self._station.lat:g},{self._station.lon:g}"
        async with self._pace.turn():
            answer = await self._fetcher.get(
                "/v4/weather/forecast", {"location": place, "timesteps": "1h", "units": "imperial"}
            )
        if isinstance(answer, Failed):
            self._told(answer.headers)
            return refused(answer)
        if not isinstance(answer, Body):
            return Failed("not modified without a question", 304)
        self._told(answer.headers)
        wire = decode(answer, Answer)
        if isinstance(wire, Failed):
            return wire
        hours = read_hours(wire, self._station)
        if isinstance(hours, Failed):
            return hours
        same = all(hours[at] == f for at, f in self._held.items() if at in hours)
        if same and self._held.keys() & hours.keys():
            return Polled(answer.received_ns, changed=False, latency_ms=answer.latency_ms)
        self._held = hours
        self.newest_ms = self._clocks.world_ms()
        series = tuple(sorted(hours.items()))
        days = daily([at for at, _ in series], [f for _, f in series], self._station)
        lows, highs = ({day: both[side] for day, both in days.items()} for side in (0, 1))
        stamp = answer.stamp(self.newest_ms)
        self._sink(ModelForecast(self.key, MODEL, series, highs, stamp, STALE_AFTER_S, lows))
        return Polled(answer.received_ns, changed=True, latency_ms=answer.latency_ms)

    def _told(self, headers: Mapping[str, str]) -> None:
        """The provider's own count of what is left."""
        for per, name in REMAINING.items():
            left = headers.get(name, "")
            if left.isascii() and left.isdigit():
                self._budget.told(per, int(left[:9]))


def refused(failed: Failed) -> Failed:
    """What a refusal means, in the provider's own code where it gives one."""
    try:
        said = msgspec.json.decode(failed.body, type=Refusal, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return failed
    words = clean_text(said.message or said.type, 120) or failed.reason
    if said.code == TOO_MANY:
        return msgspec.structs.replace(failed, reason=f"the quota is spent: {words}", key_refused=False)
    return msgspec.structs.replace(failed, reason=words)


def read_hours(wire: Answer, station: Station) -> dict[int, float] | Failed:
    """The hours by their start, or what is wrong with them."""
    if not (abs(wire.location.lat - station.lat) <= NEAR_DEGREES
            and abs(wire.location.lon - station.lon) <= NEAR_DEGREES):  # fmt: skip
        return Failed(f"{station.icao}: answer is about another place", 200)
    hours: dict[int, float] = {}
    for row in wire.timelines.hourly[:HOURS_MAX]:
        at_ms, value = time_ms(row.time), row.values.get("temperature")
        if value is None:
            continue
        if at_ms is None or at_ms % HOUR_MS or isinstance(value, str):
            return Failed(f"{station.icao}: an hour of the answer does not read", 200)
        if not plausible(value):
            return Failed(f"{station.icao}: a temperature is outside what stations see", 200)
        hours[at_ms] = value
    return hours if hours else Failed(f"{station.icao}: answer has no temperatures", 200)


def every_s(stations: Sequence[Station], wished_s: float) -> float:
    """Cadence that keeps all stations within a day's calls."""
    return max(wished_s, math.ceil(len(stations) * 86_400 / CALLS_A_DAY))


def forecast_feed(wiring: Wiring) -> Feed:
    fetcher = wiring.fetcher("api", "application/json")
    paced = msgspec.structs.replace(wiring, every_s=every_s(wiring.stations, wiring.every_s))
    return paced.polled(
        [
            ForecastSource(station, fetcher, wiring.pace, wiring.budget, wiring.shared)
            for station in wiring.stations
        ]
    )
