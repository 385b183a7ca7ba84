"""What the stream's logic concludes from a message, for the venue to hand on."""

from __future__ import annotations

from typing import Final

import msgspec

from core.domain.order import Fill
from core.domain.units import Quantity
from core.venues.kalshi.markets import EventFeeWire, LifecycleWire
from core.venues.kalshi.tape import Ticker, Trade
from core.venues.published import Published
from core.venues.venue import GroupChange, OrderReport, PositionReport


class BookChanged(msgspec.Struct, frozen=True):
    """The book of this market changed, or whether it can be trusted did."""

    ticker: str


class FillSeen(msgspec.Struct, frozen=True):
    fill: Fill
    client_order_id: str
    net: Quantity | None
    """The venue's signed count of the market after this fill."""


class PositionSeen(msgspec.Struct, frozen=True):
    report: PositionReport


class OrderSeen(msgspec.Struct, frozen=True):
    report: OrderReport


class GroupSeen(msgspec.Struct, frozen=True):
    group_id: str
    change: GroupChange


class TickerSeen(msgspec.Struct, frozen=True):
    ticker: Ticker


class TradeSeen(msgspec.Struct, frozen=True):
    trade: Trade


class PublicationSeen(msgspec.Struct, frozen=True):
    """A message of a channel of values, as it came, whether or not it can be read."""

    channel: str
    frame: bytes


class ValueSeen(msgspec.Struct, frozen=True):
    value: Published


class Listed(msgspec.Struct, frozen=True):
    """What a channel of values has, by the desk's names, as was asked."""

    channel: str
    names: tuple[str, ...]


class Denied(msgspec.Struct, frozen=True):
    """The venue does not give us this channel, which we can do without."""

    channel: str
    reason: str


class MarketEvent(msgspec.Struct, frozen=True):
    body: LifecycleWire


class FeesChanged(msgspec.Struct, frozen=True):
    body: EventFeeWire


class PrivateReady(msgspec.Struct, frozen=True):
    """Orders and fills arrive from here on; what happened before must be read."""


class Missed(msgspec.Struct, frozen=True):
    """Something on this channel may have been lost: read it."""

    channel: str


class Oddity(msgspec.Struct, frozen=True):
    """An anomaly: shown and journalled, nothing rests on it."""

    what: str
    detail: str


class KeyRefused(msgspec.Struct, frozen=True):
    """The venue does not accept our key for the stream."""

    reason: str


class GiveUp(msgspec.Struct, frozen=True):
    """The connection cannot be saved: reconnect."""

    reason: str


Fact = (
    BookChanged
    | FillSeen
    | OrderSeen
    | PositionSeen
    | GroupSeen
    | TickerSeen
    | TradeSeen
    | PublicationSeen
    | ValueSeen
    | Listed
    | Denied
    | MarketEvent
    | FeesChanged
    | PrivateReady
    | Missed
    | Oddity
    | KeyRefused
    | GiveUp
)

NOTHING: Final[tuple[Fact, ...]] = ()
