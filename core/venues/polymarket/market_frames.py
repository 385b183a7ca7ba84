"""Market-channel messages as typed structs, and the commands we send. Only fields that are used are declared.

A frame is one object or an array of them; a decoder for both costs nothing extra.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from core.venues.polymarket.book_wire import BookWire


class BookFrame(BookWire, frozen=True, tag_field="event_type", tag="book"):
    """The whole book: after a subscription and after trades."""


class Change(msgspec.Struct, frozen=True, gc=False):
    """``size`` is what rests at the price from now on."""

    asset_id: str
    price: str
    size: str
    side: str
    hash: object = None
    """Of the order behind the change, not of the book."""
    best_bid: str | None = None
    best_ask: str | None = None


class ChangeFrame(msgspec.Struct, frozen=True, tag_field="event_type", tag="price_change"):
    timestamp: str
    price_changes: list[Change]


class TradeFrame(msgspec.Struct, frozen=True, gc=False, tag_field="event_type", tag="last_trade_price"):
    """A trade of anybody's, in terms of the taker's token: the book says what is left after it."""

    asset_id: str = ""
    price: str = ""
    size: str = ""
    side: str = ""
    timestamp: str = ""


class TickFrame(msgspec.Struct, frozen=True, gc=False, tag_field="event_type", tag="tick_size_change"):
    asset_id: str
    new_tick_size: str


class BestFrame(msgspec.Struct, frozen=True, gc=False, tag_field="event_type", tag="best_bid_ask"):
    asset_id: str
    timestamp: str
    best_bid: str | None = None
    best_ask: str | None = None


class ResolvedFrame(msgspec.Struct, frozen=True, tag_field="event_type", tag="market_resolved"):
    market: str
    assets_ids: list[str] = []


class NewMarketFrame(msgspec.Struct, frozen=True, gc=False, tag_field="event_type", tag="new_market"):
    """Comes for every market of the venue: nothing of it is kept."""


Frame = BookFrame | ChangeFrame | TradeFrame | TickFrame | BestFrame | ResolvedFrame | NewMarketFrame


class Envelope(msgspec.Struct, frozen=True):
    """What every message has, for those whose type or content we do not know."""

    event_type: str
    asset_id: str = ""


class Opening(msgspec.Struct, frozen=True):
    """The first message on a connection."""

    assets_ids: Sequence[str]
    type: str = "market"
    custom_feature_enabled: bool = True


class Subscription(msgspec.Struct, frozen=True):
    operation: str
    assets_ids: Sequence[str]
    custom_feature_enabled: bool = True


frame_decoder = msgspec.json.Decoder(Frame | list[Frame])
envelope_decoder = msgspec.json.Decoder(Envelope | list[Envelope])
