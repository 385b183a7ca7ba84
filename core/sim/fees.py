"""The simulated exchange's fees, written apart from the client's so that neither hides an error.

Kalshi API: fee rounding (six-decimal form of August 2026) and fee schedule.
"""

from __future__ import annotations

import msgspec

from core.domain.units import Money, Price, Quantity

TAKER_PPM = 70_000
MAKER_PPM = {
    "quadratic": 0,
    "quadratic_with_maker_fees": 17_500,
    "quadratic_with_combo_maker_fees": 35_000,
}
"""Maker rate in millionths by fee type; the taker rate is the same for all of them."""

# rate (1e-6) x multiplier (1e-6) x contracts (1e-6) x price and its complement (1e-4 each), to 1e-6 dollars
_SCALE = 10**20


class Schedule(msgspec.Struct, frozen=True):
    """Fee type and multiplier in force for one market; makers may be spared the multiplier."""

    fee_type: str
    multiplier_ppm: int
    maker_multiplier_ppm: int

    def trade_fee(self, price: Price, count: Quantity, *, taker: bool) -> Money:
        """The model fee rounded up to a millionth of a dollar; ``KeyError`` for an unknown fee type."""
        rate = TAKER_PPM if taker else MAKER_PPM[self.fee_type]
        multiplier_ppm = self.multiplier_ppm if taker else self.maker_multiplier_ppm
        product = rate * multiplier_ppm * count * price * (10_000 - price)
        return Money(-(-product // _SCALE))


class Charge(msgspec.Struct, frozen=True):
    """What one fill does to the balance, its net fee, and what the order's accumulator then holds."""

    balance_change: Money
    fee: Money
    accumulator: Money


def schedule(fee_type: str, multiplier: float, *, maker_scaled: bool = True) -> Schedule:
    """A schedule from the wire's number; refuses fee types nobody can compute."""
    if fee_type not in MAKER_PPM:
        raise ValueError(f"unknown fee type {fee_type!r}: one of {', '.join(MAKER_PPM)}")
    ppm = round(multiplier * 1_000_000)
    return Schedule(fee_type, ppm, ppm if maker_scaled or not ppm else 1_000_000)


def charge(
    revenue: Money, trade_fee: Money, grid: Money, accumulator: Money, *, rebate_at_exact_grid: bool = True
) -> Charge:
    """Align one fill to the balance grid and rebate whole steps the order has overpaid.

    ``revenue`` is negative for money paid. A rebate never exceeds the fill's own fee; where it does
    not come at exactly a step, the order must have overpaid by more.
    """
    aligned = (revenue - trade_fee) // grid * grid
    rounding = revenue - trade_fee - aligned
    gross = trade_fee + rounding
    owed = accumulator + rounding
    steps = owed // grid if rebate_at_exact_grid else max(0, owed - 1) // grid
    rebate = min(steps, gross // grid) * grid
    return Charge(Money(aligned + rebate), Money(gross - rebate), Money(owed - rebate))
