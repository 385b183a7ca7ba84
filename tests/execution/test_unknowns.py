"""Absence is weak evidence: when an unanswered order may be written off, and when it may not."""

from __future__ import annotations

import asyncio

from core.domain.order import Life
from core.risk.halts import Level
from tests.execution.bench import HOT, TRADER, WARM, Bench, running
from tests.virtual import VirtualLoop, run_virtual

EXPIRY_S = 120


async def lost(bench: Bench) -> str:
    """An order whose request never reached the venue."""
    card = await bench.card()
    bench.venue.faults.lose_requests = 1
    assert bench.approve(card).accepted
    (client,) = bench.engine.desk.ledger.of_proposal[card.id]
    await bench.until(lambda: bench.order(client).life is Life.UNKNOWN, "unknown")
    return client


def test_failed_reads_prove_nothing_and_three_good_ones_are_needed() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            client = await lost(bench)
            bench.venue.faults.broken_reads = True
            await asyncio.sleep(EXPIRY_S + 20)
            assert bench.order(client).life is Life.UNKNOWN
            assert bench.engine.desk.unknowns.searches[client].reads == 0
            bench.venue.faults.broken_reads = False
            seen = 0
            while bench.order(client).life is Life.UNKNOWN:
                search = bench.engine.desk.unknowns.searches.get(client)
                seen = max(seen, search.reads if search is not None else 0)
                await asyncio.sleep(0.01)
            assert bench.order(client).life is Life.NEVER_ARRIVED
            assert "not found in 3 complete reads" in bench.order(client).reason
            assert seen >= 2

    run_virtual(main)


def test_a_position_nobody_can_explain_keeps_the_order_until_a_person_looks() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            client = await lost(bench)
            order = bench.order(client)
            bench.venue.net[HOT] = order.intent.quantity  # it may have arrived and filled after all
            await asyncio.sleep(EXPIRY_S + 20)
            assert bench.order(client).life is Life.UNKNOWN
            assert bench.engine.desk.exposure.now(HOT).market >= order.intent.reserved
            await asyncio.sleep(70)
            halt = bench.engine.desk.halting.level("KXHIGHNY-26NOV23", HOT)
            assert halt is not None and halt.level is Level.HALTED
            assert f"order {client[-4:]} cannot be resolved" in halt.cause
            assert bench.engine.desk.halting.level("KXHIGHNY-26NOV23", WARM) is None
            refused = bench.engine.resume("resume", "no", TRADER)
            assert not refused.accepted
            del bench.venue.net[HOT]
            await bench.until(lambda: bench.order(client).life is Life.NEVER_ARRIVED, "proof", 30)

    run_virtual(main)


def test_an_exit_without_an_expiry_waits_a_whole_minute() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.venue.quote(HOT, 60, 62)
            card = await bench.card(closes=True)
            bench.venue.faults.lose_requests = 1
            assert bench.approve(card).accepted
            (client,) = bench.engine.desk.ledger.of_proposal[card.id]
            await bench.until(lambda: bench.order(client).life is Life.UNKNOWN, "unknown")
            assert bench.order(client).intent.expires_ms is None
            sent_ms = bench.order(client).sent_ms
            assert sent_ms is not None
            await asyncio.sleep((sent_ms + 59_000 - bench.clock.wall_ms()) / 1000)
            assert bench.order(client).life is Life.UNKNOWN
            assert bench.engine.desk.ledger.closable(HOT) < bench.engine.desk.ledger.net(HOT)
            await bench.until(lambda: bench.order(client).life is Life.NEVER_ARRIVED, "proof", 20)

    run_virtual(main)


def test_a_fill_found_while_looking_proves_arrival() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            bench.venue.faults.lose_answers, bench.venue.faults.silent_fills = 1, True
            bench.venue.faults.list_lag_s = 1_000  # the list never shows it
            assert bench.approve(card).accepted
            (client,) = bench.engine.desk.ledger.of_proposal[card.id]
            await bench.until(lambda: bool(bench.venue.placed), "arrival")
            bench.venue.trade(bench.venue.only().order_id, 2)
            await bench.until(lambda: bench.order(client).filled > 0, "found by its fill", 60)
            assert bench.order(client).order_id == bench.venue.only().order_id

    run_virtual(main)
