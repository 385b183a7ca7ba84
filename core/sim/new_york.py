"""New York's wall clock, by which markets open and releases come, and the weeks in which markets trade.

Daylight time since 2007: from the second Sunday of March, 02:00, to the first of November, 02:00.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

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


class Session(NamedTuple):
    """Milliseconds after Monday 00:00 in New York, and how much livelier than others these are."""

    begin: int
    end: int
    pace: float = 1.0


class Hours(msgspec.Struct, frozen=True):
    """When something trades, oldest first: what one session touches the next goes on with."""

    sessions: tuple[Session, ...]
    week_ms: float = 0.0
    """How much it trades in a week, by its sessions."""

    def __post_init__(self) -> None:
        traded_ms = sum(pace * (end - begin) for begin, end, pace in self.sessions)
        msgspec.structs.force_setattr(self, "week_ms", traded_ms)

    def is_open(self, at_ms: int) -> bool:
        within = (local_ms(at_ms) - _FIRST_MONDAY_MS) % WEEK_MS
        return any(session.begin <= within < session.end for session in self.sessions)

    def last_ms(self, at_ms: int) -> int:
        """Now where it trades, else the end of its last session."""
        if self.is_open(at_ms):
            return at_ms
        local = local_ms(at_ms)
        within = (local - _FIRST_MONDAY_MS) % WEEK_MS
        ends = [session.end for session in self.sessions if session.end <= within]
        end = max(ends) if ends else self.sessions[-1].end - WEEK_MS
        return instant_ms(local - within + end)

    def traded_ms(self, at_ms: int) -> float:
        """Time it has traded since 1970, by its pace: equal times move a price equally far. It stands still
        where it does not trade."""
        weeks, within = divmod(local_ms(at_ms) - _FIRST_MONDAY_MS, WEEK_MS)
        so_far = sum(
            pace * (min(within, end) - begin) for begin, end, pace in self.sessions if within > begin
        )
        return weeks * self.week_ms + so_far


ALWAYS = Hours((Session(0, WEEK_MS),))


def _forex() -> Iterator[Session]:
    """From Sunday 17:00 to Friday 17:00, liveliest while Europe and New York are both awake."""
    for day in range(5):
        for begin, end, pace in ((0, 2, 0.42), (2, 8, 1.2), (8, 12, 1.9), (12, 17, 0.73), (17, 24, 0.42)):
            if day < 4 or begin < 17:
                yield Session(day * DAY_MS + begin * HOUR_MS, day * DAY_MS + end * HOUR_MS, pace)
    yield Session(6 * DAY_MS + 17 * HOUR_MS, WEEK_MS, 0.42)


def _stocks() -> Iterator[Session]:
    """The cash session; this world has no exchange holidays. What the night brought is in the first minute:
    three tenths of a day's variance, as at real opens."""
    for day in range(5):
        for begin, end, pace in ((570, 571, 170.0), (571, 630, 1.6), (630, 900, 0.85), (900, 960, 1.2)):
            yield Session(day * DAY_MS + begin * 60_000, day * DAY_MS + end * 60_000, pace)


FOREX, US_STOCKS = Hours(tuple(_forex())), Hours(tuple(_stocks()))
