"""An intent as a signed order, ready to be sent: its id is known and its bytes are fixed before it leaves.

The domain's four trades become purchases and sales of one outcome's token: what opens buys, what closes
sells. An immediate sale is share-based at this venue, an immediate purchase is not: it spends a budget and
buys more shares where the market is better. So that no order can bring more than was decided on, what an
immediate purchase asks for is sent as a limit order with the shortest life there is; ``orders.py`` cancels
its rest as soon as it is answered.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from core.domain.order import OrderIntent, Purpose, TimeInForce, in_terms_of
from core.domain.units import Price, notional
from core.venues.polymarket.amounts import (
    AmountError,
    Amounts,
    check_marketable,
    check_price,
    check_size,
    limit_amounts,
    sale_amounts,
    whole_lots,
)
from core.venues.polymarket.contracts import exchange_of
from core.venues.polymarket.order_wire import OrderForm, OrderType
from core.venues.polymarket.sign import Order, OrderSigner, Side
from core.venues.polymarket.terms import EARLY_S, Terms
from core.venues.polymarket.traits import LIFETIME_MIN_S
from core.venues.venue import Rejected, Sealed


class Sealer:
    """Seals the orders of one account and API key. ``salt`` makes equal orders of one moment differ."""

    def __init__(self, signer: OrderSigner, owner: str, salt: Callable[[], int]) -> None:
        self._signer, self._salt = signer, salt
        self._form = OrderForm(signer.account, owner)

    def seal(self, intent: OrderIntent, terms: Terms) -> Sealed | Rejected:
        """``Rejected``: the venue would refuse it, for the reason named."""
        outcome, side = intent.outcome, side_of(intent)
        try:
            plan = _plan(intent, side, in_terms_of(outcome, intent.price), terms)
        except AmountError as refused:
            return Rejected(refused.code, str(refused))
        order = Order(
            salt=self._salt(),
            token_id=terms.token(outcome),
            maker_amount=plan.amounts.maker,
            taker_amount=plan.amounts.taker,
            side=side,
            timestamp_ms=intent.created_ms,
        )
        signed = self._signer.sign(order, exchange_of(terms.version, terms.neg_risk))
        body = self._form.body(order, signed, plan.expiration_s, plan.order_type, intent.post_only)
        return Sealed(signed.order_hash, body)


def side_of(intent: OrderIntent) -> Side:
    return Side.BUY if intent.purpose is Purpose.OPEN else Side.SELL


class _Plan(msgspec.Struct, frozen=True):
    order_type: OrderType
    amounts: Amounts
    expiration_s: int


def _plan(intent: OrderIntent, side: Side, price: Price, terms: Terms) -> _Plan:
    """``price`` is that of the outcome traded. Raises ``AmountError``."""
    quantity = whole_lots(intent.quantity)
    check_price(price, terms.tick)
    check_size(quantity, terms.minimum)
    if intent.tif is TimeInForce.GTC:
        amounts = limit_amounts(side, price, quantity)
        if intent.expires_ms is None:
            return _Plan(OrderType.GTC, amounts, 0)
        return _Plan(OrderType.GTD, amounts, _expiration_s(intent.created_ms, intent.expires_ms))
    if intent.post_only:
        raise AmountError("post_only", "an immediate order cannot be post-only")
    if side is Side.SELL:
        kind = OrderType.FOK if intent.tif is TimeInForce.FOK else OrderType.FAK
        return _Plan(kind, sale_amounts(price, quantity), 0)
    if intent.tif is TimeInForce.FOK:
        raise AmountError("fok_purchase", "the venue fills or kills a budget, not a number of shares to buy")
    check_marketable(notional(price, quantity))
    end_s = intent.created_ms // 1_000 + LIFETIME_MIN_S + EARLY_S
    return _Plan(OrderType.GTD, limit_amounts(side, price, quantity), end_s)


def _expiration_s(created_ms: int, expires_ms: int) -> int:
    """The time the order names. Raises ``AmountError`` for a life the venue does not grant."""
    if expires_ms - created_ms < LIFETIME_MIN_S * 1_000:
        raise AmountError(
            "lifetime",
            f"a life of {(expires_ms - created_ms) // 1_000} s is below the {LIFETIME_MIN_S} s needed here",
        )
    return expires_ms // 1_000 + EARLY_S
