"""The client as a whole on SIM's Polymarket: found, subscribed, traded, settled, undone, cut off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from core.domain.clock import Clocks
from core.domain.market import FeeType, Market
from core.domain.order import BookSide, Purpose, TimeInForce
from core.domain.trade import TradeStage
from core.domain.units import Price, Quantity, contracts
from core.venues.venue import (
    Accepted,
    Done,
    Incomplete,
    LinkState,
    NotThere,
    PositionReport,
    Rejected,
    ReportStatus,
)
from tests.venues.polymarket.sim_venue import EVENT, RAIN, TICKER, V2, Pit

Run = Callable[[Coroutine[Any, Any, Any]], Any]
Story = Callable[[Pit], Coroutine[Any, Any, None]]
On = Callable[..., None]
BID, ASK, OPEN, CLOSE = BookSide.BID, BookSide.ASK, Purpose.OPEN, Purpose.CLOSE


@pytest.fixture
def on(virtual: Run, virtual_clocks: Clocks) -> On:
    def run(story: Story, *tickers: str, **more: Any) -> None:
        async def main() -> None:
            pit = Pit(virtual_clocks, **more)
            async with pit.running(*tickers):
                await story(pit)

        virtual(main())

    return run


def test_markets_are_found_by_event_tag_and_name(on: On) -> None:
    async def story(pit: Pit) -> None:
        found = await pit.client.markets([EVENT, "rain"])
        assert not isinstance(found, Incomplete)
        assert {m.ticker for m in found} == {TICKER, RAIN}
        market = next(m for m in found if m.ticker == TICKER)
        assert market.exclusive and market.strike.whole_degrees() == (48, 49)
        assert market.label == "NYC hi Nov23 48-49" and market.fees.type is FeeType.TAKER_CURVE
        assert market.minimum == contracts(5)
        second = await pit.client.market(V2)
        assert isinstance(second, Market)
        assert isinstance(await pit.client.market("nobody-knows"), Incomplete)

    on(story)


def test_a_book_is_live_and_follows(on: On) -> None:
    async def story(pit: Pit) -> None:
        pit.others("BUY", 4_000, 20)
        pit.others("BUY", 5_500, 30, outcome=1)  # NO at 0.55 offers YES at 0.45
        book = pit.client.books[TICKER].book
        await pit.until(lambda: (book.best_bid, book.best_ask) == (4_000, 4_500))
        assert book.size(ASK, book.best_ask or 0) == contracts(30)  # type: ignore[arg-type]
        assert pit.client.link.state is LinkState.OK
        await pit.until(lambda: pit.client.link.lag_ms == 0)
        await pit.until(lambda: pit.client.link.lag_ms is None)  # a quiet second has no lag
        now = await pit.client.book_now(TICKER)
        assert not isinstance(now, Incomplete) and now.best_ask == 4_500
        assert not pit.heard.anomalies

    on(story, TICKER, V2)


def test_an_order_rests_and_is_cancelled(on: On) -> None:
    async def story(pit: Pit) -> None:
        done = await pit.place(BID, OPEN, 3_000, 10)
        assert isinstance(done, Accepted) and done.remaining == contracts(10)
        await pit.until(lambda: bool(pit.heard.orders))
        assert pit.heard.orders[-1].order_id == done.order_id
        listed = await pit.client.orders()
        assert not isinstance(listed, Incomplete)
        assert [(o.order_id, o.side, o.price, o.remaining) for o in listed] == [
            (done.order_id, BID, 3_000, contracts(10))
        ]
        one = await pit.client.order(done.order_id)
        assert one is not None and not isinstance(one, Incomplete) and one.status is ReportStatus.RESTING
        assert one.expires_ms == listed[0].expires_ms
        (gone,) = await pit.client.cancel([(done.order_id, TICKER)])
        assert isinstance(gone, NotThere)  # the venue does not say how much was open: it is looked up
        after = await pit.client.order(done.order_id)
        assert after is not None and not isinstance(after, Incomplete)
        assert after.status is ReportStatus.CANCELED and after.filled == 0
        assert await pit.client.order("0x" + "00" * 32) is None

    on(story, TICKER)


@pytest.mark.parametrize("ticker", [TICKER, RAIN, V2])
def test_a_fill_is_provisional_until_it_is_confirmed(on: On, ticker: str) -> None:
    async def story(pit: Pit) -> None:
        pit.others("SELL", 4_500, 50, ticker=ticker)
        done = await pit.place(BID, OPEN, 4_500, 20, ticker=ticker)
        assert isinstance(done, Accepted) and done.filled == contracts(20)
        await pit.until(lambda: bool(pit.heard.trades))
        fill, client_id = pit.heard.fills[0]
        assert (fill.ticker, fill.order_id, fill.side, fill.price) == (ticker, done.order_id, BID, 4_500)
        assert (fill.quantity, fill.is_taker, fill.final, client_id) == (contracts(20), True, False, "")
        await pit.until(lambda: pit.heard.trades[-1].stage is TradeStage.CONFIRMED, 120)
        assert pit.heard.fills[-1][0].final
        assert await pit.client.positions() == (PositionReport(ticker, contracts(20)),)
        cash = await pit.client.cash()
        assert not isinstance(cash, Incomplete)
        assert cash.total == 1_000_000_000 - 9_000_000 - fill.fee
        fills = await pit.client.fills()
        assert not isinstance(fills, Incomplete) and [f.final for f in fills] == [True]
        trades = await pit.client.trades()
        assert not isinstance(trades, Incomplete) and [t.stage for t in trades] == [TradeStage.CONFIRMED]

    on(story, ticker)


def test_a_resting_order_that_meets_the_other_outcome_is_ours_and_free(on: On) -> None:
    async def story(pit: Pit) -> None:
        done = await pit.place(ASK, OPEN, 4_000, 10)  # buys NO at 0.60
        assert isinstance(done, Accepted) and done.remaining == contracts(10)
        pit.others("BUY", 4_200, 10)  # YES at 0.42: together a dollar and more
        await pit.until(lambda: bool(pit.heard.fills))
        fill, _ = pit.heard.fills[0]
        assert (fill.order_id, fill.side, fill.price, fill.is_taker, fill.fee) == (
            done.order_id,
            ASK,
            4_000,
            False,
            0,
        )
        await pit.until(lambda: pit.heard.trades[-1].stage is TradeStage.CONFIRMED, 120)
        assert await pit.client.positions() == (PositionReport(TICKER, Quantity(-contracts(10))),)
        fills = await pit.client.fills()
        assert not isinstance(fills, Incomplete) and [f.trade_id for f in fills] == [fill.trade_id]

    on(story, TICKER)


def test_a_ghost_fill_is_undone(on: On) -> None:
    async def story(pit: Pit) -> None:
        pit.venue.faults.flip("ghost_fill", 1.0)
        pit.others("SELL", 4_500, 50)
        await pit.place(BID, OPEN, 4_500, 20)
        await pit.until(
            lambda: bool(pit.heard.trades) and pit.heard.trades[-1].stage is TradeStage.FAILED, 120
        )
        assert len(pit.heard.fills) >= 1 and not any(fill.final for fill, _ in pit.heard.fills)
        again = await pit.client.fills()
        assert not isinstance(again, Incomplete) and {f.trade_id for f in again} == {
            fill.trade_id for fill, _ in pit.heard.fills
        }
        trades = await pit.client.trades()
        assert not isinstance(trades, Incomplete) and [t.stage for t in trades] == [TradeStage.FAILED]
        assert await pit.client.positions() == ()

    on(story, TICKER)


def test_what_a_trade_cost_is_known_although_its_market_is_over(on: On) -> None:
    async def story(pit: Pit) -> None:
        pit.others("SELL", 4_500, 50)
        await pit.place(BID, OPEN, 4_500, 20)
        await pit.until(lambda: pit.held() == contracts(20), 120)
        before = await pit.client.fills()
        assert not isinstance(before, Incomplete) and before[0].fee > 0
        pit.exchange.resolve(pit.market(TICKER).condition_id, 0)
        await pit.client.market(TICKER)
        await pit.until(lambda: any(s.ticker == TICKER for s in pit.heard.settlements), 120)
        assert [f.fee for f in await pit.client.fills()] == [f.fee for f in before]  # type: ignore[union-attr]

    on(story, TICKER)


def test_what_is_held_is_sold(on: On) -> None:
    async def story(pit: Pit) -> None:
        pit.others("SELL", 4_500, 20)
        await pit.place(BID, OPEN, 4_500, 20)
        await pit.until(lambda: pit.held() == contracts(20), 120)
        pit.others("BUY", 4_400, 20)
        sold = await pit.place(ASK, CLOSE, 4_400, 20, tif=TimeInForce.IOC, expires_ms=None, reduce_only=True)
        assert isinstance(sold, Accepted) and sold.filled == contracts(20)
        await pit.until(lambda: pit.held() == 0, 120)

    on(story, TICKER)


def test_the_streams_come_back_and_say_so(on: On) -> None:
    async def story(pit: Pit) -> None:
        assert pit.heard.reconnects == 1
        before = len(pit.heard.links)
        for pipe in list(pit.pipes):
            pipe.cut()
        await pit.until(lambda: pit.heard.reconnects == 2 and pit.client.books[TICKER].intact)
        assert ("book in doubt", f"{TICKER}: closed") in pit.heard.anomalies
        states = [link.state for link in pit.heard.links[before:]]
        assert LinkState.DOWN in states and states[-1] is LinkState.OK

    on(story, TICKER)


def test_another_tick_size_is_told_of_its_market_and_is_no_reconnect(on: On) -> None:
    async def story(pit: Pit) -> None:
        condition = next(c for c, m in pit.exchange.markets.items() if m.spec.slug == TICKER)
        pit.exchange.flip_tick(condition, Price(10))
        await pit.until(lambda: bool(pit.heard.regridded) and pit.client.books[TICKER].intact)
        assert set(pit.heard.regridded) == {TICKER}
        assert pit.heard.reconnects == 1, "as it began"

    on(story, TICKER)


def test_a_frozen_market_channel_is_replaced(on: On) -> None:
    async def story(pit: Pit) -> None:
        market_pipe = pit.pipes[-1]
        market_pipe.frozen = True
        pit.others("BUY", 4_000, 20)
        book = pit.client.books[TICKER].book
        await pit.until(lambda: book.best_bid == 4_000, 120)
        await pit.until(lambda: len(pit.pipes) > 2 and pit.client.books[TICKER].intact, 60)

    on(story, TICKER)


def test_a_restart_shows_as_a_mode_and_passes(on: On) -> None:
    async def story(pit: Pit) -> None:
        pit.venue.faults.flip("restart", 20)
        refused = await pit.place(BID, OPEN, 3_000, 10)
        assert not isinstance(refused, Accepted)
        state = await pit.client.exchange_state()
        assert not isinstance(state, Incomplete) and not state.exchange_active
        await asyncio.sleep(31)
        again = await pit.place(BID, OPEN, 3_000, 10)
        state = await pit.client.exchange_state()
        assert not isinstance(state, Incomplete)
        assert not state.trading_active and state.exchange_active and "post-only" in state.mode, again
        resting = await pit.place(BID, OPEN, 3_000, 10, post_only=True)
        assert isinstance(resting, Accepted)
        state = await pit.client.exchange_state()
        assert not isinstance(state, Incomplete)
        assert not state.trading_active  # what rests is taken, what takes is not yet
        await asyncio.sleep(121)
        assert isinstance(await pit.place(BID, OPEN, 3_000, 10), Accepted)
        state = await pit.client.exchange_state()
        assert not isinstance(state, Incomplete) and state.trading_active

    on(story, TICKER)


def test_a_resolved_market_is_paid_and_left(on: On) -> None:
    async def story(pit: Pit) -> None:
        pit.others("SELL", 4_500, 20)
        await pit.place(BID, OPEN, 4_500, 20)
        await pit.until(lambda: pit.held() == contracts(20), 120)
        pit.exchange.resolve(pit.market(TICKER).spec.condition_id, 0)
        await pit.until(lambda: bool(pit.heard.settlements), 120)
        assert (pit.heard.settlements[0].ticker, pit.heard.settlements[0].payout) == (TICKER, 10_000)
        await asyncio.sleep(60)
        assert TICKER not in pit.client.books
        paid = await pit.client.settlements()
        assert not isinstance(paid, Incomplete) and [p.result for p in paid] == ["yes"]

    on(story, TICKER)


def test_the_dead_mans_switch_beats_while_the_engine_is_fit(on: On) -> None:
    async def story(pit: Pit) -> None:
        assert pit.client.beat is not None
        await pit.place(BID, OPEN, 3_000, 10)
        await asyncio.sleep(60)
        assert len(pit.exchange.open_orders(pit.key)) == 1
        pit.heard.well = False
        await asyncio.sleep(20)
        assert not pit.exchange.open_orders(pit.key)

    on(story, TICKER, heartbeat=True)


def test_everything_is_cancelled_at_once(on: On) -> None:
    async def story(pit: Pit) -> None:
        for price in (2_000, 2_500, 3_000):
            await pit.place(BID, OPEN, price, 10)
        assert isinstance(await pit.client.cancel_everything(), Done)
        assert await pit.client.orders() == ()
        assert pit.client.entry_budget(100, 0) and not pit.client.entry_budget(200, 0)

    on(story, TICKER)


def test_a_blocked_place_stops_entries(on: On) -> None:
    async def story(pit: Pit) -> None:
        assert not pit.heard.storms
        pit.venue.geography.blocked = True
        assert isinstance(await pit.place(BID, OPEN, 3_000, 10), Rejected)
        await asyncio.sleep(3)
        edge, place = pit.heard.storms
        assert "lets no order through" in edge and "does not let you trade" in place
        assert "127" not in place

    on(story, TICKER)


def test_a_key_the_user_channel_does_not_take_is_told(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        pit = Pit(virtual_clocks)
        pit.venue.keys.delete(pit.key)
        running = asyncio.create_task(pit.client.run())
        await asyncio.sleep(5)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await pit.client.close()
        assert pit.client.link.state is not LinkState.OK
        assert [what for what, _ in pit.heard.anomalies].count("user channel") == 1
        assert pit.heard.lockouts  # REST says it for certain

    virtual(main())


def test_an_account_that_may_only_reduce_opens_nothing(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        pit = Pit(virtual_clocks)
        pit.wallet.closed_only = True
        async with pit.running():
            await pit.until(lambda: bool(pit.heard.storms))
            assert pit.heard.storms == ["the venue lets this account only reduce (closed-only)"]

    virtual(main())
