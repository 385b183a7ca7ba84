"""Net edge per contract: fair value minus everything the trade costs, in the order's own terms.

Positive means worth doing. A bid opens YES at its price, an ask opens NO at the complement; edges are
rounded against us, so a shown edge is never more than the true one.
"""

from __future__ import annotations

import msgspec

from core.domain.book import Book
from core.domain.fees import estimate, fill_fee
from core.domain.market import FeeSchedule
from core.domain.order import BookSide
from core.domain.units import ONE_CONTRACT, ONE_DOLLAR, Money, Price, Quantity, complement, price_floor
from core.strategy.proposal import FeeRole


class Cost(msgspec.Struct, frozen=True):
    """What opening costs. ``average`` is paid per contract before fees, in terms of the outcome bought."""

    filled: Quantity
    average: Price
    fee: Money


def paid(side: BookSide, price: Price) -> Price:
    """A YES price in terms of the outcome an opening order on ``side`` buys."""
    return price if side is BookSide.BID else complement(price)


def cost_at(fees: FeeSchedule, side: BookSide, price: Price, quantity: Quantity, role: FeeRole) -> Cost:
    """Everything filled at one price: a resting order's own, or a single level taken."""
    fee = estimate(fees, price, quantity, is_taker=role is FeeRole.TAKER)
    return Cost(quantity, paid(side, price), fee)


class Walked(msgspec.Struct, frozen=True):
    """What a taker's order finds in a book. ``paid_e10`` is in ten-billionths of a dollar, exact, before
    fees and in terms of the outcome bought."""

    filled: Quantity
    paid_e10: int
    fee: Money


def walked(fees: FeeSchedule, book: Book, side: BookSide, quantity: Quantity, limit: Price) -> Walked:
    """Taking from the visible book up to ``limit``, level by level; may fill less than asked, or nothing."""
    left, paid_e10, fee = int(quantity), 0, 0
    for price, size in book.walk(side.opposite):
        if left <= 0 or (price - limit) * side.sign > 0:
            break
        taken = min(left, size)
        left -= taken
        paid_e10 += paid(side, price) * taken
        fee += estimate(fees, price, Quantity(taken), is_taker=True)
    return Walked(Quantity(quantity - left), paid_e10, Money(fee))


def taker_cost(
    fees: FeeSchedule, book: Book, side: BookSide, quantity: Quantity, limit: Price
) -> Cost | None:
    """Taking from the visible book up to ``limit``; ``None`` when nothing is offered there.

    Slippage is in ``average``; ``filled`` may be less than asked.
    """
    found = walked(fees, book, side, quantity, limit)
    if found.filled == 0:
        return None
    return Cost(found.filled, Price(-(-found.paid_e10 // found.filled)), found.fee)


def net_edge(fair: float, side: BookSide, cost: Cost, exit_fees: FeeSchedule | None = None) -> Price:
    """Edge per contract of opening at ``cost`` when YES is worth ``fair``.

    With ``exit_fees`` the plan is to sell at fair value before settlement, which costs a taker's fee;
    without, the position is held to settlement, which costs nothing.
    """
    worth = fair if side is BookSide.BID else 1.0 - fair
    edge = price_floor(worth) - cost.average - per_contract(cost.fee, cost.filled)
    if exit_fees is not None:
        edge -= per_contract(
            fill_fee(exit_fees, _inside(price_floor(worth)), ONE_CONTRACT, is_taker=True), ONE_CONTRACT
        )
    return Price(edge)


def exit_value(fees: FeeSchedule, price: Price, quantity: Quantity, held: BookSide) -> Price:
    """What one held contract brings when sold now against the best YES price on the other side.

    ``held`` is the side that opened the position: ``BID`` holds YES and sells at the best bid, ``ASK``
    holds NO and sells it by buying YES back at the best ask.
    """
    received = price if held is BookSide.BID else complement(price)
    return Price(received - per_contract(estimate(fees, price, quantity, is_taker=True), quantity))


def per_contract(fee: Money, quantity: Quantity) -> Price:
    """A fee spread over its contracts, rounded up to a price unit."""
    return Price(-(-fee * 10_000 // quantity))


def _inside(price: Price) -> Price:
    return Price(min(max(price, 1), ONE_DOLLAR - 1))
