"""Cancels: one order, a batch, everything. Kalshi API: cancel order V2 and its neighbours."""

from __future__ import annotations

import msgspec

from core.domain.units import quantity_text
from core.sim.kalshi import bodies, errors
from core.sim.kalshi.call import Answer, Call
from core.sim.kalshi.errors import WireError, not_found
from core.sim.kalshi.order_calls import Batch, ordered
from core.sim.kalshi.routing import AUTO, check_routed
from core.sim.kalshi.shapes import Wire
from core.sim.orders import Cancelled, Refused
from core.sim.shards import UNAVAILABLE


class CancelEntry(msgspec.Struct, frozen=True):
    order_id: str
    subaccount: int | None = None
    exchange_index: int = AUTO
    market_ticker: str = ""


def cancel(call: Call) -> Answer:
    number = call.number("subaccount")
    entry = CancelEntry(call.path["order_id"], number, call.shard(), call.text("market_ticker"))
    return Answer(_cancelled(_cancel(call, entry)))


def cancel_batch(call: Call) -> Answer:
    rows: list[Wire] = []
    for raw in bodies.read(call.body, Batch).orders:
        entry = bodies.read(raw, CancelEntry)
        try:
            rows.append(_cancelled(_cancel(call, entry)))
        except WireError as error:
            rows.append({"order_id": entry.order_id, "reduced_by": "0.00", "error": errors.fields(error)})
    return Answer({"orders": ordered(call, rows)})


def cancel_all(call: Call) -> Answer:
    """Everything that rests on every shard that is up, and what comes to rest soon after."""
    if not any(shard.exchange_active for shard in call.exchange.shards.values()):
        raise call.refusal(UNAVAILABLE)
    swept_until_ms = call.venue.clock.wall_ms() + call.exchange.dialect.cancel_all_lasts_s * 1000
    for seen in call.accounts():
        call.exchange.cancel_all(seen.name)
        call.exchange.account(seen.name).swept_until_ms = swept_until_ms
    return Answer(None, 204)


def _cancel(call: Call, entry: CancelEntry) -> Cancelled:
    account = call.numbered(entry.subaccount).name
    order = call.exchange.order(account, entry.order_id)
    if order is None:
        raise not_found("order")
    check_routed(call, order, entry.exchange_index, entry.market_ticker)
    done = call.exchange.cancel(account, entry.order_id)
    if isinstance(done, Refused):
        raise call.refusal(done)
    return done


def _cancelled(done: Cancelled) -> Wire:
    return {
        "order_id": done.order_id,
        "client_order_id": done.client_order_id,
        "reduced_by": quantity_text(done.reduced_by),
        "ts_ms": done.ts_ms,
    }
