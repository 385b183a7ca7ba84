"""Open-Meteo: several models' hours for each station, fetched when a model has a new run.

Answers carry no run time, so age comes from the model's run metadata; and hours that are all as they were
are the old run's, whatever the metadata says: some places were frozen for days while it moved on. What was
seen of them is noted, so that a restart makes nothing look fresh. The service's servers do not learn of a
run at once: metadata that goes back to an older run is no news.
Daily maxima are made from the hours here, over the climate day: the service's own daily values follow
the clock day of a zone and another source. Data by Open-Meteo.com, CC BY 4.0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from core.domain.clock import Clocks
from core.feeds.declaration import Declaration, Family, Per, Probe, Quota
from core.feeds.feed import Feed, Stamp
from core.feeds.fetch import Body, Failed, Fetcher, NotModified, decode
from core.feeds.memory import Memory
from core.feeds.open_meteo_seen import Seen, hours_of, noted, seen
from core.feeds.open_meteo_wire import VARIABLE, Answer, RunMeta, Series, hours, zone
from core.feeds.polling import Polled
from core.feeds.sanity import time_fault
from core.feeds.stations import Station, daily
from core.feeds.values import Ensemble, ModelForecast, Sink
from core.feeds.wiring import Wiring

RUN_CHECK_EVERY_S = 300
REPLICATION_S = 600
"""A new run reaches all of the service's servers about this long after it is declared available."""
LATE_S = 6 * 3_600
"""Beyond two intervals of its runs a model is allowed this much: from a run's start to its values."""
FORECAST_DAYS = 3
FREE_VARIABLES = 10
FREE_DAYS = 14
"""A call weighs one up to ten variables (times members) and two weeks, in proportion beyond."""


class Model(msgspec.Struct, frozen=True):
    """One model by the names of the forecast call and of its run metadata."""

    name: str
    meta: str
    members: int = 1

    @property
    def path(self) -> str:
        return "/v1/forecast" if self.members == 1 else "/v1/ensemble"


GFS = Model("gfs_seamless", "ncep_gfs013")
"""The model the shipped history holds past forecasts of."""
GEFS = Model("ncep_gefs025", "ncep_gefs025", 31)
FORECASTS = (
    GFS,
    Model("ncep_hrrr_conus", "ncep_hrrr_conus"),
    Model("ecmwf_ifs025", "ecmwf_ifs025"),
    Model("icon_seamless", "dwd_icon"),
    Model("gem_seamless", "cmc_gem_gdps"),
)
ENSEMBLES = (GEFS, Model("ecmwf_ifs025_ensemble", "ecmwf_ifs025_ensemble", 51))


ACCEPT = "application/json"
QUOTAS = (
    Quota(600, Per.MINUTE), Quota(5_000, Per.HOUR), Quota(10_000, Per.DAY), Quota(300_000, Per.MONTH)
)  # fmt: skip
CREDIT = "Weather data by Open-Meteo.com (CC BY 4.0)"
_ASKS = "when a model ran last"
FORECAST = Declaration(
    name="open-meteo",
    label="METEO",
    family=Family.WEATHER,
    gives="hourly temperatures of several numerical models",
    offers=tuple(model.name for model in FORECASTS),
    urls={"api": "https://api.open-meteo.com"},
    every_s=RUN_CHECK_EVERY_S,
    stale_after_s=18 * 3600,
    quotas=QUOTAS,
    credit=CREDIT,
    probe=Probe(_ASKS, f"/data/{GFS.meta}/static/meta.json"),
)
ENSEMBLE = Declaration(
    name="open-meteo-ensemble",
    label="ENS",
    family=Family.WEATHER,
    gives="daily extremes of ensembles' members",
    offers=tuple(model.name for model in ENSEMBLES),
    urls={"api": "https://ensemble-api.open-meteo.com"},
    every_s=RUN_CHECK_EVERY_S,
    stale_after_s=18 * 3600,
    quotas=QUOTAS,
    credit=CREDIT,
    probe=Probe(_ASKS, f"/data/{GEFS.meta}/static/meta.json"),
)


class ModelSource:
    """One model for several stations. ``newest_ms`` is the initialisation of the oldest run held, where there
    is one of every station."""

    def __init__(
        self,
        model: Model,
        stations: Sequence[Station],
        fetcher: Fetcher,
        clocks: Clocks,
        sink: Sink,
        memory: Memory | None = None,
    ) -> None:
        self.key = model.name
        self.stale_after_s = FORECAST.stale_after_s
        self._model, self._stations = model, tuple(stations)
        self._fetcher, self._clocks, self._sink = fetcher, clocks, sink
        self._memory = memory or Memory()
        self._held: dict[str, Seen] = {}
        self._run_ms = 0
        """Initialisation of the newest run heard of."""
        self._settled: dict[str, int] = {}
        """When the run was available (Unix seconds) that a station's hours are settled for."""

    @property
    def newest_ms(self) -> int | None:
        whole = len(self._held) == len(self._stations)
        return min(seen.event_ms for seen in self._held.values()) if whole else None

    async def poll(self) -> Polled | Failed:
        """Read the run metadata; when a run is new, every station's hours. One that cannot be used holds back
        no other, and is asked for again alone."""
        answer = await self._fetcher.get(f"/data/{self._model.meta}/static/meta.json")
        if not isinstance(answer, Body):
            return unexpected(answer)
        meta = decode(answer, RunMeta)
        if isinstance(meta, Failed):
            return meta
        event_ms = meta.last_run_initialisation_time * 1000
        fault = time_fault(event_ms, None, self._clocks.world_ms())
        if fault or not 0 < meta.update_interval_seconds <= 7 * 86_400:
            return Failed(f"run metadata refused: {fault or 'update interval'}", 200)
        if event_ms < self._run_ms:
            return Polled(answer.received_ns, changed=False)
        self._run_ms = event_ms
        self.stale_after_s = 2 * meta.update_interval_seconds + LATE_S
        available_s = meta.last_run_availability_time
        waits_s = available_s + REPLICATION_S - self._clocks.world_ms() / 1000
        changed, refused = False, None
        for station in self._stations:
            if self._settled.get(station.icao) == available_s:
                continue
            taken = await self._fetch(station, meta)
            if isinstance(taken, Failed):
                if taken.of_provider:
                    return taken
                refused = taken
                continue
            changed = changed or taken
            if waits_s <= 0:
                self._settled[station.icao] = available_s
        if refused is not None:
            return refused
        again_s = min(waits_s, RUN_CHECK_EVERY_S) if waits_s > 0 else None
        return Polled(answer.received_ns, changed, again_in_s=again_s)

    async def _fetch(self, station: Station, meta: RunMeta) -> bool | Failed:
        """Take one station's hours; whether they are news."""
        answer = await self._fetcher.get(
            self._model.path,
            {
                "latitude": f"{station.lat:g}",
                "longitude": f"{station.lon:g}",
                # Without it the service corrects to the terrain of its own map at this point.
                "elevation": str(station.elevation_m),
                "hourly": VARIABLE,
                "models": self._model.name,
                "temperature_unit": "fahrenheit",
                "timezone": zone(station),
                "forecast_days": str(FORECAST_DAYS),
            },
            cost=weight(self._model.members, FORECAST_DAYS),
        )
        if not isinstance(answer, Body):
            return unexpected(answer)
        wire = decode(answer, Answer)
        if isinstance(wire, Failed):
            return wire
        series = hours(wire, station)
        if isinstance(series, Failed):
            return series
        if len(series.members) < self._model.members:
            told = f"{len(series.members)} of {self._model.members}"
            return Failed(f"{station.icao}: answer has {told} members of {self._model.name}", 200)
        run_ms, note = meta.last_run_initialisation_time * 1000, f"{self.key} {station.icao}"
        known = self._held.get(station.icao)
        held, now = known or noted(self._memory.recall(note), run_ms), hours_of(series)
        stamp = answer.stamp(run_ms, meta.last_run_availability_time * 1000)
        if held is not None and held.repeated_by(now):
            if known is not None and known.hours.keys() == now.keys():
                return False
            stamp = answer.stamp(held.event_ms, held.published_ms)
        self._held[station.icao] = seen(stamp, now)
        self._memory.note(note, msgspec.json.encode(self._held[station.icao]))
        self._sink(self._value(station, series, stamp))
        return True

    def _value(self, station: Station, series: Series, stamp: Stamp) -> ModelForecast | Ensemble:
        by_member = [daily(series.times, row, station) for row in series.members]
        if self._model.members > 1:
            days = sorted(set.intersection(*(set(days) for days in by_member)))
            lows, highs = ({d: tuple(m[d][side] for m in by_member) for d in days} for side in (0, 1))
            return Ensemble(station.icao, self._model.name, highs, stamp, self.stale_after_s, lows)
        hourly = tuple(
            (at, f) for at, f in zip(series.times, series.members[0], strict=True) if f is not None
        )
        low, high = ({day: both[side] for day, both in by_member[0].items()} for side in (0, 1))
        return ModelForecast(station.icao, self._model.name, hourly, high, stamp, self.stale_after_s, low)


def weight(variables: int, days: int) -> int:
    """What a call of one place costs of the quotas; members count as variables. Rounded up."""
    return max(1, math.ceil(variables / FREE_VARIABLES * max(1.0, days / FREE_DAYS)))


def forecast_feed(wiring: Wiring) -> Feed:
    return _feed(wiring, FORECASTS)


def ensemble_feed(wiring: Wiring) -> Feed:
    return _feed(wiring, ENSEMBLES)


def _feed(wiring: Wiring, models: Sequence[Model]) -> Feed:
    """Of the models that are followed by name; of all where none is."""
    at = wiring.shared
    fetcher = wiring.fetcher("api", ACCEPT)
    return wiring.polled(
        [
            ModelSource(model, wiring.stations, fetcher, at.clocks, at.sink, at.memory)
            for model in models
            if not wiring.follows or model.name in wiring.follows
        ]
    )


def unexpected(answer: NotModified | Failed) -> Failed:
    return answer if isinstance(answer, Failed) else Failed("not modified without a question", 304)
