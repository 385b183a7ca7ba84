"""Exchange objects as Kalshi's JSON: prices, counts and dollars are strings, in YES terms.

Contract times (open, close, settlement) are world time; what machines stamp (created, updated,
fills) is real time.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from core.domain.units import Money, Price, Quantity, complement, price_text, quantity_text
from core.sim.accounts import Account, Holding, Settlement
from core.sim.contracts import EventSpec, Market, MarketSpec, MarketStatus, SeriesSpec
from core.sim.events import Traded
from core.sim.exchange import Exchange
from core.sim.matching import Book, BookView
from core.sim.orders import BookSide, Fill, Order

Wire = dict[str, Any]

_NO_BOOK = BookView(Book[Order](), lambda _: [])
"""Of a market that was over before the world began."""


def rfc3339(ms: int) -> str:
    """``2026-11-22T15:00:00Z``, with milliseconds only where there are any."""
    text = datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{ms % 1000:03d}Z" if ms % 1000 else f"{text}Z"


def dollars(amount: int) -> str:
    """Money with six decimals, as fees and costs travel."""
    sign, digits = ("-" if amount < 0 else ""), abs(amount)
    return f"{sign}{digits // 1_000_000}.{digits % 1_000_000:06d}"


def dollars4(amount: int) -> str:
    """Money with four decimals, rounded down: balances."""
    return price_text(Price(amount // 100))


def outcome(side: BookSide) -> str:
    return "yes" if side is BookSide.BID else "no"


def action(side: BookSide) -> str:
    return "buy" if side is BookSide.BID else "sell"


def collateral_return(event: EventSpec) -> str:
    return "MECNET" if event.mutually_exclusive else ""


def price_ranges(spec: MarketSpec) -> list[Wire]:
    bands = spec.price_ranges
    return [{"start": price_text(a), "end": price_text(b), "step": price_text(s)} for a, b, s in bands]


def quotes(book: BookView) -> Wire:
    """Best prices and sizes; an empty side shows 0 or 1 dollar."""
    bid, ask = book.best_bid, book.best_ask
    return {
        "yes_bid_dollars": price_text(Price(bid or 0)),
        "yes_ask_dollars": price_text(Price(ask or 10_000)),
        "yes_bid_size_fp": quantity_text(book.size_at(BookSide.BID, bid) if bid else Quantity(0)),
        "yes_ask_size_fp": quantity_text(book.size_at(BookSide.ASK, ask) if ask else Quantity(0)),
    }


def market(exchange: Exchange, of: Market) -> Wire:
    spec = of.spec
    book = exchange.book(spec.ticker) if spec.ticker in exchange.books else _NO_BOOK
    best = quotes(book)
    expected_ms = spec.expected_expiration_ms or of.close_ms
    latest_ms = spec.latest_expiration_ms or expected_ms + 7 * 86_400_000
    shape: Wire = {
        "ticker": spec.ticker,
        "event_ticker": spec.event_ticker,
        "market_type": "binary",
        "title": spec.title,
        "subtitle": spec.yes_sub_title,
        "yes_sub_title": spec.yes_sub_title,
        "no_sub_title": spec.no_sub_title or spec.yes_sub_title,
        "created_time": rfc3339(of.created_ms),
        "updated_time": rfc3339(of.updated_ms),
        "open_time": rfc3339(of.open_ms),
        "close_time": rfc3339(of.close_ms),
        "expected_expiration_time": rfc3339(expected_ms),
        "expiration_time": rfc3339(latest_ms),
        "latest_expiration_time": rfc3339(latest_ms),
        "settlement_timer_seconds": spec.settlement_timer_s,
        "status": of.status.value,
        **best,
        "no_bid_dollars": price_text(complement(Price(book.best_ask or 10_000))),
        "no_ask_dollars": price_text(complement(Price(book.best_bid or 0))),
        "last_price_dollars": price_text(of.last_price),
        "previous_price_dollars": "0.0000",
        "previous_yes_bid_dollars": "0.0000",
        "previous_yes_ask_dollars": "0.0000",
        "volume_fp": quantity_text(of.volume),
        "volume_24h_fp": quantity_text(of.volume),
        "open_interest_fp": quantity_text(of.open_interest),
        "notional_value_dollars": "1.0000",
        "result": result_word(exchange, of),
        "expiration_value": of.expiration_value,
        "can_close_early": spec.can_close_early,
        "settlement_bounds_type": "default",
        "strike_type": spec.strike_type,
        "rules_primary": spec.rules_primary,
        "rules_secondary": spec.rules_secondary,
        "price_level_structure": spec.price_level_structure,
        "price_ranges": price_ranges(spec),
        "exchange_index": spec.exchange_index,
    }
    if spec.floor_strike is not None:
        shape["floor_strike"] = spec.floor_strike
    if spec.cap_strike is not None:
        shape["cap_strike"] = spec.cap_strike
    if of.settlement_value is not None:
        shape["settlement_value_dollars"] = price_text(of.settlement_value)
    if spec.fee_waiver_until_ms is not None:
        shape["fee_waiver_expiration_time"] = rfc3339(spec.fee_waiver_until_ms)
    if of.settled_world_ms is not None:
        shape["settlement_ts"] = rfc3339(of.settled_world_ms)
    return shape


def result_word(exchange: Exchange, of: Market) -> str:
    """Scalar results were seen without a word, as if there were none."""
    hidden = of.result == "scalar" and exchange.dialect.scalar_result_is_empty
    return "" if hidden else of.result


def event(exchange: Exchange, of: EventSpec, *, nested: bool) -> Wire:
    shape: Wire = {
        "event_ticker": of.event_ticker,
        "series_ticker": of.series_ticker,
        "title": of.title,
        "sub_title": of.sub_title,
        "collateral_return_type": collateral_return(of),
        "mutually_exclusive": of.mutually_exclusive,
        "category": exchange.series[of.series_ticker].category,
        "settlement_sources": sources(of),
        "exchange_index": of.exchange_index,
        "last_updated_ts": rfc3339(max(exchange.markets[m.ticker].updated_ms for m in of.markets)),
    }
    if of.strike_date_ms is not None:
        shape["strike_date"] = rfc3339(of.strike_date_ms)
    if of.fee_type_override is not None:
        shape["fee_type_override"] = of.fee_type_override
    if of.fee_multiplier_override is not None:
        shape["fee_multiplier_override"] = of.fee_multiplier_override
    if nested:
        shape["markets"] = [market(exchange, exchange.markets[spec.ticker]) for spec in of.markets]
    return shape


def sources(of: EventSpec | SeriesSpec) -> list[Wire]:
    return [{"name": source.name, "url": source.url} for source in of.settlement_sources]


def series(exchange: Exchange, of: SeriesSpec, *, volume: bool) -> Wire:
    shape: Wire = {
        "ticker": of.ticker,
        "frequency": of.frequency,
        "title": of.title,
        "category": of.category,
        "categories": list(of.categories or (of.category,)),
        "tags": list(of.tags),
        "settlement_sources": sources(of),
        "contract_url": of.contract_url,
        "contract_terms_url": of.contract_terms_url,
        "fee_type": of.fee_type,
        "fee_multiplier": of.fee_multiplier,
        "additional_prohibitions": [],
        "exchange_index": of.exchange_index,
        "last_updated_ts": rfc3339(of.updated_ms),
    }
    if volume:
        traded = [m.volume for m in exchange.markets.values() if m.spec.series_ticker == of.ticker]
        shape["volume_fp"] = quantity_text(Quantity(sum(traded)))
    return shape


def ladder(
    levels: list[tuple[Price, Quantity]], *, flip: bool = False, best_first: bool = False
) -> list[list[str]]:
    """Levels, given best first, as price and count texts; ``flip`` turns YES asks into NO bids."""
    priced = [(complement(price) if flip else price, count) for price, count in levels]
    return [[price_text(p), quantity_text(c)] for p, c in (priced if best_first else sorted(priced))]


def orderbook(book: BookView, depth: int, *, best_first: bool = False) -> Wire:
    """Both sides as bids; ``depth`` best levels of each, 0 for all."""
    kept = depth or None
    return {
        "yes_dollars": ladder(book.bids[:kept], best_first=best_first),
        "no_dollars": ladder(book.asks[:kept], flip=True, best_first=best_first),
    }


def trade(exchange: Exchange, of: Traded) -> Wire:
    shape: Wire = {
        "trade_id": of.trade_id,
        "ticker": of.ticker,
        "count_fp": quantity_text(of.count),
        "yes_price_dollars": price_text(of.price),
        "no_price_dollars": price_text(complement(of.price)),
        "taker_outcome_side": outcome(of.taker_side),
        "taker_book_side": of.taker_side.value,
        "created_time": rfc3339(of.ts_ms),
        "is_block_trade": False,
    }
    if not exchange.dialect.deprecated_direction_is_gone:
        shape["taker_side"] = outcome(of.taker_side)
    return shape


def order(exchange: Exchange, account: Account, of: Order) -> Wire:
    shape: Wire = {
        "order_id": of.order_id,
        "user_id": account.user_id,
        "client_order_id": of.client_order_id,
        "ticker": of.ticker,
        "outcome_side": outcome(of.side),
        "book_side": of.side.value,
        "type": "limit",
        "status": of.status.value,
        "yes_price_dollars": price_text(of.price),
        "no_price_dollars": price_text(complement(of.price)),
        "initial_count_fp": quantity_text(of.initial),
        "fill_count_fp": quantity_text(of.filled),
        "remaining_count_fp": quantity_text(of.remaining),
        "taker_fill_cost_dollars": dollars(of.taker_cost),
        "maker_fill_cost_dollars": dollars(of.maker_cost),
        "taker_fees_dollars": dollars(of.taker_fees),
        "maker_fees_dollars": dollars(of.maker_fees),
        "created_time": rfc3339(of.created_ms),
        "last_update_time": rfc3339(of.updated_ms),
        "self_trade_prevention_type": of.stp.value,
        "cancel_order_on_pause": of.cancel_on_pause,
        "subaccount_number": account.number,
        "exchange_index": exchange.markets[of.ticker].spec.exchange_index,
    }
    _add_direction(exchange, shape, of.side)
    if of.group_id:
        shape["order_group_id"] = of.group_id
    if of.expiration_ms is not None:
        shape["expiration_time"] = rfc3339(of.expiration_ms)
    return shape


def fill(exchange: Exchange, account: Account, of: Fill) -> Wire:
    shape: Wire = {
        "fill_id": of.trade_id,
        "trade_id": of.trade_id,
        "order_id": of.order_id,
        "ticker": of.ticker,
        "market_ticker": of.ticker,
        "outcome_side": outcome(of.side),
        "book_side": of.side.value,
        "count_fp": quantity_text(of.count),
        "yes_price_dollars": price_text(of.price),
        "no_price_dollars": price_text(complement(of.price)),
        "is_taker": of.is_taker,
        "fee_cost": dollars(of.fee),
        "created_time": rfc3339(of.ts_ms),
        "ts": of.ts_ms // 1000,
        "subaccount_number": account.number,
        "exchange_index": exchange.markets[of.ticker].spec.exchange_index,
    }
    _add_direction(exchange, shape, of.side)
    return shape


def _add_direction(exchange: Exchange, shape: Wire, side: BookSide) -> None:
    """The deprecated words for the direction, as long as they live."""
    if not exchange.dialect.deprecated_direction_is_gone:
        shape["side"], shape["action"] = outcome(side), action(side)


def position(ticker: str, of: Holding, position: Quantity, exchange_index: int) -> Wire:
    return {
        "ticker": ticker,
        "exchange_index": exchange_index,
        "position_fp": quantity_text(position),
        "market_exposure_dollars": dollars(of.cost),
        "total_traded_dollars": dollars(of.traded),
        "realized_pnl_dollars": dollars(of.realized),
        "fees_paid_dollars": dollars(of.fees),
        "last_updated_ts": rfc3339(of.updated_ms),
    }


def event_position(event_ticker: str, holdings: list[Holding]) -> Wire:
    return {
        "event_ticker": event_ticker,
        "total_cost_dollars": dollars(sum(h.traded for h in holdings)),
        "total_cost_shares_fp": quantity_text(Quantity(sum(h.yes_bought + h.no_bought for h in holdings))),
        "event_exposure_dollars": dollars(sum(h.cost for h in holdings)),
        "realized_pnl_dollars": dollars(sum(h.realized for h in holdings)),
        "fees_paid_dollars": dollars(sum(h.fees for h in holdings)),
    }


def settlement(of: Settlement, exchange_index: int) -> Wire:
    return {
        "ticker": of.ticker,
        "exchange_index": exchange_index,
        "event_ticker": of.event_ticker,
        "market_result": of.result,
        "yes_count_fp": quantity_text(of.yes_count),
        "yes_total_cost_dollars": dollars(of.yes_cost),
        "no_count_fp": quantity_text(of.no_count),
        "no_total_cost_dollars": dollars(of.no_cost),
        "revenue": of.revenue // 10_000,
        "settled_time": rfc3339(of.settled_world_ms),
        "fee_cost": dollars(of.fees),
        "value": of.value // 100,
    }


def portfolio_value(exchange: Exchange, account: Account, exchange_index: int | None) -> Money:
    """Positions of one shard, or of all, at the last price, at the result once it is known."""
    total = 0
    for ticker, holding in account.holdings.items():
        of = exchange.markets[ticker]
        if exchange_index is not None and of.spec.exchange_index != exchange_index:
            continue
        settled = of.settlement_value if of.settlement_value is not None else of.last_price or 5_000
        price = settled if holding.position > 0 else 10_000 - settled
        total += abs(holding.position) * price // 10_000
    return Money(total)


STATUS_WORDS: dict[str, frozenset[MarketStatus]] = {
    "unopened": frozenset({MarketStatus.INITIALIZED}),
    "open": frozenset({MarketStatus.ACTIVE}),
    "paused": frozenset({MarketStatus.INACTIVE}),
    "closed": frozenset({MarketStatus.CLOSED, MarketStatus.DETERMINED, MarketStatus.AMENDED}),
    "settled": frozenset({MarketStatus.FINALIZED}),
}
"""The filter words of list calls and the object states they match."""
