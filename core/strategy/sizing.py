"""How much: Kelly within an event, shrunk for estimation error, a fraction of it, then named caps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from core.domain.units import ONE_CONTRACT, Money, Price, Quantity


class Bet(msgspec.Struct, frozen=True):
    """A stake Kelly may size: win probability and all-in cost per contract, both in (0, 1) dollars."""

    key: str
    probability: float
    cost: float


class Cap(msgspec.Struct, frozen=True):
    """One upper bound of an order's size and the words the operator reads when it binds."""

    name: str
    quantity: Quantity


def kelly(probability: float, cost: float) -> float:
    """Log-optimal fraction of bankroll on one binary contract; zero without an edge (Kelly 1956)."""
    return max(0.0, (probability - cost) / (1.0 - cost)) if 0.0 < cost < 1.0 else 0.0


def exclusive_kelly(bets: Sequence[Bet]) -> dict[str, float]:
    """Log-optimal fractions on outcomes of which at most one happens (Smoczynski and Tomkins 2010).

    ``bets`` may leave outcomes out; what is staked on the others is zero. Exact. The costs of the bets
    taken sum to less than one: a set that does not is an arbitrage and not a matter for Kelly.
    """
    reserve, taken = 1.0, list[Bet]()
    left_p, left_c = 1.0, 1.0
    for bet in sorted(bets, key=lambda b: b.probability / b.cost, reverse=True):
        # The second condition follows from the first where probabilities sum to at most one; it keeps
        # rounding from dividing by zero.
        if bet.probability / bet.cost <= reserve or left_c - bet.cost <= 0.0:
            break
        taken.append(bet)
        left_p, left_c = left_p - bet.probability, left_c - bet.cost
        reserve = left_p / left_c
    return {b.key: b.probability - b.cost * reserve for b in taken}


def event_kelly(yes: Sequence[Bet], no: Sequence[Bet]) -> Mapping[str, float]:
    """Fractions for the YES and NO bets of one event.

    YES bets alone are sized exactly as one exclusive set. A NO bet pays on every other outcome; with any
    NO in the set each bet is sized alone and all are scaled by ``1 / (1 + sum)``, the usual cautious
    approximation for bets held at the same time.
    """
    fractions = exclusive_kelly(yes)
    if not no:
        return fractions
    fractions = {b.key: f for b in (*yes, *no) if (f := kelly(b.probability, b.cost)) > 0.0}
    total = sum(fractions.values())
    return fractions if len(fractions) < 2 else {k: f / (1.0 + total) for k, f in fractions.items()}


def shrink(edge: float, sigma: float) -> float:
    """Factor in [0, 1] for an edge known with standard error ``sigma`` (Baker and McHale 2013)."""
    return edge * edge / (edge * edge + sigma * sigma) if edge > 0.0 else 0.0


def affordable(money: Money, unit_cost: Price) -> Quantity:
    """Whole contracts that ``money`` covers at an all-in cost per contract."""
    if money <= 0:
        return Quantity(0)
    return whole(Quantity(money * 10_000 // unit_cost))


def whole(quantity: Quantity) -> Quantity:
    """``quantity`` cut to whole contracts."""
    return Quantity(quantity // ONE_CONTRACT * ONE_CONTRACT)


def smallest(caps: Sequence[Cap]) -> Cap:
    """The cap that binds: the smallest, the first named among equals."""
    return min(caps, key=lambda cap: cap.quantity)
