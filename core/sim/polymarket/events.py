"""What the exchange tells its listeners, in the order it happened."""

from __future__ import annotations

from enum import Enum

import msgspec

from core.domain.units import Price
from core.sim.orders import BookSide
from core.sim.polymarket.orders import Order, Trade


class BookChanged(msgspec.Struct, frozen=True):
    """The size at one YES price is another; ``order_id`` is the order behind it."""

    condition_id: str
    side: BookSide
    price: Price
    order_id: str


class OrderEvent(Enum):
    PLACEMENT = "PLACEMENT"
    UPDATE = "UPDATE"
    CANCELLATION = "CANCELLATION"


class OrderChanged(msgspec.Struct, frozen=True):
    order: Order
    kind: OrderEvent


class TradeChanged(msgspec.Struct, frozen=True):
    """A trade has entered its ``stage``."""

    trade: Trade


class MarketEvent(Enum):
    LISTED = "listed"
    TICK = "tick"
    CLEARED = "cleared"
    CLOSED = "closed"
    RESOLVED = "resolved"


class MarketChanged(msgspec.Struct, frozen=True):
    """``tick_before`` is what the tick was, where that is what changed."""

    condition_id: str
    kind: MarketEvent
    tick_before: Price | None = None


class Redeemed(msgspec.Struct, frozen=True):
    """A wallet's tokens of a resolved market were paid out."""

    wallet: str
    condition_id: str


Event = BookChanged | OrderChanged | TradeChanged | MarketChanged | Redeemed
