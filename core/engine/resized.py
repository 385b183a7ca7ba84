"""Orders of ours whose size is another one now: by our reduction, or changed by somebody at the venue.

What we asked for is told only where it came to nothing. A size that somebody else made smaller is told once;
a larger one calls a person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.domain.order import Command, Order
from core.domain.units import quantity_text
from core.engine import incidents
from core.engine.autonomy import end_automatic
from core.engine.state import AlarmLevel
from core.execution.differences import Row

if TYPE_CHECKING:
    from core.engine.desk import Desk


def follow(desk: Desk, before: Order, after: Order) -> None:
    """Tell of a size that is another one now, and stop telling once the order is over."""
    key, ticker = _key(after), after.intent.ticker
    if not after.live:
        if after.quantity > after.intent.quantity:
            desk.alarms.clear(key)
        return
    if before.command is Command.REDUCE_SENDING:
        _answered(desk, after)
    ours = after.quantity == after.reduced_to and after.quantity < before.quantity
    if ours or after.quantity == before.quantity:
        return
    text = _text(after)
    incidents.note(desk, Row.RESIZED, ticker, f"{text}, {quantity_text(before.quantity)} before")
    if after.quantity < before.quantity:
        desk.alarms.raise_(key, AlarmLevel.NOTE, text, ticker=ticker)
        return
    if desk.alarms.seen(key):
        desk.alarms.clear(key)
    _call(desk, after)
    end_automatic(desk.state, desk.scribe, text)


def watch(desk: Desk) -> None:
    """Once a second: what is larger than it was let out calls somebody, after a restart too."""
    for order in desk.ledger.live.values():
        if order.quantity > order.intent.quantity:
            _call(desk, order)


def _answered(desk: Desk, order: Order) -> None:
    """Of reductions of ours only those are told that came to nothing: the receipt had promised them."""
    client = order.intent.client_order_id
    text = f"order {client[-4:]} counts as {quantity_text(order.quantity)} contracts: the venue "
    if order.command is Command.REDUCE_UNKNOWN:
        text += "did not answer when it was to be made smaller"
    elif order.command is Command.NONE and order.reduced_to is None:
        text += "did not make it smaller, its rows say why"
    else:
        return
    desk.alarms.raise_(f"reduce {client}", AlarmLevel.NOTE, text, ticker=order.intent.ticker)


def _call(desk: Desk, order: Order) -> None:
    effect = "it counts at that size in every limit"
    if order.quantity > order.intent.quantity:
        effect += " and is not renewed"
    desk.alarms.raise_(
        _key(order), AlarmLevel.ACT, _text(order), effect, "the end of that order", order.intent.ticker
    )


def _key(order: Order) -> str:
    """Of the same sort as orders from outside: no automatic mode before it is acknowledged."""
    return f"external {order.intent.client_order_id}"


def _text(order: Order) -> str:
    size, ordered = quantity_text(order.quantity), quantity_text(order.intent.quantity)
    client = order.intent.client_order_id
    return f"order {client[-4:]} was changed at the venue: {size} contracts now, {ordered} were ordered"
