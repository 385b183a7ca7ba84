"""What a venue like this does that no fault plan brings about, and whether a run has met it."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from typing import TYPE_CHECKING

from core.domain.order import OrderIntent, Purpose, TimeInForce
from core.sim.polymarket.order_calls import TAKER_HOLD_MS
from core.sim.polymarket.orders import Cause, Order, OrderStatus, OrderType
from core.sim.polymarket.rest import RestAnswer

if TYPE_CHECKING:
    from tests.simulation.polymarket.truth import Truth


class Way(enum.Enum):
    QUEUED = "the edge lets a request wait"
    CROWDED_OUT = "the edge refuses a request"
    ORDER_COUNTED_OUT = "the signer's bucket refuses an order"
    CANCEL_COUNTED_OUT = "the signer's bucket refuses a cancel"
    TAKER_HELD = "a taker is held inside its request"
    DELAY_MATCHED = "a delayed order matches"
    DELAY_UNMATCHED = "a delayed order finds nothing and rests"
    DELAY_KILLED = "a delayed sale finds nothing and is killed"
    DELAY_INVALID = "a delayed order is found invalid"
    DELAY_UNPAID = "a delayed order cannot be paid any more"
    BOUGHT_POST_ONLY = "a purchase that must rest"
    BOUGHT_LIMIT = "a purchase that takes and rests"
    BOUGHT_AT_ONCE = "an immediate purchase"
    SOLD_POST_ONLY = "a sale that must rest"
    SOLD_FAK = "a FAK sale"
    SOLD_FOK = "a FOK sale"
    GTD_CANCELLED = "a GTD order is cancelled"
    GTD_EXPIRED = "a GTD order ends by itself"
    SELF_TRADE = "the account's orders meet each other"


def of_wait(wait_ms: int) -> Way:
    """An edge's wait that is as long as a taker's to the millisecond is too rare to matter to a count."""
    return Way.TAKER_HELD if wait_ms == TAKER_HOLD_MS else Way.QUEUED


def of_answer(method: str, answer: RestAnswer) -> Way | None:
    """Of a refusal for too many requests."""
    if answer.status != 429:
        return None
    if "Poly-RateLimit-Remaining" not in answer.headers:
        return Way.CROWDED_OUT
    return Way.CANCEL_COUNTED_OUT if method == "DELETE" else Way.ORDER_COUNTED_OUT


def of_orders(truth: Truth) -> Iterator[Way]:
    """Of the desk's orders that came to the venue, and of the account's trades."""
    for client, order in truth.orders.items():
        yield _placed(truth.intents[client], order)
        if order.type is OrderType.GTD and order.cause is Cause.ASKED:
            yield Way.GTD_CANCELLED
        if order.cause is Cause.EXPIRED:
            yield Way.GTD_EXPIRED
        if client in truth.delayed:
            yield from _delayed(order)
    trades = {part.trade.trade_id: part.trade for part in truth.ours.values()}
    yield from (Way.SELF_TRADE for trade in trades.values() if trade.self_trade)


def _placed(intent: OrderIntent, order: Order) -> Way:
    if intent.purpose is Purpose.OPEN:
        if intent.tif is not TimeInForce.GTC:
            return Way.BOUGHT_AT_ONCE
        return Way.BOUGHT_POST_ONLY if intent.post_only else Way.BOUGHT_LIMIT
    if order.type is OrderType.FOK:
        return Way.SOLD_FOK
    if order.type is OrderType.FAK:
        return Way.SOLD_FAK
    return Way.SOLD_POST_ONLY


def _delayed(order: Order) -> Iterator[Way]:
    if order.matched:
        yield Way.DELAY_MATCHED
    elif order.cause is Cause.INVALID:
        yield Way.DELAY_INVALID
    elif order.cause is Cause.BALANCE:
        yield Way.DELAY_UNPAID
    elif order.cause in (Cause.FOK, Cause.FAK):
        yield Way.DELAY_KILLED
    elif order.status is not OrderStatus.DELAYED:
        yield Way.DELAY_UNMATCHED
