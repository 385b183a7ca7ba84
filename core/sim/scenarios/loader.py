"""Reads a scenario by name, with the recorded days it replays, from the package's own files.

Days are original dates here; ``world.Calendar`` moves them to the world's.
"""

from __future__ import annotations

import csv
import enum
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec

from core.sim.feeds.switchboard import Fault
from core.sim.polymarket.faults import SWITCHES
from core.sim.releases import KINDS


class ScenarioError(ValueError):
    """A scenario that does not exist or does not read."""


class Station(msgspec.Struct, frozen=True):
    """A settlement station. ``lst_offset_h`` is local standard time against UTC, all year."""

    icao: str
    city: str
    place: str
    """As the climate report's headline writes it."""
    wfo_city: str
    series: str
    cli: str
    wfo: str
    grid_x: int
    grid_y: int
    lat: float
    lon: float
    elevation_m: float
    lst_offset_h: int
    zone: str
    clock_zone: str
    metar_minute: int
    cli_final_utc: str
    wmo_header: str


class DayRecord(msgspec.Struct, frozen=True):
    """Ladder and outcome of one city and day. Below ``lowest_cap_f`` is the lower tail; four two-degree
    brackets follow, the upper tail begins eight degrees above it."""

    station: str
    day: date
    lowest_cap_f: int
    observed_high_f: int


class Belief(msgspec.Struct, frozen=True):
    """What a forecast made on ``day`` is worth: its mean error and the spread of what follows, degrees F."""

    station: str
    day: date
    bias_f: float
    sigma_f: float


class Extreme(enum.Enum):
    HIGH = "high"
    LOW = "low"


class Weighed(msgspec.Struct, frozen=True):
    """What a day comes to for who weighs all models, where they know the same of it and forecast
    ``forecast_f`` so many days ahead: mean and spread of a Student's t of six degrees. Of the day itself
    ``sigma_f`` is of last words and ``ahead_f`` of values of the day before. Degrees F."""

    station: str
    day: date
    extreme: Extreme
    lead_days: int
    begun: bool
    """Whether the day ran when that forecast came out: it then tells of no day before."""
    forecast_f: float
    mean_f: float
    sigma_f: float
    ahead_f: float


class ShiftForecast(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="shift_forecast"
):
    """Publish a forecast this far from the recorded one. ``day`` counts from the world's first."""

    at_s: float
    station: str
    day: int
    shift_f: float


class LagBook(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="lag_book"):
    """Traders price the largest riser ``cents`` under fair value, the largest faller as much above."""

    at_s: float
    station: str
    day: int
    cents: float


class Undersell(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="undersell"):
    """Traders price every bracket ``cents`` under what they think it is worth, for ``for_s``: all of them
    together may then cost less than the dollar one of them pays."""

    at_s: float
    station: str
    day: int
    cents: float
    for_s: float


class TradeWithUs(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="trade_with_us"
):
    """Someone trades with the trading account's resting orders: ``share`` of what remains of each."""

    at_s: float
    share: float


class NudgeBook(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="nudge_book"):
    """The lagging market's quotes move ``ticks`` towards its fair value and come back after ``for_s``."""

    at_s: float
    station: str
    day: int
    ticks: int
    for_s: float


class FreezeBooks(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="freeze_books"
):
    """No book messages of this station's markets leave for ``for_s``."""

    at_s: float
    station: str
    for_s: float


class FeedFault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="feed_fault"):
    """One of the switchboard's faults before a provider (``feeds.app.PROVIDERS``) for ``for_s``."""

    at_s: float
    feed: str
    fault: Fault
    for_s: float
    value: float = 0.0


class LoseAnswer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="lose_answer"):
    """The answer to the trading account's next create is lost; look-ups see its order after ``hide_s``."""

    at_s: float
    hide_s: float


class PolymarketFault(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", tag="polymarket_fault"
):
    """Switch one of that venue's faults on by name, and off after ``for_s`` where that is not 0."""

    at_s: float
    fault: str
    value: float = 1.0
    for_s: float = 0.0


Beat = (
    ShiftForecast
    | LagBook
    | Undersell
    | TradeWithUs
    | NudgeBook
    | FreezeBooks
    | FeedFault
    | LoseAnswer
    | PolymarketFault
)


class Shift(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A forecast held this far from the recorded one from the start."""

    station: str
    day: int
    shift_f: float


class StagedRelease(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An economic release beside the usual ones. ``day`` counts from the world's first."""

    kind: str
    day: int
    at_utc: time

    def due_ms(self, first_day: date) -> int:
        due = datetime.combine(first_day + timedelta(days=self.day), self.at_utc, UTC)
        return int(due.timestamp()) * 1000


class TraderRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    moves: bool = True


class SettlementRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How Polymarket's trades settle: seconds between stages, shares (0 to 1) of those with trouble."""

    mined_s: float = 2.0
    confirmed_s: float = 4.0
    retry_s: float = 3.0
    fail_share: float = 0.0
    retry_share: float = 0.0
    reorg_share: float = 0.0


class LoadRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Synthetic markets of one venue, and the changes of their books."""

    markets: int
    messages_per_s: int
    starts_after_s: float
    """After the first order-book subscription."""
    for_s: float


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scenario file."""

    title: str
    first_day: date
    last_day: date
    starts_at_utc: time
    hold_forecasts_h: float
    traders: TraderRules
    settlement: SettlementRules = SettlementRules()
    weather_markets: bool = True
    models_agree_days: int = 0
    """From the first one on: days of which all models know the same, for a story told on them."""
    families: tuple[str, ...] = ()
    """What is listed beside the daily highs, by its name in ``families.table``."""
    shift: tuple[Shift, ...] = ()
    release: tuple[StagedRelease, ...] = ()
    story: tuple[Beat, ...] = ()
    load: LoadRules | None = None
    polymarket_load: LoadRules | None = None


Judged = tuple[str, date, Extreme, int, bool]
"""Station, day, extreme, days ahead, and whether the day had begun."""


class Scenario(msgspec.Struct, frozen=True):
    """A script with its recorded data. ``hourly_f`` is by station, then by UTC hour in Unix milliseconds."""

    name: str
    script: Script
    stations: dict[str, Station]
    days: dict[tuple[str, date], DayRecord]
    beliefs: dict[tuple[str, date], Belief]
    weighed: dict[Judged, tuple[Weighed, ...]]
    """By forecast, coldest first."""
    hourly_f: dict[str, dict[int, float]]


def _folder() -> Traversable:
    return files("core.sim.scenarios")


def scenario_names() -> list[str]:
    """Scenarios this package holds, in alphabetical order."""
    return sorted(p.name.removesuffix(".toml") for p in _folder().iterdir() if p.name.endswith(".toml"))


def _rows(name: str) -> Iterator[dict[str, str]]:
    yield from csv.DictReader(_folder().joinpath(name).read_text(encoding="utf-8").splitlines())


def _hourly() -> dict[str, dict[int, float]]:
    columns: dict[str, dict[int, float]] = {}
    for row in _rows("hourly.csv"):
        hour = datetime.strptime(row.pop("valid_utc"), "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)
        at_ms = int(hour.timestamp()) * 1000
        for station, value in row.items():
            columns.setdefault(station, {})[at_ms] = float(value)
    return columns


def _weighed() -> dict[Judged, tuple[Weighed, ...]]:
    found: dict[Judged, list[Weighed]] = {}
    for row in _rows("weighed.csv"):
        one = msgspec.convert(row, Weighed, strict=False)
        found.setdefault((one.station, one.day, one.extreme, one.lead_days, one.begun), []).append(one)
    return {key: tuple(rows) for key, rows in found.items()}


def load_scenario(name: str) -> Scenario:
    """The named scenario; raises ``ScenarioError`` with the known names or the faulty place."""
    if name not in scenario_names():
        raise ScenarioError(f"unknown scenario {name[:40]!r}: one of {', '.join(scenario_names())}")
    try:
        script = msgspec.toml.decode(_folder().joinpath(f"{name}.toml").read_bytes(), type=Script)
    except msgspec.DecodeError as error:
        raise ScenarioError(f"scenario {name}.toml: {error}") from error
    for beat in script.story:
        if isinstance(beat, PolymarketFault) and beat.fault not in SWITCHES:
            raise ScenarioError(f"scenario {name}.toml: no Polymarket fault is called {beat.fault!r}")
    kinds = [kind.name for kind in KINDS]
    for release in script.release:
        if release.kind not in kinds:
            known = ", ".join(kinds)
            raise ScenarioError(
                f"scenario {name}.toml: no release is called {release.kind!r}: one of {known}"
            )
    stations = [msgspec.convert(row, Station, strict=False) for row in _rows("stations.csv")]
    days = [msgspec.convert(row, DayRecord, strict=False) for row in _rows("days.csv")]
    beliefs = [msgspec.convert(row, Belief, strict=False) for row in _rows("beliefs.csv")]
    return Scenario(
        name=name,
        script=script,
        stations={s.icao: s for s in stations},
        days={(d.station, d.day): d for d in days},
        beliefs={(b.station, b.day): b for b in beliefs},
        weighed=_weighed(),
        hourly_f=_hourly(),
    )
