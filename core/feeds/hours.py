"""When things trade, as weeks on New York's clock: foreign exchange, and New York's exchanges.

That clock follows the rule of its law (since 2007), so that no machine needs a table of zones. Holidays
and half days are not in it: then nothing new comes and what is held grows stale, which is as safe. All
times are Unix milliseconds.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta

import msgspec

from core.feeds.stations import DAY_MS, HOUR_MS

STANDARD_MS, SUMMER_MS = -5 * HOUR_MS, -4 * HOUR_MS
WEEK_MS = 7 * DAY_MS
CLOSED_MS_MAX = 10 * DAY_MS
_MONDAY_MS = 4 * DAY_MS
"""The first Monday after the epoch, which was a Thursday."""


def new_york_offset_ms(at_ms: int) -> int:
    """What New York's clock shows less UTC: summer time from the second Sunday of March, 02:00, to the
    first Sunday of November, 02:00."""
    begins_ms, ends_ms = _summer_ms(datetime.fromtimestamp(at_ms / 1000, UTC).year)
    return SUMMER_MS if begins_ms <= at_ms < ends_ms else STANDARD_MS


@functools.lru_cache(maxsize=64)
def _summer_ms(year: int) -> tuple[int, int]:
    """When a year's summer time begins and ends."""
    begins_ms = _sunday_ms(year, 3, 8) + 2 * HOUR_MS - STANDARD_MS
    return begins_ms, _sunday_ms(year, 11, 1) + 2 * HOUR_MS - SUMMER_MS


class Hours(msgspec.Struct, frozen=True):
    """One kind of week."""

    turns: tuple[tuple[int, bool], ...]
    """When it opens (True) and closes, since Monday 00:00, in rising order. Not between 00:00 and 07:00 of
    a Sunday: the clock changes there."""

    def is_open(self, at_ms: int) -> bool:
        into_ms = _into_week_ms(at_ms)
        passed = [opens for turn_ms, opens in self.turns if turn_ms <= into_ms]
        return (passed or [opens for _, opens in self.turns])[-1]

    def next_turn_ms(self, at_ms: int) -> int:
        """When it opens or closes next, after ``at_ms``."""
        into_ms = _into_week_ms(at_ms)
        ahead = (turn_ms - into_ms for turn_ms, _ in (*self.turns, (self.turns[0][0] + WEEK_MS, True)))
        local_ms = at_ms + new_york_offset_ms(at_ms) + next(wait_ms for wait_ms in ahead if wait_ms > 0)
        return local_ms - new_york_offset_ms(local_ms - STANDARD_MS)

    def opens_words(self, now_ms: int) -> str:
        """``it opens in 6 h 25 min``; only while it is closed."""
        opens_s = (self.next_turn_ms(now_ms) - now_ms) // 1000
        return f"it opens in {opens_s // 3600} h {opens_s // 60 % 60:02} min"

    def closed_ms(self, since_ms: int, until_ms: int) -> int:
        """How much of the time between it was closed: what is held does not age in it."""
        closed_ms, at_ms = 0, since_ms
        while at_ms < until_ms:
            turn_ms = min(self.next_turn_ms(at_ms), until_ms)
            closed_ms += 0 if self.is_open(at_ms) else turn_ms - at_ms
            at_ms = turn_ms
        return closed_ms

    def rest_ms(self, told_ms: int, now_ms: int) -> int:
        """What of the age of a value does not count. A time longer than any market is closed counts in full:
        what is so old is old, and years of weeks would take long to walk through."""
        return self.closed_ms(told_ms, now_ms) if now_ms - told_ms <= CLOSED_MS_MAX else 0


FX_WEEK = Hours(((4 * DAY_MS + 17 * HOUR_MS, False), (6 * DAY_MS + 17 * HOUR_MS, True)))
"""Sunday 17:00 to Friday 17:00 without a break."""
US_SESSION = Hours(
    tuple(
        turn
        for day in range(5)
        for turn in (
            (day * DAY_MS + 9 * HOUR_MS + HOUR_MS // 2, True),
            (day * DAY_MS + 16 * HOUR_MS, False),
        )
    )
)
"""Monday to Friday 09:30 to 16:00: shares and the indices of them."""


def _into_week_ms(at_ms: int) -> int:
    """Since Monday 00:00 on New York's clock."""
    return (at_ms + new_york_offset_ms(at_ms) - _MONDAY_MS) % WEEK_MS


def _sunday_ms(year: int, month: int, day: int) -> int:
    """00:00 of the first Sunday from that day on, as if it were UTC."""
    first = datetime(year, month, day, tzinfo=UTC)
    return int((first + timedelta(days=6 - first.weekday())).timestamp()) * 1000
