"""How much a family's price varies between two times, by the clock its row names."""

from __future__ import annotations

from collections.abc import Iterable

from core.feeds.hours import FX_WEEK
from core.feeds.releases import Due
from core.feeds.stations import HOUR_MS
from core.models.families import NYSE, Family
from core.models.ranges import clocks, sessions

_DAYS_A_YEAR = {NYSE: 252.0, "": 365.0}
"""What has no clock, as a coin, trades all of it."""
_PAIR_DAYS_A_YEAR = 260.0


def variance_days(family: Family, from_ms: int, to_ms: int, releases: Iterable[Due] = ()) -> float:
    """In days of average variance. Raises ``ValueError`` beyond what the clock knows."""
    if family.clock == NYSE:
        return sessions.variance_days(sessions.nyse(), from_ms, to_ms)
    return clocks.variance_days(clocks.clocks()[family.clock], from_ms, to_ms, releases)


def just_opened(family: Family, at_ms: int) -> bool:
    """Whether a pair trades for less than an hour: the gap before it is in what the clock gives that hour."""
    return family.clock not in (NYSE, "") and not FX_WEEK.is_open(at_ms - HOUR_MS)


def days_a_year(family: Family) -> float:
    return _DAYS_A_YEAR.get(family.clock, _PAIR_DAYS_A_YEAR)
