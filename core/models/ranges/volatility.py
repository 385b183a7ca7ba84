"""How much an index moves: from its own returns, weighted by age, and what its options imply.

Returns weigh less by half every ``HALF_LIFE_MS``; variance and time are summed alike, so that the first
minutes are an honest mean and no start value is needed. Where an implied volatility is fresh it is used
alone: blending it with returns was worse wherever that was measured.
"""

from __future__ import annotations

import math

import msgspec

DAY_S = 86_400
SAMPLE_MS = 60_000
"""Returns are of at least so long: within seconds an index made of books moves less than it should."""
GAP_MS = 600_000
"""A return over a longer pause is left out: what happened in between nobody saw."""
HALF_LIFE_MS = 12 * 3_600_000
RETURNS_MIN = 30
"""Fewer say nothing: an hour's error would be a fifth at best."""
STILL_MAX = 30
"""Returns of nothing in a row from which on a source stands still: half an hour in which no price moved."""
JUMP_MAX = 0.10
"""The largest believable return between two samples."""


class Realised(msgspec.Struct, frozen=True):
    """Weighted sums over past returns of one index. Times are world time."""

    last_ms: int = 0
    last: float = 0.0
    """Value of the newest sample."""
    squares: float = 0.0
    seconds: float = 0.0
    weight: float = 0.0
    weight2: float = 0.0
    """Sums of the returns' weights and of their squares."""
    same: int = 0
    """Newest returns in a row that are nothing: the value of the last sample came so often again."""

    @property
    def returns(self) -> float:
        """As many equally weighted ones would say as much."""
        return self.weight**2 / self.weight2 if self.weight2 else 0.0

    @property
    def variance_per_s(self) -> float | None:
        """Relative variance of a second; ``None`` before there are enough returns, or where nothing moved."""
        if self.returns < RETURNS_MIN or not self.squares:
            return None
        return self.squares / self.seconds


def sampled(held: Realised, value: float, at_ms: int, moves_s: float | None = None) -> Realised:
    """``held`` with one more value of the index, a finite one above zero. ``moves_s`` are the seconds of
    average movement since the last one, where a market does not move alike at all hours."""
    since_ms = at_ms - held.last_ms
    if held.last_ms and since_ms < SAMPLE_MS:
        return held
    if not held.last_ms or since_ms > GAP_MS:
        return msgspec.structs.replace(held, last_ms=at_ms, last=value, same=0)
    step, fade = math.log(value / held.last), 0.5 ** (since_ms / HALF_LIFE_MS)
    return Realised(
        at_ms,
        value,
        held.squares * fade + step * step,
        held.seconds * fade + (since_ms / 1000 if moves_s is None else moves_s),
        held.weight * fade + 1.0,
        held.weight2 * fade * fade + 1.0,
        held.same + 1 if value == held.last else 0,
    )


def per_second(percent: float, days_a_year: float) -> float:
    """Relative variance of a second from a volatility in percent a year of so many days."""
    return (percent / 100) ** 2 / (days_a_year * DAY_S)


def percent_a_year(variance_per_s: float, days_a_year: float) -> float:
    """The other way round."""
    return math.sqrt(variance_per_s * days_a_year * DAY_S) * 100
