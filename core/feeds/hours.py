"""When foreign exchange trades: from Sunday 17:00 to Friday 17:00 in New York, without a break.

New York's clock follows the rule of its law (since 2007), so that no machine needs a table of zones.
Bank holidays are not in it: on one nothing new comes and what is held grows stale, which is as safe.
All times are Unix milliseconds.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from core.feeds.stations import DAY_MS, HOUR_MS

WEEK_MS = 7 * DAY_MS
_MONDAY_MS = 4 * DAY_MS
"""The first Monday after the epoch, which was a Thursday."""
_CLOSES_MS, _OPENS_MS = 4 * DAY_MS + 17 * HOUR_MS, 6 * DAY_MS + 17 * HOUR_MS
"""Friday and Sunday 17:00, counted from Monday 00:00 on New York's clock."""
STANDARD_MS, SUMMER_MS = -5 * HOUR_MS, -4 * HOUR_MS


def new_york_offset_ms(at_ms: int) -> int:
    """What New York's clock shows less UTC: summer time from the second Sunday of March, 02:00, to the
    first Sunday of November, 02:00."""
    year = datetime.fromtimestamp(at_ms / 1000, UTC).year
    begins_ms = _sunday_ms(year, 3, 8) + 2 * HOUR_MS - STANDARD_MS
    ends_ms = _sunday_ms(year, 11, 1) + 2 * HOUR_MS - SUMMER_MS
    return SUMMER_MS if begins_ms <= at_ms < ends_ms else STANDARD_MS


def fx_open(at_ms: int) -> bool:
    """Whether the pairs trade."""
    into_ms = _into_week_ms(at_ms)
    return not _CLOSES_MS <= into_ms < _OPENS_MS


def fx_turns_ms(at_ms: int) -> int:
    """When they next open or close, after ``at_ms``."""
    local_ms = at_ms + new_york_offset_ms(at_ms)
    into_ms = _into_week_ms(at_ms)
    ahead = (turn - into_ms for turn in (_CLOSES_MS, _OPENS_MS, _CLOSES_MS + WEEK_MS))
    turn_ms = local_ms + next(wait for wait in ahead if wait > 0)
    # Both turns are fifteen hours after any change of the clock: either offset finds the right one there.
    return turn_ms - new_york_offset_ms(turn_ms - STANDARD_MS)


def fx_closed_ms(since_ms: int, until_ms: int) -> int:
    """How much of the time between they did not trade: what is held does not age in it."""
    closed_ms, at_ms = 0, since_ms
    while at_ms < until_ms:
        turn_ms = min(fx_turns_ms(at_ms), until_ms)
        closed_ms += 0 if fx_open(at_ms) else turn_ms - at_ms
        at_ms = turn_ms
    return closed_ms


def _into_week_ms(at_ms: int) -> int:
    """Since Monday 00:00 on New York's clock."""
    return (at_ms + new_york_offset_ms(at_ms) - _MONDAY_MS) % WEEK_MS


def _sunday_ms(year: int, month: int, day: int) -> int:
    """00:00 of the first Sunday from that day on, as if it were UTC."""
    first = datetime(year, month, day, tzinfo=UTC)
    return int((first + timedelta(days=6 - first.weekday())).timestamp()) * 1000
