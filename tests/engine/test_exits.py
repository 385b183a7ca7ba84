"""Positions whose model has failed, or whose plan has ended, leave by a card of their own."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import msgspec

from core.config.settings import EngineSettings, Settings, StrategySettings
from core.control.snapshot import Snapshot
from core.domain.clock import WorldClock
from core.domain.order import Purpose
from core.domain.position import Position
from core.domain.units import contracts
from core.engine.exiting import believed, note
from core.engine.facts import market_view
from core.engine.state import Mode
from core.execution.gateway import Denied, Wish
from core.execution.proposals import ProposalState
from core.models.calibration import Standing, Verdict
from core.models.pooling import Weights
from core.strategy.convergence import HOLD, NO_FAIR, STOP_MODEL, STOP_TIME
from tests.execution.bench import EVENT, HOT, Bench, running
from tests.virtual import START_WALL_MS, VirtualLoop, run_virtual, trusted

FAST = WorldClock(START_WALL_MS, START_WALL_MS, 60.0)
"""A minute of the world a second."""
GRACE_S = 7_200 / 60
WORTHLESS = Standing(Verdict.WORTHLESS, 0.0, "the model adds nothing: -0.040 +- 0.010 nats an event")


def rule(bench: Bench) -> str:
    return bench.engine.state.exit_rules.get(HOT, "")


async def silent(bench: Bench) -> None:
    """The forecasts that come from here on are too old at once."""
    issued = FAST.at(bench.clock.wall_ms())
    bench.feed.forecast(48.0, issued_ms=issued, limit_s=60)
    await bench.until(lambda: bool(bench.engine.state.events[EVENT].refusal), "refusal", 5)


def test_a_position_is_sold_once_its_model_has_been_silent_for_longer_than_the_grace() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, world=FAST) as bench:
            await bench.held(8)
            bench.venue.quote(HOT, 40, 42)
            await silent(bench)
            began = loop.time()
            await bench.until(lambda: rule(bench) == NO_FAIR, "waiting")
            card = await bench.card(closes=True, seconds=GRACE_S + 10)
            assert GRACE_S - 1 <= loop.time() - began <= GRACE_S + 5
            assert rule(bench) == STOP_MODEL
            order = card.candidate
            assert order.reduce_only and order.purpose is Purpose.CLOSE
            assert order.why.startswith("model invalid: for 120 min no fair value: ")
            # It stands while the model stays silent, and goes with its return.
            await asyncio.sleep(5)
            cards = bench.engine.desk.approvals.proposals
            assert cards[card.id].state is ProposalState.OPEN
            bench.feed.forecast(48.0, issued_ms=FAST.at(bench.clock.wall_ms()))
            await bench.until(lambda: cards[card.id].state is ProposalState.WITHDRAWN, "withdrawn", 3)
            assert rule(bench) == HOLD
            assert bench.engine.desk.ledger.net(HOT) == contracts(8)

    run_virtual(main)


def test_automatic_mode_stops_by_itself() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, world=FAST) as bench:
            await bench.held(8)
            bench.venue.quote(HOT, 40, 42)
            await silent(bench)
            bench.engine.state.mode = Mode.AUTO
            await bench.until(lambda: not bench.engine.desk.ledger.net(HOT), "flat", GRACE_S + 20)

    run_virtual(main)


def test_only_a_person_sells_far_below_what_the_model_said_last() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, world=FAST) as bench:
            await bench.held(8)
            bench.venue.quote(HOT, 20, 26)
            await silent(bench)
            bench.engine.state.mode = Mode.AUTO
            card = await bench.card(closes=True, seconds=GRACE_S + 10)
            await asyncio.sleep(30)
            desk = bench.engine.desk
            assert desk.ledger.net(HOT) == contracts(8)
            (check,) = Snapshot(desk).proposal(card.id).checks
            assert check.text.startswith("not sent by automatic mode: it gives up") and not check.blocks
            denied = bench.seat.gateway.send(Wish(card.candidate, card.id, automatic=True))
            assert isinstance(denied, Denied) and denied.reason.startswith("it gives up")
            assert bench.approve(desk.approvals.proposals[card.id]).accepted
            await bench.until(lambda: not desk.ledger.net(HOT), "flat", 5)

    run_virtual(main)


def test_what_a_model_opened_goes_when_it_counts_for_nothing_any_more() -> None:
    counts = [True]

    def judge(series: str, model: str, usual: Weights) -> Standing:
        return trusted(series, model, usual) if counts[0] else WORTHLESS

    async def main(loop: VirtualLoop) -> None:
        async with running(loop, world=FAST, judge=judge) as bench:
            await bench.held(8)
            bench.venue.quote(HOT, 40, 42)
            await asyncio.sleep(2)
            counts[0] = False
            began = loop.time()
            card = await bench.card(closes=True, seconds=GRACE_S + 10)
            assert GRACE_S - 1 <= loop.time() - began <= GRACE_S + 5
            assert (
                card.candidate.why
                == f"model invalid: for 120 min it counts for nothing: {WORTHLESS.sentence}"
            )
            counts[0] = True
            cards = bench.engine.desk.approvals.proposals
            await bench.until(lambda: cards[card.id].state is ProposalState.WITHDRAWN, "withdrawn", 5)

    run_virtual(main)


def test_what_was_quoted_around_a_price_without_a_model_rests_on_none() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, world=FAST, judge=lambda *_: WORTHLESS) as bench:
            bench.venue.quote(HOT, 34, 44)
            market, view = bench.engine.state.markets[HOT], market_view(bench.engine.desk, HOT)
            assert market.fair is not None and view is not None and market.fair.weight == 0
            note(bench.engine.desk, market, msgspec.structs.replace(view, position=Position(contracts(5))))
            await asyncio.sleep(GRACE_S + 5)
            assert not believed(bench.engine.desk, market).invalid
            # Nor does it come to rest on one that stands alone while the books say too little.
            assert market.fair is not None
            market.fair = msgspec.structs.replace(market.fair, weight=1.0, unpooled="its spread is 50c")
            note(bench.engine.desk, market, msgspec.structs.replace(view, position=Position(contracts(5))))
            assert HOT not in bench.engine.state.relied

    run_virtual(main)


def test_what_is_to_be_sold_before_settlement_is_sold_before_the_close() -> None:
    settings = Settings(
        engine=EngineSettings(confirm_above=Decimal(100), exits_without_approval=True),
        strategy=StrategySettings(leave_before_close_min=30, min_edge=Decimal("0.02")),
    )

    async def main(loop: VirtualLoop) -> None:
        async with running(loop, settings=settings) as bench:
            await bench.held(8)
            bench.venue.quote(HOT, 40, 42)
            await asyncio.sleep(1)
            assert rule(bench) != STOP_TIME
            close_ms = bench.engine.state.markets[HOT].market.close_ms
            loop.now += (close_ms - bench.clock.wall_ms()) / 1000 - 1_795
            bench.feed.forecast(48.0)
            bench.venue.quote(HOT, 40, 42)
            await bench.until(lambda: not bench.engine.desk.ledger.net(HOT), "flat", 60)
            cards = [row.payload for row in bench.journal.rows if row.kind == "PROPOSAL"]
            assert any("closes in 29 min: the plan was to sell before" in card for card in cards)

    run_virtual(main)
