"""Open-Meteo's previous runs: what each model said one and two days before about the weeks just past.

Beside what was then observed that is the bias of a model at a lead, which is as large as a bracket.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.domain.clock import Clocks
from core.feeds.declaration import Declaration, Family, Probe
from core.feeds.feed import Feed
from core.feeds.fetch import Body, Failed, Fetcher, decode
from core.feeds.open_meteo import ACCEPT, CREDIT, FORECASTS, GFS, QUOTAS, unexpected, weight
from core.feeds.open_meteo_wire import VARIABLE, Answer, hours, zone
from core.feeds.polling import Polled
from core.feeds.stations import Station, daily
from core.feeds.values import PastForecasts, Sink
from core.feeds.wiring import Wiring

LEADS: Final = (1, 2)
"""Days before."""
PAST_DAYS: Final = 45
_COLUMNS: Final = tuple(f"{VARIABLE}_previous_day{lead}" for lead in LEADS)

PAST = Declaration(
    name="open-meteo-past",
    label="PAST",
    family=Family.WEATHER,
    gives="what the models said days before, for their bias",
    urls={"api": "https://previous-runs-api.open-meteo.com"},
    every_s=6 * 3_600.0,
    stale_after_s=2 * 86_400,
    quotas=QUOTAS,
    offers=tuple(model.name for model in FORECASTS),
    credit=CREDIT,
    probe=Probe("when a model has run last", f"/data/{GFS.meta}/static/meta.json"),
)


class PastSource:
    """One model for several stations. ``newest_ms`` is when the station that lags most was answered."""

    stale_after_s = PAST.stale_after_s

    def __init__(
        self, model: str, stations: Sequence[Station], fetcher: Fetcher, clocks: Clocks, sink: Sink
    ) -> None:
        self.key = model
        self._stations = tuple(stations)
        self._fetcher, self._clocks, self._sink = fetcher, clocks, sink
        self._told: dict[str, tuple[int, PastForecasts]] = {}

    @property
    def newest_ms(self) -> int | None:
        whole = len(self._told) == len(self._stations)
        return min(at_ms for at_ms, _ in self._told.values()) if whole else None

    async def poll(self) -> Polled | Failed:
        """Ask for every station's; one that cannot be used holds back no other."""
        changed, refused = False, None
        for station in self._stations:
            taken = await self._ask(station)
            if isinstance(taken, Failed):
                if taken.of_provider:
                    return taken
                refused = taken
                continue
            changed = changed or taken
        return refused or Polled(self._clocks.mono_ns(), changed)

    async def _ask(self, station: Station) -> bool | Failed:
        answer = await self._fetcher.get(
            "/v1/forecast",
            {
                "latitude": f"{station.lat:g}",
                "longitude": f"{station.lon:g}",
                "elevation": str(station.elevation_m),
                "hourly": ",".join(_COLUMNS),
                "models": self.key,
                "temperature_unit": "fahrenheit",
                "timezone": zone(station),
                "past_days": str(PAST_DAYS),
                "forecast_days": "1",
            },
            cost=weight(len(_COLUMNS), PAST_DAYS + 1),
        )
        if not isinstance(answer, Body):
            return unexpected(answer)
        wire = decode(answer, Answer)
        if isinstance(wire, Failed):
            return wire
        series = hours(wire, station, _COLUMNS)
        if isinstance(series, Failed):
            return series
        by_lead = {
            lead: daily(series.times, row, station) for lead, row in zip(LEADS, series.members, strict=True)
        }
        low, high = (
            {lead: {day: both[side] for day, both in days.items()} for lead, days in by_lead.items()}
            for side in (0, 1)
        )
        world_ms = self._clocks.world_ms()
        value = PastForecasts(station.icao, self.key, high, low, answer.stamp(world_ms))
        before = self._told.get(station.icao)
        self._told[station.icao] = (world_ms, value)
        if before is not None and (before[1].daily_max_f, before[1].daily_min_f) == (high, low):
            return False
        self._sink(value)
        return True


def past_feed(wiring: Wiring) -> Feed:
    at = wiring.shared
    fetcher = wiring.fetcher("api", ACCEPT)
    return wiring.polled(
        [
            PastSource(model.name, wiring.stations, fetcher, at.clocks, at.sink)
            for model in FORECASTS
            if not wiring.follows or model.name in wiring.follows
        ]
    )
