"""What the exchange tells its listeners, in the order it happened."""

from __future__ import annotations

import msgspec

from core.domain.units import Price, Quantity
from core.sim.orders import BookSide, Fill, Order, Reason


class BookChanged(msgspec.Struct, frozen=True):
    """The size at one price moved by ``delta``; the cause is the order that moved it."""

    ticker: str
    side: BookSide
    price: Price
    delta: Quantity
    cause_account: str
    cause_client_order_id: str
    clock: int
    ts_ms: int


class Traded(msgspec.Struct, frozen=True):
    """One print of the public tape."""

    trade_id: str
    ticker: str
    price: Price
    count: Quantity
    taker_side: BookSide
    ts_ms: int


class OrderChanged(msgspec.Struct, frozen=True):
    account: str
    order: Order
    reason: Reason | None


class Filled(msgspec.Struct, frozen=True):
    account: str
    fill: Fill
    post_position: Quantity


class MarketChanged(msgspec.Struct, frozen=True):
    """``kind``: created, opened, activated, deactivated, close_date_updated, closed, determined,
    amended, settled, price_level_structure_updated, metadata_updated."""

    ticker: str
    kind: str


class GroupChanged(msgspec.Struct, frozen=True):
    """``kind``: created, triggered, reset, deleted, limit_updated; ``limit`` where that sets one."""

    account: str
    group_id: str
    kind: str
    limit: Quantity | None
    ts_ms: int


class FeesChanged(msgspec.Struct, frozen=True):
    """An event's overrides of its series' fees; ``None`` where one was cleared."""

    event_ticker: str
    fee_type: str | None
    fee_multiplier: float | None


ExchangeEvent = BookChanged | Traded | OrderChanged | Filled | MarketChanged | GroupChanged | FeesChanged
