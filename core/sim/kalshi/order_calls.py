"""Order writes: create, cancel, amend, decrease, alone and in batches.

Kalshi API: create order V2 and its neighbours. Prices and counts arrive as strings; a number is
refused like any other malformed field.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from core.domain.units import Money, Quantity, quantity_text
from core.sim import amending
from core.sim.amending import Amendment
from core.sim.kalshi import bodies, errors
from core.sim.kalshi.call import Answer, Call, UnreadableError, decoded
from core.sim.kalshi.errors import WireError, not_found, refusal
from core.sim.kalshi.shapes import Wire, dollars
from core.sim.orders import (
    BookSide,
    Cancelled,
    OrderRequest,
    OrderStatus,
    Placed,
    Refused,
    SelfTrade,
    TimeInForce,
)

GONE = WireError(410, "deprecated_v1_order_endpoint", "use /portfolio/events/orders")

Seconds = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]
"""Unix seconds that RFC 3339 can write: up to the end of the year 9999."""
ClientOrderId = Annotated[str, msgspec.Meta(max_length=64)]
"""Kalshi documents this length for FIX only."""


class CreateBody(msgspec.Struct, frozen=True):
    ticker: str
    side: BookSide
    count: str
    price: str
    time_in_force: TimeInForce
    self_trade_prevention_type: SelfTrade
    client_order_id: ClientOrderId = ""
    expiration_time: Seconds | None = None
    post_only: bool = False
    reduce_only: bool = False
    cancel_order_on_pause: bool = False
    order_group_id: str | None = None
    subaccount: int = 0
    exchange_index: int = -1


class AmendBody(msgspec.Struct, frozen=True):
    ticker: str
    side: BookSide
    price: str
    count: str
    updated_client_order_id: ClientOrderId | None = None
    expiration_time: Seconds | None = None
    exchange_index: int = -1


class DecreaseBody(msgspec.Struct, frozen=True):
    reduce_by: str | None = None
    reduce_to: str | None = None
    exchange_index: int = -1
    market_ticker: str = ""


class CancelEntry(msgspec.Struct, frozen=True):
    order_id: str
    subaccount: int = 0
    exchange_index: int = -1
    market_ticker: str = ""


class Batch(msgspec.Struct, frozen=True):
    orders: list[msgspec.Raw]


def legacy(call: Call) -> Answer:
    """Every order write of the first generation."""
    raise GONE


def create(call: Call) -> Answer:
    body = bodies.read(call.body, CreateBody)
    account, faults = call.account.name, call.venue.faults
    hidden = faults.hide_if_lost(account, body.client_order_id)
    try:
        placed = _place(call, body)
    except WireError:
        if hidden:
            faults.reveal(account, body.client_order_id)
        raise
    if hidden:
        faults.lost(account)
    return Answer(_placed(placed), 201, lost=hidden)


def create_batch(call: Call) -> Answer:
    """Entries in request order; a bad one carries its error and does not stop the others."""
    rows: list[Wire] = []
    for raw in bodies.read(call.body, Batch).orders:
        try:
            rows.append(_placed(_place(call, bodies.read(raw, CreateBody))))
        except WireError as error:
            rows.append({"client_order_id": _client_order_id(raw), "error": errors.fields(error)})
    return Answer({"orders": rows}, 201)


def cancel(call: Call) -> Answer:
    call.check_primary(call.number("subaccount"))
    entry = CancelEntry(call.path["order_id"], 0, call.shard(), call.text("market_ticker"))
    return Answer(_cancelled(_cancel(call, entry)))


def cancel_batch(call: Call) -> Answer:
    rows: list[Wire] = []
    for raw in bodies.read(call.body, Batch).orders:
        entry = bodies.read(raw, CancelEntry)
        try:
            call.check_primary(entry.subaccount)
            rows.append(_cancelled(_cancel(call, entry)))
        except WireError as error:
            rows.append({"order_id": entry.order_id, "reduced_by": "0.00", "error": errors.fields(error)})
    return Answer({"orders": rows})


def cancel_all(call: Call) -> Answer:
    call.check_primary(call.number("subaccount"))
    call.exchange.cancel_all(call.account.name)
    call.venue.faults.cancelled_all(call.account.name)
    return Answer(None, 204)


def amend(call: Call) -> Answer:
    call.check_primary(call.number("subaccount"))
    body = bodies.read(call.body, AmendBody)
    order_id, price, count = call.path["order_id"], bodies.price(body.price), bodies.count(body.count)
    before = call.exchange.order(call.account.name, order_id)
    _check_shard(call, body.ticker, body.exchange_index)
    resting = before.remaining if before is not None else None
    change = Amendment(
        body.ticker, body.side, price, count, body.updated_client_order_id,
        None if body.expiration_time is None else body.expiration_time * 1000,
    )  # fmt: skip
    done = amending.amend(call.exchange, call.account.name, order_id, change)
    if isinstance(done, Refused):
        raise refusal(done)
    shape = _placed(done)
    if not done.fill_count and done.remaining == resting:
        shape |= dict.fromkeys(("remaining_count", "fill_count"))
    return Answer(shape)


def decrease(call: Call) -> Answer:
    call.check_primary(call.number("subaccount"))
    body = bodies.read(call.body, DecreaseBody)
    if (body.reduce_by is None) == (body.reduce_to is None):
        raise bodies.invalid("exactly one of reduce_by and reduce_to is required")
    order_id = call.path["order_id"]
    order = call.exchange.resting_order(call.account.name, order_id)
    if isinstance(order, Refused):
        raise refusal(order)
    if body.market_ticker and body.market_ticker != order.ticker:
        raise not_found("order")
    _check_shard(call, order.ticker, body.exchange_index)
    to = (
        bodies.count(body.reduce_to)
        if body.reduce_to is not None
        else order.remaining - bodies.count(body.reduce_by or "")
    )
    done = amending.decrease(call.exchange, call.account.name, order_id, Quantity(to))
    if isinstance(done, Refused):
        raise refusal(done)
    return Answer(
        {
            "order_id": done.order_id,
            "client_order_id": done.client_order_id,
            "remaining_count": quantity_text(done.remaining),
            "ts_ms": done.updated_ms,
        }
    )


def entries(body: bytes) -> int:
    """How many orders a batch names, for its price in tokens; one where it cannot be read."""
    try:
        return max(1, len(decoded(body, Batch).orders))
    except UnreadableError:
        return 1


def _place(call: Call, body: CreateBody) -> Placed:
    call.check_primary(body.subaccount)
    _check_shard(call, body.ticker, body.exchange_index)
    exchange, account = call.exchange, call.account.name
    price, count = bodies.price(body.price), bodies.count(body.count)
    expiration_ms = None if body.expiration_time is None else body.expiration_time * 1000
    request = OrderRequest(
        account, body.ticker, body.side, price, count, body.time_in_force, body.client_order_id,
        body.post_only, body.reduce_only, expiration_ms,
        body.self_trade_prevention_type, body.cancel_order_on_pause, body.order_group_id or "",
    )  # fmt: skip
    placed = exchange.place(request)
    if isinstance(placed, Refused):
        raise refusal(placed)
    if placed.order.status is OrderStatus.RESTING and call.venue.faults.echoes_cancel_all(account):
        exchange.cancel(account, placed.order_id)
    return placed


def _cancel(call: Call, entry: CancelEntry) -> Cancelled:
    """Without a ticker a cancel goes to the named shard, or to shard 0."""
    order = call.exchange.order(call.account.name, entry.order_id)
    if order is None or (entry.market_ticker and entry.market_ticker != order.ticker):
        raise not_found("order")
    shard = call.exchange.markets[order.ticker].spec.exchange_index
    routed = shard if entry.market_ticker else 0
    if shard != (entry.exchange_index if entry.exchange_index >= 0 else routed):
        raise not_found("order")
    done = call.exchange.cancel(call.account.name, entry.order_id)
    if isinstance(done, Refused):
        raise refusal(done)
    return done


def _check_shard(call: Call, ticker: str, exchange_index: int) -> None:
    market = call.exchange.markets.get(ticker)
    if market is not None and exchange_index >= 0 and exchange_index != market.spec.exchange_index:
        raise WireError(404, "market_not_found", "market not found")


def _placed(placed: Placed) -> Wire:
    shape: Wire = {
        "order_id": placed.order_id,
        "client_order_id": placed.order.client_order_id,
        "fill_count": quantity_text(placed.fill_count),
        "remaining_count": quantity_text(placed.remaining),
        "ts_ms": placed.ts_ms,
    }
    if placed.average_fill_price is not None:
        shape["average_fill_price"] = dollars(placed.average_fill_price)
        shape["average_fee_paid"] = dollars(placed.average_fee or Money(0))
    return shape


def _cancelled(done: Cancelled) -> Wire:
    return {
        "order_id": done.order_id,
        "client_order_id": done.client_order_id,
        "reduced_by": quantity_text(done.reduced_by),
        "ts_ms": done.ts_ms,
    }


def _client_order_id(raw: msgspec.Raw) -> str | None:
    try:
        found = decoded(raw, dict[str, Any])
    except UnreadableError:
        return None
    named = found.get("client_order_id")
    return named if isinstance(named, str) else None
