"""The desk's only source of data: forecasts that move a little."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

from core.domain.clock import Clock
from core.feeds.feed import FeedHealth, FeedState, Stamp
from core.feeds.stations import climate_day_bounds, stations
from core.feeds.values import GridForecast, ModelForecast, Sink
from tests.simulation.site import DAYS, FIRST_DAY

STALE_AFTER_S = 12 * 3600
PERIOD_S = 45.0


class Forecasts:
    """A feed: both sources of the model agree on each day's high."""

    name = "METEO"

    def __init__(self, sink: Sink, clock: Clock, rng: random.Random) -> None:
        self._sink, self._clock, self._rng = sink, clock, rng
        self._state = FeedState.WAITING
        self._high = 47.0

    async def run(self) -> None:
        while True:
            self._tell()
            self._state = FeedState.OK
            await asyncio.sleep(PERIOD_S)
            self._high += self._rng.uniform(-0.5, 0.5)

    def _tell(self) -> None:
        days = [(FIRST_DAY + timedelta(days=number)).isoformat() for number in range(DAYS)]
        starts = {day: climate_day_bounds(stations()["KNYC"], day)[0] for day in days}
        hourly = tuple(
            (start + hour * 3_600_000, self._high - abs(hour - 14))
            for start in starts.values()
            for hour in range(24)
        )
        stamp = Stamp(self._clock.wall_ms(), self._clock.wall_ms(), self._clock.mono_ns())
        highs = dict.fromkeys(days, self._high)
        self._sink(ModelForecast("KNYC", "gfs_seamless", hourly, highs, stamp, STALE_AFTER_S))
        whole = tuple((at, round(degrees)) for at, degrees in hourly)
        self._sink(GridForecast("KNYC", {day: round(high) for day, high in highs.items()}, whole, stamp))

    def health(self) -> FeedHealth:
        return FeedHealth(self.name, self._state, self._clock.wall_ms(), self._clock.mono_ns(), STALE_AFTER_S)
