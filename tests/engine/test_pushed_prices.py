"""Fair values that rest on pushed values: priced together, refused when stale, traded once confirmed."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from core.config.settings import EngineSettings, MarketSettings, Settings
from core.domain.market import Figure, IndexMean, Market, Strike, StrikeKind
from core.engine.judging import judge
from core.engine.sources import Sources
from core.engine.state import MarketState
from core.feeds.feed import Stamp
from core.feeds.quotes import Average, Quote, Volatility
from tests.execution.bench import EVENT, HOT, Bench, ladder, running
from tests.execution.fake_venue import FakeVenue
from tests.virtual import START_WALL_MS, VirtualClock, VirtualLoop, run_virtual

ENDS_MS = START_WALL_MS // 900_000 * 900_000 + 4 * 3_600_000
BTC = "KXBTC15M-1-00"
SERIES = ("KXHIGHNY", "KXBTC15M")
SPOT = 91_250.0


def btc() -> Market:
    return msgspec.structs.replace(
        ladder()[0],
        ticker=BTC,
        event_ticker="KXBTC15M-1",
        series_ticker="KXBTC15M",
        label="BTC15 12:15 >=91250",
        strike=Strike(StrikeKind.GREATER_OR_EQUAL, floor=SPOT),
        close_ms=ENDS_MS,
        exclusive=False,
        station=None,
        climate_day=None,
        extreme=None,
        mean=IndexMean("BRTI", 60, ENDS_MS, 0.01),
        unconfirmed="whether the mean is trimmed",
    )


def listed(loop: VirtualLoop) -> FakeVenue:
    return FakeVenue(None, loop, VirtualClock(loop), listed=(*ladder(), btc()))  # type: ignore[arg-type]


def tick(bench: Bench, value: float, source: str = "kalshi-indices", name: str = "BRTI") -> None:
    now = bench.clock.wall_ms()
    bench.feed.sink(Quote(name, source, value, None, None, Stamp(now, now, 0), 3))


def dvol(bench: Bench, percent: float = 45.0) -> None:
    now = bench.clock.wall_ms()
    bench.feed.sink(Volatility("DVOL BTC", "deribit", percent, 30, Stamp(now, now, 0), 3600))


def market(bench: Bench) -> MarketState:
    return bench.engine.state.markets[BTC]


def fair(bench: Bench) -> float:
    found = market(bench).fair
    assert found is not None
    return found.probability


def test_a_tick_moves_the_fair_value_within_a_pass_and_no_other_event() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, venue=listed(loop), series=SERIES) as bench:
            state, told = bench.engine.state, list[float]()
            assert state.events["KXBTC15M-1"].refusal == "no value of BRTI from kalshi-indices yet"
            bench.engine.desk.pricing.on_news = lambda: told.append(loop.time())
            dvol(bench)
            tick(bench, SPOT)
            await asyncio.sleep(0.06)
            before, seen = fair(bench), state.changed_events.version
            began, weather = loop.time(), state.events[EVENT].fair
            told.clear()
            tick(bench, SPOT + 100)
            assert fair(bench) == before, "not in the feed's own step"
            await asyncio.sleep(0)
            await asyncio.sleep(0.001)
            assert fair(bench) > before + 0.03
            assert told and told[0] - began < 0.05
            for n in range(40):  # a burst: no more than one pass every 50 ms
                tick(bench, SPOT + 100 + n)
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.06)
            assert len(told) <= 3
            assert state.changed_events.since(seen) == ["KXBTC15M-1"]
            assert state.events[EVENT].fair is weather
            last = market(bench).fair
            assert last is not None and last.mean == SPOT + 139, "the last of a burst is never lost"
            told.clear()
            tick(bench, SPOT + 200)
            bench.engine.desk.pricing.price_all()
            await asyncio.sleep(0.06)
            assert len(told) == 1, "nor does a viewer wait for one that the look of each second met first"

    run_virtual(main)


def test_what_comes_while_a_pass_waits_is_in_it_whichever_index_it_is_of() -> None:
    mean = IndexMean("ETHUSD_RTI", 60, ENDS_MS, 0.01)
    strike = Strike(StrikeKind.GREATER_OR_EQUAL, floor=3_000.0)
    eth = msgspec.structs.replace(
        btc(), ticker="KXETH15M-1-00", event_ticker="KXETH15M-1", series_ticker="KXETH15M", mean=mean,
        strike=strike,
    )  # fmt: skip

    async def main(loop: VirtualLoop) -> None:
        venue = FakeVenue(None, loop, VirtualClock(loop), listed=(*ladder(), btc(), eth))  # type: ignore[arg-type]
        async with running(loop, venue=venue, series=(*SERIES, "KXETH15M")) as bench:
            dvol(bench)
            tick(bench, SPOT)
            now = bench.clock.wall_ms()
            bench.feed.sink(Volatility("DVOL ETH", "deribit", 60.0, 30, Stamp(now, now, 0), 3600))
            tick(bench, 3_000.0, name="ETHUSD_RTI")
            await asyncio.sleep(0.001)
            assert bench.engine.state.markets[eth.ticker].fair is not None
            assert market(bench).fair is not None

    run_virtual(main)


def test_a_stale_index_leaves_no_price_and_says_which_feed_and_how_old() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, venue=listed(loop), series=SERIES) as bench:
            dvol(bench)
            tick(bench, SPOT)
            await asyncio.sleep(0.1)
            state = bench.engine.state
            event = state.events["KXBTC15M-1"]
            bench.venue.quote(BTC, 43, 46)  # worth fifty
            await asyncio.sleep(0.3)
            assert not event.refusal and market(bench).edge is not None
            await asyncio.sleep(5.0)
            assert (market(bench).fair, market(bench).edge, market(bench).edge_word) == (None, None, "stale")
            assert market(bench).why_not == event.refusal
            seen = state.changed_markets.version
            assert event.refusal in (f"BRTI (kalshi-indices) is {n} s old, limit 3 s" for n in (5, 6))
            tick(bench, SPOT)
            await asyncio.sleep(0.01)
            assert not event.refusal
            assert BTC in state.changed_markets.since(seen), "the price is shown again, though it is the same"

    run_virtual(main)


def test_checks_of_the_index_move_nothing_by_themselves_and_other_families_say_they_have_no_model() -> None:
    async def main(loop: VirtualLoop) -> None:
        other = msgspec.structs.replace(btc(), ticker="KXFED-1-1", event_ticker="KXFED-1", mean=None)
        other = msgspec.structs.replace(other, series_ticker="KXFED")
        doubtful = msgspec.structs.replace(other, ticker="KXFED-2-1", event_ticker="KXFED-2", doubt="which?")
        rain = msgspec.structs.replace(other, ticker="KXFED-3-1", event_ticker="KXFED-3", unpriced="on rain")
        prices = msgspec.structs.replace(
            other, ticker="KXFED-4-1", event_ticker="KXFED-4", figure=Figure("PPI", "2026-11-23")
        )
        markets = (*ladder(), btc(), other, doubtful, rain, prices)
        venue = FakeVenue(None, loop, VirtualClock(loop), listed=markets)  # type: ignore[arg-type]
        async with running(loop, venue=venue, series=(*SERIES, "KXFED")) as bench:
            assert bench.engine.state.events["KXFED-1"].refusal == "no model for KXFED"
            assert bench.engine.state.events["KXFED-2"].refusal == "which?"
            assert bench.engine.state.events["KXFED-3"].refusal == "on rain"
            known = "settles on PPI, which no model here prices"
            assert bench.engine.state.events["KXFED-4"].refusal == known
            told = list[int]()
            bench.engine.desk.pricing.on_news = lambda: told.append(1)
            tick(bench, SPOT, "coinbase", "BTC/USD")
            await asyncio.sleep(0.2)
            assert not told
            assert not bench.engine.desk.pricing.explained("KXBTC15M-1"), "it is no input either"

    run_virtual(main)


@pytest.mark.parametrize("confirmed", [(), ("KXBTC15M",)])
def test_an_unconfirmed_settlement_is_priced_and_traded_only_by_the_operators_word(
    confirmed: tuple[str, ...],
) -> None:
    settings = Settings(engine=EngineSettings(confirm_above=100), markets=MarketSettings(confirmed=confirmed))

    async def main(loop: VirtualLoop) -> None:
        async with running(loop, venue=listed(loop), series=SERIES, settings=settings) as bench:
            bench.venue.quote(BTC, 43, 46)  # worth fifty
            dvol(bench)
            for _ in range(4):
                tick(bench, SPOT)
                await asyncio.sleep(0.5)
            assert abs(fair(bench) - 0.5) < 0.02
            if confirmed:
                card, desk = await bench.card(BTC), bench.engine.desk
                assert card.verdict.passed
                desk.sources = Sources(desk.scribe.log, (), ())
                assert "G03" in [denial.code for denial in judge(desk, card.candidate).denials]
            else:
                assert market(bench).edge is not None, "the price is shown"
                assert market(bench).edge_word == "conf"
                bench.venue.quote(BTC, 40, 43)  # a better edge than any of the weather's
                tick(bench, SPOT)
                await asyncio.sleep(0.3)
                bench.engine.trading.tell_best()
                assert not bench.engine.state.best.startswith("Best: BTC15"), bench.engine.state.best
                words = "trading waits for your confirmation of the settlement source: whether the mean is"
                assert market(bench).why_not.startswith(words)
                assert bench.engine.desk.approvals.of(BTC) is None
            assert bench.engine.desk.approvals.of(HOT) is not None, "the weather goes on"

    run_virtual(main)


def test_the_closing_minute_is_priced_once_with_both_of_its_values() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, venue=listed(loop), series=SERIES) as bench:
            dvol(bench)
            tick(bench, SPOT)
            await asyncio.sleep(0.1)
            told = list[int]()
            bench.engine.desk.pricing.on_news = lambda: told.append(1)
            now = bench.clock.wall_ms()
            tick(bench, SPOT + 50)
            bench.feed.sink(
                Average("BRTI", "kalshi-indices", SPOT, 10, 60, ENDS_MS + 1, Stamp(now, now, 0), 3)
            )
            await asyncio.sleep(0.06)
            assert len(told) == 1

    run_virtual(main)


@pytest.mark.parametrize("follows", [False, True])
def test_ticks_explain_no_book_that_leaves_the_fair_value(follows: bool) -> None:
    engine, markets = EngineSettings(confirm_above=100), MarketSettings(confirmed=("KXBTC15M",))

    async def main(loop: VirtualLoop) -> None:
        settings, spot = Settings(engine=engine, markets=markets), SPOT
        async with running(loop, venue=listed(loop), series=SERIES, settings=settings) as bench:

            async def ticking() -> None:
                while True:
                    dvol(bench)
                    tick(bench, spot)
                    await asyncio.sleep(0.5)

            ticks = asyncio.ensure_future(ticking())
            bench.venue.quote(BTC, 43, 46)
            await bench.held(5, BTC)
            await asyncio.sleep(2)
            assert not bench.engine.state.halts.standing
            spot += 600 if follows else 0
            bench.venue.quote(BTC, 80, 84)
            await asyncio.sleep(2)
            found = [halt.cause for halt in bench.engine.state.halts.standing]
            assert found == ([] if follows else ["the book jumped from 44.5c to 82c without news"])
            ticks.cancel()

    run_virtual(main)
