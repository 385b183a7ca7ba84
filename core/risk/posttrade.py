"""What must not be true after a fill: plain judgements over what happened, each a sentence when it is.

The gate decides what may leave; this decides whether what came back still fits it. What to stop then
is the business of ``core/engine/posttrade.py``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import msgspec

from core.domain.fees import CLEARED_GRID, fill_fee
from core.domain.market import Market
from core.domain.order import Fill, OrderIntent, in_terms_of
from core.domain.units import Money, Price, money_text
from core.risk.checks.finding import cents
from core.risk.exposure import Worst
from core.risk.halts import ScopeKind
from core.risk.limits import Limits

DOLLAR = 1_000_000
TOLERANCE = Money(10_000)
"""A cent: roundings of many small fills are no breach."""
TICK = Price(100)
"""Fees further off than this a contract do not come from rounding."""
JUMP = Price(3_000)
SIGMAS = 3
CLOSES_MIN = 5
"""Fewer results than this are no sample."""


def worse(intent: OrderIntent, fill: Fill) -> str:
    """A fill at a worse price than its order allows; empty when it is within its limit."""
    if (fill.price - intent.price) * intent.side.sign <= 0:
        return ""
    paid, limit = in_terms_of(intent.outcome, fill.price), intent.outcome_price
    return f"trade {fill.trade_id} at {cents(paid)} is worse than its limit {cents(limit)}"


def fee_off(market: Market, fill: Fill, world_ms: int) -> str:
    """A fee more than a tick a contract from what held when it traded, ``world_ms``.

    Raises ``UnknownFeeError``.
    """
    expected = fill_fee(market.fees_at(world_ms), fill.price, fill.quantity, fill.is_taker, world_ms)
    tolerance = TICK * fill.quantity // 10_000 + CLEARED_GRID
    if abs(fill.fee - expected) <= tolerance:
        return ""
    return f"fee {money_text(fill.fee)} where {money_text(expected)} was expected"


class Beyond(msgspec.Struct, frozen=True):
    """A worst case above its limit."""

    kind: ScopeKind
    used: Money
    limit: Money

    def __str__(self) -> str:
        return f"{money_text(self.used)} at risk, limit {money_text(self.limit)}"


def worst_cases(worst: Worst, limits: Limits) -> Iterator[Beyond]:
    """Every worst case around a market with its limit, narrow first."""
    yield Beyond(ScopeKind.MARKET, worst.market, limits.market_loss_max)
    yield Beyond(ScopeKind.EVENT, worst.event, limits.event_loss_max)
    yield Beyond(ScopeKind.VENUE, worst.venue, limits.venue_loss_max)
    yield Beyond(ScopeKind.GLOBAL, worst.total, limits.total_loss_max)


class Expected(msgspec.Struct, frozen=True):
    """What the model expected of contracts when they were bought, in money."""

    mean: float = 0.0
    deviation: float = 0.0

    def plus(self, other: Expected) -> Expected:
        """Contracts of one market win and lose together."""
        return Expected(self.mean + other.mean, self.deviation + other.deviation)

    def less(self, other: Expected) -> Expected:
        """Without contracts that were counted and never came."""
        return Expected(self.mean - other.mean, self.deviation - other.deviation)


def expected(fill: Fill, bought: float, paid: Price) -> Expected:
    """Of one opening fill of an outcome that the model gave the probability ``bought``."""
    mean = fill.quantity * (bought - paid / 10_000) - fill.fee
    return Expected(mean, fill.quantity * math.sqrt(bought * (1.0 - bought)))


class Closed(msgspec.Struct, frozen=True):
    """One position from flat to flat: what it brought, and what was expected."""

    event: str
    result: Money
    expected: Expected


def surprise(closes: Iterable[Closed]) -> str:
    """Results that the model all but excludes; empty when it can live with them.

    Brackets of one event count as wholly dependent, events as independent.
    """
    closes = tuple(closes)
    if len(closes) < CLOSES_MIN:
        return ""
    by_event: dict[str, float] = {}
    for close in closes:
        by_event[close.event] = by_event.get(close.event, 0.0) + close.expected.deviation
    result = sum(close.result for close in closes)
    mean = sum(close.expected.mean for close in closes)
    deviation = math.sqrt(sum(value * value for value in by_event.values()))
    if abs(result - mean) <= SIGMAS * deviation:
        return ""
    return (
        f"{len(closes)} closes brought {result / DOLLAR:.2f} where the model expects "
        f"{mean / DOLLAR:.2f} give or take {deviation / DOLLAR:.2f}"
    )


class Touch(msgspec.Struct, frozen=True):
    """Best prices of a market at one moment."""

    at_ns: int
    bid: Price
    ask: Price


def jumped(before: Touch, now: Touch, fair: float | None) -> str:
    """Both sides of the book moved far within the window, and away from what the model believes."""
    moves = (now.bid - before.bid, now.ask - before.ask)
    far = min(moves) >= JUMP or max(moves) <= -JUMP
    middle = (now.bid + now.ask) // 2
    if not far or (fair is not None and abs(middle - fair * 10_000) < JUMP):
        return ""
    was = (before.bid + before.ask) // 2
    return f"the book jumped from {cents(was)} to {cents(middle)} without news"
