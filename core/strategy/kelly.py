"""Log-optimal stakes on the outcomes of one event, exact: Kelly with fees, NO positions and what is held.

One of several outcomes happens. A bet pays a dollar a contract in some of them: YES on a bracket in one,
NO on it in all the others, a threshold in all beyond it. Fees are in the costs. Wealth and payouts are in
dollars; fractions are of the wealth given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

IMPOSSIBLE: Final = 1e-12
"""An outcome less likely than this is rounding, not an outcome."""
GAP: Final = 1e-11
"""What of the best growth may be missing."""
ITERATIONS_MAX: Final = 80
_BOUNDARY: Final = 0.995
"""Share of the way to the nearest bound that one step goes."""
_CENTRING: Final = 0.1


class Bet(msgspec.Struct, frozen=True):
    """Something to stake on. ``cost`` is all-in for a contract, in (0, 1) dollars."""

    pays: tuple[bool, ...]
    """By outcome, whether a contract pays its dollar there."""
    cost: float
    most: float
    """Contracts that can be had."""


class Stakes(msgspec.Struct, frozen=True):
    """Contracts of each bet, and the growth that another choice could add at the very most."""

    contracts: tuple[float, ...]
    gap: float


def kelly(probability: float, cost: float) -> float:
    """Log-optimal fraction of wealth on one binary contract; zero without an edge (Kelly 1956)."""
    return max(0.0, (probability - cost) / (1.0 - cost)) if 0.0 < cost < 1.0 else 0.0


def exclusive(chances: Sequence[tuple[float, float]]) -> tuple[float, ...]:
    """Fractions for YES of outcomes of which at most one happens, each by probability and cost.

    In closed form (Smoczynski and Tomkins 2010), nothing held before. Something else must be able to happen:
    bets on all outcomes that together cost less than they pay are an arbitrage, which has no bound but money.
    """
    reserve, taken = 1.0, list[int]()
    left_p, left_c = 1.0, 1.0
    order = sorted(range(len(chances)), key=lambda i: chances[i][0] / chances[i][1], reverse=True)
    for i in order:
        probability, cost = chances[i]
        # The second condition follows from the first where probabilities sum to at most one; it keeps
        # rounding from dividing by zero.
        if probability / cost <= reserve or left_c - cost <= 0.0:
            break
        taken.append(i)
        left_p, left_c = left_p - probability, left_c - cost
        reserve = left_p / left_c
    fractions = [0.0] * len(chances)
    for i in taken:
        fractions[i] = chances[i][0] - chances[i][1] * reserve
    return tuple(fractions)


def best(probabilities: Sequence[float], wealth: Sequence[float], bets: Sequence[Bet]) -> Stakes:
    """The stakes that maximise expected log wealth, from ``wealth`` by outcome if nothing is staked.

    ``probabilities`` sum to one, an outcome for what none of the markets covers included; ``wealth`` is
    positive wherever something can happen. A primal-dual interior point method on

        max sum p_j log(w_j + sum_k x_k (pays_kj - c_k)),   0 <= x_k <= most_k

    Raises ``ValueError`` where log wealth does not exist.
    """
    chance = np.asarray(probabilities, dtype=np.float64)
    happens = chance > IMPOSSIBLE
    chance = chance[happens]
    start = np.asarray(wealth, dtype=np.float64)[happens]
    if not start.size or not np.all(np.isfinite(start)) or start.min() <= 0.0:
        raise ValueError("wealth is not positive in every outcome that can happen")
    unit = float(chance @ start)
    cost = np.array([bet.cost for bet in bets], dtype=np.float64)
    most = np.array([bet.most for bet in bets], dtype=np.float64) / unit
    pays = np.array([bet.pays for bet in bets], dtype=np.float64).reshape(len(bets), happens.size)[:, happens]
    gains = pays.T - cost
    able = most > IMPOSSIBLE
    found, gap = _interior(chance, start / unit, gains[:, able], most[able])
    stakes = np.zeros(len(bets))
    stakes[able] = found * unit
    return Stakes(tuple(stakes.tolist()), gap)


def growth(probabilities: Sequence[float], wealth: Sequence[float]) -> float:
    """Expected log of wealth; what cannot happen does not count."""
    chance, held = np.asarray(probabilities), np.asarray(wealth)
    happens = chance > IMPOSSIBLE
    return float(chance[happens] @ np.log(held[happens]))


def _interior(chance: Floats, wealth: Floats, gains: Floats, most: Floats) -> tuple[Floats, float]:
    """Stakes inside ``0..most`` and the growth they miss at most, wealth being of the order of one."""
    if not most.size:
        return np.zeros(0), 0.0
    lost = -(gains @ most)
    with np.errstate(divide="ignore"):
        room = float(np.min(np.where(lost > 0.0, wealth / np.where(lost > 0.0, lost, 1.0), np.inf)))
    x = most * min(0.1, room / 2)
    left = most - x
    now = wealth + gains @ x
    below, above = 0.1 / x, 0.1 / left
    kept, missing = x, np.inf
    for _ in range(ITERATIONS_MAX):
        price = chance / now
        slope = price @ gains
        # Concave: no choice inside the bounds gains more than the slope does on the way there.
        gap = float(np.maximum(slope * left, -slope * x).sum())
        if gap < missing:
            kept, missing = x, gap
            if gap <= GAP:
                break
        centre = _CENTRING * float(below @ x + above @ left) / (2 * x.size)
        curve = gains.T @ (gains * (price / now)[:, None])
        curve.flat[:: x.size + 1] += below / x + above / left
        step = np.linalg.solve(curve, slope + centre / x - centre / left)
        down = centre / x - below - below / x * step
        up = centre / left - above + above / left * step
        change = gains @ step
        part = min(1.0, *(_room(*pair) for pair in ((x, step), (left, -step), (now, change))))
        dual = min(1.0, _room(below, down), _room(above, up))
        x, left, now = x + part * step, left - part * step, now + part * change
        below, above = below + dual * down, above + dual * up
    return kept, missing


def _room(value: Floats, step: Floats) -> float:
    """How much of a step keeps ``value`` positive."""
    falls = float((-step / value).max())
    return _BOUNDARY / falls if falls > 0.0 else np.inf
