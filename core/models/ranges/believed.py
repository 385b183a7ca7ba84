"""Which volatility of a price is believed, and how well it is known.

What is implied counts alone where it is fresh, unless the price's own returns speak against it; else the
returns do, once there are enough of them. Volatilities are percent a year of the family's own clock.
"""

from __future__ import annotations

import math

import msgspec

from core.feeds.quotes import Quote, Volatility
from core.models.fair_value import InputAge
from core.models.families import Family
from core.models.ranges.event import age_of, too_old
from core.models.ranges.hours import days_a_year
from core.models.ranges.volatility import Realised, per_second, percent_a_year
from core.models.refusal import RefusedError

APART_MAX = 4.0
"""More often than this the one is of another market than the other, or wrong."""
REALISED_ERROR = 0.15
"""Of past returns for what comes, beside the error of their number."""


class Believed(msgspec.Struct, frozen=True):
    """How much a price moves."""

    variance_per_s: float
    """Relative variance of a second of average movement."""
    error: float
    """Of its root, relative."""
    words: str
    """Where it is from."""
    ages: tuple[InputAge, ...] = ()
    """Of what implied it."""


class Own(msgspec.Struct, frozen=True):
    """What a price's own returns say, and which volatilities of it can be believed at all."""

    family: Family
    realised: Realised
    bounds: tuple[float, float]

    def implied(self, percent: float, whose: str, error: float, words: str, age: InputAge) -> Believed:
        """By what ``whose`` prices imply; raises ``RefusedError`` where that is absurd."""
        self._check(percent, whose)
        variance, own = self.per_second(percent), self.realised.variance_per_s
        if own is not None:
            ours = self._percent(own)
            if not 1 / APART_MAX <= percent / ours <= APART_MAX:
                raise RefusedError(
                    f"{whose} gives a volatility of {percent:.0f}%, {self.family.index}'s returns {ours:.0f}%"
                )
            words += f", its returns {ours:.1f}%"
        return Believed(variance, error, words, (age,))

    def returns(self) -> Believed | None:
        """By the returns alone; ``None`` where they are too few, raises ``RefusedError`` for absurd ones."""
        own = self.realised.variance_per_s
        return self.moved(own, self.realised.returns, " from its returns") if own is not None else None

    def moved(self, variance_per_s: float, returns: float, words: str) -> Believed:
        """By a variance that so many returns gave; raises ``RefusedError`` for an absurd one."""
        percent = self._percent(variance_per_s)
        self._check(percent, "its returns")
        error = math.hypot(REALISED_ERROR, 1 / math.sqrt(2 * returns))
        return Believed(variance_per_s, error, f"volatility {percent:.1f}%{words}")

    def per_second(self, percent: float) -> float:
        """The variance of a second by a volatility."""
        return per_second(percent, days_a_year(self.family))

    def unknown(self, implied: Quote | Volatility | None, now_ms: int) -> RefusedError:
        """Why there is none: what is implied is absent or old, and the returns are too few."""
        few = f"{self.realised.returns:.0f} returns of {self.family.index} seen"
        if implied is None:
            wanted = f"no {self.family.implied} yet, " if self.family.implied else ""
            return RefusedError(f"no volatility: {wanted}{few}")
        old = too_old(age_of(implied.name, implied), now_ms)
        return RefusedError(f"no volatility: {implied.name} is {old}; {few}")

    def _percent(self, variance_per_s: float) -> float:
        return percent_a_year(variance_per_s, days_a_year(self.family))

    def _check(self, percent: float, whose: str) -> None:
        low, high = self.bounds
        if not low <= percent <= high:
            raise RefusedError(f"a volatility of {percent:.3g}% from {whose} is outside {low:g} to {high:g}%")
