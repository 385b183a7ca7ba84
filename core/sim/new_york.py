"""New York's wall clock, by which markets open and releases come, and the weeks in which markets trade.

Daylight time since 2007: from the second Sunday of March, 02:00, to the first of November, 02:00.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import msgspec

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS
_FIRST_MONDAY_MS = 4 * DAY_MS
_STANDARD_MS = -5 * HOUR_MS


@lru_cache(maxsize=64)
def _daylight_ms(year: int) -> tuple[int, int]:
    """Begin and end in UTC."""
    march, november = date(year, 3, 8), date(year, 11, 1)
    begins = march + timedelta(days=6 - march.weekday())
    ends = november + timedelta(days=6 - november.weekday())
    return _utc_ms(begins) + 7 * HOUR_MS, _utc_ms(ends) + 6 * HOUR_MS


def _utc_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def offset_ms(at_ms: int) -> int:
    """New York against UTC at this instant."""
    begins, ends = _daylight_ms(datetime.fromtimestamp(at_ms / 1000, UTC).year)
    return _STANDARD_MS + (HOUR_MS if begins <= at_ms < ends else 0)


def local_ms(at_ms: int) -> int:
    """The wall clock as if it were UTC."""
    return at_ms + offset_ms(at_ms)


def instant_ms(local: int) -> int:
    """The instant at which New York's wall clock shows this; of an hour shown twice the later one."""
    return local - offset_ms(local - _STANDARD_MS)


def at(day: date, hour: int, minute: int = 0) -> int:
    """The instant of a day's hour and minute in New York, Unix milliseconds."""
    return instant_ms(_utc_ms(day) + hour * HOUR_MS + minute * 60_000)


class Hours(msgspec.Struct, frozen=True):
    """When something trades: sessions in milliseconds after Monday 00:00 in New York, oldest first."""

    sessions: tuple[tuple[int, int], ...]

    def is_open(self, at_ms: int) -> bool:
        within = (local_ms(at_ms) - _FIRST_MONDAY_MS) % WEEK_MS
        return any(begin <= within < end for begin, end in self.sessions)

    def last_ms(self, at_ms: int) -> int:
        """Now where it trades, else the end of its last session."""
        if self.is_open(at_ms):
            return at_ms
        local = local_ms(at_ms)
        within = (local - _FIRST_MONDAY_MS) % WEEK_MS
        ends = [end for _, end in self.sessions if end <= within]
        end = max(ends) if ends else self.sessions[-1][1] - WEEK_MS
        return instant_ms(local - within + end)

    def traded_ms(self, at_ms: int) -> int:
        """Time it has traded since 1970: stands still where it does not trade."""
        weeks, within = divmod(local_ms(at_ms) - _FIRST_MONDAY_MS, WEEK_MS)
        so_far = sum(min(max(within - begin, 0), end - begin) for begin, end in self.sessions)
        return weeks * self.week_ms + so_far

    @property
    def week_ms(self) -> int:
        """How long it trades in a week."""
        return sum(end - begin for begin, end in self.sessions)


ALWAYS = Hours(((0, WEEK_MS),))
FOREX = Hours(((0, 4 * DAY_MS + 17 * HOUR_MS), (6 * DAY_MS + 17 * HOUR_MS, WEEK_MS)))
"""From Sunday 17:00 to Friday 17:00."""
US_STOCKS = Hours(
    tuple((day * DAY_MS + 9 * HOUR_MS + 30 * 60_000, day * DAY_MS + 16 * HOUR_MS) for day in range(5))
)
"""The cash session; this world has no exchange holidays."""
