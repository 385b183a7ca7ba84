"""What keeps an order out of the book: its own form, the market's state, the account's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.sim import groups, lifecycle, shards
from core.sim.accounts import Account
from core.sim.contracts import Market, MarketStatus, PriceRanges, on_grid
from core.sim.dialect import Dialect
from core.sim.orders import OrderRequest, Refused, TimeInForce

if TYPE_CHECKING:
    from core.sim.exchange import Exchange

COUNT_STEP = 10_000
"""Contracts trade in hundredths."""

MARKET_INACTIVE = Refused("MARKET_INACTIVE", "market is not active")
DUPLICATE = Refused("order_already_exists", "order already exists", http=409)
INSUFFICIENT = Refused("insufficient_balance", "insufficient balance")
UNKNOWN_USER = Refused("user_not_found", "user not found", http=404)
"""A shard on which the account never held cash does not know it."""


def refusal(exchange: Exchange, owner: Account, market: Market, r: OrderRequest) -> Refused | None:
    """Why a request goes no further, before any look at the book or the cash; None lets it pass."""
    now_ms, shard = exchange.clock.wall_ms(), market.spec.exchange_index
    closed = not_trading(exchange, market)
    if closed is not None:
        return closed
    if shard not in owner.purses and exchange.dialect.unfunded_shard_is_unknown_user:
        return UNKNOWN_USER
    wrong = malformed(r, market.spec.price_ranges, now_ms, exchange.dialect)
    if wrong is None:
        wrong = groups.refusal(exchange, r, shard)
    if wrong is None and r.client_order_id in owner.client_ids:
        wrong = DUPLICATE
    return wrong


def not_trading(exchange: Exchange, market: Market) -> Refused | None:
    """Why nothing can trade in a market now, if so."""
    closed = shards.refusal(exchange, market.spec.exchange_index, trading=True)
    if closed is not None:
        return closed
    world_ms = exchange.world.at(exchange.clock.wall_ms())
    open_now = market.status is MarketStatus.ACTIVE and lifecycle.is_open(market, world_ms)
    return None if open_now else MARKET_INACTIVE


def malformed(r: OrderRequest, ranges: PriceRanges, now_ms: int, dialect: Dialect) -> Refused | None:
    """The refusal a request earns by itself, or None. Kalshi API: create order."""
    if not on_grid(r.price, ranges):
        return Refused("invalid_price", "invalid price")
    if r.reduce_only and r.tif is not TimeInForce.IOC:
        code = dialect.reduce_only_misuse.value
        return Refused(code, code.replace("_", " "), "reduce_only requires immediate_or_cancel")
    for broken, details in (
        (r.count <= 0 or r.count % COUNT_STEP != 0, "count must be a positive multiple of 0.01"),
        (r.post_only and r.tif is not TimeInForce.GTC, "post_only requires good_till_canceled"),
        (
            r.expiration_ms is not None and r.tif is not TimeInForce.GTC,
            "expiration_time requires good_till_canceled",
        ),
        (r.expiration_ms is not None and r.expiration_ms <= now_ms, "expiration_time is in the past"),
    ):
        if broken:
            return Refused("invalid_order", "invalid order", details)
    return None
