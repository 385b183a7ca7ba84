"""The day's result: counted from sound books only, found again by a restart, small however long it runs."""

from __future__ import annotations

import asyncio

import msgspec

from core.engine.account import DAY_MS, DayBase
from core.risk.halts import Level
from tests.execution.bench import HOT, TRADER, WARM, Bench, running
from tests.virtual import VirtualLoop, run_virtual


def day_rows(bench: Bench) -> list[DayBase]:
    return [msgspec.json.decode(row.payload, type=DayBase) for row in bench.journal.rows if row.kind == "DAY"]


def test_a_book_under_repair_is_no_loss() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.engine.set_limit("day_loss_max", "3", "", "", TRADER)
            await asyncio.sleep(1)
            before = bench.engine.state.today_pnl
            view = bench.venue.books[HOT]
            view.book.clear()
            view.intact = False
            await asyncio.sleep(3)
            assert bench.engine.state.today_pnl == before
            assert bench.engine.state.halts.desk is Level.NORMAL
            view.intact = True  # whole again, and nobody bids
            await bench.until(lambda: bench.engine.state.halts.desk is Level.HALTED, "halt", 5)

    run_virtual(main)


def test_what_is_held_to_the_end_is_worth_what_it_was_until_it_pays() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.engine.set_limit("day_loss_max", "3", "", "", TRADER)
            await asyncio.sleep(2)
            before = bench.engine.state.today_pnl
            close_ms = bench.clock.wall_ms() + 3_000
            known = bench.engine.state.markets[HOT]
            known.market = msgspec.structs.replace(known.market, close_ms=close_ms)
            await asyncio.sleep(3)
            bench.venue.books[HOT].book.clear()  # as a venue ends every order at the close
            await asyncio.sleep(5)
            assert bench.engine.state.today_pnl == before
            assert bench.engine.state.halts.desk is Level.NORMAL
            bench.venue.settle(HOT, 0)
            await bench.until(lambda: bench.engine.state.halts.desk is Level.HALTED, "halt", 60)

    run_virtual(main)


def test_before_its_book_comes_a_position_has_no_worth() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            await asyncio.sleep(1.5)
            today, rows, venue = bench.engine.state.today_pnl, list(bench.journal.rows), bench.venue
        view = venue.books[HOT]
        view.intact = False
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            await again.until(lambda: again.engine.state.ready, "ready")
            await asyncio.sleep(1.5)
            assert again.engine.state.today_pnl is None
            assert again.engine.state.halts.desk is Level.NORMAL
            view.intact = True
            await asyncio.sleep(1.5)
            assert again.engine.state.today_pnl == today

    run_virtual(main)


def test_a_new_day_leaves_settled_markets_behind_and_a_restart_agrees() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            bench.venue.settle(HOT, 10_000)
            await bench.until(lambda: HOT in bench.engine.desk.ledger.settled, "settlement", 60)
            await asyncio.sleep(1.5)
            won = bench.engine.state.today_pnl
            assert won is not None and won > 0
            # The machine sleeps until just before midnight: nothing needs to run for the hours between.
            loop.now += (DAY_MS - bench.clock.wall_ms() % DAY_MS) / 1000 - 10
            await asyncio.sleep(20)
            assert bench.engine.state.today_pnl == 0
            assert HOT not in day_rows(bench)[-1].tickers
            assert HOT not in bench.engine.state.today
            await asyncio.sleep(5)
            rows, venue = list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            await again.until(lambda: again.engine.state.today_pnl is not None, "marked", 30)
            assert again.engine.state.today_pnl == 0
            assert again.engine.state.today.get(WARM, 0) == 0

    run_virtual(main)
