"""Taking a bookmaker's margin out of its prices: five ways, each exact, of which none is known to be right.

Of decimal prices ``o`` the inverses ``r = 1/o`` sum to the booksum ``B``, more than one by the margin:

- multiplicative: ``r / B``.
- additive: ``r - (B - 1) / n``; it may leave nothing for a long shot.
- power: ``r ** k``, ``k`` of at least one (Vovk and Zhdanov 2009; Clarke, Kovalchik and Ingram 2017).
- odds ratio: ``r / (c + r - c r)``, all odds shortened by the same factor ``c`` (Cheung 2015).
- Shin: with a share ``z`` of informed money (Shin 1993); of two outcomes it is the additive one.

The last three favour favourites, as bookmakers' margins do the other way round. How far the methods are
apart is what is not known of the margin.
"""

from __future__ import annotations

import enum
import functools
import math
from collections.abc import Callable, Sequence

ROUNDS_MAX = 200
_CLOSE = 1e-14
_FAR = 1e9


class Method(enum.Enum):
    MULTIPLICATIVE = "multiplicative"
    ADDITIVE = "additive"
    POWER = "power"
    SHIN = "Shin"
    ODDS_RATIO = "odds ratio"


DEFAULT = Method.POWER


@functools.lru_cache(maxsize=8_192)
def fair(decimals: tuple[float, ...], method: Method = DEFAULT) -> tuple[float, ...] | str:
    """Probabilities of all outcomes of one bookmaker's market, of sum one; or why there are none."""
    if len(decimals) < 2:
        return "one outcome has no margin to take out"
    if not all(math.isfinite(price) and price > 1.0 for price in decimals):
        return "a price is not above 1"
    inverse = [1.0 / price for price in decimals]
    booksum = math.fsum(inverse)
    if booksum < 1.0 - _CLOSE:
        return f"its prices add up to {booksum:.3f}, less than 1: a price is old or wrong"
    found = _METHODS[method](inverse, booksum)
    if min(found) <= 0.0:
        return f"the {method.value} way leaves nothing for an outcome"
    whole = math.fsum(found)
    return tuple(p / whole for p in found)


def _multiplicative(inverse: Sequence[float], booksum: float) -> list[float]:
    return [r / booksum for r in inverse]


def _additive(inverse: Sequence[float], booksum: float) -> list[float]:
    share = (booksum - 1.0) / len(inverse)
    return [r - share for r in inverse]


def _power(inverse: Sequence[float], booksum: float) -> list[float]:
    def at(k: float) -> list[float]:
        return [r**k for r in inverse]

    return at(_solved(at, 1.0, _beyond(at, 2.0)))


def _odds_ratio(inverse: Sequence[float], booksum: float) -> list[float]:
    def at(c: float) -> list[float]:
        return [r / (c + r - c * r) for r in inverse]

    return at(_solved(at, 1.0, _beyond(at, 2.0)))


def _shin(inverse: Sequence[float], booksum: float) -> list[float]:
    squares = [r * r / booksum for r in inverse]

    def at(z: float) -> list[float]:
        # The usual fraction turned over: it has no 0/0 at z = 1, where its sum is sure to be below one.
        return [2.0 * s / (math.sqrt(z * z + 4.0 * (1.0 - z) * s) + z) for s in squares]

    return at(_solved(at, 0.0, 1.0))


_METHODS: dict[Method, Callable[[Sequence[float], float], list[float]]] = {
    Method.MULTIPLICATIVE: _multiplicative,
    Method.ADDITIVE: _additive,
    Method.POWER: _power,
    Method.SHIN: _shin,
    Method.ODDS_RATIO: _odds_ratio,
}
_Outcomes = Callable[[float], list[float]]


def _beyond(at: _Outcomes, start: float) -> float:
    """A parameter at which the probabilities sum to less than one: doubled until it is there."""
    high = start
    while math.fsum(at(high)) >= 1.0 and high < _FAR:
        high *= 2.0
    return high


def _solved(at: _Outcomes, low: float, high: float) -> float:
    """The parameter at which the probabilities sum to one, by false position within a bracket; their sum
    falls from ``low`` to ``high``. Twice on one side halves the other's weight (Illinois)."""
    above, under = math.fsum(at(low)) - 1.0, math.fsum(at(high)) - 1.0
    if above <= 0.0:
        return low
    side, middle = 0, low
    for _ in range(ROUNDS_MAX):
        middle = high - under * (high - low) / (under - above) if under != above else (low + high) / 2
        off = math.fsum(at(middle)) - 1.0
        if abs(off) <= _CLOSE or high - low <= _CLOSE * high:
            break
        if off > 0.0:
            low, above = middle, off
            under = under / 2 if side > 0 else under
            side = 1
        else:
            high, under = middle, off
            above = above / 2 if side < 0 else above
            side = -1
    return middle
