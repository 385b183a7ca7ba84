"""No stale value is ever used, whichever sources fail, freeze or answer late, and for how long."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from core.domain.clock import REAL_WORLD, WorldClock
from core.domain.market import Strike, StrikeKind
from core.domain.order import Life, Purpose
from core.engine.operator import ENGINE
from core.execution.gateway import Denied, Wish
from core.execution.proposals import ProposalState
from core.feeds.values import OBSERVATION_STALE_AFTER_S
from tests.engine.outages import SPOT, WORLD, HeardJournal, Outages, PushedFeeds, Spell, Told, Way, sources
from tests.engine.test_pushed_prices import BTC, SERIES, btc
from tests.execution.bench import DAY, EVENT, HOT, START_MS, TRADER, FakeFeed, running
from tests.execution.fake_venue import FakeVenue
from tests.virtual import START_WALL_MS, VirtualClock, VirtualLoop, run_virtual

HOURS = 3600


def spells_of(seconds: st.SearchStrategy[int]) -> st.SearchStrategy[tuple[Spell, ...]]:
    return st.lists(st.builds(Spell, st.sampled_from(Way), seconds), min_size=1, max_size=4).map(tuple)


SPELLS = spells_of(st.integers(20, 420).map(lambda minutes: minutes * 60))
SHORT_SPELLS = spells_of(st.integers(2, 12))
RUNGS = tuple(
    msgspec.structs.replace(
        btc(),
        ticker=BTC if not away else f"{BTC}-{away}",
        strike=Strike(StrikeKind.GREATER_OR_EQUAL, floor=SPOT + away),
        unconfirmed="",
    )
    for away in (0, 40, 80, 120, 160)
)
"""Of one event, worth a half and less."""
LENGTH_S = 45.0
"""Seven hours and a half of the world."""


def test_what_is_too_old_prices_proposes_and_rests_nothing_and_is_named() -> None:
    met: Counter[str] = Counter()

    # A run is a whole desk's night: a failure is told at once as it was found.
    @settings(max_examples=8, derandomize=True, deadline=None, phases=(Phase.generate,))
    @given(
        st.tuples(SPELLS, SPELLS, SPELLS),
        st.sampled_from((1, 2, 4)),
        st.booleans(),
        st.integers(0, 2**32),
    )
    def live(spells: tuple[tuple[Spell, ...], ...], model_limit_h: int, automatic: bool, seed: int) -> None:
        async def main(loop: VirtualLoop) -> None:
            async with running(loop, world=WORLD, journal=HeardJournal, seed=seed % 1000) as bench:
                told = sources(bench, model_limit_h * HOURS)
                outages = Outages(loop, bench, told, spells, random.Random(seed), met)
                outages.tell_all()
                bench.quiet()
                bench.venue.quote(HOT, 38, 42)
                await bench.held(20)
                if automatic:
                    assert bench.engine.set_mode("auto", "automatic", "", TRADER).accepted
                tasks = outages.begin()
                await _judged(outages, LENGTH_S)
                outages.fall_silent()
                await bench.until(lambda: len(outages.too_old()) == 3, "silence", 60)
                await _judged(outages, 2.0)
                for task in tasks:
                    task.cancel()
                exits = [
                    o for o in bench.engine.desk.ledger.live_in(HOT) if o.intent.purpose is Purpose.CLOSE
                ]
                assert [order.life for order in exits] == [Life.WORKING]
                loop.on_step = lambda: None
                bench.journal.heard = lambda _row: None  # type: ignore[attr-defined]
                bench.engine.flatten(TRADER, now=True)
                await bench.until(lambda: not bench.engine.desk.ledger.net(HOT), "flat")

        run_virtual(main)

    live()
    assert all(met[what] > 0 for what in ("PROPOSAL_STATE", "CANCEL_SENT", "refusal", "exit")), met


def test_nor_does_what_is_pushed_and_comes_no_more() -> None:
    """The index through its source's own gate, its volatility through the stream's."""
    met: Counter[str] = Counter()

    @settings(max_examples=4, derandomize=True, deadline=None, phases=(Phase.generate,))
    @given(
        st.tuples(SHORT_SPELLS, SHORT_SPELLS), st.sampled_from((False, False, True)), st.integers(0, 2**32)
    )
    def live(spells: tuple[tuple[Spell, ...], ...], automatic: bool, seed: int) -> None:
        async def main(loop: VirtualLoop) -> None:
            venue = FakeVenue(None, loop, VirtualClock(loop), listed=RUNGS)  # type: ignore[arg-type]
            feeds = PushedFeeds()
            async with running(
                loop, venue=venue, series=SERIES, ready=False, journal=HeardJournal, seed=seed % 1000,
                more_feeds=feeds.made,
            ) as bench:  # fmt: skip
                told = Told("KXBTC15M-1", BTC, REAL_WORLD, pressed=0.05)
                outages = Outages(loop, bench, feeds.sources(bench), spells, random.Random(seed), met, told)
                await bench.until(lambda: bench.engine.state.ready, "ready")
                outages.tell_all()
                keeping = asyncio.ensure_future(_told_on(outages))
                await asyncio.sleep(0.2)
                bench.venue.quote(BTC, 42, 46)
                await bench.held(5, BTC)
                keeping.cancel()
                if automatic:
                    assert bench.engine.set_mode("auto", "automatic", "", TRADER).accepted
                outages.tell_all()
                tasks = outages.begin()
                await _judged(outages, 20.0)
                outages.leave_cards()
                await bench.until(lambda: bool(bench.engine.desk.approvals.queue()), "a card", 90)
                outages.fall_silent()
                await bench.until(lambda: len(outages.too_old()) == 2, "silence", 60)
                await _judged(outages, 2.0)
                for task in tasks:
                    task.cancel()
                loop.on_step = lambda: None
                bench.journal.heard = lambda _row: None  # type: ignore[attr-defined]

        run_virtual(main)

    live()
    assert all(met[what] > 0 for what in ("PROPOSAL_STATE", "CANCEL_SENT", "refusal", "exit")), met


async def _told_on(outages: Outages) -> None:
    while True:
        await asyncio.sleep(1.0)
        outages.tell_all()


async def _judged(outages: Outages, seconds: float) -> None:
    for _ in range(int(seconds)):
        await asyncio.sleep(1.0)
        assert not outages.broken, outages.broken[:3]


@pytest.mark.parametrize("by", ["gate", "engine", "operator"])
def test_what_became_too_old_since_the_last_look_stops_at_the_gate(by: str) -> None:
    async def main(loop: VirtualLoop) -> None:
        due_ms = START_MS + OBSERVATION_STALE_AFTER_S * 1000
        world = WorldClock(START_WALL_MS, due_ms - 300_000, 60.0)
        async with running(loop, world=world) as bench:
            bench.feed.forecast(48.0, issued_ms=due_ms - 300_000)
            bench.quiet()
            bench.venue.quote(HOT, 38, 42)
            card = await bench.card()
            await bench.until(lambda: world.at(bench.clock.wall_ms()) > due_ms - 20_000, "end")
            loop.now += 0.5
            why = f"no observation of KNYC since {DAY} began 81 min ago, limit 80 min"
            if by == "gate":
                sent = bench.seat.gateway.send(Wish(card.candidate, card.id))
                assert isinstance(sent, Denied) and sent.reason == why
            else:
                told = bench.engine.trading.release(card, ENGINE if by == "engine" else TRADER)
                assert not told.accepted and why in told.text
            ended = bench.engine.desk.approvals.proposals[card.id]
            assert (ended.state, ended.word) == (ProposalState.WITHDRAWN, why)
            rows = [row.payload for row in bench.journal.rows if row.kind == "PROPOSAL_STATE"]
            assert sum(f"{card.id} WITHDRAWN" in row for row in rows) == 1
            assert not bench.venue.placed

    run_virtual(main)


def test_what_an_earlier_run_left_is_cancelled_where_no_price_comes_and_the_feed_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client, rows, venue = order.intent.client_order_id, list(bench.journal.rows), bench.venue
        monkeypatch.setattr(FakeFeed, "forecast", lambda _feed, _high: None)
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            await again.until(lambda: again.engine.state.ready, "ready")
            began = loop.time()
            await again.until(lambda: not again.order(client).live, "cancel", 40)
            assert 29 <= loop.time() - began <= 33
            [cancel, *_] = [row.payload for row in again.journal.rows if row.kind == "CANCEL_SENT"]
            assert "Open-Meteo" in cancel and "no price in the 3" in cancel and "s since the start" in cancel

    run_virtual(main)


def test_what_an_earlier_run_left_is_not_cancelled_before_this_one_has_had_a_price(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client, rows, venue = order.intent.client_order_id, list(bench.journal.rows), bench.venue
        forecast = FakeFeed.forecast
        monkeypatch.setattr(FakeFeed, "forecast", lambda _feed, _high: None)
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            await again.until(lambda: again.engine.state.ready, "ready")
            await asyncio.sleep(5)
            assert again.engine.state.events[EVENT].refusal
            assert again.order(client).life is Life.WORKING and not venue.cancel_calls
            forecast(again.feed, 48.0, limit_s=3)
            await asyncio.sleep(1)
            assert again.order(client).life is Life.WORKING
            await again.until(lambda: not again.order(client).live, "cancel", 5)
            cancels = [row.payload for row in again.journal.rows if row.kind == "CANCEL_SENT"]
            assert any("Open-Meteo is" in payload for payload in cancels)

    run_virtual(main)
