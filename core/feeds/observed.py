"""The running maximum of a climate day: what the final high cannot be below."""

from __future__ import annotations

import msgspec

from core.feeds.stations import HOUR_MS, Station, climate_day, climate_day_bounds
from core.feeds.values import Observation

SIX_HOURS_MS = 6 * HOUR_MS


class RunningMax(msgspec.Struct, frozen=True):
    """Certain lower bound of a climate day's high, whole degrees, and the newest reading of the day."""

    day: str
    at_least_f: int
    latest: Observation
    readings: int


def observe(held: RunningMax | None, reading: Observation, station: Station) -> RunningMax:
    """Fold one reading. A new climate day starts afresh; a reading of an older day changes nothing.

    A six-hour maximum counts only when its whole window lies inside the climate day: its report is
    made minutes before the full hour that closes the window.
    """
    at_ms = reading.stamp.event_ms
    day = climate_day(station, at_ms)
    if held is not None and day < held.day:
        return held
    bound = reading.at_least_f
    closes_ms = -(-at_ms // HOUR_MS) * HOUR_MS
    if reading.six_hour_max_f is not None and closes_ms - SIX_HOURS_MS >= climate_day_bounds(station, day)[0]:
        bound = max(bound, reading.six_hour_max_f)
    if held is None or day > held.day:
        return RunningMax(day, bound, reading, 1)
    newest = reading if at_ms > held.latest.stamp.event_ms else held.latest
    return RunningMax(day, max(held.at_least_f, bound), newest, held.readings + 1)
