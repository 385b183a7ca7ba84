"""Integer price, quantity and money, the same for every venue.

Wire strings become integers here without passing through float; an input with more decimals
than the unit holds is an error, never a rounding (architecture section 6).
"""

from __future__ import annotations

import re
from typing import NewType

Price = NewType("Price", int)
"""Ten-thousandths of a dollar: 0.42 dollars is 4200."""

Quantity = NewType("Quantity", int)
"""Millionths of a contract: 1.00 contract is 1_000_000."""

Money = NewType("Money", int)
"""Millionths of a dollar: 12.80 dollars is 12_800_000."""

PRICE_DECIMALS = 4
QUANTITY_DECIMALS = 6
MONEY_DECIMALS = 6

ONE_DOLLAR = Price(10_000)
ONE_CONTRACT = Quantity(1_000_000)
DOLLAR = Money(1_000_000)

# Ten integer digits are more than any venue holds, and a journal or a frame to a console, whose integers
# have 64 bits, still takes hundreds of such amounts in sum.
_DECIMAL = re.compile(r"(-?)(\d{1,10})(?:\.(\d{1,16}))?", re.ASCII)


class UnitError(ValueError):
    """A text that is not a plain decimal number of the unit's precision."""


def _scaled(text: str, decimals: int, unit: str) -> int:
    match = _DECIMAL.fullmatch(text)
    if match is None:
        raise UnitError(f"{text[:40]!r} is no {unit}: write a decimal, such as 12 or 0.35")
    sign, whole, fraction = match.group(1), match.group(2), (match.group(3) or "").rstrip("0")
    if len(fraction) > decimals:
        raise UnitError(f"{text[:40]!r} has more than {decimals} decimals of {unit}")
    value = int(whole + fraction.ljust(decimals, "0"))
    return -value if sign else value


def _plain(value: int, decimals: int, places: int) -> str:
    """Exact decimal text with at least ``places`` decimals and no more than needed."""
    sign, digits = ("-" if value < 0 else ""), str(abs(value)).rjust(decimals + 1, "0")
    whole, fraction = digits[:-decimals], digits[-decimals:]
    kept = fraction.rstrip("0").ljust(places, "0")
    return f"{sign}{whole}.{kept}" if kept else f"{sign}{whole}"


def parse_price(text: str) -> Price:
    """Dollars as text to ``Price``; raises ``UnitError``. Range is the market's business."""
    return Price(_scaled(text, PRICE_DECIMALS, "price"))


def parse_cents(text: str) -> Price:
    """Cents as text, the way prices are typed on the console, to ``Price``; raises ``UnitError``."""
    return Price(_scaled(text, PRICE_DECIMALS - 2, "price in cents"))


def parse_quantity(text: str) -> Quantity:
    """Contracts as text to ``Quantity``; raises ``UnitError``."""
    return Quantity(_scaled(text, QUANTITY_DECIMALS, "quantity"))


def parse_money(text: str) -> Money:
    """Dollars as text to ``Money``; raises ``UnitError``."""
    return Money(_scaled(text, MONEY_DECIMALS, "money"))


def price_text(price: Price) -> str:
    """``Price`` as dollars with four decimals, the form Kalshi's wire uses: ``0.4200``."""
    return _plain(price, PRICE_DECIMALS, 4)


def quantity_text(quantity: Quantity) -> str:
    """``Quantity`` as contracts with at least two decimals: ``10.00``."""
    return _plain(quantity, QUANTITY_DECIMALS, 2)


def money_text(money: Money) -> str:
    """``Money`` as dollars with at least two decimals and up to six: ``12.80``."""
    return _plain(money, MONEY_DECIMALS, 2)


def dollars_text(money: Money) -> str:
    """``Money`` as dollars to the nearest cent, for sentences that are only read: ``12.80``."""
    return _plain(round(money, -4), MONEY_DECIMALS, 2)


def contracts(count: int) -> Quantity:
    """Whole contracts as ``Quantity``."""
    return Quantity(count * ONE_CONTRACT)


def notional(price: Price, quantity: Quantity) -> Money:
    """``price * quantity`` rounded toward minus infinity: what a seller is sure to receive."""
    return Money(price * quantity // 10_000)


def notional_up(price: Price, quantity: Quantity) -> Money:
    """``price * quantity`` rounded toward plus infinity: what a buyer may have to pay."""
    return Money(-(-price * quantity // 10_000))


def complement(price: Price) -> Price:
    """The NO price of a YES price, and the other way round."""
    return Price(ONE_DOLLAR - price)


def price_floor(probability: float) -> Price:
    """The highest price not above ``probability`` dollars: for values we would pay."""
    return Price(int(probability * ONE_DOLLAR // 1))


def price_ceiling(probability: float) -> Price:
    """The lowest price not below ``probability`` dollars: for values we would give away."""
    return Price(-int(-probability * ONE_DOLLAR // 1))
