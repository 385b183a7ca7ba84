"""Orders, trades and books as the venue writes them: REST prefixes trade statuses, sockets do not.

Polymarket docs: CLOB and WebSocket references.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from core.sim.polymarket.contracts import Market, Version
from core.sim.polymarket.events import OrderEvent
from core.sim.polymarket.exchange import Exchange
from core.sim.polymarket.numbers import price_text, units_text
from core.sim.polymarket.orders import MakerFill, Order, Trade
from core.sim.polymarket.trading import Levels

Wire = dict[str, Any]

TRADE_PREFIX = "TRADE_STATUS_"


def levels(rows: Levels) -> list[Wire]:
    """Best last, as the venue lists both sides; ``rows`` come best first."""
    return [{"price": price_text(price), "size": units_text(size)} for price, size in reversed(rows)]


def book(exchange: Exchange, market: Market, token_id: str, now_ms: int) -> Wire:
    """``/book``; its hash covers everything here with the hash itself left empty."""
    bids, asks = exchange.levels(market, market.outcome_of(token_id))
    return hashed(market, token_id, now_ms, levels(bids), levels(asks))


def hashed(market: Market, token_id: str, now_ms: int, bids: list[Wire], asks: list[Wire]) -> Wire:
    last = market.last_of(token_id)
    body: Wire = {
        "market": market.condition_id,
        "asset_id": token_id,
        "timestamp": str(now_ms),
        "hash": "",
        "bids": bids,
        "asks": asks,
        "min_order_size": units_text(market.spec.min_size),
        "tick_size": price_text(market.tick),
        "neg_risk": market.spec.neg_risk,
        "last_trade_price": price_text(last[0]) if last else "",
    }
    if market.spec.version is Version.V2:
        body["version"] = "v2"
    body["hash"] = hashlib.sha1(msgspec.json.encode(body), usedforsecurity=False).hexdigest()
    return body


def stream_book(exchange: Exchange, market: Market, token_id: str, now_ms: int) -> Wire:
    """The market channel's: the same book and hash without its minimum and its kind of market."""
    full = book(exchange, market, token_id, now_ms)
    names = ("market", "asset_id", "timestamp", "hash", "bids", "asks", "tick_size")
    shown: Wire = {name: full[name] for name in names}
    shown["event_type"] = "book"
    shown["last_trade_price"] = full["last_trade_price"]
    if "version" in full:
        shown["version"] = full["version"]
    return shown


def order_hash(order_id: str) -> str:
    """What a price change says of the order behind it: no hash of a book."""
    return hashlib.sha1(order_id.encode(), usedforsecurity=False).hexdigest()


def _original_size(order: Order) -> str:
    """Shares, or dollars where the order was counted in them."""
    return units_text(order.shares if order.spend is None else order.spend)


def order(exchange: Exchange, o: Order) -> Wire:
    """``/data/order``."""
    return {
        "id": o.order_id,
        "status": o.status.value,
        "owner": o.owner,
        "maker_address": o.wallet,
        "market": o.condition_id,
        "asset_id": o.token_id,
        "side": o.action.value,
        "original_size": _original_size(o),
        "size_matched": units_text(o.matched),
        "price": price_text(o.own_price),
        "outcome": _outcome(exchange, o),
        "order_type": o.type.value,
        "expiration": str(o.expiration_s),
        "created_at": o.created_ms // 1000,
        "associate_trades": list(o.trades),
    }


def stream_order(exchange: Exchange, o: Order, kind: OrderEvent, now_ms: int) -> Wire:
    """The user channel's."""
    shown = order(exchange, o)
    return {
        "event_type": "order",
        "type": kind.value,
        "id": o.order_id,
        "owner": o.owner,
        "order_owner": o.owner,
        **{name: shown[name] for name in ("maker_address", "market", "asset_id", "side", "original_size")},
        "size_matched": shown["size_matched"],
        **{name: shown[name] for name in ("price", "outcome", "order_type")},
        "status": o.cause.value if o.cause is not None else o.status.value,
        "created_at": str(o.created_ms // 1000),
        "expiration": shown["expiration"],
        "timestamp": str(now_ms),
        "associate_trades": shown["associate_trades"] or None,
    }


def roles(t: Trade, owner: str) -> list[str]:
    """In which roles a key's owner took part in a trade."""
    found = ["TAKER"] if t.taker.owner == owner else []
    return found + (["MAKER"] if any(fill.order.owner == owner for fill in t.makers) else [])


def trade(exchange: Exchange, t: Trade, owner: str, role: str) -> Wire:
    """``/data/trades``, as one of the parties sees it."""
    return {
        **_trade_head(exchange, t),
        "fee_rate_bps": "0",
        "status": TRADE_PREFIX + t.stage.value,
        "match_time": str(t.matched_ms // 1000),
        "last_update": str(t.updated_ms // 1000),
        "bucket_index": t.bucket,
        "owner": owner,
        "maker_address": _address(t, owner, role),
        "transaction_hash": t.hash,
        "trader_side": role,
        "maker_orders": [_maker(exchange, fill, "0") for fill in t.makers],
    }


def stream_trade(exchange: Exchange, t: Trade, owner: str, role: str, now_ms: int) -> Wire:
    """The user channel's."""
    return {
        "event_type": "trade",
        "type": "TRADE",
        **_trade_head(exchange, t),
        "status": t.stage.value,
        "trader_side": role,
        "owner": owner,
        "trade_owner": t.taker.owner,
        "maker_address": _address(t, owner, role),
        "bucket_index": t.bucket,
        "fee_rate_bps": "",
        "match_time": str(t.matched_ms // 1000),
        "last_update": str(t.updated_ms // 1000),
        "timestamp": str(now_ms),
        "transaction_hash": t.hash,
        "maker_orders": [_maker(exchange, fill, "") for fill in t.makers],
    }


def _trade_head(exchange: Exchange, t: Trade) -> Wire:
    return {
        "id": t.trade_id,
        "taker_order_id": t.taker.order_id,
        "market": t.condition_id,
        "asset_id": t.taker.token_id,
        "side": t.taker.action.value,
        "size": units_text(t.shares),
        "price": price_text(t.price),
        "outcome": _outcome(exchange, t.taker),
    }


def _maker(exchange: Exchange, fill: MakerFill, fee_rate: str) -> Wire:
    """One resting order's part, with its own token, side and price."""
    o = fill.order
    return {
        "order_id": o.order_id,
        "owner": o.owner,
        "maker_address": o.wallet,
        "matched_amount": units_text(fill.shares),
        "price": price_text(fill.price),
        "fee_rate_bps": fee_rate,
        "asset_id": o.token_id,
        "outcome": _outcome(exchange, o),
        "side": o.action.value,
    }


def _address(t: Trade, owner: str, role: str) -> str:
    if role == "TAKER":
        return t.taker.wallet
    return next(fill.order.wallet for fill in t.makers if fill.order.owner == owner)


def _outcome(exchange: Exchange, o: Order) -> str:
    return exchange.markets[o.condition_id].spec.outcomes[o.outcome]
