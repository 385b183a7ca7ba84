"""New York's wall clock, by which US releases are announced."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from core.feeds.hours import STANDARD_MS, new_york_offset_ms


def eastern_ms(day: date, at: time) -> int:
    """The instant of a day and time of day in New York, Unix milliseconds; of an hour that comes twice
    the later one."""
    shown_ms = int(datetime.combine(day, at, UTC).timestamp()) * 1000
    return shown_ms - new_york_offset_ms(shown_ms - STANDARD_MS)


def eastern_day(at_ms: int) -> date:
    """The date New York's calendar shows then."""
    return datetime.fromtimestamp((at_ms + new_york_offset_ms(at_ms)) / 1000, UTC).date()


def eastern_words(at_ms: int) -> str:
    """``Dec 10 08:30 ET``."""
    shown = datetime.fromtimestamp((at_ms + new_york_offset_ms(at_ms)) / 1000, UTC)
    return f"{shown:%b} {shown.day} {shown:%H:%M} ET"
