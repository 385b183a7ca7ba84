"""Which shard an order call goes to, and whose write tokens it costs.

Kalshi API: exchange sharding. A named shard is taken at its word; without one the ticker routes, and
without either the call goes to shard 0, where orders of other shards are not found.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from core.sim.kalshi.call import Call
from core.sim.kalshi.errors import WireError, not_found
from core.sim.kalshi.limits import UNSCOPED
from core.sim.orders import Order
from core.sim.requests import UnreadableError, decoded

AUTO = -1


class _Route(msgspec.Struct, frozen=True):
    exchange_index: int = AUTO


def check_shard(call: Call, ticker: str, exchange_index: int) -> None:
    """Refuse a market that is not on the shard a call names."""
    market = call.exchange.markets.get(ticker)
    if market is not None and exchange_index >= 0 and exchange_index != market.spec.exchange_index:
        raise WireError(404, "market_not_found", "market not found")


def check_routed(call: Call, order: Order, exchange_index: int, market_ticker: str) -> None:
    """Refuse an order that is not where a call goes to look for it."""
    shard = call.exchange.markets[order.ticker].spec.exchange_index
    routed = shard if market_ticker else 0
    if market_ticker not in ("", order.ticker) or shard != (
        exchange_index if exchange_index >= 0 else routed
    ):
        raise not_found("order")


def lanes_of_body(call: Call) -> Collection[int]:
    """Where a call with its shard in the body pays."""
    try:
        return _lanes(call, decoded(call.body, _Route).exchange_index)
    except UnreadableError:
        return UNSCOPED


def lanes_of_query(call: Call) -> Collection[int]:
    """Where a call with its shard in the query pays."""
    return _lanes(call, call.shard())


def _lanes(call: Call, exchange_index: int) -> Collection[int]:
    """One routed by ticker pays everywhere, one that names a shard there alone."""
    if exchange_index == AUTO:
        return call.exchange.shards
    return (exchange_index,) if exchange_index in call.exchange.shards else UNSCOPED
