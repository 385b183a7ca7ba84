"""WebSocket messages as typed structs: one decoding pass by the ``type`` tag, and the commands we send.

Kalshi API: WebSocket (docs.kalshi.com/websockets). Only fields that are used are declared.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from core.venues.kalshi.markets import EventFeeWire, LifecycleWire
from core.venues.kalshi.publications import FastWire, IndexWire, ListWire, PythWire
from core.venues.kalshi.reports import FillWire, OrderWire
from core.venues.kalshi.tape import TickerWire, TradeWire
from core.venues.wire import Name, Whole

Levels = list[tuple[str, str]] | None
"""``[[price, size], ...]`` in no promised order; absent when a side is empty."""


class DeltaBody(msgspec.Struct, frozen=True, gc=False):
    market_ticker: str
    price_dollars: str
    delta_fp: str
    side: str
    clock: object = None


class Delta(msgspec.Struct, frozen=True, gc=False, tag_field="type", tag="orderbook_delta"):
    sid: Whole
    seq: Whole
    msg: DeltaBody
    sending_ts_ms: object = None
    """When it was queued at the venue's edge, its wall clock."""


class SnapshotBody(msgspec.Struct, frozen=True):
    market_ticker: str
    yes_dollars_fp: Levels = None
    no_dollars_fp: Levels = None
    clock: object = None


class Snapshot(msgspec.Struct, frozen=True, tag_field="type", tag="orderbook_snapshot"):
    sid: Whole
    seq: Whole
    msg: SnapshotBody


class FillFrame(msgspec.Struct, frozen=True, tag_field="type", tag="fill"):
    msg: FillWire


class OrderFrame(msgspec.Struct, frozen=True, tag_field="type", tag="user_order"):
    msg: OrderWire


class PositionBody(msgspec.Struct, frozen=True):
    market_ticker: Name
    position_fp: str
    subaccount: object = None


class PositionFrame(msgspec.Struct, frozen=True, tag_field="type", tag="market_position"):
    msg: PositionBody


class GroupBody(msgspec.Struct, frozen=True):
    order_group_id: str
    event_type: str


class GroupFrame(msgspec.Struct, frozen=True, tag_field="type", tag="order_group_updates"):
    sid: Whole
    seq: Whole
    msg: GroupBody


class TickerFrame(msgspec.Struct, frozen=True, tag_field="type", tag="ticker"):
    msg: TickerWire


class TradeFrame(msgspec.Struct, frozen=True, tag_field="type", tag="trade"):
    sid: Whole
    seq: Whole
    msg: TradeWire


class IndexFrame(msgspec.Struct, frozen=True, tag_field="type", tag="cfbenchmarks_value"):
    sid: Whole
    seq: Whole
    msg: IndexWire


class FastFrame(msgspec.Struct, frozen=True, tag_field="type", tag="cfbenchmarks_value_5hz"):
    sid: Whole
    seq: Whole
    msg: FastWire


class PythFrame(msgspec.Struct, frozen=True, tag_field="type", tag="pyth_value"):
    sid: Whole
    seq: Whole
    msg: PythWire


class IndexListFrame(msgspec.Struct, frozen=True, tag_field="type", tag="cfbenchmarks_value_indexlist"):
    sid: Whole
    seq: Whole
    msg: ListWire


class PythListFrame(msgspec.Struct, frozen=True, tag_field="type", tag="pyth_value_underlying_list"):
    sid: Whole
    seq: Whole
    msg: ListWire


class LifecycleFrame(msgspec.Struct, frozen=True, tag_field="type", tag="market_lifecycle_v2"):
    sid: Whole
    seq: Whole
    msg: LifecycleWire


class EventFeeFrame(msgspec.Struct, frozen=True, tag_field="type", tag="event_fee_update"):
    sid: Whole
    seq: Whole
    msg: EventFeeWire


class SubscribedBody(msgspec.Struct, frozen=True):
    channel: str
    sid: Whole


class Subscribed(msgspec.Struct, frozen=True, tag_field="type", tag="subscribed"):
    msg: SubscribedBody
    id: Whole = 0


class ErrorBody(msgspec.Struct, frozen=True):
    code: Whole
    msg: object = None
    market_ticker: object = None


class ErrorFrame(msgspec.Struct, frozen=True, tag_field="type", tag="error"):
    msg: ErrorBody
    id: Whole = 0
    sid: Whole | None = None
    seq: Whole | None = None


class Unsubscribed(msgspec.Struct, frozen=True, tag_field="type", tag="unsubscribed"):
    sid: Whole
    id: Whole = 0


Frame = (
    Delta
    | Snapshot
    | FillFrame
    | OrderFrame
    | PositionFrame
    | GroupFrame
    | TickerFrame
    | TradeFrame
    | IndexFrame
    | FastFrame
    | PythFrame
    | IndexListFrame
    | PythListFrame
    | LifecycleFrame
    | EventFeeFrame
    | Subscribed
    | ErrorFrame
    | Unsubscribed
)


class Envelope(msgspec.Struct, frozen=True):
    """What every message has, for those whose type or content we do not know."""

    type: str
    sid: Whole | None = None
    seq: Whole | None = None


class Params(msgspec.Struct, frozen=True, omit_defaults=True):
    channels: Sequence[str] | None = None
    market_tickers: Sequence[str] | None = None
    sids: Sequence[int] | None = None
    action: str | None = None
    use_yes_price: bool | None = None
    index_ids: Sequence[str] | None = None
    underlying_tickers: Sequence[str] | None = None
    send_initial_snapshot: bool | None = None


class Command(msgspec.Struct, frozen=True):
    id: int
    cmd: str
    params: Params


frame_decoder = msgspec.json.Decoder(Frame)
envelope_decoder = msgspec.json.Decoder(Envelope)
