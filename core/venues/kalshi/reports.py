"""What the account has, as Kalshi writes it and as reports: orders, fills, positions, settlements, cash."""

from __future__ import annotations

from typing import Final

import msgspec

from core.domain.market import Venue
from core.domain.order import Fill
from core.domain.text import clean_text
from core.domain.units import ONE_DOLLAR, Money, Price, Quantity
from core.venues.exchange import Cash
from core.venues.venue import (
    OrderReport,
    PositionReport,
    ReportStatus,
    SettlementRecord,
    SettlementReport,
)
from core.venues.wire import (
    SECOND_MS,
    Name,
    Odd,
    Whole,
    WireError,
    book_side,
    money,
    price,
    quantity,
    rfc3339_ms,
    signed_quantity,
)

CLIENT_ORDER_ID_CHARS_MAX = 64
CENT: Final = 10_000
"""In millionths of a dollar."""

_STATUSES: Final = {status.value: status for status in ReportStatus}


class OrderWire(msgspec.Struct, frozen=True, gc=False):
    """An order in a list, a look-up or a ``user_order`` message (whose times end in ``_ts_ms``)."""

    order_id: Name
    ticker: Name
    book_side: str
    status: str
    yes_price_dollars: str
    initial_count_fp: str
    fill_count_fp: str
    remaining_count_fp: str
    client_order_id: object = None
    expiration_time: object = None
    expiration_ts_ms: object = None
    last_update_time: object = None
    last_updated_ts_ms: object = None
    last_update_reason: object = None
    subaccount_number: object = None
    exchange_index: object = None


def order_report(wire: OrderWire, odd: Odd) -> OrderReport:
    """Raises ``WireError`` when a field the order's truth rests on is wrong."""
    expires_ms = odd.moment(wire.expiration_ts_ms, "expiration_ts_ms")
    updated_ms = odd.moment(wire.last_updated_ts_ms, "last_updated_ts_ms")
    return OrderReport(
        order_id=wire.order_id,
        client_order_id=odd.text(wire.client_order_id, "client_order_id", CLIENT_ORDER_ID_CHARS_MAX),
        ticker=wire.ticker,
        side=book_side(wire.book_side),
        price=price(wire.yes_price_dollars, "yes_price_dollars"),
        quantity=quantity(wire.initial_count_fp, "initial_count_fp"),
        filled=quantity(wire.fill_count_fp, "fill_count_fp"),
        remaining=quantity(wire.remaining_count_fp, "remaining_count_fp"),
        status=_STATUSES.get(wire.status, ReportStatus.UNKNOWN),
        reason=odd.text(wire.last_update_reason, "last_update_reason", 40),
        expires_ms=odd.time(wire.expiration_time, "expiration_time") if expires_ms is None else expires_ms,
        updated_ms=odd.time(wire.last_update_time, "last_update_time") if updated_ms is None else updated_ms,
        shard=odd.whole(wire.exchange_index, "exchange_index"),
    )


class FillWire(msgspec.Struct, frozen=True, gc=False):
    """A fill in a list (``ticker``, ``created_time``) or a message (``market_ticker``, ``ts_ms``)."""

    trade_id: Name
    order_id: Name
    book_side: str
    yes_price_dollars: str
    count_fp: str
    fee_cost: str
    is_taker: bool
    market_ticker: Name | None = None
    ticker: Name | None = None
    client_order_id: object = None
    created_time: object = None
    ts: object = None
    ts_ms: object = None
    post_position_fp: object = None
    subaccount: object = None


def fill(wire: FillWire, odd: Odd) -> tuple[Fill, str, Quantity | None]:
    """The fill, and what only messages carry: its client order id and the net position after it.

    Raises ``WireError``.
    """
    ticker = wire.market_ticker or wire.ticker
    if ticker is None:
        raise WireError("fill: no market ticker")
    count = quantity(wire.count_fp, "count_fp")
    if count == 0:
        raise WireError("fill: count_fp is zero")
    made = Fill(
        trade_id=wire.trade_id,
        venue=Venue.KALSHI,
        ticker=ticker,
        order_id=wire.order_id,
        side=book_side(wire.book_side),
        price=price(wire.yes_price_dollars, "yes_price_dollars"),
        quantity=count,
        fee=money(wire.fee_cost, "fee_cost"),
        is_taker=wire.is_taker,
        at_ms=_filled_ms(wire, odd),
    )
    client_order_id = odd.text(wire.client_order_id, "client_order_id", CLIENT_ORDER_ID_CHARS_MAX)
    return made, client_order_id, odd.count(wire.post_position_fp, "post_position_fp")


def _filled_ms(wire: FillWire, odd: Odd) -> int:
    """A message has milliseconds, a list a time, and failing that whole seconds."""
    at_ms, at_second_ms = odd.moment(wire.ts_ms, "ts_ms"), odd.moment(wire.ts, "ts", SECOND_MS)
    if at_ms is not None:
        return at_ms
    if wire.created_time is None and at_second_ms is not None:
        return at_second_ms
    return rfc3339_ms(wire.created_time, "created_time")


class PositionWire(msgspec.Struct, frozen=True, gc=False):
    ticker: Name
    position_fp: str


def position_report(wire: PositionWire, odd: Odd) -> PositionReport:
    return PositionReport(wire.ticker, signed_quantity(wire.position_fp, "position_fp"))


class SettlementWire(msgspec.Struct, frozen=True, gc=False):
    ticker: Name
    market_result: str
    settled_time: str
    value: object = None
    """Cents per YES contract; absent on some yes/no results."""
    yes_count_fp: object = None
    yes_total_cost_dollars: object = None
    no_count_fp: object = None
    no_total_cost_dollars: object = None
    revenue: object = None
    """Cents."""
    fee_cost: object = None


def settlement_report(wire: SettlementWire, odd: Odd) -> SettlementReport:
    cents = odd.whole(wire.value, "value")
    payout = _PAYOUTS.get(wire.market_result)
    if payout is None:
        if cents is None or not 0 <= cents <= 100:
            raise WireError(f"settlement of {wire.ticker}: no payout for {wire.market_result[:40]!r}")
        payout = Price(cents * 100)
    return SettlementReport(
        wire.ticker,
        payout,
        clean_text(wire.market_result, 20),
        rfc3339_ms(wire.settled_time, "settled_time"),
        _record(wire, odd),
    )


def _record(wire: SettlementWire, odd: Odd) -> SettlementRecord | None:
    """The statement, when all of it is there; what it lacks never holds up the settlement itself."""
    yes, no = odd.count(wire.yes_count_fp, "yes_count_fp"), odd.count(wire.no_count_fp, "no_count_fp")
    yes_cost = odd.money(wire.yes_total_cost_dollars, "yes_total_cost_dollars")
    no_cost = odd.money(wire.no_total_cost_dollars, "no_total_cost_dollars")
    revenue, fee = odd.whole(wire.revenue, "revenue"), odd.money(wire.fee_cost, "fee_cost")
    if yes is None or no is None or yes_cost is None or no_cost is None or revenue is None or fee is None:
        return None
    return SettlementRecord(yes, yes_cost, no, no_cost, Money(revenue * CENT), fee)


_PAYOUTS: Final = {"yes": ONE_DOLLAR, "no": Price(0)}


class QueueWire(msgspec.Struct, frozen=True, gc=False):
    order_id: Name
    queue_position_fp: str


class PlaceWire(msgspec.Struct, frozen=True, gc=False):
    queue_position_fp: str


class QueuePage(msgspec.Struct, frozen=True):
    queue_positions: list[QueueWire] | None = None


class ShardBalanceWire(msgspec.Struct, frozen=True, gc=False):
    exchange_index: Whole
    balance: str


class BalanceWire(msgspec.Struct, frozen=True, gc=False):
    balance_dollars: str
    balance_breakdown: list[ShardBalanceWire] | None = None


def cash(wire: BalanceWire, odd: Odd) -> Cash:
    shards = {
        row.exchange_index: money(row.balance, "balance_breakdown") for row in wire.balance_breakdown or ()
    }
    return Cash(money(wire.balance_dollars, "balance_dollars"), shards)
