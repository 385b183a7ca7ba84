"""What an order gives and gets, in whole millionths: the venue's ticks, decimals and minimums.

Everything is integer arithmetic on the house's units; whatever the venue would refuse is refused here, by
name, before anything is signed. Rules: docs.polymarket.com/trading/place-orders, and the limits of the
venue's error texts where the documents are silent.
"""

from __future__ import annotations

from typing import Final

import msgspec

from core.domain.units import (
    DOLLAR,
    ONE_DOLLAR,
    Money,
    Price,
    Quantity,
    money_text,
    price_text,
    quantity_text,
)
from core.venues.polymarket.sign import Side
from core.venues.polymarket.terms import TICKS

LOT: Final = Quantity(10_000)
"""Sizes have two decimals."""
CENT: Final = Money(10_000)
"""So has what an immediate buy may spend."""
FINE: Final = 100
"""What an immediate order gets has four."""
MARKETABLE_MIN: Final = DOLLAR
"""A buy that trades at once is worth a dollar at least."""


class AmountError(ValueError):
    """An order the venue cannot have so. ``code`` is the reason's short name, the text its sentence."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Amounts(msgspec.Struct, frozen=True):
    """``maker`` is what we give, ``taker`` what we get: pUSD for shares, or shares for pUSD."""

    maker: int
    taker: int


def check_price(price: Price, tick: Price) -> None:
    """Raises ``AmountError`` unless the price lies on the market's grid, one tick inside of 0 and 1."""
    if tick not in TICKS:
        raise AmountError("unknown_tick", f"tick {price_text(tick)} is none the venue's rounding rules name")
    if not tick <= price <= ONE_DOLLAR - tick:
        low, high = price_text(tick), price_text(Price(ONE_DOLLAR - tick))
        raise AmountError("price_range", f"price {price_text(price)} is not between {low} and {high}")
    if price % tick:
        raise AmountError(
            "off_tick", f"price {price_text(price)} is no multiple of the market's tick {price_text(tick)}"
        )


def whole_lots(quantity: Quantity) -> Quantity:
    """The part of a size that can be ordered."""
    return Quantity(quantity - quantity % LOT)


def check_size(quantity: Quantity, minimum: Quantity) -> None:
    """Raises ``AmountError`` for a size that is nothing, or below the market's minimum."""
    if quantity <= 0:
        raise AmountError("no_size", "the size is less than a hundredth of a share")
    if quantity < minimum:
        size, least = quantity_text(quantity), quantity_text(minimum)
        raise AmountError("below_minimum", f"size {size} is below the market's minimum of {least}")


def limit_amounts(side: Side, price: Price, quantity: Quantity) -> Amounts:
    """A size at a price, for what may rest. Exact: two decimals of shares, at most four of price.

    ``quantity`` is in whole lots and ``price`` on the grid: both have been checked.
    """
    usd = quantity * price // ONE_DOLLAR
    return Amounts(usd, quantity) if side is Side.BUY else Amounts(quantity, usd)


def sale_amounts(price: Price, quantity: Quantity) -> Amounts:
    """Shares for at least ``price`` each, immediately (FOK, FAK).

    What we get is rounded down, so that the limit in the ratio reaches the level it was meant for; rounded
    up it would pass by it. This concedes less than a ten-thousandth of a dollar.
    """
    return _immediate(quantity, quantity * price // ONE_DOLLAR)


def purchase_amounts(price: Price, budget: Money) -> Amounts:
    """Shares for at most ``price`` each until the budget is spent, immediately (FOK, FAK).

    Where the market is better than ``price`` the budget buys more shares than ``taker``. Rounded down for
    the same reason as a sale; raises ``AmountError`` below the venue's dollar.
    """
    spent = Money(budget - budget % CENT)
    check_marketable(spent)
    return _immediate(spent, spent * ONE_DOLLAR // price)


def check_marketable(usd: Money) -> None:
    """Raises ``AmountError`` for a purchase too small to trade at once."""
    if usd < MARKETABLE_MIN:
        raise AmountError(
            "below_dollar", f"a purchase for {money_text(usd)} is below the dollar an immediate one must cost"
        )


def _immediate(maker: int, exact: int) -> Amounts:
    taker = exact - exact % FINE
    if taker <= 0:
        raise AmountError("worth_nothing", "what it would bring is less than a ten-thousandth")
    return Amounts(maker, taker)
