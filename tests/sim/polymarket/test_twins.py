"""The same weather asked here: what is listed, that its prices follow one belief, how it ends."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.domain.units import ONE_DOLLAR
from core.sim import story
from core.sim.feeds.switchboard import Switches
from core.sim.kalshi.auth import KeyRegistry
from core.sim.polymarket import gamma_shapes
from core.sim.polymarket.contracts import Resolution, Version
from core.sim.polymarket.orders import OrderRequest, OrderType, Side, Stage
from core.sim.process import CUSTOMER, SimOptions, build
from core.sim.scenarios.loader import PolymarketFault
from tests.sim.polymarket.conftest import FakeClock


class World:
    """A whole simulated world on a clock that moves when told."""

    def __init__(self, folder: Path, scenario: str, seed: int = 1) -> None:
        self.clock = FakeClock()
        self.sim = build(SimOptions(scenario=scenario, seed=seed, speed=144.0), self.clock, "world", folder)
        self.sim.step()
        self.floor, self.exchange = self.sim.polymarket, self.sim.polymarket.exchange

    def run(self, seconds: float) -> None:
        until = self.clock.ms + int(seconds * 1000)
        while self.clock.ms < until:
            self.clock.ms += 100
            self.sim.step()


@pytest.fixture
def make_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., World]:
    # Making an RSA key takes longer than these tests, and nothing here is signed with one.
    monkeypatch.setattr(KeyRegistry, "generate", lambda *_: [])
    return lambda scenario="demo", seed=1: World(tmp_path, scenario, seed)


def test_new_york_and_miami_are_asked_here_in_both_generations(make_world: Any) -> None:
    world = make_world()
    events = list(world.exchange.events.values())
    titles = [event.title for event in events]
    assert sum(title.startswith("Highest temperature in NYC on ") for title in titles) == 2
    assert sum(title.startswith("Highest temperature in Miami on ") for title in titles) == 2
    plain = [event for event in events if not event.neg_risk]
    assert len(plain) == 2 and all(re.match(r"Will it reach -?\d+°F in NYC on ", e.title) for e in plain)
    for event in events:
        assert len(event.markets) == (6 if event.neg_risk else 1)
        city = "KMIA" if "miami" in event.slug else "KNYC"
        version = Version.V2 if city == "KMIA" else Version.V1
        for market in event.markets:
            assert market.version is version and market.neg_risk is event.neg_risk
            assert city in market.description and "Wunderground (The Weather Company)" in market.description
            assert re.fullmatch("[a-z0-9-]+", market.slug)
    slugs = [m.spec.slug for m in world.exchange.markets.values()]
    assert len(set(slugs)) == len(slugs)


def test_a_market_takes_orders_from_when_its_event_opens_in_the_worlds_time(make_world: Any) -> None:
    """The machines' own time runs elsewhere: whoever trades by it would wait for an opening long past."""
    world = make_world()
    now_ms = world.sim.world.now_ms()
    for market in world.exchange.markets.values():
        assert market.created_ms != market.spec.opens_ms < now_ms
        told = gamma_shapes.market(world.exchange, market)
        assert told["acceptingOrdersTimestamp"] == gamma_shapes.iso(market.spec.opens_ms)


def test_both_venues_believe_the_same(make_world: Any) -> None:
    """Every bracket's middle here is within one and a half cents of Kalshi's."""
    world = make_world("quiet")
    seen = 0
    for twin in world.floor.twins.markets.values():
        bids, asks = world.exchange.levels(world.exchange.markets[twin.condition_id], 0)
        if len(twin.tickers) > 1 or not bids or not asks:
            continue
        kalshi = world.sim.exchange.book(next(iter(twin.tickers)))
        ours, theirs = (bids[0][0] + asks[0][0]) / 2, (kalshi.best_bid + kalshi.best_ask) / 2
        assert abs(ours - theirs) <= 150
        seen += 1
    assert seen == 24


def test_the_plain_question_is_worth_its_brackets_together(make_world: Any) -> None:
    world = make_world("quiet")
    twin = next(t for t in world.floor.twins.markets.values() if len(t.tickers) > 1)
    fair = world.sim.traders.beliefs.fair(twin.listed)
    together = sum(fair[ticker] for ticker in twin.tickers) * ONE_DOLLAR
    bids, asks = world.exchange.levels(world.exchange.markets[twin.condition_id], 0)
    assert bids[0][0] < together < asks[0][0]


def test_books_never_cross_and_prices_move_with_the_world(make_world: Any) -> None:
    world = make_world()
    world.sim.story.begin()
    before = {c: world.exchange.levels(m, 0) for c, m in world.exchange.markets.items()}
    for _ in range(60):
        world.run(1)
        for market in world.exchange.markets.values():
            bids, asks = world.exchange.levels(market, 0)
            assert not bids or not asks or bids[0][0] < asks[0][0]
    assert sum(world.exchange.levels(m, 0) != before[c] for c, m in world.exchange.markets.items()) > 10
    trades = list(world.exchange.trades.values())
    assert trades and any(t.stage is Stage.CONFIRMED for t in trades)
    complementary = [t for t in trades if t.taker.outcome != t.makers[0].order.outcome]
    assert complementary and len(complementary) < len(trades)


def test_makers_keep_one_quote_a_side_and_leave_when_the_day_is_over(make_world: Any) -> None:
    world = make_world()
    world.run(60)
    quotes = Counter(
        (wallet.address, order.condition_id, order.side)
        for wallet in world.exchange.wallets.values()
        for order in wallet.open.values()
    )
    assert len(quotes) > 90 and set(quotes.values()) == {1}
    first = min(world.floor.twins.markets.values(), key=lambda twin: twin.listed.close_ms).listed
    left_s = (first.close_ms - world.sim.world.now_ms()) / 144 / 1000
    world.clock.ms += int(left_s * 1000)
    world.run(8)
    closed = {c for c, twin in world.floor.twins.markets.items() if twin.listed is first}
    assert closed and not any(world.exchange.books[condition].orders() for condition in closed)


def test_someone_trades_with_a_customers_order_at_the_touch(make_world: Any) -> None:
    world = make_world()
    market = max(world.exchange.markets.values(), key=lambda m: -abs(5_000 - _middle(world, m)))
    customer = world.floor.customer
    bid = world.exchange.levels(market, 0)[0][0][0]
    placed = world.exchange.place(
        OrderRequest(
            "0x" + "ab" * 32, customer.key, customer.address, market.spec.tokens[0], Side.BUY,
            OrderType.GTC, bid, 10_000_000,
        )
    )  # fmt: skip
    for _ in range(90):
        world.run(1)
        if placed.order.matched:
            break
    assert placed.order.matched > 0


def test_a_scenario_says_how_trades_settle(make_world: Any) -> None:
    world = make_world("ghosts")
    world.run(120)
    stages = Counter(trade.stage for trade in world.exchange.trades.values())
    assert stages[Stage.FAILED] > 3 and stages[Stage.CONFIRMED] > stages[Stage.FAILED] / 2


def test_a_story_switches_a_fault_on_and_off(make_world: Any) -> None:
    world, beats = make_world("quiet"), (PolymarketFault(1.0, "ghost_fill", 0.7, 5.0),)
    faults = world.floor.venue.faults
    stage = story.Stage(world.sim.world, world.sim.traders, world.sim.faults, faults, Switches(), CUSTOMER)
    told, pace = story.Story(beats, stage, world.clock), world.exchange.settlement.pace
    told.begin()
    shares = []
    for _ in range(8):
        world.clock.ms += 1_000
        told.step()
        shares.append(pace.fail_share)
    assert shares == [0.7] * 5 + [0.0] * 3


def test_a_fault_may_have_the_market_take_the_order_a_request_is_about(make_world: Any) -> None:
    world = make_world("quiet")
    market = max(world.exchange.markets.values(), key=lambda m: -abs(5_000 - _middle(world, m)))
    customer = world.floor.customer

    def rest(number: int) -> Any:
        return world.exchange.place(
            OrderRequest(
                f"0x{number:064x}", customer.key, customer.address, market.spec.tokens[0], Side.BUY,
                OrderType.GTC, 500, 10_000_000,
            )
        ).order  # fmt: skip

    first, second, third = rest(1), rest(2), rest(3)
    world.floor.trade_with("/orders", json.dumps([second.order_id]).encode())
    assert (first.matched, second.matched, third.matched) == (10_000_000, 10_000_000, 0)
    world.floor.trade_with("/order", b'{"order":{}}')
    assert third.matched == 10_000_000
    rest(4)
    world.floor.trade_with("/data/orders", b"")
    assert len(world.exchange.open_orders(customer.key)) == 1


def _middle(world: World, market: Any) -> float:
    bids, asks = world.exchange.levels(market, 0)
    return (bids[0][0] + asks[0][0]) / 2 if bids and asks else 0


def test_the_outcome_is_asserted_then_final_and_the_same_on_both_venues(make_world: Any) -> None:
    world = make_world("quiet")
    first = {c: t for c, t in world.floor.twins.markets.items() if t.listed.day == world.sim.world.first_day}
    listed = next(iter(first.values())).listed
    later_s = (listed.determine_ms - world.sim.world.now_ms()) / 144 / 1000
    world.clock.ms += int((later_s + 1) * 1000)
    world.sim.step()
    markets = {c: world.exchange.markets[c] for c in first}
    known = [m for m in markets.values() if m.resolution is Resolution.PROPOSED]
    assert known and all(m.tradeable for m in known)
    world.run(2 * 3600 / 144 + 1)
    ladders: dict[str, int] = {}
    for condition, twin in first.items():
        market = world.exchange.markets[condition]
        if market.payouts is None:
            continue
        paying = [t for t in twin.listed.tickers if world.sim.exchange.markets[t].result == "yes"]
        assert (market.payouts[0] > 0) == (paying[0] in twin.tickers)
        if market.event.neg_risk:
            ladders[market.event.slug] = ladders.get(market.event.slug, 0) + (market.payouts[0] > 0)
    assert ladders and set(ladders.values()) == {1}
