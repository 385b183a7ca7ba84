"""What is known of markets: fees that change, oddities told once, foreign markets ignored."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from core.domain.market import FeeType, MarketStatus, PriceBand, TickGrid
from core.domain.units import ONE_DOLLAR, Price, contracts
from core.venues.kalshi.catalog import Catalog
from core.venues.kalshi.listing import TOGETHER, Listing, _EventRow
from core.venues.kalshi.markets import (
    BandWire,
    EventFeeWire,
    EventWire,
    LifecycleWire,
    MarketWire,
    SeriesPage,
    SeriesWire,
)
from core.venues.venue import Incomplete

EVENT = "KXHIGHNY-26NOV23"


def row(ticker: str = f"{EVENT}-B48.5", **change: Any) -> MarketWire:
    wire = MarketWire(
        ticker=ticker,
        event_ticker=EVENT,
        status="active",
        open_time="2026-11-22T15:00:00Z",
        close_time="2026-11-24T04:59:00Z",
        price_ranges=[BandWire("0", "1", "0.01")],
        strike_type="between",
        floor_strike=48,
        cap_strike=49,
        rules_primary="CLINYC according to The Weather Company",
    )
    return msgspec.structs.replace(wire, **change)


def catalog() -> tuple[Catalog, list[tuple[str, str]]]:
    told: list[tuple[str, str]] = []
    known = Catalog(lambda what, detail: told.append((what, detail)))
    known.series["KXHIGHNY"] = SeriesWire("KXHIGHNY", "quadratic", 1)
    known.events[EVENT] = EventWire(EVENT, "KXHIGHNY", True)
    return known, told


def test_a_fee_message_changes_every_market_of_the_event_and_nulls_clear_it() -> None:
    known, _ = catalog()
    for suffix in ("B48.5", "B50.5"):
        known.learn(row(f"{EVENT}-{suffix}"))
    changed = known.apply_fees(EventFeeWire(EVENT, "quadratic_with_maker_fees", 0.5), 0)
    assert {(m.fees.type, m.fees.multiplier_e6) for m in changed} == {
        (FeeType.QUADRATIC_WITH_MAKER_FEES, 500_000)
    }
    assert len(changed) == 2
    cleared = known.apply_fees(EventFeeWire(EVENT, None, None), 0)
    assert {(m.fees.type, m.fees.multiplier_e6) for m in cleared} == {(FeeType.QUADRATIC, 1_000_000)}
    assert known.markets[cleared[0].ticker] == cleared[0]
    assert known.apply_fees(EventFeeWire("KXOTHER-26NOV23", "flat", 1), 0) == []


def test_an_oddity_is_told_once_until_it_changes() -> None:
    known, told = catalog()
    for _ in range(3):
        known.learn(row(rules_primary="CLIBOS"))
    assert len(told) == 1
    known.learn(row())
    known.learn(row(rules_primary="CLIBOS"))
    assert len(told) == 2


def test_a_market_that_cannot_be_traded_is_told_and_left_out() -> None:
    known, told = catalog()
    assert known.learn(row(market_type="scalar")) is None
    assert known.learn(row(price_ranges=[])) is None
    assert known.learn(row(event_ticker="KXHIGHNY-26NOV30")) is None
    assert known.markets == {} and len(told) == 3


def test_what_has_traded_is_the_last_word_on_it_and_an_odd_one_costs_no_market() -> None:
    known, told = catalog()
    market = known.learn(row(volume_fp="1843.00"))
    assert market is not None and known.volumes == {market.ticker: contracts(1843)}
    assert known.learn(row(volume_fp="1850.50")) == market, "no market is another by what trades in it"
    known.learn(row(volume_fp=["much"]))
    assert known.volumes == {market.ticker: 1_850_500_000} and "volume_fp" in told[-1][1]
    known.forget(market.ticker)
    assert known.volumes == {}


def test_only_followed_series_count() -> None:
    known, _ = catalog()
    assert known.follows("KXHIGHNY-26NOV24-B50.5")
    assert not known.follows("KXHIGHNYX-26NOV24-B50.5")
    assert known.apply(LifecycleWire("activated", "KXBTC-1")) is None


def test_a_market_that_is_over_takes_its_event_along_with_the_last() -> None:
    known, _ = catalog()
    tickers = [f"{EVENT}-B48.5", f"{EVENT}-B50.5"]
    for ticker in tickers:
        known.learn(row(ticker))
    for ticker in tickers:
        assert EVENT in known.events
        known.forget(ticker)
    known.forget(tickers[0])  # twice changes nothing
    assert EVENT not in known.events
    assert known.markets == {}


def test_a_message_of_a_new_grid_starts_the_book_again(recorder: Any) -> None:
    grids: list[tuple[str, TickGrid]] = []
    listing = Listing(
        None,
        recorder,
        recorder.on_anomaly,
        lambda ticker, grid: grids.append((ticker, grid)),
        lambda ticker: None,
    )
    listing.catalog.series["KXHIGHNY"] = SeriesWire("KXHIGHNY", "quadratic", 1)
    listing.catalog.events[EVENT] = EventWire(EVENT, "KXHIGHNY", True)
    ticker = f"{EVENT}-B48.5"
    listing.catalog.learn(row(ticker))
    finer = [{"start": "0", "end": "1", "step": "0.001"}]
    listing.on_event(LifecycleWire("price_level_structure_updated", ticker, price_ranges=finer))
    listing.on_event(LifecycleWire("deactivated", ticker))
    assert grids == [(ticker, TickGrid((PriceBand(Price(0), ONE_DOLLAR, Price(10)),)))]
    assert [m.status for m in recorder.markets] == [MarketStatus.ACTIVE, MarketStatus.INACTIVE]


class Asked:
    """A reader that notes what it was asked for and knows nothing."""

    def __init__(self) -> None:
        self.what: list[str] = []

    async def value(self, _endpoint: Any, what: str, *_: Any, path: str) -> Incomplete:
        self.what.append(what)
        return Incomplete(what, "nothing is known here")


class Lists:
    """A reader of a venue with one market a series, whose answers take the longer the earlier one asks;
    ``failing`` cannot be read."""

    def __init__(self, failing: str = "") -> None:
        self.failing, self.open, self.most = failing, 0, 0

    async def _answer(self, seconds: float) -> None:
        self.open += 1
        self.most = max(self.most, self.open)
        await asyncio.sleep(seconds)
        self.open -= 1

    async def value(self, _endpoint: Any, what: str, *_: Any, path: str) -> SeriesPage:
        ticker = path.rpartition("/")[2]
        await self._answer(0.01 / int(ticker[-2:]))
        return SeriesPage(SeriesWire(ticker, "quadratic", 1))

    async def one(self, _endpoint: Any, what: str, *_: Any) -> Incomplete:
        return Incomplete(what, "it announces none")

    async def every(
        self, _endpoint: Any, items: str, _priority: Any, query: Any, *_: Any
    ) -> tuple[Any, ...] | Incomplete:
        series = query["series_ticker"]
        await self._answer(0.01 / int(series[-2:]))
        if series == self.failing:
            return Incomplete(items, "no answer")
        if query["status"] != "open":
            return ()
        event = f"{series}-26NOV23"
        market = msgspec.json.encode(row(f"{event}-B48.5", event_ticker=event))
        return (_EventRow(event, series, True, markets=[msgspec.Raw(market)]),)


SEVERAL = [f"KXHIGHC{number:02}" for number in range(1, 12)]


async def test_series_are_read_side_by_side_and_listed_in_their_order(recorder: Any) -> None:
    lists = Lists()
    listing = Listing(lists, recorder, recorder.on_anomaly, lambda *_: None, lambda _: None)
    found = await listing.markets(SEVERAL)
    assert not isinstance(found, Incomplete)
    assert [market.series_ticker for market in found] == SEVERAL
    assert lists.most == TOGETHER


async def test_a_list_without_one_of_its_series_is_no_list(recorder: Any) -> None:
    listing = Listing(Lists(SEVERAL[4]), recorder, recorder.on_anomaly, lambda *_: None, lambda _: None)
    assert await listing.markets(SEVERAL) == Incomplete("events", "no answer")


async def test_any_message_of_a_market_it_missed_has_it_read(recorder: Any) -> None:
    """A market that was paused, or not yet there, when the lists were read."""
    asked = Asked()
    listing = Listing(asked, recorder, recorder.on_anomaly, lambda *_: None, lambda _: None)
    listing.catalog.series["KXHIGHNY"] = SeriesWire("KXHIGHNY", "quadratic", 1)
    for ticker in (f"{EVENT}-B48.5", "KXOTHER-26NOV23-B48.5"):
        listing.on_event(LifecycleWire("activated", ticker))
    reading = asyncio.create_task(listing.run())
    for _ in range(5):
        await asyncio.sleep(0)
    reading.cancel()
    assert asked.what == [f"market {EVENT}-B48.5"]
