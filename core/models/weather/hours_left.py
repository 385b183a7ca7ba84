"""How sure a day's law is by the hours that were left when its forecast was made.

The histories' lead of a day is of values that were out 24 hours before their hour, their lead 0 of the last
word before the hour itself (``core.training.previous_runs``): what a morning knows lies between the two. The
variance of an error grows straight with the hours. Measured to February 2025: at six cities the 80 % interval
of day-ahead forecasts held .799 of outcomes with a variance halfway between those of same-day forecasts and
of forecasts two days ahead (.796 with their own; 3,736 days); at four, that of forecasts known as the day
began held .623 with the spread of last words, .841 with that of a day ahead and .791 in between (2,492 days).
"""

from __future__ import annotations

import math

import msgspec

from core.feeds.stations import DAY_MS, HOUR_MS

RUN_AGE_MS = 3 * HOUR_MS
"""Of the run behind a last word, on average: half of the six hours between two runs."""


class Growth(msgspec.Struct, frozen=True):
    """The spread of a day's extreme by the hour at which it comes, for forecasts of one issue; degrees F."""

    issued_ms: int
    last_word_f: float
    day_ahead_f: float

    def sigma_f(self, at_ms: int) -> float:
        share = min(1.0, max(0.0, (at_ms - self.issued_ms - RUN_AGE_MS) / DAY_MS))
        return math.sqrt((1.0 - share) * self.last_word_f**2 + share * self.day_ahead_f**2)
