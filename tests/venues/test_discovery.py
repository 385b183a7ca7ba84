"""What tools read: filters the venue accepts, lists whole or not at all, books and candles of both shapes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from core.domain.clock import Clocks
from core.domain.order import BookSide
from core.domain.units import contracts
from core.venues.kalshi import candles, depths, discovery, tape
from core.venues.kalshi.candles import Period, Range
from core.venues.kalshi.discovery import EventFilter, FilterError, MarketFilter, Moment, Phase
from core.venues.reader import Reader, Window
from core.venues.venue import Incomplete
from tests.venues.scripted import Desk, Reply, Script, answer

Run = Callable[[Any], Any]
DAY = Window(1_795_400_000_500, 1_795_486_400_001)


@pytest.fixture
def ask(virtual: Run, virtual_clocks: Clocks) -> Callable[..., tuple[Any, Script]]:
    """The answer of a read to scripted replies, with the requests it made."""

    def run(call: Callable[[Reader], Awaitable[Any]], *replies: Reply) -> tuple[Any, Script]:
        script = Script(*replies)

        async def main() -> Any:
            desk = Desk(virtual_clocks, script)
            return await call(Reader(desk.http, desk.http.on_anomaly))

        return virtual(main()), script

    return run


def test_a_filter_says_what_it_means() -> None:
    assert MarketFilter().query() == {"limit": 1_000, "mve_filter": "exclude"}
    chosen = MarketFilter(series="KXHIGHNY", phase=Phase.CLOSED, moment=Moment.CLOSE, window=DAY)
    assert chosen.query() == {
        "limit": 1_000,
        "mve_filter": "exclude",
        "series_ticker": "KXHIGHNY",
        "status": "closed",
        "min_close_ts": 1_795_400_000,  # rounded so that nothing is left out
        "max_close_ts": 1_795_486_401,
    }
    assert MarketFilter(tickers=("A", "B"), combos=True).query() == {"limit": 1_000, "tickers": "A,B"}
    assert EventFilter(series="S", phase=Phase.OPEN, closes_from_ms=9_999).query() == {
        "limit": 200,
        "series_ticker": "S",
        "status": "open",
        "min_close_ts": 9,
    }


@pytest.mark.parametrize(
    "chosen",
    [
        MarketFilter(phase=Phase.OPEN, moment=Moment.CLOSE),
        MarketFilter(phase=Phase.CLOSED, moment=Moment.CREATED),
        MarketFilter(phase=Phase.OPEN, moment=Moment.SETTLED),
        MarketFilter(phase=Phase.OPEN, moment=Moment.UPDATED),
        MarketFilter(moment=Moment.UPDATED, event="E"),
        MarketFilter(moment=Moment.UPDATED, combos=True),
        EventFilter(phase=Phase.PAUSED),
    ],
)
def test_what_the_venue_would_refuse_is_refused_here(chosen: MarketFilter | EventFilter) -> None:
    with pytest.raises(FilterError):
        chosen.query()


MARKET = {
    "ticker": "KX-A-1",
    "event_ticker": "KX-A",
    "status": "active",
    "open_time": "2026-11-22T15:00:00Z",
    "close_time": "2026-11-24T04:59:00Z",
    "price_ranges": [{"start": "0", "end": "1", "step": "0.01"}],
}


def test_lists_of_markets_are_read_to_their_end(ask: Any) -> None:
    found, script = ask(
        lambda reader: discovery.read_markets(reader, MarketFilter(event="KX-A")),
        answer(body={"markets": [MARKET], "cursor": "next"}),
        answer(body={"markets": [MARKET | {"ticker": "KX-A-2"}], "cursor": ""}),
    )
    assert [market.ticker for market in found] == ["KX-A-1", "KX-A-2"]
    assert script.requests[1].url.params["cursor"] == "next"
    found, script = ask(
        lambda reader: discovery.read_markets(reader, MarketFilter(series="KX"), historical=True),
        answer(body={"markets": [], "cursor": ""}),
    )
    assert found == () and script.requests[0].url.path.endswith("/historical/markets")


async def test_history_has_neither_phases_nor_windows() -> None:
    for chosen in (MarketFilter(phase=Phase.OPEN), MarketFilter(moment=Moment.CREATED)):
        with pytest.raises(FilterError):
            await discovery.read_markets(None, chosen, historical=True)


def test_one_market_one_event_and_their_sources(ask: Any) -> None:
    found, script = ask(lambda r: discovery.read_market(r, "KX-A-1"), answer(body={"market": MARKET}))
    assert found.ticker == "KX-A-1"
    event = {"event_ticker": "KX-A", "series_ticker": "KX", "mutually_exclusive": True}
    found, _ = ask(
        lambda r: discovery.read_event(r, "KX-A"), answer(body={"event": event, "markets": [MARKET]})
    )
    assert (found.event.series_ticker, len(found.markets)) == ("KX", 1)
    sources = {"settlement_sources": [{"name": "The Weather\u001b Company", "url": "https://x"}]}
    found, _ = ask(lambda r: discovery.read_settlement_sources(r, "KX-A"), answer(body=sources))
    assert len(found) == 1 and "\u001b" not in found[0]
    row = {
        "ticker": "KX",
        "title": "T",
        "category": "Climate",
        "frequency": "daily",
        "tags": None,
        "exchange_index": 2,
    }
    found, script = ask(
        lambda r: discovery.read_series(r, category="Climate", tags=["a", "b"]),
        answer(body={"series": [row | sources]}),
    )
    assert (found[0].shard, found[0].tags) == (2, ())
    assert dict(script.requests[0].url.params) == {"category": "Climate", "tags": "a,b"}


def test_where_history_begins(ask: Any) -> None:
    body = {
        "market_settled_ts": "2026-10-01T00:00:00Z",
        "trades_created_ts": "2026-10-02T00:00:00Z",
        "orders_updated_ts": "2026-10-03T00:00:00Z",
    }
    found, _ = ask(discovery.read_cutoff, answer(body=body))
    assert found.trades_ms - found.markets_ms == 86_400_000 and found.positions_ms is None


SIDES = {
    "yes_dollars": [["0.3000", "120.00"], ["0.3100", "210.00"]],
    "no_dollars": [["0.6600", "40.00"], ["0.6700", "85.50"]],
}


def test_a_book_of_bids_is_read_in_yes_prices_best_first(ask: Any) -> None:
    book, script = ask(lambda r: depths.read_book(r, "KX-A-1", 10), answer(body={"orderbook_fp": SIDES}))
    assert [(level.price, level.size) for level in book.bids] == [
        (3_100, contracts(210)),
        (3_000, contracts(120)),
    ]
    assert [level.price for level in book.asks] == [3_300, 3_400]
    assert script.requests[0].url.params["depth"] == "10"


@pytest.mark.parametrize(
    "sides",
    [
        {"yes_dollars": [["0.4000", "1.00"]], "no_dollars": [["0.6000", "1.00"]]},
        {"yes_dollars": [["1.0000", "1.00"]]},
        {"yes_dollars": [["0.4000", "-1.00"]]},
        {"yes_dollars": [[0.4, "1.00"]]},
    ],
)
def test_a_book_that_cannot_be_is_none(ask: Any, sides: dict[str, Any]) -> None:
    found, _ = ask(lambda r: depths.read_book(r, "KX-A-1"), answer(body={"orderbook_fp": sides}))
    assert isinstance(found, Incomplete)


def test_many_books_are_all_there_or_not_at_all(ask: Any) -> None:
    rows = [{"ticker": ticker, "orderbook_fp": SIDES} for ticker in ("A", "B")]
    found, script = ask(lambda r: depths.read_books(r, ["A", "B"]), answer(body={"orderbooks": rows}))
    assert sorted(found) == ["A", "B"]
    assert script.requests[0].url.query == b"tickers=A&tickers=B"
    found, _ = ask(lambda r: depths.read_books(r, ["A", "C"]), answer(body={"orderbooks": rows}))
    assert isinstance(found, Incomplete)


def prices(suffix: str, *values: str) -> dict[str, str]:
    return {f"{n}{suffix}": v for n, v in zip(("open", "high", "low", "close"), values, strict=True)}


def stick(money: str, count: str, **price: Any) -> dict[str, Any]:
    quote = prices(money, "0.3000", "0.3300", "0.2900", "0.3100")
    return {
        "end_period_ts": 1_795_400_060,
        "yes_bid": quote,
        "yes_ask": prices(money, "0.3200", "1.0000", "0.3000", "0.3300"),
        "price": price,
        f"volume{count}": "12.00",
        f"open_interest{count}": "40.00",
    }


def test_candles_of_both_shapes_are_the_same_candle(ask: Any) -> None:
    live, script = ask(
        lambda r: candles.read_candles(r, "KX", "KX-A-1", DAY, Period.HOUR, leading=True),
        answer(body={"ticker": "KX-A-1", "candlesticks": [stick("_dollars", "_fp")]}),
    )
    assert dict(script.requests[0].url.params) == {
        "start_ts": "1795400000",
        "end_ts": "1795486401",
        "period_interval": "60",
        "include_latest_before_start": "true",
    }
    nothing = dict.fromkeys(("open", "high", "low", "close"))
    old, _ = ask(
        lambda r: candles.read_old_candles(r, "KX-A-1", DAY, Period.HOUR),
        answer(body={"ticker": "KX-A-1", "candlesticks": [stick("", "", **nothing)]}),
    )
    assert live == old
    [candle] = live
    assert candle.bid == Range(3_000, 3_300, 2_900, 3_100) and candle.trades is None
    assert (candle.end_ms, candle.volume) == (1_795_400_060_000, contracts(12))


def test_candles_of_many_markets_and_of_an_event(ask: Any) -> None:
    sticks = [stick("_dollars", "_fp", **prices("_dollars", "0.3100", "0.3300", "0.3100", "0.3200"))]
    found, _ = ask(
        lambda r: candles.read_candles_of_many(r, ["A", "B"], DAY, Period.DAY),
        answer(body={"markets": [{"market_ticker": "A", "candlesticks": sticks}]}),
    )
    assert list(found) == ["A"] and found["A"][0].trades == Range(3_100, 3_300, 3_100, 3_200)
    body = {"market_tickers": ["A", "B"], "market_candlesticks": [sticks, []], "adjusted_end_ts": 5}
    found, _ = ask(
        lambda r: candles.read_candles_of_event(r, "KX", "KX-A", DAY, Period.MINUTE), answer(body=body)
    )
    assert (len(found.markets["A"]), found.markets["B"], found.until_ms) == (1, (), 5_000)
    found, _ = ask(
        lambda r: candles.read_candles_of_event(r, "KX", "KX-A", DAY, Period.MINUTE),
        answer(body=body | {"market_candlesticks": [sticks]}),
    )
    assert isinstance(found, Incomplete)


async def test_candles_need_both_ends() -> None:
    with pytest.raises(ValueError, match="both ends"):
        await candles.read_candles(None, "KX", "KX-A-1", Window(from_ms=1), Period.DAY)


@pytest.mark.parametrize("historical", [False, True])
def test_trades_are_read_with_their_window(ask: Any, historical: bool) -> None:
    row = {
        "trade_id": "t-1",
        "ticker": "KX-A-1",
        "yes_price_dollars": "0.3200",
        "count_fp": "4.00",
        "taker_book_side": "bid",
        "created_time": "2026-11-22T15:00:00.250Z",
        "is_block_trade": True,
    }
    found, script = ask(
        lambda r: tape.read_trades(r, "KX-A-1", DAY, historical=historical),
        answer(body={"trades": [row], "cursor": ""}),
    )
    [trade] = found
    assert (trade.taker, trade.block, trade.at_ms % 1_000) == (BookSide.BID, True, 250)
    url = script.requests[0].url
    assert url.path.endswith("/historical/trades" if historical else "/markets/trades")
    assert url.params["min_ts"] == "1795400000"
