"""New orders, alone and in batches.

Kalshi API: create order V2. Prices and counts arrive as strings; a number is refused like any other
malformed field.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from core.domain.units import Money, quantity_text
from core.sim.dialect import BatchOrder
from core.sim.kalshi import bodies, errors
from core.sim.kalshi.call import Answer, Call
from core.sim.kalshi.errors import WireError, forbidden
from core.sim.kalshi.routing import check_shard
from core.sim.kalshi.shapes import Wire, dollars
from core.sim.orders import BookSide, OrderRequest, OrderStatus, Placed, Refused, SelfTrade, TimeInForce
from core.sim.requests import UnreadableError, decoded

GONE = WireError(410, "deprecated_v1_order_endpoint", "use /portfolio/events/orders")

REGIONAL = frozenset({"Sports", "Elections", "Entertainment"})
"""Categories a key may trade only while its account's location is attested."""

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
    subaccount: int | None = None
    exchange_index: int = -1


class Batch(msgspec.Struct, frozen=True):
    orders: list[msgspec.Raw]


def legacy(call: Call) -> Answer:
    """Every order write of the first generation."""
    raise GONE


def create(call: Call) -> Answer:
    body = bodies.read(call.body, CreateBody)
    account, faults = call.numbered(body.subaccount).name, call.venue.faults
    hidden = faults.hide_if_lost(account, body.client_order_id)
    try:
        placed = _place(call, body)
    except WireError:
        if hidden:
            faults.reveal(account, body.client_order_id)
        raise
    if hidden:
        faults.lost(account)
    return Answer(placed_shape(placed), 201, lost=hidden)


def create_batch(call: Call) -> Answer:
    """A bad entry carries its error and does not stop the others."""
    rows: list[Wire] = []
    for raw in bodies.read(call.body, Batch).orders:
        try:
            rows.append(placed_shape(_place(call, bodies.read(raw, CreateBody))))
        except WireError as error:
            rows.append({"client_order_id": _client_order_id(raw), "error": errors.fields(error)})
    return Answer({"orders": ordered(call, rows)}, 201)


def ordered(call: Call, rows: list[Wire]) -> list[Wire]:
    """A batch's answers in the order this exchange gives them."""
    match call.exchange.dialect.batch_order:
        case BatchOrder.AS_ASKED:
            return rows
        case BatchOrder.REVERSED:
            return rows[::-1]
        case BatchOrder.ERRORS_LAST:
            return sorted(rows, key=lambda row: "error" in row)


def entries(body: bytes) -> int:
    """How many orders a batch names, for its price in tokens; one where it cannot be read."""
    try:
        return max(1, len(decoded(body, Batch).orders))
    except UnreadableError:
        return 1


def placed_shape(placed: Placed) -> Wire:
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


def _place(call: Call, body: CreateBody) -> Placed:
    exchange, account = call.exchange, call.numbered(body.subaccount).name
    check_shard(call, body.ticker, body.exchange_index)
    _check_region(call, body.ticker)
    price, count = bodies.price(body.price), bodies.count(body.count)
    expiration_ms = None if body.expiration_time is None else body.expiration_time * 1000
    request = OrderRequest(
        account, body.ticker, body.side, price, count, body.time_in_force, body.client_order_id,
        body.post_only, body.reduce_only, expiration_ms,
        body.self_trade_prevention_type, body.cancel_order_on_pause, body.order_group_id or "",
    )  # fmt: skip
    placed = exchange.place(request)
    if isinstance(placed, Refused):
        raise call.refusal(placed)
    swept = call.venue.clock.wall_ms() < exchange.account(account).swept_until_ms
    if swept and placed.order.status is OrderStatus.RESTING:
        exchange.cancel(account, placed.order_id)
    return placed


def _check_region(call: Call, ticker: str) -> None:
    """Refuse categories that need a location where the account's attestation has lapsed."""
    until_s = call.venue.keys.regions.get(call.member)
    if until_s is None or call.venue.clock.wall_ms() < until_s * 1000:
        return
    market = call.exchange.markets.get(ticker)
    if market is not None and call.exchange.series[market.spec.series_ticker].category in REGIONAL:
        raise forbidden("location attestation for API keys has expired: this category may not be traded")


def _client_order_id(raw: msgspec.Raw) -> str | None:
    try:
        found = decoded(raw, dict[str, Any])
    except UnreadableError:
        return None
    named = found.get("client_order_id")
    return named if isinstance(named, str) else None
