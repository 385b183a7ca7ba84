"""Shapes of Open-Meteo's answers and the pure steps from them to hours. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from core.feeds.fetch import Failed
from core.feeds.sanity import dated, plausible
from core.feeds.stations import HOUR_MS, Station

HOURS_MAX = 24 * 60
MEMBERS_MAX = 100
VARIABLE = "temperature_2m"


class RunMeta(msgspec.Struct, frozen=True):
    """Run times in Unix seconds (world time)."""

    last_run_initialisation_time: int
    last_run_availability_time: int
    update_interval_seconds: int


class Answer(msgspec.Struct, frozen=True):
    """One location's answer: times and values by column name."""

    utc_offset_seconds: int
    hourly_units: dict[str, str]
    hourly: dict[str, list[float | str | None]]


class Series(msgspec.Struct, frozen=True):
    """The hours of one answer: start times in Unix ms and one row of values a member, control first."""

    times: tuple[int, ...]
    members: tuple[tuple[float | None, ...], ...]


def hours(wire: Answer, station: Station, names: Sequence[str] = ()) -> Series | Failed:
    """The answer's hours, or what is wrong: another zone, another unit, ragged rows, absurd values.

    ``names`` are the columns that are wanted, in their order; without any, the members of one model.
    """
    if wire.utc_offset_seconds != station.lst_offset_h * 3600:
        return Failed(f"{station.icao}: answer is in another time zone", 200)
    if {unit for name, unit in wire.hourly_units.items() if name != "time"} != {"°F"}:
        return Failed(f"{station.icao}: answer is not in degrees Fahrenheit", 200)
    times = [_local_ms(text, station) for text in wire.hourly.get("time", [])[:HOURS_MAX]]
    if not times or None in times:
        return Failed(f"{station.icao}: answer has no hours", 200)
    wanted = names or sorted(n for n in wire.hourly if n == VARIABLE or n.startswith(f"{VARIABLE}_member"))
    rows: list[tuple[float | None, ...]] = []
    for name in wanted:
        values = wire.hourly.get(name, [])[:HOURS_MAX]
        row = tuple(value for value in values if not isinstance(value, str))
        if len(row) != len(times) or len(rows) >= MEMBERS_MAX:
            return Failed(f"{station.icao}: hours and values do not match", 200)
        if any(value is not None and not plausible(value) for value in row):
            return Failed(f"{station.icao}: a temperature is outside what stations see", 200)
        rows.append(row)
    if all(value is None for row in rows for value in row):
        return Failed(f"{station.icao}: answer has no temperatures", 200)
    return Series(tuple(at for at in times if at is not None), tuple(rows))


def zone(station: Station) -> str:
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
