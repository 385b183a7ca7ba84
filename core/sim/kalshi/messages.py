"""Bodies (``msg``) of the stream's messages, encoded once and shared by every subscriber.

Kalshi API: WebSocket channels. Envelopes around these bodies are the connection's business.
"""

from __future__ import annotations

import msgspec

from core.domain.units import Price, Quantity, complement, price_text, quantity_text
from core.sim.accounts import Account, Holding
from core.sim.contracts import EventSpec, Market, MarketSpec
from core.sim.events import BookChanged, FeesChanged, GroupChanged, Traded
from core.sim.exchange import Exchange
from core.sim.kalshi import shapes, sprinkle
from core.sim.kalshi.shapes import Wire
from core.sim.matching import BookView
from core.sim.orders import BookSide, Fill, Order, OrderStatus, Reason

encode = msgspec.json.Encoder().encode


class _Delta(msgspec.Struct, omit_defaults=True):
    market_ticker: str
    market_id: str
    clock: int
    price_dollars: str
    delta_fp: str
    side: str
    ts_ms: int
    client_order_id: str = ""
    subaccount: int | None = None


def delta(market: Market, change: BookChanged, *, yes_price: bool, owner: Account | None = None) -> bytes:
    """One signed change of a level; to ``owner``, whose order it was, with that order's id."""
    ask = change.side is BookSide.ASK
    price = complement(change.price) if ask and not yes_price else change.price
    body = _Delta(
        change.ticker,
        market.market_id,
        change.clock,
        price_text(price),
        quantity_text(change.delta),
        "no" if ask else "yes",
        change.ts_ms,
    )
    if owner is not None:
        body.client_order_id, body.subaccount = change.cause_client_order_id, owner.number
    return encode(body)


def snapshot(market: Market, book: BookView, *, yes_price: bool, best_first: bool) -> bytes:
    """The whole book; a side without levels has no key."""
    body: Wire = {
        "market_ticker": market.spec.ticker,
        "market_id": market.market_id,
        "clock": market.clock,
    }
    if bids := book.bids:
        body["yes_dollars_fp"] = shapes.ladder(bids, best_first=best_first)
    if asks := book.asks:
        body["no_dollars_fp"] = shapes.ladder(asks, flip=not yes_price, best_first=best_first)
    return encode(body)


def ticker(market: Market, book: BookView, now_ms: int) -> bytes:
    return encode(
        {
            "market_ticker": market.spec.ticker,
            "market_id": market.market_id,
            "price_dollars": price_text(market.last_price),
            **shapes.quotes(book),
            "volume_fp": quantity_text(market.volume),
            "open_interest_fp": quantity_text(market.open_interest),
            "dollar_volume": market.dollar_volume // 1_000_000,
            "dollar_open_interest": market.open_interest // 1_000_000,
            "last_trade_size_fp": quantity_text(market.last_trade_size),
            "ts_ms": now_ms,
            "ts": now_ms // 1000,
            "time": shapes.rfc3339(now_ms),
        }
    )


def trade(exchange: Exchange, of: Traded) -> bytes:
    side = shapes.outcome(of.taker_side)
    body: Wire = {
        "trade_id": of.trade_id,
        "market_ticker": of.ticker,
        "yes_price_dollars": price_text(of.price),
        "no_price_dollars": price_text(complement(of.price)),
        "count_fp": quantity_text(of.count),
        "taker_outcome_side": side,
        "taker_book_side": of.taker_side.value,
        "is_block_trade": False,
        "ts_ms": of.ts_ms,
        "ts": of.ts_ms // 1000,
    }
    if not exchange.dialect.deprecated_direction_is_gone:
        body["taker_side"] = side
    return encode(body)


def fill(exchange: Exchange, account: Account, of: Fill) -> bytes:
    side = shapes.outcome(of.side)
    body: Wire = {
        "trade_id": of.trade_id,
        "order_id": of.order_id,
        "client_order_id": of.client_order_id,
        "market_ticker": of.ticker,
        "exchange_index": exchange.markets[of.ticker].spec.exchange_index,
        "is_taker": of.is_taker,
        "outcome_side": side,
        "book_side": of.side.value,
        "yes_price_dollars": price_text(of.price),
        "count_fp": quantity_text(of.count),
        "fee_cost": shapes.dollars(of.fee),
        "post_position_fp": quantity_text(of.post_position),
        "ts_ms": of.ts_ms,
        "ts": of.ts_ms // 1000,
        "subaccount": account.number,
    }
    if not exchange.dialect.deprecated_direction_is_gone:
        body |= {"side": side, "action": shapes.action(of.side), "purchased_side": side}
    return encode(body)


def user_order(exchange: Exchange, account: Account, of: Order, reason: Reason | None) -> bytes:
    side = shapes.outcome(of.side)
    body: Wire = {
        "order_id": of.order_id,
        "user_id": account.user_id,
        "client_order_id": of.client_order_id,
        "ticker": of.ticker,
        "exchange_index": exchange.markets[of.ticker].spec.exchange_index,
        "status": of.status.value,
        "outcome_side": side,
        "book_side": of.side.value,
        "yes_price_dollars": price_text(of.price),
        "initial_count_fp": quantity_text(of.initial),
        "fill_count_fp": quantity_text(of.filled),
        "remaining_count_fp": quantity_text(of.remaining),
        "taker_fill_cost_dollars": shapes.dollars(of.taker_cost),
        "maker_fill_cost_dollars": shapes.dollars(of.maker_cost),
        "taker_fees_dollars": shapes.dollars(of.taker_fees),
        "maker_fees_dollars": shapes.dollars(of.maker_fees),
        "self_trade_prevention_type": of.stp.value,
        "created_time": shapes.rfc3339(of.created_ms),
        "created_ts_ms": of.created_ms,
        "last_update_time": shapes.rfc3339(of.updated_ms),
        "last_updated_ts_ms": of.updated_ms,
        "subaccount_number": account.number,
    }
    if of.group_id:
        body["order_group_id"] = of.group_id
    if of.expiration_ms is not None:
        body |= {
            "expiration_time": shapes.rfc3339(of.expiration_ms),
            "expiration_ts_ms": of.expiration_ms,
        }
    if not exchange.dialect.deprecated_direction_is_gone:
        body |= {"side": side, "is_yes": of.side is BookSide.BID}
    if told := _reason(exchange, of, reason):
        body["last_update_reason"] = told
    return encode(body)


def _reason(exchange: Exchange, of: Order, reason: Reason | None) -> str:
    """The word for the last change; empty where there is none."""
    if reason is Reason.GROUP:
        return exchange.dialect.group_reason.value
    if reason is None and of.status is OrderStatus.CANCELED and exchange.dialect.unknown_is_sprinkled:
        return sprinkle.REASON
    return reason.value if reason is not None else ""


def order_group(of: GroupChanged) -> bytes:
    body: Wire = {"event_type": of.kind, "order_group_id": of.group_id, "ts_ms": of.ts_ms}
    if of.limit is not None:
        body["contracts_limit_fp"] = quantity_text(of.limit)
    return encode(body)


def market_position(account: Account, ticker: str, of: Holding) -> bytes:
    return encode(
        {
            "user_id": account.user_id,
            "market_ticker": ticker,
            "position_fp": quantity_text(of.position),
            "position_cost_dollars": shapes.dollars(of.cost),
            "realized_pnl_dollars": shapes.dollars(of.realized),
            "fees_paid_dollars": shapes.dollars(of.fees),
            "position_fee_cost_dollars": shapes.dollars(of.fees),
            "volume_fp": quantity_text(of.volume),
            "subaccount": account.number,
        }
    )


def lifecycle(exchange: Exchange, market: Market, kind: str) -> bytes | None:
    """A ``market_lifecycle_v2`` body, or None for what Kalshi does not announce. Times are Unix seconds."""
    spec = market.spec
    body: Wire = {"market_ticker": spec.ticker, "event_type": kind}
    match kind:
        case "created":
            body |= {
                "exchange_index": spec.exchange_index,
                "open_ts": market.open_ms // 1000,
                "close_ts": market.close_ms // 1000,
                "additional_metadata": _metadata(market),
                "price_level_structure": spec.price_level_structure,
                "price_ranges": shapes.price_ranges(spec),
            }
        case "activated":
            body["is_deactivated"] = False
        case "deactivated":
            body["is_deactivated"] = True
        case "close_date_updated":
            body["close_ts"] = market.close_ms // 1000
        case "determined":
            assert market.determined_world_ms is not None and market.settlement_value is not None
            body |= {
                "result": shapes.result_word(exchange, market),
                "determination_ts": market.determined_world_ms // 1000,
                "settlement_value": price_text(market.settlement_value),
            }
        case "settled":
            assert market.settled_world_ms is not None
            body["settled_ts"] = market.settled_world_ms // 1000
        case "price_level_structure_updated":
            body |= {
                "price_level_structure": spec.price_level_structure,
                "price_ranges": shapes.price_ranges(spec),
            }
        case "metadata_updated":
            body |= {"yes_sub_title": spec.yes_sub_title, "strike_type": spec.strike_type, **_strikes(spec)}
        case _:
            if not exchange.dialect.unknown_is_sprinkled:
                return None
            body["event_type"] = sprinkle.EVENT_TYPE
    return encode(body)


def fee_update(of: FeesChanged) -> bytes:
    """An event's fee overrides; null where one was cleared."""
    return encode(
        {
            "event_ticker": of.event_ticker,
            "fee_type_override": of.fee_type,
            "fee_multiplier_override": of.fee_multiplier,
        }
    )


def _metadata(market: Market) -> Wire:
    spec = market.spec
    expected_ms = spec.expected_expiration_ms or market.close_ms
    return {
        "name": spec.yes_sub_title,
        "title": spec.title,
        "yes_sub_title": spec.yes_sub_title,
        "no_sub_title": spec.no_sub_title or spec.yes_sub_title,
        "rules_primary": spec.rules_primary,
        "rules_secondary": spec.rules_secondary,
        "can_close_early": spec.can_close_early,
        "event_ticker": spec.event_ticker,
        "expected_expiration_ts": expected_ms // 1000,
        "strike_type": spec.strike_type,
        **_strikes(spec),
    }


def _strikes(spec: MarketSpec) -> Wire:
    named = {"floor_strike": spec.floor_strike, "cap_strike": spec.cap_strike}
    return {name: strike for name, strike in named.items() if strike is not None}


def event_listed(event: EventSpec) -> bytes:
    """An ``event_lifecycle`` body."""
    body: Wire = {
        "event_ticker": event.event_ticker,
        "series_ticker": event.series_ticker,
        "exchange_index": event.exchange_index,
        "title": event.title,
        "subtitle": event.sub_title,
        "collateral_return_type": shapes.collateral_return(event),
    }
    if event.strike_date_ms is not None:
        body["strike_date"] = event.strike_date_ms // 1000
    return encode(body)


def corrupt_delta(market: Market, book: BookView, now_ms: int) -> BookChanged:
    """A change that takes more from a level than is there: a desync anyone can see."""
    price = book.best_bid or Price(100)
    there = book.size_at(BookSide.BID, price)
    return BookChanged(
        market.spec.ticker,
        BookSide.BID,
        price,
        Quantity(-there - 1_000_000),
        "",
        "",
        market.clock,
        now_ms,
    )
