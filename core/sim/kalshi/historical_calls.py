"""What the archive serves: everything older than its cutoffs. Kalshi API: historical data."""

from __future__ import annotations

from core.sim.contracts import Market
from core.sim.kalshi import shapes
from core.sim.kalshi.call import Answer, Call
from core.sim.kalshi.candle_calls import candle_span, historical_candle
from core.sim.kalshi.errors import invalid_parameter, not_found
from core.sim.kalshi.portfolio_calls import (
    chosen_fills,
    chosen_orders,
    chosen_positions,
    fill_page,
    order_page,
    position_page,
)
from core.sim.kalshi.trade_calls import chosen_trades, trade_page
from core.sim.orders import OrderStatus

_FILTERS = ("tickers", "event_ticker", "series_ticker")


def cutoff(call: Call) -> Answer:
    archive = call.venue.archive
    return Answer(
        {
            "market_settled_ts": shapes.rfc3339(archive.market_settled_ms),
            "trades_created_ts": shapes.rfc3339(archive.trades_created_ms),
            "orders_updated_ts": shapes.rfc3339(archive.orders_updated_ms),
            "market_positions_last_updated_ts": shapes.rfc3339(archive.positions_updated_ms),
        }
    )


def is_archived(call: Call, market: Market) -> bool:
    settled_ms = market.settled_world_ms
    return settled_ms is not None and settled_ms < call.venue.archive.market_settled_ms


def list_markets(call: Call) -> Answer:
    """Its filters exclude each other."""
    if sum(name in call.query for name in _FILTERS) > 1:
        raise invalid_parameter(f"{', '.join(_FILTERS)} exclude each other")
    call.choice("mve_filter", ("exclude",))
    tickers = set(call.words("tickers"))
    event, series = call.text("event_ticker"), call.text("series_ticker")
    rows = [
        market
        for market in [*_past(call, series, event, tickers), *call.exchange.markets.values()]
        if is_archived(call, market)
        and (not tickers or market.spec.ticker in tickers)
        and (not event or market.spec.event_ticker == event)
        and (not series or market.spec.series_ticker == series)
    ]
    shown, cursor = call.page(rows, lambda m: m.spec.ticker, most=1000, default=100)
    return Answer({"markets": [shapes.market(call.exchange, m) for m in shown], "cursor": cursor})


def _past(call: Call, series: str, event: str, tickers: set[str]) -> list[Market]:
    """Of the time before the world began, where a filter says of which series."""
    past = call.venue.past
    if past is None:
        return []
    named = {name.partition("-")[0] for name in (series, event, *tickers) if name}
    return [market for one in sorted(named) for market in past.of_series(one).values()]


def one_market(call: Call) -> Answer:
    return Answer({"market": shapes.market(call.exchange, _find(call))})


def candlesticks(call: Call) -> Answer:
    """Without the suffixes of the live form."""
    market = _find(call)
    start_s, end_s, minutes = candle_span(call)
    found = call.venue.candles.of(market.spec.ticker, start_s, end_s, minutes)
    return Answer({"ticker": market.spec.ticker, "candlesticks": [historical_candle(c) for c in found]})


def list_trades(call: Call) -> Answer:
    cutoff_ms = call.venue.archive.trades_created_ms
    return Answer(trade_page(call, [t for t in chosen_trades(call) if t.ts_ms < cutoff_ms]))


def list_fills(call: Call) -> Answer:
    cutoff_ms = call.venue.archive.trades_created_ms
    return Answer(fill_page(call, [row for row in chosen_fills(call) if row[1].ts_ms < cutoff_ms]))


def list_orders(call: Call) -> Answer:
    cutoff_ms = call.venue.archive.orders_updated_ms
    rows = [
        row
        for row in chosen_orders(call)
        if row[1].status is not OrderStatus.RESTING and row[1].updated_ms < cutoff_ms
    ]
    return Answer(order_page(call, rows))


def list_positions(call: Call) -> Answer:
    account, cutoff_ms = call.seen(), call.venue.archive.positions_updated_ms
    rows = [
        (ticker, holding)
        for ticker, holding in chosen_positions(call, account)
        if holding.settled and holding.updated_ms < cutoff_ms
    ]
    return Answer(position_page(call, account, rows))


def _find(call: Call) -> Market:
    ticker, past = call.path["ticker"], call.venue.past
    market = call.exchange.markets.get(ticker) or (past.find(ticker) if past is not None else None)
    if market is None or not is_archived(call, market):
        raise not_found("historical market")
    return market
