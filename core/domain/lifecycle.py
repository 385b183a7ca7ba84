"""How events move an order, by the tables of ``order.py``: pure functions, each returning the order after it.

What the tables do not hold leaves the order as it was and comes back as an ``Anomaly``; facts (fills) are
applied even then.
"""

from __future__ import annotations

import msgspec

from core.domain.order import (
    COMMAND,
    LATE,
    LIFE,
    TERMINAL,
    Anomaly,
    CommandEvent,
    Event,
    Fill,
    Life,
    Order,
)
from core.domain.trade import trade_of
from core.domain.units import Quantity


def advance(order: Order, event: Event, *, reason: str = "") -> tuple[Order, Anomaly | None]:
    """Move the life region by the table. An illegal event leaves the order unchanged."""
    key = (order.life, event)
    if key in LIFE:
        return _moved(order, LIFE[key], reason), None
    late = LATE.get(key)
    anomaly = Anomaly(
        order.intent.client_order_id,
        "late fill" if late is not None else "illegal transition",
        f"{event.value} while {order.life.value}",
    )
    return (_moved(order, late, "") if late is not None else order), anomaly


def _moved(order: Order, life: Life, reason: str) -> Order:
    ending = None if life in TERMINAL else order.ending
    return msgspec.structs.replace(order, life=life, ending=ending, reason=reason or order.reason)


def apply_fill(order: Order, fill: Fill) -> tuple[Order, Anomaly | None]:
    """Apply one fill at most once, in any order, before or after acknowledgements and ends."""
    intent = order.intent
    if fill.quantity <= 0 or (fill.ticker, fill.side) != (intent.ticker, intent.side):
        return order, Anomaly(
            intent.client_order_id,
            "foreign fill",
            f"trade {fill.trade_id}: {fill.side.value} {fill.quantity} millionths of {fill.ticker}",
        )
    for known in order.fills:
        if known.trade_id == fill.trade_id:
            if known.same_execution(fill):
                return order, None
            return order, Anomaly(
                order.intent.client_order_id,
                "conflicting fill",
                f"trade {fill.trade_id} seen with two contents",
            )
    if any(gone.trade_id == fill.trade_id for gone in order.undone):
        return order, None
    filled = order.filled + fill.quantity
    grown = msgspec.structs.replace(
        order,
        fills=(*order.fills, fill),
        said="",
        order_id=order.order_id or fill.order_id,
        venue_filled=Quantity(max(order.venue_filled, order.matched + fill.quantity)),
    )
    whole = order.quantity_max
    moved, anomaly = advance(grown, Event.FILLED_IN_FULL if filled >= whole else Event.FILLED_IN_PART)
    if filled > whole:
        anomaly = Anomaly(intent.client_order_id, "overfill", f"filled {filled} of {whole} millionths")
    return _settle_ending(moved), anomaly


def recharge(order: Order, fill: Fill) -> Order:
    """The same execution with the fee the venue has settled on."""
    fills = tuple(fill if known.trade_id == fill.trade_id else known for known in order.fills)
    return msgspec.structs.replace(order, fills=fills)


def undo(order: Order, trade_id: str) -> Order:
    """The trade failed to settle: its fills never were. What the venue matched stays matched."""
    gone = tuple(fill for fill in order.fills if trade_of(fill.trade_id) == trade_id)
    left = tuple(fill for fill in order.fills if fill not in gone)
    return msgspec.structs.replace(order, fills=left, undone=(*order.undone, *gone))


def confirm(order: Order, trade_id: str) -> Order:
    """The trade has settled: nothing can undo its fills any more."""
    fills = tuple(
        msgspec.structs.replace(fill, final=True) if trade_of(fill.trade_id) == trade_id else fill
        for fill in order.fills
    )
    return msgspec.structs.replace(order, fills=fills)


def report_end(
    order: Order, end: Life, venue_filled: Quantity, *, reason: str = ""
) -> tuple[Order, Anomaly | None]:
    """The venue says the order is over (``CANCELLED``, ``EXPIRED`` or ``FILLED``) with this cumulative count.

    The end is believed only once our fills add up to what is counted; until then the order stays
    open with ``ending`` set and the missing fills must be fetched.
    """
    known = msgspec.structs.replace(
        order, venue_filled=Quantity(max(order.venue_filled, venue_filled)), reason=reason or order.reason
    )
    if order.matched < known.counted and order.live:
        moved, anomaly = advance(known, Event.ACCEPTED)
        if anomaly is not None:
            return moved, anomaly
        return msgspec.structs.replace(moved, ending=end), None
    return _finish(known, end)


_END_EVENT = {
    Life.CANCELLED: Event.CANCEL_PROVEN,
    Life.EXPIRED: Event.EXPIRY_PROVEN,
    Life.FILLED: Event.FILLED_IN_FULL,
}


def _finish(order: Order, end: Life) -> tuple[Order, Anomaly | None]:
    if order.life is end:
        return order, None
    if end is Life.FILLED and not order.live:
        # ``LATE`` is for fills: the venue's word alone never turns another end into this one.
        return order, Anomaly(
            order.intent.client_order_id, "illegal transition", f"reported filled while {order.life.value}"
        )
    return advance(order, _END_EVENT[end])


def _settle_ending(order: Order) -> Order:
    if order.ending is None or order.matched < order.counted:
        return order
    return _finish(order, order.ending)[0]


def command(order: Order, event: CommandEvent) -> tuple[Order, Anomaly | None]:
    """Move the command region by the table; life is not touched."""
    after = COMMAND.get((order.command, event))
    if after is None:
        return order, Anomaly(
            order.intent.client_order_id, "illegal command", f"{event.value} while {order.command.value}"
        )
    return msgspec.structs.replace(order, command=after), None


def ask_renewal(order: Order, expires_ms: int) -> tuple[Order, Anomaly | None]:
    """A renewal until ``expires_ms`` leaves; from now on the order may live so long, as large as it is."""
    moved, anomaly = command(order, CommandEvent.RENEW_REQUESTED)
    if anomaly is not None:
        return order, anomaly
    asked_ms = max(expires_ms, order.asked_ms or 0)
    return msgspec.structs.replace(moved, asked_ms=asked_ms, renewed_size=order.quantity), None


def resize(order: Order, size: Quantity, at_ms: int | None) -> Order:
    """The venue's word, as of ``at_ms``, on the size of an order that rests, filled contracts included.

    Our reductions change it, and a person elsewhere on the account. A word that is older than the one the
    size is known from says nothing.
    """
    if size == order.quantity:
        return order
    if order.sized_ms is not None and (at_ms is None or at_ms < order.sized_ms):
        return order
    changed = msgspec.structs.replace(order, size=size, sized_ms=at_ms)
    if order.reduced_to is None or size > order.reduced_to:
        return changed
    return answered(changed, CommandEvent.REDUCE_CONFIRMED)


def ask_reduction(order: Order, size: Quantity) -> tuple[Order, Anomaly | None]:
    """A reduction to ``size`` leaves; until there is proof the order counts as large as it is."""
    moved, anomaly = command(order, CommandEvent.REDUCE_REQUESTED)
    if anomaly is not None:
        return order, anomaly
    return msgspec.structs.replace(moved, reduced_to=size), None


def prove_expiry(order: Order, expires_ms: int) -> Order:
    """The venue says the order ends then. Ends only move outwards, so its words may come in any order."""
    known = order.expires_ms
    if known is None or expires_ms < known:
        return order
    later = order if expires_ms == known else msgspec.structs.replace(order, renewed_ms=expires_ms)
    if order.asked_ms is None or expires_ms < order.asked_ms:
        return later
    return answered(later, CommandEvent.RENEW_CONFIRMED)


def answered(order: Order, event: CommandEvent) -> Order:
    """An answer to a command; one that a later command overtook changes nothing more."""
    after = COMMAND.get((order.command, event))
    return order if after is None else msgspec.structs.replace(order, command=after)
