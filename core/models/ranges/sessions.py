"""When New York's stock exchanges trade, and how a day's variance is spread over it.

Sessions are 09:30 to 16:00 on New York's clock, on half days to 13:00. The unit is the variance from one
close to the next. Of it the night carries ``NIGHT``, whether one or, over a weekend, three, and each hour its
part: SPY's hourly returns of 2008-16, each year by its own variance.
"""

from __future__ import annotations

import functools
import importlib.resources
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import msgspec

from core.feeds.hours import new_york_offset_ms
from core.feeds.stations import DAY_MS, HOUR_MS

NIGHT = 0.35
_HALF_HOUR_MS = HOUR_MS // 2
_OPENS_MS, _CLOSES_MS, _EARLY_MS = 19 * _HALF_HOUR_MS, 16 * HOUR_MS, 13 * HOUR_MS
_HOURS = (
    (_HALF_HOUR_MS, 0.135),
    (HOUR_MS, 0.180),
    (HOUR_MS, 0.111),
    (HOUR_MS, 0.087),
    (HOUR_MS, 0.099),
    (HOUR_MS, 0.133),
    (HOUR_MS, 0.255),
)
"""From the open on: length, and part of the variance from open to close."""
SPAN_MAX_MS = 60 * DAY_MS
"""Longer horizons are other models' business."""


class Session(msgspec.Struct, frozen=True):
    """One day's trading, Unix milliseconds."""

    opens_ms: int
    closes_ms: int


class Sessions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``nyse.toml``."""

    since: date
    through: date
    closed: frozenset[date]
    early: frozenset[date]

    def of(self, day: date) -> Session | None:
        """The session of a New York date; ``None`` without one. Raises ``ValueError`` for a date the table
        does not know."""
        if not self.since <= day <= self.through:
            raise ValueError(f"sessions are known from {self.since} to {self.through}, not for {day}")
        if day.weekday() >= 5 or day in self.closed:
            return None
        ends_ms = _EARLY_MS if day in self.early else _CLOSES_MS
        return Session(_at_ms(day, _OPENS_MS), _at_ms(day, ends_ms))

    def over(self, from_ms: int, to_ms: int) -> Iterator[Session]:
        """Sessions that, with the nights before them, fill the time between."""
        day = new_york_day(from_ms)
        while True:
            if (session := self.of(day)) is not None and session.closes_ms > from_ms:
                yield session
                if session.closes_ms >= to_ms:
                    return
            day += timedelta(days=1)


@functools.cache
def nyse() -> Sessions:
    text = (importlib.resources.files("core.models.ranges") / "nyse.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), Sessions)


def new_york_day(at_ms: int) -> date:
    return datetime.fromtimestamp((at_ms + new_york_offset_ms(at_ms)) / 1000, UTC).date()


def variance_days(table: Sessions, from_ms: int, to_ms: int) -> float:
    """How much varies between the two times, in days. Raises ``ValueError`` beyond what the table knows and
    for spans over ``SPAN_MAX_MS``."""
    if to_ms - from_ms > SPAN_MAX_MS:
        raise ValueError(f"{(to_ms - from_ms) // DAY_MS} days ahead are too far for it")
    total = 0.0
    for session in table.over(from_ms, to_ms):
        before_ms = _close_before(table, session)
        total += NIGHT * _part(before_ms, session.opens_ms, from_ms, to_ms)
        at_ms = session.opens_ms
        for length_ms, part in _HOURS:
            ends_ms = min(at_ms + length_ms, session.closes_ms)
            total += (1.0 - NIGHT) * part * _part(at_ms, ends_ms, from_ms, to_ms)
            at_ms = ends_ms
    return total


def _close_before(table: Sessions, session: Session) -> int:
    """The close with which the night before a session began."""
    day = new_york_day(session.opens_ms)
    while (day := day - timedelta(days=1)) >= table.since:
        if (before := table.of(day)) is not None:
            return before.closes_ms
    return session.opens_ms - DAY_MS + (_CLOSES_MS - _OPENS_MS)


def _part(begins_ms: int, ends_ms: int, from_ms: int, to_ms: int) -> float:
    """How much of a stretch lies between the two times; none of an empty one."""
    inside_ms = min(ends_ms, to_ms) - max(begins_ms, from_ms)
    return max(0, inside_ms) / (ends_ms - begins_ms) if ends_ms > begins_ms else 0.0


def _at_ms(day: date, into_ms: int) -> int:
    """That time of day on New York's clock, which changes at night only."""
    local_ms = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000 + into_ms
    return local_ms - new_york_offset_ms(local_ms + 5 * HOUR_MS)
