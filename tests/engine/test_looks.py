"""Looks at many events: the loop turns between them, and what moves meanwhile is seen."""

from __future__ import annotations

import asyncio

from tests.engine.test_pool import HALF, fair
from tests.engine.test_pushed_prices import BTC, SERIES, listed
from tests.execution.bench import HOT, running
from tests.virtual import VirtualLoop, run_virtual


def test_the_loop_turns_between_two_events_and_a_book_that_moves_meanwhile_is_pooled() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, venue=listed(loop), series=SERIES, judge=HALF) as bench:
            trading = bench.engine.trading
            await asyncio.sleep(1.1)
            before, turns = fair(bench), 0
            assert min(bench.engine.state.events) in BTC, "it is looked at first"
            trading.mark_all()
            look = asyncio.create_task(trading.evaluate())
            while not look.done():
                await asyncio.sleep(0)
                turns += 1
                if turns == 1:
                    bench.venue.quote(HOT, 30, 34)
                    assert fair(bench) == before
            await look
            assert turns > len(bench.engine.state.events)
            assert fair(bench).probability < before.probability - 0.02
            found = bench.engine.state.markets[HOT].assessed
            assert found is not None and found.price <= 3_400, "by the book as it is"

    run_virtual(main)
