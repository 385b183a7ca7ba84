"""What was seen of a place's hours, without the hours: to know a frozen run by, also after a restart."""

from __future__ import annotations

import zlib

import msgspec

from core.feeds.feed import Stamp
from core.feeds.open_meteo_wire import Series


class Seen(msgspec.Struct, frozen=True):
    """The run hours are of, and a sum over the members of each, by its start in Unix ms."""

    event_ms: int
    published_ms: int | None
    hours: dict[int, int]

    def repeated_by(self, hours: dict[int, int]) -> bool:
        """Whether all hours that both tell of are as they were: no new run leaves every one where it was."""
        common = [self.hours[at] == now for at, now in hours.items() if at in self.hours]
        return bool(common) and all(common)


def hours_of(series: Series) -> dict[int, int]:
    rows = zip(*series.members, strict=True)
    return {at: zlib.crc32(repr(row).encode()) for at, row in zip(series.times, rows, strict=True)}


def seen(stamp: Stamp, hours: dict[int, int]) -> Seen:
    return Seen(stamp.event_ms, stamp.published_ms, hours)


def noted(raw: bytes, run_ms: int) -> Seen | None:
    """What was noted before a restart; nothing for what does not parse or is of a run that has not been."""
    try:
        found = msgspec.json.decode(raw, type=Seen) if raw else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if found is not None and found.event_ms <= run_ms else None
