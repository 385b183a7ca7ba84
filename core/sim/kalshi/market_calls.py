"""Public reads: exchange state, series, events, markets, books, trades."""

from __future__ import annotations

from collections.abc import Callable

from core.sim.contracts import Market
from core.sim.kalshi import shapes
from core.sim.kalshi.call import Answer, Call
from core.sim.kalshi.errors import WireError, invalid_parameter, not_found
from core.sim.kalshi.shapes import Wire

_TIMES: dict[str, Callable[[Market], int | None]] = {
    "created": lambda m: m.created_ms,
    "updated": lambda m: m.updated_ms,
    "close": lambda m: m.close_ms,
    "settled": lambda m: m.settled_world_ms,
}
_STATUS_WITH_TIMES = {
    "created": ("", "unopened", "open"),
    "updated": ("",),
    "close": ("", "closed"),
    "settled": ("", "settled"),
}
"""Kalshi API: get markets. Which status filter each pair of times may be combined with."""
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def exchange_status(call: Call) -> Answer:
    trading = call.exchange.trading_active
    shard = {"exchange_active": True, "trading_active": trading, "intra_exchange_transfers_active": True}
    return Answer(
        {
            **shard,
            "exchange_estimated_resume_time": None,
            "exchange_index_statuses": [{"exchange_index": 0, "description": "Default", **shard}],
        }
    )


def exchange_schedule(call: Call) -> Answer:
    hours = {day: [{"open_time": "00:00", "close_time": "24:00"}] for day in _WEEK}
    span = {"start_time": "2026-01-01T00:00:00Z", "end_time": "2099-12-31T00:00:00Z"}
    return Answer({"schedule": {"standard_hours": [{**span, **hours}], "maintenance_windows": []}})


def user_data_timestamp(call: Call) -> Answer:
    return Answer({"as_of_time": shapes.rfc3339(call.venue.clock.wall_ms())})


def list_series(call: Call) -> Answer:
    category, tags = call.text("category"), set(call.words("tags"))
    rows = [
        shapes.series(of)
        for of in call.exchange.series.values()
        if (not category or of.category == category) and (not tags or tags & set(of.tags))
    ]
    return Answer({"series": rows})


def one_series(call: Call) -> Answer:
    found = call.exchange.series.get(call.path["series_ticker"])
    if found is None:
        raise not_found("series")
    return Answer({"series": shapes.series(found)})


def series_fee_changes(call: Call) -> Answer:
    """No fee ever changes here."""
    return Answer({"series_fee_change_arr": []})


def event_fee_changes(call: Call) -> Answer:
    return Answer({"event_fee_changes": [], "cursor": ""})


def list_events(call: Call) -> Answer:
    exchange, series = call.exchange, call.text("series_ticker")
    wanted = set(call.words("tickers"))
    states = shapes.STATUS_WORDS.get(call.choice("status", ("unopened", "open", "closed", "settled")))
    rows = []
    for of in exchange.events.values():
        markets = [exchange.markets[spec.ticker] for spec in of.markets]
        if (
            (not series or of.series_ticker == series)
            and (not wanted or of.event_ticker in wanted)
            and (states is None or any(m.status in states for m in markets))
            and any(call.within("min_close_ts", "max_close_ts", m.close_ms) for m in markets)
        ):
            rows.append(of)
    shown, cursor = call.page(rows, lambda e: e.event_ticker, most=200, default=200)
    nested = call.flag("with_nested_markets")
    return Answer({"events": [shapes.event(exchange, e, nested=nested) for e in shown], "cursor": cursor})


def one_event(call: Call) -> Answer:
    exchange = call.exchange
    found = exchange.events.get(call.path["event_ticker"])
    if found is None:
        raise not_found("event")
    nested, bare = call.flag("with_nested_markets"), call.flag("exclude_markets")
    if nested and bare:
        raise invalid_parameter("with_nested_markets and exclude_markets exclude each other")
    shape = shapes.event(exchange, found, nested=nested)
    beside = [] if nested or bare else [_market(call, spec.ticker) for spec in found.markets]
    return Answer({"event": shape, "markets": beside})


def list_markets(call: Call) -> Answer:
    exchange = call.exchange
    event, series, wanted = call.text("event_ticker"), call.text("series_ticker"), set(call.words("tickers"))
    status = call.choice("status", tuple(shapes.STATUS_WORDS))
    states, combos_only = shapes.STATUS_WORDS.get(status), call.text("mve_filter") == "only"
    times = _times(call, status)

    def matches(of: Market) -> bool:
        return (
            (not event or of.spec.event_ticker == event)
            and (not series or of.spec.series_ticker == series)
            and (not wanted or of.spec.ticker in wanted)
            and (states is None or of.status in states)
            and not combos_only
            and all(call.within(f"min_{n}_ts", f"max_{n}_ts", _TIMES[n](of)) for n in times)
        )

    rows = [of for of in exchange.markets.values() if matches(of)]
    shown, cursor = call.page(rows, lambda m: m.spec.ticker, most=1000, default=100)
    return Answer({"markets": [shapes.market(exchange, m) for m in shown], "cursor": cursor})


def _times(call: Call, status: str) -> list[str]:
    """The pair of times that is asked for, if any; a mix Kalshi refuses is refused."""
    mve_filter = call.choice("mve_filter", ("only", "exclude"))
    named = [n for n in _TIMES if f"min_{n}_ts" in call.query or f"max_{n}_ts" in call.query]
    if len(named) > 1:
        raise invalid_parameter(f"filters by {' and '.join(named)} time exclude each other")
    for name in named:
        if status not in _STATUS_WITH_TIMES[name]:
            raise invalid_parameter(f"a filter by {name} time does not go with status {status}")
        if name == "updated" and mve_filter != "exclude":
            raise invalid_parameter("a filter by updated time needs mve_filter=exclude")
    return named


def one_market(call: Call) -> Answer:
    return Answer({"market": _market(call, call.path["ticker"])})


def orderbook(call: Call) -> Answer:
    ticker = call.path["ticker"]
    if ticker not in call.exchange.markets:
        raise _unknown_market()
    depth = call.number("depth") or 0
    if depth > 100:
        raise invalid_parameter("depth must be at most 100")
    return Answer({"orderbook_fp": shapes.orderbook(call.exchange.book(ticker), depth)})


def orderbooks(call: Call) -> Answer:
    tickers = call.query.getlist("tickers")
    if not 1 <= len(tickers) <= 100:
        raise invalid_parameter("tickers must name between 1 and 100 markets")
    known = [t for t in tickers if t in call.exchange.markets]
    books = [{"ticker": t, "orderbook_fp": shapes.orderbook(call.exchange.book(t), 0)} for t in known]
    return Answer({"orderbooks": books})


def list_trades(call: Call) -> Answer:
    ticker, blocks = call.text("ticker"), call.flag("is_block_trade")
    rows = [
        t
        for t in reversed(call.exchange.trades)
        if (not ticker or t.ticker == ticker) and call.within("min_ts", "max_ts", t.ts_ms) and not blocks
    ]
    shown, cursor = call.page(rows, lambda t: t.trade_id, most=1000, default=100)
    return Answer({"trades": [shapes.trade(t) for t in shown], "cursor": cursor})


def account_limits(call: Call) -> Answer:
    tier = call.venue.limiter.tier_of(call.account.name)
    grant = {"exchange_instance": "event_contract", "level": tier.word, "source": "simulated"}
    return Answer(
        {"usage_tier": tier.word, "read": _budget(tier.read), "write": _budget(tier.write), "grants": [grant]}
    )


def _budget(of: tuple[int, int]) -> Wire:
    return {"refill_rate": of[0], "bucket_capacity": of[1]}


def _market(call: Call, ticker: str) -> Wire:
    found = call.exchange.markets.get(ticker)
    if found is None:
        raise _unknown_market()
    return shapes.market(call.exchange, found)


def _unknown_market() -> WireError:
    return WireError(404, "market_not_found", "market not found")
