"""What there is to trade: series, events, markets, their books and their fees to come."""

from __future__ import annotations

from collections.abc import Callable

from core.sim.contracts import Market
from core.sim.kalshi import shapes
from core.sim.kalshi.call import Answer, Call
from core.sim.kalshi.errors import WireError, invalid_parameter, not_found
from core.sim.kalshi.historical_calls import is_archived
from core.sim.kalshi.shapes import Wire
from core.sim.tariffs import FeeChange

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


def list_series(call: Call) -> Answer:
    """All of them: this list has no pages."""
    category, tags = call.text("category"), set(call.words("tags"))
    updated_s, volumes = call.number("min_updated_ts") or 0, call.flag("include_volume")
    rows = [
        shapes.series(call.exchange, of, volume=volumes)
        for of in call.exchange.series.values()
        if (not category or category in (of.categories or (of.category,)))
        and (not tags or tags & set(of.tags))
        and of.updated_ms >= updated_s * 1000
    ]
    return Answer({"series": rows})


def one_series(call: Call) -> Answer:
    found = call.exchange.series.get(call.path["series_ticker"])
    if found is None:
        raise not_found("series")
    return Answer({"series": shapes.series(call.exchange, found, volume=call.flag("include_volume"))})


def series_fee_changes(call: Call) -> Answer:
    """Those to come; with ``show_historical`` those that were, too."""
    series, past = call.text("series_ticker"), call.flag("show_historical")
    world_ms = call.exchange.world.at(call.venue.clock.wall_ms())
    rows = [
        {
            "id": change.change_id,
            "series_ticker": change.ticker,
            "fee_type": change.fee_type,
            "fee_multiplier": change.fee_multiplier,
            "scheduled_ts": shapes.rfc3339(change.world_ms),
        }
        for change in call.exchange.tariffs.of_series
        if (not series or change.ticker == series) and (past or change.world_ms > world_ms)
    ]
    return Answer({"series_fee_change_arr": rows})


def event_fee_changes(call: Call) -> Answer:
    """Null where a change clears an override."""
    event = call.text("event_ticker")
    rows = [c for c in call.exchange.tariffs.of_events if not event or c.ticker == event]
    shown, cursor = call.page(rows, lambda c: c.change_id, most=1000, default=100)
    return Answer({"event_fee_changes": [_event_fee_change(call, c) for c in shown], "cursor": cursor})


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
            and any(call.within("min_updated_ts", "max_updated_ts", m.updated_ms) for m in markets)
        ):
            rows.append(of)
    shown, cursor = call.page(rows, lambda e: e.event_ticker, most=200, default=200)
    nested = call.flag("with_nested_markets")
    shape: Wire = {"events": [shapes.event(exchange, e, nested=nested) for e in shown], "cursor": cursor}
    if call.flag("with_milestones"):
        shape["milestones"] = []
    return Answer(shape)


def one_event(call: Call) -> Answer:
    exchange = call.exchange
    found = exchange.events.get(call.path["event_ticker"])
    if found is None:
        raise not_found("event")
    nested, bare = call.flag("with_nested_markets"), call.flag("exclude_markets")
    if nested and bare:
        raise invalid_parameter("with_nested_markets and exclude_markets exclude each other")
    shape = shapes.event(exchange, found, nested=nested)
    markets = [exchange.markets[spec.ticker] for spec in found.markets]
    live = [] if nested or bare else [m for m in markets if not is_archived(call, m)]
    return Answer({"event": shape, "markets": [shapes.market(exchange, m) for m in live]})


def event_metadata(call: Call) -> Answer:
    found = call.exchange.events.get(call.path["event_ticker"])
    if found is None:
        raise not_found("event")
    details = [{"market_ticker": m.ticker, "image_url": "", "color_code": ""} for m in found.markets]
    return Answer({"image_url": "", "settlement_sources": shapes.sources(found), "market_details": details})


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
            and not is_archived(call, of)
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
        others = "event_ticker" in call.query or "tickers" in call.query
        if name == "updated" and (mve_filter != "exclude" or others):
            raise invalid_parameter(
                "a filter by updated time needs mve_filter=exclude and no other but a series"
            )
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
    return Answer({"orderbook_fp": _book(call, ticker, depth)})


def orderbooks(call: Call) -> Answer:
    tickers = call.query.getlist("tickers")
    if not 1 <= len(tickers) <= 100:
        raise invalid_parameter("tickers must name between 1 and 100 markets")
    known = [t for t in tickers if t in call.exchange.markets]
    books = [{"ticker": t, "orderbook_fp": _book(call, t, 0)} for t in known]
    return Answer({"orderbooks": books})


def _event_fee_change(call: Call, of: FeeChange) -> Wire:
    return {
        "id": of.change_id,
        "event_ticker": of.ticker,
        "series_ticker": call.exchange.events[of.ticker].series_ticker,
        "fee_type_override": of.fee_type,
        "fee_multiplier_override": of.fee_multiplier,
        "scheduled_ts": shapes.rfc3339(of.world_ms),
    }


def _book(call: Call, ticker: str, depth: int) -> Wire:
    best_first = call.exchange.dialect.best_level_is_first
    return shapes.orderbook(call.exchange.book(ticker), depth, best_first=best_first)


def _market(call: Call, ticker: str) -> Wire:
    found = call.exchange.markets.get(ticker)
    if found is None or is_archived(call, found):
        raise _unknown_market()
    return shapes.market(call.exchange, found)


def _unknown_market() -> WireError:
    return WireError(404, "market_not_found", "market not found")
