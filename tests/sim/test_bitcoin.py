"""Fifteen-minute bitcoin markets: listed, quoted at the crowd's value, settled on the index's own mean."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from core.domain.clock import WorldClock
from core.domain.market import IndexMean
from core.sim.contracts import MarketStatus
from core.sim.exchange import BookSide
from core.sim.families.bitcoin import QUARTER_MS, Bitcoin, Quarter, mean_before, pace
from core.sim.families.floor import FamilyFloor
from core.sim.kalshi.indices import EIGHT_DECIMALS, Beat, Indices, Tick
from core.sim.prices import Prices
from core.venues.kalshi import index_means
from tests.sim.conftest import START_MS, Floor
from tests.sim.listening import Following

PRICES = Prices(3)
WORLD = WorldClock(START_MS, START_MS, 1.0)


def quarter_at(at_ms: int) -> Quarter:
    (found,) = Bitcoin(PRICES, 1.0).open(at_ms, ())
    return found


def families(floor: Floor) -> FamilyFloor:
    return FamilyFloor(floor.exchange, [Bitcoin(PRICES, 1.0)], floor.clock, floor.world)


def run(floor: Floor, made: FamilyFloor, until_ms: int, step_ms: int = 1_000) -> None:
    while floor.clock.ms < until_ms:
        floor.clock.ms += step_ms
        floor.exchange.advance()
        made.step()


def test_a_window_is_listed_quoted_settled_and_followed_by_the_next() -> None:
    floor = Floor()
    made = families(floor)
    made.step()
    first = quarter_at(START_MS)
    market, book = floor.exchange.markets[first.ticker], floor.exchange.book(first.ticker)
    floor.exchange.advance()
    made.step()
    assert market.status is MarketStatus.ACTIVE
    run(floor, made, first.close_ms - 60_000, 5_000)
    (value,) = first.chances(floor.clock.ms)
    assert book.best_bid is not None and book.best_ask is not None
    assert book.best_bid - 300 <= value * 10_000 <= book.best_ask + 300
    run(floor, made, first.close_ms + 2_000)
    assert market.status is MarketStatus.CLOSED
    following = floor.exchange.markets[quarter_at(floor.clock.ms).ticker]
    assert following.spec.floor_strike == pytest.approx(
        sum(PRICES.value("BRTI", first.close_ms - n * 1_000) for n in range(60)) / 60, abs=0.01
    )
    run(floor, made, first.close_ms + 90_000, 5_000)
    assert market.status is MarketStatus.FINALIZED
    settled = float(market.expiration_value)
    assert settled == following.spec.floor_strike, "one window's mean is the next one's target"
    assert market.result == ("yes" if settled >= first.target else "no")


def test_what_settles_is_the_mean_the_index_channel_publishes() -> None:
    ticks: list[Tick] = []
    indices = Indices()
    indices.listeners.append(ticks.append)
    beat = Beat(indices, PRICES, WORLD, Following({"BRTI"}))
    close_ms = -(-START_MS // QUARTER_MS) * QUARTER_MS
    for at_ms in range(close_ms - 70_000, close_ms + 1, 1_000):
        beat.step(at_ms)
    last = ticks[-1].quarter
    assert last is not None and (last.ticks, last.end_ms) == (60, close_ms + 1)
    assert last.value / EIGHT_DECIMALS == pytest.approx(quarter_at(close_ms).target, abs=0.0051)


def test_a_client_reads_index_seconds_and_end_from_its_rules() -> None:
    of = quarter_at(START_MS)
    (market,) = of.spec.markets
    found = index_means.settles(
        market.series_ticker,
        market.event_ticker,
        market.close_ms,
        market.rules_primary,
        market.rules_secondary,
    )
    assert found.mean == IndexMean("BRTI", 60, of.close_ms, 0.01), found.doubt


def test_the_crowd_is_certain_only_when_the_index_has_gone() -> None:
    of = quarter_at(START_MS)
    ends_ms = of.close_ms - 1_000
    reached, missed = (
        Quarter("", "", of.open_ms, of.close_ms, PRICES.value("BRTI", ends_ms) * part, PRICES)
        for part in (0.998, 1.002)
    )
    assert missed.chances(ends_ms)[0] < 0.001 and reached.chances(ends_ms)[0] > 0.999
    assert 0.05 < missed.chances(ends_ms - 600_000)[0] < 0.95


def test_quotes_never_cross_and_are_replaced_as_the_index_moves() -> None:
    floor = Floor()
    floor.clock.ms = quarter_at(START_MS).close_ms
    of = quarter_at(floor.clock.ms)
    made = families(floor)
    made.step()
    floor.exchange.advance()
    seen = set()
    for _ in range(60):
        run(floor, made, min(floor.clock.ms + 10_000, of.close_ms - 1_000))
        book = floor.exchange.book(of.ticker)
        assert book.best_bid is not None and book.best_ask is not None and book.best_bid < book.best_ask
        seen.add((book.best_bid, book.best_ask))
    resting = floor.exchange.resting_in(of.ticker)
    assert len(seen) > 1
    assert sorted(order.side.value for order in resting) == sorted(side.value for side in BookSide)


@pytest.mark.parametrize("speed", [1.0, 30.0, 144.0, 1_000.0])
def test_a_fast_world_lets_each_window_trade_for_a_real_minute_and_lists_few(speed: float) -> None:
    every, trades = (part * QUARTER_MS / speed / 1_000 for part in (pace(speed).every, pace(speed).trades))
    assert trades >= 60
    assert every >= 20
    now_ms = START_MS + 7_777_777
    listed = list(Bitcoin(PRICES, speed).open(now_ms, ()))
    assert 1 <= len(listed) <= 4
    for of in listed:
        assert of.open_ms <= now_ms < of.close_ms and of.close_ms % QUARTER_MS == 0
        assert of.target == mean_before(PRICES, of.open_ms), "fixed when trading opens"


def test_at_the_pace_of_the_wall_a_window_opens_where_the_last_one_closed() -> None:
    assert (pace(1.0).every, pace(1.0).trades) == (1, 1)


def test_a_mean_at_its_target_has_reached_it() -> None:
    flat: Any = SimpleNamespace(value=lambda *_: 85_000.0)
    assert Quarter("E", "E-15", 0, 900_000, 85_000.0, flat).outcome().yes == (True,)
    assert Quarter("E", "E-15", 0, 900_000, 85_000.01, flat).outcome().yes == (False,)
