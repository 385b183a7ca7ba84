"""Cancels: one order, a list, a market, everything. A full answer is 200 whether or not anything went."""

from __future__ import annotations

import msgspec

from core.sim.polymarket.call import Answer, Call
from core.sim.polymarket.errors import INVALID_PAYLOAD, bad
from core.sim.polymarket.orders import Order
from core.sim.polymarket.shapes import Wire

CANCELS_MAX = 1_000
"""Ids one call may name; the docs say 1000 in one place and 3000 in another."""


class _One(msgspec.Struct, frozen=True):
    order_id: str = msgspec.field(name="orderID")


class _Market(msgspec.Struct, frozen=True):
    market: str = ""
    asset_id: str = ""


def cancel(call: Call) -> Answer:
    return _cancel(call, [call.read(_One, "Invalid orderID").order_id])


def cancel_many(call: Call) -> Answer:
    named = call.read(list[str])
    if len(named) > CANCELS_MAX:
        raise bad(f"Too many orders in payload, max allowed: {CANCELS_MAX}")
    return _cancel(call, list(dict.fromkeys(named)))


def cancel_market(call: Call) -> Answer:
    chosen = call.read(_Market)
    if not chosen.market and not chosen.asset_id:
        raise bad(INVALID_PAYLOAD)

    def is_chosen(order: Order) -> bool:
        return chosen.market in ("", order.condition_id) and chosen.asset_id in ("", order.token_id)

    return _all(call, call.exchange.cancel_all(call.member.key, is_chosen))


def cancel_all(call: Call) -> Answer:
    return _all(call, call.exchange.cancel_all(call.member.key))


def entries(body: bytes) -> int:
    """How many orders a cancel names, for its price in tokens."""
    try:
        return max(1, len(msgspec.json.decode(body, type=list[str])))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return 1


def _cancel(call: Call, ids: list[str]) -> Answer:
    if not all(_is_order_id(order_id) for order_id in ids):
        raise bad("Invalid orderID")
    canceled: list[str] = []
    kept: Wire = {}
    for order_id in ids:
        why = call.exchange.cancel(call.member.key, order_id)
        if why is None:
            canceled.append(order_id)
        else:
            kept[order_id] = why
    return Answer({"canceled": canceled, "not_canceled": kept})


def _all(call: Call, canceled: list[str]) -> Answer:
    """What was cancelled is charged on top of the call."""
    call.venue.signers.owe(call.member.address, len(canceled))
    return Answer({"canceled": canceled, "not_canceled": {}})


def _is_order_id(text: str) -> bool:
    return text.startswith("0x") and len(text) == 66
