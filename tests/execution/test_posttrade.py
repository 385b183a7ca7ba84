"""The guard behind every fill: each breach stops its scope and rings within five seconds."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from core.domain.fees import fill_fee
from core.domain.market import Venue
from core.domain.order import BookSide, Fill
from core.domain.units import Money, Price, contracts
from core.engine.state import AlarmLevel
from core.risk.halts import GLOBAL, HaltScope, Level, ScopeKind
from core.risk.posttrade import Expected
from tests.execution.bench import EVENT, HOT, TRADER, WARM, Bench, running
from tests.execution.fake_venue import QUADRATIC
from tests.virtual import VirtualLoop, run_virtual

MARKET = HaltScope(ScopeKind.MARKET, HOT)
VENUE = HaltScope(ScopeKind.VENUE, "kalshi")
WITHIN_S = 5


def rung(bench: Bench, words: str) -> bool:
    """Whether an alarm somebody must act on says so."""
    alarms = bench.engine.state.alarms.values()
    return any(a.level is AlarmLevel.ACT and a.active and words in a.what for a in alarms)


async def stops(bench: Bench, scope: HaltScope, level: Level, words: str) -> None:
    def stopped() -> bool:
        halt = bench.engine.state.halts.at(scope)
        return halt is not None and halt.level is level and rung(bench, words)

    await bench.until(stopped, f"{scope} {level.name}: {words}", WITHIN_S)


def stray(bench: Bench, trade: str, count: int, ticker: str = HOT, fee: int = 0) -> Fill:
    return Fill(
        trade,
        Venue.KALSHI,
        ticker,
        "nobody's",
        BookSide.BID,
        Price(4_000),
        contracts(count),
        Money(fee),
        False,
        bench.clock.wall_ms(),
    )


def test_a_fill_worse_than_its_limit_halts_its_market_alone() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            resting = bench.venue.placed[order.order_id]
            bench.venue._fill(resting, order.intent.price + 100, contracts(1), taker=False)
            await stops(bench, MARKET, Level.HALTED, "is worse than its limit")
            assert len(bench.engine.state.halts.standing) == 1
            unseen = bench.engine.resume("resume", "looked", TRADER, HOT)
            assert not unseen.accepted and "Acknowledge" in unseen.text
            assert bench.engine.acknowledge_all(TRADER).accepted
            await asyncio.sleep(5)
            assert bench.engine.resume("resume", "looked", TRADER, HOT).accepted

    run_virtual(main)


def test_a_fill_within_its_limit_halts_nothing() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            resting = bench.venue.placed[order.order_id]
            for better in (0, 100):
                bench.venue._fill(resting, order.intent.price - better, contracts(1), taker=False)
            await asyncio.sleep(WITHIN_S)
            assert bench.engine.state.halts.standing == ()

    run_virtual(main)


def test_a_trade_where_no_order_of_ours_could_trade_halts_its_market_without_a_look_up() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.venue.faults.broken_reads = True
            bench.venue.listener.on_fill(stray(bench, "X1", 3), "")
            await stops(bench, MARKET, Level.HALTED, "trade X1 in a market without an order of ours")

    run_virtual(main)


def test_a_trade_that_beats_its_orders_answer_is_waited_for() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.venue.faults.answer_s = 3.0
            card = await bench.card()
            assert bench.approve(card).accepted
            await bench.until(lambda: bool(bench.venue.placed), "placed")
            (order_id,) = bench.venue.placed
            early = msgspec.structs.replace(
                stray(bench, "T1", 1), order_id=order_id, price=card.candidate.price
            )
            bench.venue.listener.on_fill(early, "")
            await asyncio.sleep(2)
            assert bench.engine.desk.ledger.parked and bench.engine.state.halts.standing == ()

    run_virtual(main)


@pytest.mark.parametrize(
    ("limit", "scope"),
    [
        ("market_loss_max", HaltScope(ScopeKind.MARKET, WARM)),
        ("event_loss_max", HaltScope(ScopeKind.EVENT, EVENT)),
        ("venue_loss_max", VENUE),
        ("total_loss_max", GLOBAL),
    ],
)
def test_a_worst_case_that_grew_beyond_its_limit_ends_the_entries_of_its_scope(
    limit: str, scope: HaltScope
) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(5)
            await asyncio.sleep(1.5)
            (entry,) = bench.engine.desk.ledger.live.values()
            # Lowered below what is held: entries are off by the gate, and that is all.
            assert bench.engine.set_limit(limit, "1", "", "", TRADER).accepted
            await asyncio.sleep(3)
            assert bench.engine.state.halts.standing == ()
            assert bench.order(entry.intent.client_order_id).live
            bench.engine.desk.ledger.offer_fill(stray(bench, "X1", 20, WARM), "", "stream", 0)
            bench.engine.desk.ledger.claim_external("X1")

            def stopped() -> bool:
                halt = bench.engine.state.halts.at(scope)
                return halt is not None and "at risk, limit 1.00" in halt.cause

            await bench.until(stopped, "stop", WITHIN_S)
            assert rung(bench, "at risk, limit 1.00")
            cancels = [row for row in bench.journal.rows if row.kind == "CANCEL_SENT"]
            covered = scope.kind is not ScopeKind.MARKET
            assert any("at risk, limit 1.00" in row.payload for row in cancels) is covered

    run_virtual(main)


def test_a_breach_cancels_entries_and_lets_exits_leave() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(5)
            await asyncio.sleep(6)  # the data of the start explains a jump for five seconds
            order = next(iter(bench.engine.desk.ledger.live.values()))
            bench.venue.quote(HOT, 86, 90)
            await stops(bench, MARKET, Level.REDUCE_ONLY, "the book jumped from 40c to 88c")
            await bench.until(lambda: not bench.order(order.intent.client_order_id).live, "entry gone", 5)
            card = await bench.card(closes=True)
            assert card.verdict.passed

    run_virtual(main)


def test_a_jump_that_new_data_explains_stops_nothing() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(5)
            await asyncio.sleep(1.5)
            bench.feed.forecast(48.5)
            bench.venue.quote(HOT, 86, 90)
            await asyncio.sleep(3)
            assert bench.engine.state.halts.standing == ()

    run_virtual(main)


def test_fees_that_are_off_again_and_again_halt_the_venue() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            resting = bench.venue.placed[order.order_id]
            wrong = fill_fee(QUADRATIC, order.intent.price, contracts(4), is_taker=True)

            def trade(n: int) -> None:
                resting.filled += contracts(4)
                resting.open -= contracts(4)
                made = stray(bench, f"T{n}", 4, fee=wrong)
                bench.venue.listener.on_fill(
                    msgspec.structs.replace(made, order_id=resting.order_id, price=order.intent.price), ""
                )

            trade(1)
            trade(2)
            await asyncio.sleep(2)
            assert bench.engine.state.halts.at(VENUE) is None, "twice may be an accident"
            trade(3)
            await stops(bench, VENUE, Level.HALTED, "fees are not as expected")

    run_virtual(main)


def test_what_fills_while_its_price_is_gone_is_expected_to_pay_by_the_last_there_was() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            bench.venue.faults.refuse_cancels = 1_000
            bench.feed.forecast(48.0, limit_s=1)
            await bench.until(lambda: bench.engine.state.markets[HOT].fair is None, "no price", 5)
            bench.venue.trade(order.order_id, 2)
            await bench.until(lambda: bool(bench.engine.desk.ledger.net(HOT)), "fill")
            assert bench.engine._ears.posttrade._expected[HOT].mean > 0

    run_virtual(main)


def test_results_the_model_excludes_halt_the_desk() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            guard = bench.engine._ears.posttrade
            await bench.held(2, HOT)
            assert guard._expected[HOT].mean > 0, "an entry is expected to pay"
            for n in range(4):
                guard._expected[f"E{n}"] = Expected(mean=500_000.0, deviation=300_000.0)
                guard.closed(f"E{n}", Money(-2_000_000))
            assert bench.engine.state.halts.standing == ()
            bench.venue.settle(HOT, 0)
            await stops(bench, GLOBAL, Level.HALTED, "5 closes brought -8.")
            assert WARM not in guard._expected

    run_virtual(main)
