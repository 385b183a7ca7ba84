"""Messages that stand on their own, as facts: what one says does not depend on those before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from core.venues.kalshi.channel import GROUPS, LIFECYCLE, PRIVATE
from core.venues.kalshi.facts import (
    NOTHING,
    Fact,
    FillSeen,
    GroupSeen,
    Listed,
    Missed,
    Oddity,
    OrderSeen,
    PositionSeen,
    PublicationSeen,
    TickerSeen,
    TradeSeen,
    ValueSeen,
)
from core.venues.kalshi.frames import (
    FastFrame,
    FillFrame,
    GroupFrame,
    IndexFrame,
    IndexListFrame,
    OrderFrame,
    PositionFrame,
    PythFrame,
    PythListFrame,
    TickerFrame,
    TradeFrame,
)
from core.venues.kalshi.publications import (
    FAST,
    INDICES,
    PUBLISHED,
    PYTH,
    desk_name,
    fast_value,
    index_value,
    pyth_value,
)
from core.venues.kalshi.reports import fill, order_report
from core.venues.kalshi.tape import ticker, trade
from core.venues.venue import GroupChange, PositionReport
from core.venues.wire import Odd, WireError, signed_quantity

_GROUP_CHANGES: Final = {
    "created": GroupChange.OPENED,
    "triggered": GroupChange.TRIGGERED,
    "reset": GroupChange.RESET,
    "deleted": GroupChange.REMOVED,
    "limit_updated": GroupChange.LIMITED,
}
_CHANNEL_OF_TYPE: Final = {
    "fill": PRIVATE[0],
    "user_order": PRIVATE[0],
    "market_position": PRIVATE[0],
    "market_lifecycle_v2": LIFECYCLE,
    "event_fee_update": LIFECYCLE,
    "order_group_updates": GROUPS,
}
"""What has to be read when a message of this type cannot be."""


def unreadable(kind: str, data: bytes) -> Sequence[Fact]:
    """A message of a type we know whose content we cannot use."""
    if kind in PUBLISHED:
        return (PublicationSeen(kind, data), Oddity("unreadable public message", kind))
    channel = _CHANNEL_OF_TYPE.get(kind)
    return NOTHING if channel is None else (Oddity("unreadable message", kind), Missed(channel))


def private(frame: FillFrame | OrderFrame | PositionFrame, subaccount: int) -> Sequence[Fact]:
    """News of our account; nothing for those of a subaccount that is not ours."""
    odd = Odd()
    try:
        seen: Fact
        match frame:
            case FillFrame():
                belongs, seen = frame.msg.subaccount, FillSeen(*fill(frame.msg, odd))
            case OrderFrame():
                belongs, seen = frame.msg.subaccount_number, OrderSeen(order_report(frame.msg, odd))
            case PositionFrame():
                net = signed_quantity(frame.msg.position_fp, "position_fp")
                belongs = frame.msg.subaccount
                seen = PositionSeen(PositionReport(frame.msg.market_ticker, net))
    except WireError as error:
        return (Oddity("unreadable private message", str(error)), Missed(PRIVATE[0]))
    if belongs is not None and belongs != subaccount:
        return NOTHING
    return (seen, *(Oddity("odd field", note) for note in odd.notes))


def group(frame: GroupFrame) -> Sequence[Fact]:
    change = _GROUP_CHANGES.get(frame.msg.event_type)
    if change is None:
        return (Oddity("odd group event", frame.msg.event_type[:40]),)
    return (GroupSeen(frame.msg.order_group_id, change),)


def public(frame: TickerFrame | TradeFrame) -> Sequence[Fact]:
    odd = Odd()
    try:
        match frame:
            case TickerFrame():
                return (TickerSeen(ticker(frame.msg, odd)),)
            case TradeFrame():
                return (TradeSeen(trade(frame.msg, odd)),)
    except WireError as error:
        return (Oddity("unreadable public message", str(error)),)


def listed(frame: IndexListFrame | PythListFrame) -> Sequence[Fact]:
    match frame:
        case IndexListFrame():
            return (Listed(INDICES, tuple(frame.msg.index_ids)),)
        case PythListFrame():
            return (Listed(PYTH, tuple(map(desk_name, frame.msg.underlying_tickers))),)


def published(frame: IndexFrame | FastFrame | PythFrame, data: bytes) -> Sequence[Fact]:
    """A value beside the markets, after the message it came in."""
    odd = Odd()
    try:
        match frame:
            case IndexFrame():
                came = PublicationSeen(INDICES, data)
                value = index_value(frame.msg, odd)
            case FastFrame():
                came = PublicationSeen(FAST, data)
                value = fast_value(frame.msg)
            case PythFrame():
                came = PublicationSeen(PYTH, data)
                value = pyth_value(frame.msg)
    except WireError as error:
        return (came, Oddity("unreadable public message", str(error)))
    return (came, ValueSeen(value), *(Oddity("odd field", note) for note in odd.notes))
