"""Kalshi as a whole: whether its shards trade, its hours and maintenance, how fresh its lists are.

In trouble the status comes with an error code and the same body, so it is read whatever the code says
(Kalshi API: exchange status). The flags at its top describe shard 0 alone.
"""

from __future__ import annotations

from typing import Final

import msgspec

from core.domain.text import clean_text
from core.venues.exchange import ExchangeState, Maintenance, ShardState
from core.venues.kalshi import endpoints as ep
from core.venues.limiter import Priority
from core.venues.reader import Reader
from core.venues.venue import Incomplete
from core.venues.wire import Odd, Whole, WireError, rfc3339_ms

TROUBLE: Final = frozenset(range(500, 600))
SHARDS_MAX: Final = 64
WINDOWS_MAX: Final = 1_000
WEEK: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class ShardWire(msgspec.Struct, frozen=True):
    exchange_index: Whole
    exchange_active: bool
    trading_active: bool


class StatusWire(msgspec.Struct, frozen=True):
    exchange_active: bool
    trading_active: bool
    exchange_estimated_resume_time: object = None
    exchange_index_statuses: list[ShardWire] | None = None


class HoursWire(msgspec.Struct, frozen=True):
    open_time: str
    close_time: str


class WeekWire(msgspec.Struct, frozen=True):
    start_time: str
    end_time: str
    monday: list[HoursWire] = []
    tuesday: list[HoursWire] = []
    wednesday: list[HoursWire] = []
    thursday: list[HoursWire] = []
    friday: list[HoursWire] = []
    saturday: list[HoursWire] = []
    sunday: list[HoursWire] = []


class WindowWire(msgspec.Struct, frozen=True):
    start_datetime: str
    end_datetime: str


class ScheduleBody(msgspec.Struct, frozen=True):
    standard_hours: list[WeekWire]
    maintenance_windows: list[WindowWire]


class ScheduleWire(msgspec.Struct, frozen=True):
    schedule: ScheduleBody


class AsOfWire(msgspec.Struct, frozen=True):
    as_of_time: str


class Hours(msgspec.Struct, frozen=True):
    """Times of day in US Eastern time, ``HH:MM`` as published."""

    opens: str
    closes: str


class Week(msgspec.Struct, frozen=True):
    """Standard hours from Monday on, in force between two moments."""

    from_ms: int
    until_ms: int
    days: tuple[tuple[Hours, ...], ...]


class Schedule(msgspec.Struct, frozen=True):
    weeks: tuple[Week, ...]
    maintenance: tuple[Maintenance, ...]


_status = msgspec.json.Decoder(StatusWire)
_schedule = msgspec.json.Decoder(ScheduleWire)
_as_of = msgspec.json.Decoder(AsOfWire)


def exchange_state(wire: StatusWire, odd: Odd) -> ExchangeState:
    shards = tuple(
        ShardState(row.exchange_index, row.exchange_active, row.trading_active)
        for row in (wire.exchange_index_statuses or ())[:SHARDS_MAX]
    )
    if shards and all(state.shard != 0 for state in shards):
        shards = (ShardState(0, wire.exchange_active, wire.trading_active), *shards)
    resumes = odd.text(wire.exchange_estimated_resume_time, "exchange_estimated_resume_time", 40)
    try:
        resumes_ms = rfc3339_ms(resumes, "exchange_estimated_resume_time") if resumes else None
    except WireError as error:
        odd.notes.append(str(error))
        resumes_ms = None
    return ExchangeState(wire.exchange_active, wire.trading_active, resumes, resumes_ms, shards)


def _window(wire: WindowWire) -> Maintenance:
    start_ms = rfc3339_ms(wire.start_datetime, "start_datetime")
    end_ms = rfc3339_ms(wire.end_datetime, "end_datetime")
    if end_ms <= start_ms:
        raise WireError("maintenance_windows: a window ends before it begins")
    return Maintenance(start_ms, end_ms)


def _week(wire: WeekWire) -> Week:
    days = tuple(
        tuple(Hours(clean_text(h.open_time, 8), clean_text(h.close_time, 8)) for h in getattr(wire, day))
        for day in WEEK
    )
    return Week(rfc3339_ms(wire.start_time, "start_time"), rfc3339_ms(wire.end_time, "end_time"), days)


def _of_schedule(wire: ScheduleWire, odd: Odd) -> Schedule:
    body = wire.schedule
    return Schedule(
        tuple(_week(week) for week in body.standard_hours[:WINDOWS_MAX]),
        tuple(sorted((_window(w) for w in body.maintenance_windows[:WINDOWS_MAX]), key=lambda w: w.start_ms)),
    )


async def read_state(reader: Reader) -> ExchangeState | Incomplete:
    return await reader.one(
        ep.STATUS, "exchange status", Priority.RECONCILE, _status, exchange_state, accept=TROUBLE
    )


async def read_schedule(reader: Reader) -> Schedule | Incomplete:
    return await reader.one(ep.SCHEDULE, "exchange schedule", Priority.BACKGROUND, _schedule, _of_schedule)


async def read_data_as_of_ms(reader: Reader) -> int | Incomplete:
    """Until when lists of orders, fills, positions and cash are complete, Unix milliseconds."""
    return await reader.one(
        ep.DATA_AS_OF,
        "user data timestamp",
        Priority.RECONCILE,
        _as_of,
        lambda wire, odd: rfc3339_ms(wire.as_of_time, "as_of_time"),
    )
