"""Open-Meteo: one model's hours for each station, fetched when the model has a new run.

Answers carry no run time, so a frozen model looks healthy: age comes from the model's run metadata.
Daily maxima are made from the hours here, over the climate day: the service's own daily values follow
the clock day of a zone and another source. Data by Open-Meteo.com, CC BY 4.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from core.domain.clock import Clocks
from core.feeds.declaration import Declaration, Family, Per, Quota
from core.feeds.feed import Feed, Stamp
from core.feeds.fetch import Body, Failed, Fetcher, NotModified, decode
from core.feeds.polling import Polled
from core.feeds.sanity import dated, plausible, time_fault
from core.feeds.stations import HOUR_MS, Station, daily
from core.feeds.values import Ensemble, ModelForecast, Sink
from core.feeds.wiring import Wiring

RUN_CHECK_EVERY_S = 300
REPLICATION_S = 600
"""A new run reaches all of the service's servers about this long after it is declared available."""
FORECAST_DAYS = 3
HOURS_MAX = 24 * 20
MEMBERS_MAX = 100
_VARIABLE = "temperature_2m"


class Model(msgspec.Struct, frozen=True):
    """One model by the names of the forecast call and of its run metadata."""

    name: str
    meta: str
    path: str = "/v1/forecast"


GFS = Model("gfs_seamless", "ncep_gfs013")
"""The model the shipped history holds past forecasts of."""
GEFS = Model("ncep_gefs025", "ncep_gefs025", "/v1/ensemble")


ACCEPT = "application/json"
_QUOTAS = (
    Quota(600, Per.MINUTE), Quota(5_000, Per.HOUR), Quota(10_000, Per.DAY), Quota(300_000, Per.MONTH)
)  # fmt: skip
_CREDIT = "Weather data by Open-Meteo.com (CC BY 4.0)"
FORECAST = Declaration(
    name="open-meteo",
    label="METEO",
    family=Family.WEATHER,
    gives="hourly temperatures of one numerical model",
    urls={"api": "https://api.open-meteo.com"},
    every_s=RUN_CHECK_EVERY_S,
    stale_after_s=12 * 3600,
    quotas=_QUOTAS,
    credit=_CREDIT,
)
ENSEMBLE = Declaration(
    name="open-meteo-ensemble",
    label="ENS",
    family=Family.WEATHER,
    gives="daily maxima of an ensemble's members",
    urls={"api": "https://ensemble-api.open-meteo.com"},
    every_s=RUN_CHECK_EVERY_S,
    stale_after_s=12 * 3600,
    quotas=_QUOTAS,
    credit=_CREDIT,
)


class RunMeta(msgspec.Struct, frozen=True):
    """Run times in Unix seconds (world time)."""

    last_run_initialisation_time: int
    last_run_availability_time: int
    update_interval_seconds: int


class Units(msgspec.Struct, frozen=True):
    temperature_2m: str


class Answer(msgspec.Struct, frozen=True):
    """One location's answer: times and values by column name."""

    utc_offset_seconds: int
    hourly_units: Units
    hourly: dict[str, list[float | str | None]]


class Series(msgspec.Struct, frozen=True):
    """The hours of one answer: start times in Unix ms and one row of values a member, control first."""

    times: tuple[int, ...]
    members: tuple[tuple[float | None, ...], ...]


class ModelSource:
    """One model for several stations. ``newest_ms`` is the initialisation of the oldest run held."""

    def __init__(
        self,
        model: Model,
        stations: Sequence[Station],
        fetcher: Fetcher,
        clocks: Clocks,
        sink: Sink,
    ) -> None:
        self.key = model.name
        self.newest_ms: int | None = None
        self.stale_after_s = 12 * 3600
        self._model, self._stations = model, tuple(stations)
        self._fetcher, self._clocks, self._sink = fetcher, clocks, sink
        self._held: dict[str, tuple[Stamp, Series]] = {}
        self._settled_run: int | None = None

    async def poll(self) -> Polled | Failed:
        """Read the run metadata; when a run is new, every station's hours."""
        answer = await self._fetcher.get(f"/data/{self._model.meta}/static/meta.json")
        if not isinstance(answer, Body):
            return _unexpected(answer)
        meta = decode(answer, RunMeta)
        if isinstance(meta, Failed):
            return meta
        event_ms = meta.last_run_initialisation_time * 1000
        fault = time_fault(event_ms, self.newest_ms, self._clocks.world_ms())
        if fault or not 0 < meta.update_interval_seconds <= 7 * 86_400:
            return Failed(f"run metadata refused: {fault or 'update interval'}")
        self.stale_after_s = 2 * meta.update_interval_seconds
        if self._settled_run == meta.last_run_availability_time:
            return Polled(answer.received_ns, changed=False)
        waits_s = meta.last_run_availability_time + REPLICATION_S - self._clocks.world_ms() / 1000
        changed = False
        for station in self._stations:
            taken = await self._fetch(station, meta, replicated=waits_s <= 0)
            if isinstance(taken, Failed):
                return taken
            changed = changed or taken
        self.newest_ms = min(stamp.event_ms for stamp, _ in self._held.values())
        if waits_s > 0:
            return Polled(answer.received_ns, changed, again_in_s=min(waits_s, RUN_CHECK_EVERY_S))
        self._settled_run = meta.last_run_availability_time
        return Polled(answer.received_ns, changed)

    async def _fetch(self, station: Station, meta: RunMeta, *, replicated: bool) -> bool | Failed:
        """Take one station's hours. Before the run has reached all servers, an answer equal to the one
        held is taken for the old run's and keeps the old stamp."""
        answer = await self._fetcher.get(
            self._model.path,
            {
                "latitude": f"{station.lat:g}",
                "longitude": f"{station.lon:g}",
                # Without it the service corrects to the terrain of its own map at this point.
                "elevation": str(station.elevation_m),
                "hourly": _VARIABLE,
                "models": self._model.name,
                "temperature_unit": "fahrenheit",
                "timezone": _zone(station),
                "forecast_days": str(FORECAST_DAYS),
            },
        )
        if not isinstance(answer, Body):
            return _unexpected(answer)
        wire = decode(answer, Answer)
        if isinstance(wire, Failed):
            return wire
        series = hours(wire, station)
        if isinstance(series, Failed):
            return series
        held = self._held.get(station.icao)
        stamp = answer.stamp(meta.last_run_initialisation_time * 1000, meta.last_run_availability_time * 1000)
        same = held is not None and held[1] == series
        if held is not None and same and (not replicated or held[0].event_ms == stamp.event_ms):
            return False
        self._held[station.icao] = (stamp, series)
        self._sink(self._value(station, series, stamp))
        return True

    def _value(self, station: Station, series: Series, stamp: Stamp) -> ModelForecast | Ensemble:
        by_member = [daily(series.times, row, station) for row in series.members]
        if self._model.path == GEFS.path:
            days = sorted(set.intersection(*(set(days) for days in by_member)))
            lows, highs = ({d: tuple(m[d][side] for m in by_member) for d in days} for side in (0, 1))
            return Ensemble(station.icao, self._model.name, highs, stamp, self.stale_after_s, lows)
        hourly = tuple(
            (at, f) for at, f in zip(series.times, series.members[0], strict=True) if f is not None
        )
        low, high = ({day: both[side] for day, both in by_member[0].items()} for side in (0, 1))
        return ModelForecast(station.icao, self._model.name, hourly, high, stamp, self.stale_after_s, low)


def forecast_feed(wiring: Wiring) -> Feed:
    return _feed(wiring, GFS)


def ensemble_feed(wiring: Wiring) -> Feed:
    return _feed(wiring, GEFS)


def _feed(wiring: Wiring, model: Model) -> Feed:
    at = wiring.shared
    fetcher = wiring.fetcher("api", ACCEPT)
    return wiring.polled([ModelSource(model, wiring.stations, fetcher, at.clocks, at.sink)])


def hours(wire: Answer, station: Station) -> Series | Failed:
    """The answer's hours, or what is wrong: another zone, another unit, ragged rows, absurd values."""
    if wire.utc_offset_seconds != station.lst_offset_h * 3600:
        return Failed(f"{station.icao}: answer is in another time zone")
    if wire.hourly_units.temperature_2m != "°F":
        return Failed(f"{station.icao}: answer is not in degrees Fahrenheit")
    times = [_local_ms(text, station) for text in wire.hourly.get("time", [])[:HOURS_MAX]]
    if not times or None in times:
        return Failed(f"{station.icao}: answer has no hours")
    rows: list[tuple[float | None, ...]] = []
    for name in sorted(n for n in wire.hourly if n == _VARIABLE or n.startswith(f"{_VARIABLE}_member")):
        values = wire.hourly[name][:HOURS_MAX]
        row = tuple(value for value in values if not isinstance(value, str))
        if len(row) != len(times) or len(rows) >= MEMBERS_MAX:
            return Failed(f"{station.icao}: hours and values do not match")
        if any(value is not None and not plausible(value) for value in row):
            return Failed(f"{station.icao}: a temperature is outside what stations see")
        rows.append(row)
    if not rows:
        return Failed(f"{station.icao}: answer has no temperatures")
    return Series(tuple(at for at in times if at is not None), tuple(rows))


def _zone(station: Station) -> str:
    """The fixed-offset zone of a station's standard time; the sign is inverted by convention."""
    return f"Etc/GMT{-station.lst_offset_h:+d}"


def _local_ms(text: float | str | None, station: Station) -> int | None:
    """A local time without offset, as the service writes it, in Unix milliseconds."""
    try:
        local = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if local is None or local.tzinfo is not None:
        return None
    at_ms = int(local.replace(tzinfo=UTC).timestamp()) * 1000 - station.lst_offset_h * HOUR_MS
    return at_ms if dated(at_ms) else None


def _unexpected(answer: NotModified | Failed) -> Failed:
    return answer if isinstance(answer, Failed) else Failed("not modified without a question", 304)
