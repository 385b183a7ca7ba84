"""Changes to resting orders: amend and decrease. Kalshi API: amend order V2, decrease order V2."""

from __future__ import annotations

import msgspec

from core.domain.units import Quantity, quantity_text
from core.sim import amending
from core.sim.amending import Amendment
from core.sim.kalshi import bodies
from core.sim.kalshi.call import Answer, Call
from core.sim.kalshi.order_calls import ClientOrderId, Seconds, placed_shape
from core.sim.kalshi.routing import AUTO, check_routed, check_shard
from core.sim.orders import BookSide, Refused


class AmendBody(msgspec.Struct, frozen=True):
    ticker: str
    side: BookSide
    price: str
    count: str
    updated_client_order_id: ClientOrderId | None = None
    expiration_time: Seconds | None = None
    exchange_index: int = AUTO


class DecreaseBody(msgspec.Struct, frozen=True):
    reduce_by: str | None = None
    reduce_to: str | None = None
    exchange_index: int = AUTO
    market_ticker: str = ""


def amend(call: Call) -> Answer:
    """An amendment that changes nothing of price and size answers with null counts."""
    account, order_id = call.account.name, call.path["order_id"]
    body = bodies.read(call.body, AmendBody)
    price, count = bodies.price(body.price), bodies.count(body.count)
    before = call.exchange.order(account, order_id)
    check_shard(call, body.ticker, body.exchange_index)
    resting = before.remaining if before is not None else None
    change = Amendment(
        body.ticker, body.side, price, count, body.updated_client_order_id,
        None if body.expiration_time is None else body.expiration_time * 1000,
    )  # fmt: skip
    done = amending.amend(call.exchange, account, order_id, change)
    if isinstance(done, Refused):
        raise call.refusal(done)
    shape = placed_shape(done)
    if not done.fill_count and done.remaining == resting:
        shape |= dict.fromkeys(("remaining_count", "fill_count"))
    return Answer(shape)


def decrease(call: Call) -> Answer:
    account, order_id = call.account.name, call.path["order_id"]
    body = bodies.read(call.body, DecreaseBody)
    if (body.reduce_by is None) == (body.reduce_to is None):
        raise bodies.invalid("exactly one of reduce_by and reduce_to is required")
    order = call.exchange.resting_order(account, order_id)
    if isinstance(order, Refused):
        raise call.refusal(order)
    check_routed(call, order, body.exchange_index, body.market_ticker)
    to = (
        bodies.count(body.reduce_to)
        if body.reduce_to is not None
        else order.remaining - bodies.count(body.reduce_by or "")
    )
    done = amending.decrease(call.exchange, account, order_id, Quantity(to))
    if isinstance(done, Refused):
        raise call.refusal(done)
    return Answer(
        {
            "order_id": done.order_id,
            "client_order_id": done.client_order_id,
            "remaining_count": quantity_text(done.remaining),
            "ts_ms": done.updated_ms,
        }
    )
