"""Messages of the market channel. Polymarket docs: WebSocket market channel."""

from __future__ import annotations

from core.domain.units import PRICE_DECIMALS, parse_price
from core.sim.orders import BookSide
from core.sim.polymarket import shapes
from core.sim.polymarket.contracts import Market
from core.sim.polymarket.events import BookChanged
from core.sim.polymarket.exchange import Exchange
from core.sim.polymarket.numbers import decimal, price_text, units_text
from core.sim.polymarket.orders import Trade
from core.sim.polymarket.shapes import Wire


def price_change(exchange: Exchange, market: Market, change: BookChanged, now_ms: int) -> Wire:
    """One level of both outcomes' books: its whole new size, and what is best now."""
    size = exchange.books[market.condition_id].size_at(change.side, change.price)
    rows = []
    for outcome, token in enumerate(market.spec.tokens):
        mirrored = outcome == 1
        price = 10_000 - change.price if mirrored else change.price
        bid, ask = best(exchange, market, outcome)
        rows.append(
            {
                "asset_id": token,
                "price": price_text(price),
                "size": units_text(size),
                "side": "BUY" if (change.side is BookSide.BID) != mirrored else "SELL",
                "hash": shapes.order_hash(change.order_id + token),
                "best_bid": bid,
                "best_ask": ask,
            }
        )
    return {
        "market": market.condition_id,
        "price_changes": rows,
        "timestamp": str(now_ms),
        "event_type": "price_change",
    }


def best(exchange: Exchange, market: Market, outcome: int) -> tuple[str, str]:
    """The best bid and ask of one outcome: 0 and 1 where a side is empty."""
    book = exchange.books[market.condition_id]
    bid, ask = book.best(BookSide.BID) or 0, book.best(BookSide.ASK) or 10_000
    if outcome == 1:
        bid, ask = 10_000 - ask, 10_000 - bid
    return price_text(bid), price_text(ask)


def best_bid_ask(market: Market, token_id: str, top: tuple[str, str], now_ms: int) -> Wire:
    bid, ask = top
    return {
        "event_type": "best_bid_ask",
        "market": market.condition_id,
        "asset_id": token_id,
        "best_bid": bid,
        "best_ask": ask,
        "spread": decimal(parse_price(ask) - parse_price(bid), PRICE_DECIMALS),
        "timestamp": str(now_ms),
    }


def last_trade(market: Market, trade: Trade, now_ms: int) -> Wire:
    return {
        "event_type": "last_trade_price",
        "market": market.condition_id,
        "asset_id": trade.taker.token_id,
        "price": price_text(trade.price),
        "size": units_text(trade.shares),
        "side": trade.taker.action.value,
        "fee_rate_bps": "0",
        "transaction_hash": trade.hash,
        "timestamp": str(now_ms),
    }


def tick_change(market: Market, token_id: str, before: int, now_ms: int) -> Wire:
    return {
        "event_type": "tick_size_change",
        "market": market.condition_id,
        "asset_id": token_id,
        "old_tick_size": price_text(before),
        "new_tick_size": price_text(market.tick),
        "timestamp": str(now_ms),
    }


def new_market(market: Market, now_ms: int) -> Wire:
    spec, event = market.spec, market.event
    named = {"id": str(event.number), "ticker": event.slug, "slug": event.slug, "title": event.title}
    return {
        "id": str(spec.number),
        "question": spec.question,
        "market": market.condition_id,
        "slug": spec.slug,
        "description": spec.description,
        "assets_ids": list(spec.tokens),
        "outcomes": list(spec.outcomes),
        "event_message": {**named, "description": event.description},
        "timestamp": str(now_ms),
        "event_type": "new_market",
        "tags": [label for _, label, _ in event.tags],
        "condition_id": market.condition_id,
        "active": True,
        "clob_token_ids": list(spec.tokens),
        "order_price_min_tick_size": price_text(market.tick),
        "group_item_title": spec.group_title,
    }


def resolved(market: Market, now_ms: int) -> Wire:
    """Where both outcomes pay half, neither is named the winner."""
    assert market.payouts is not None
    winner = None if market.payouts[0] == market.payouts[1] else int(market.payouts[1] > 0)
    return {
        "id": str(market.spec.number),
        "market": market.condition_id,
        "assets_ids": list(market.spec.tokens),
        "winning_asset_id": market.spec.tokens[winner] if winner is not None else "",
        "winning_outcome": market.spec.outcomes[winner] if winner is not None else "",
        "timestamp": str(now_ms),
        "event_type": "market_resolved",
        "tags": [label for _, label, _ in market.event.tags],
    }
