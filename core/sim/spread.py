"""How sure a run is of a day's extreme, by the hours from its start to that extreme."""

from __future__ import annotations

import math

import msgspec

_DAY_MS = 86_400_000
_LAST_WORD_MS = 3 * 3_600_000
"""Age of a run whose values are the last word of their hours, on average."""


class Spread(msgspec.Struct, frozen=True):
    """Standard deviations of who weighs all models: of last words, and of values of a day before; between the
    two the variance grows straight. Degrees F."""

    started_ms: int
    last_f: float
    ahead_f: float

    def at(self, at_ms: int) -> float:
        """Of an extreme that comes then."""
        part = min(1.0, max(0.0, (at_ms - self.started_ms - _LAST_WORD_MS) / _DAY_MS))
        return math.sqrt((1 - part) * self.last_f**2 + part * self.ahead_f**2)
