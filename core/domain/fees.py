"""Trading fees in integers, exact to the millionth of a dollar.

The quadratic types are Kalshi's: a fill's fee is ``rate x multiplier x contracts x P x (1 - P)`` rounded
up to $0.000001; the change of the balance is then aligned down to the account's grid and what an order
overpaid that way comes back in whole grid steps (docs.kalshi.com/getting_started/fee_rounding,
six-decimal form of August 2026).

The taker curve is Polymarket's: ``rate x contracts x (P x (1 - P)) ^ exponent`` for takers, rounded down to
$0.00001 a fill, paid on top when buying and out of the proceeds when selling; makers pay nothing and no
balance is aligned (docs.polymarket.com, fees; direction of the rounding from fees charged on chain).
"""

from __future__ import annotations

import msgspec

from core.domain.market import FeeSchedule, FeeType
from core.domain.units import ONE_DOLLAR, Money, Price, Quantity

CURVE_STEP = 10
"""Fees on the taker curve are whole hundred-thousandths of a dollar."""

DIRECT_GRID = Money(100)
"""Balances of direct members are kept to $0.0001."""
CLEARED_GRID = Money(10_000)
"""Balances of members cleared by a broker are kept to $0.01."""

TAKER_RATE_E6 = 70_000
MAKER_RATE_E6 = {
    FeeType.QUADRATIC: 0,
    FeeType.QUADRATIC_WITH_MAKER_FEES: 17_500,
    FeeType.QUADRATIC_WITH_COMBO_MAKER_FEES: 35_000,
    FeeType.TAKER_CURVE: 0,
}

SMALLEST_FILL = Quantity(10_000)
"""0.01 contract, the venue's quantity step."""

# rate and multiplier (1e-6 each), contracts (1e-6), two prices (1e-4 each) against money (1e-6).
_SCALE = 10**20


class UnknownFeeError(ValueError):
    """The fee type cannot be computed: refuse to estimate, refuse to trade."""


class Charge(msgspec.Struct, frozen=True):
    """What one fill does to the balance: ``balance_change`` includes ``fee``, which is net of ``rebate``."""

    balance_change: Money
    fee: Money
    rebate: Money


class FeeAccumulator(msgspec.Struct, frozen=True):
    """Rounding an order has overpaid so far; one for an order, across its maker and taker fills."""

    carried: Money = Money(0)

    def apply(
        self, revenue: Money, trade_fee: Money, grid: Money = DIRECT_GRID
    ) -> tuple[FeeAccumulator, Charge]:
        """Charge one fill of this value (negative for money paid) and ``fill_fee``.

        A rebate fires when the accumulator reaches a whole grid step and never exceeds the fill's own fee.
        """
        aligned = (revenue - trade_fee) // grid * grid
        rounding = revenue - trade_fee - aligned
        carried, gross = self.carried + rounding, trade_fee + rounding
        rebate = min(carried, gross) // grid * grid
        charge = Charge(Money(aligned + rebate), Money(gross - rebate), Money(rebate))
        return FeeAccumulator(Money(carried - rebate)), charge


def rate_e6(schedule: FeeSchedule, is_taker: bool, now_ms: int | None = None) -> int:
    """Fee rate in millionths before the multiplier; raises ``UnknownFeeError``.

    ``now_ms`` is world time; without it a waiver is ignored, which gives the higher fee.
    """
    if schedule.type not in MAKER_RATE_E6:
        raise UnknownFeeError("the market's fee type is unknown: its fees cannot be computed")
    if now_ms is not None and schedule.waived_until_ms is not None and now_ms < schedule.waived_until_ms:
        return 0
    if not is_taker:
        return MAKER_RATE_E6[schedule.type]
    return 1_000_000 if schedule.type is FeeType.TAKER_CURVE else TAKER_RATE_E6


def _model(rate_multiplier_e12: int, price: int, quantity: int) -> Money:
    return Money(-(-rate_multiplier_e12 * quantity * price * (ONE_DOLLAR - price) // _SCALE))


def _on_curve(rate_multiplier_e12: int, exponent: int, price: int, quantity: int) -> Money:
    steps = rate_multiplier_e12 * quantity * (price * (ONE_DOLLAR - price)) ** exponent
    # Contracts and money are millionths, prices ten-thousandths twice.
    return Money(steps // (10**12 * ONE_DOLLAR ** (2 * exponent) * CURVE_STEP) * CURVE_STEP)


def fill_fee(
    schedule: FeeSchedule, price: Price, quantity: Quantity, is_taker: bool, now_ms: int | None = None
) -> Money:
    """The trade fee of one fill: before balance alignment and rounded up to $0.000001, or on the curve."""
    rate_multiplier_e12 = rate_e6(schedule, is_taker, now_ms) * schedule.multiplier_e6
    if schedule.type is FeeType.TAKER_CURVE:
        return _on_curve(rate_multiplier_e12, schedule.exponent, price, quantity)
    return _model(rate_multiplier_e12, price, quantity)


def estimate(
    schedule: FeeSchedule,
    price: Price,
    quantity: Quantity,
    is_taker: bool,
    now_ms: int | None = None,
    grid: Money = DIRECT_GRID,
) -> Money:
    """The most an order's fees can come to, however it is split: for reservations and edges.

    Each of its fills, as small as 0.01 contract, may round the model fee up by a millionth, and less
    than one grid step stays in the accumulator at the end. (The venue promises that splits cost no
    more than that; by the letter of its rules it holds where a fill's value lies on the grid.)
    On the taker curve splits only ever cost less.
    """
    fee = fill_fee(schedule, price, quantity, is_taker, now_ms)
    if schedule.type is FeeType.TAKER_CURVE:
        return fee
    if fee == 0 and price % grid == 0:
        return Money(0)
    splits = -(-quantity // SMALLEST_FILL) if fee else 0
    return Money(fee + splits + grid)
