"""What led to what, where a halt holds, and what a restart must not forget of either."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from core.domain.order import Life
from core.risk.halts import Level
from core.venues.venue import CancelOutcome
from tests.execution.bench import HOT, TRADER, WARM, running
from tests.virtual import VirtualLoop, run_virtual


def test_every_row_of_an_order_names_what_led_to_it() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(5)
            rows = {row.kind: row for row in reversed(bench.journal.rows)}  # the first of each kind
            intent = rows["ORDER_INTENT"]
            assert intent.cause_seq == rows["APPROVAL"].seq
            for kind in ("ORDER_SENDING", "SEND_OUTCOME", "FILL"):
                assert rows[kind].cause_seq == intent.seq, kind

    run_virtual(main)


def test_a_market_that_halts_leaves_the_orders_of_others_alone() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent(HOT)
            bench.engine._ears.halt_market(WARM, "something")
            await asyncio.sleep(2)
            assert bench.order(order.intent.client_order_id).life is Life.WORKING
            assert not bench.venue.cancel_calls
            bench.engine._ears.halt_market(HOT, "something")
            await bench.until(lambda: bool(bench.venue.cancel_calls), "cancel", 1)

    run_virtual(main)


def test_a_fill_after_the_end_of_its_order_counts_and_halts_its_market() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client = order.intent.client_order_id
            bench.engine.cancel_order(client, TRADER)
            await bench.until(lambda: bench.order(client).life is Life.CANCELLED, "cancelled")
            bench.venue.placed[order.order_id].open = 2_000_000  # the venue had said that it was gone
            bench.venue.trade(order.order_id, 2)
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) == 2_000_000, "fill", 5)
            halt = bench.engine.desk.halting.level("KXHIGHNY-26NOV23", HOT)
            assert halt is not None and halt.level is Level.HALTED and "late fill" in halt.cause
            assert bench.engine.desk.halting.level("KXHIGHNY-26NOV23", WARM) is None

    run_virtual(main)


def test_a_restart_keeps_the_gateway_shut_and_the_cash_in_view() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await asyncio.sleep(35)
            base = bench.seat.reconciler.cash_base
            assert base is not None
            bench.engine.halt("enough", TRADER)
            rows, venue = list(bench.journal.rows), bench.venue
        venue.cash_now -= 3_000_000  # while nobody looked
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            assert again.seat.gateway.halted
            await again.until(lambda: again.engine.state.ready, "ready")
            assert again.seat.reconciler.cash_base == base
            halts = {halt.scope.kind.value: halt for halt in again.engine.state.halts.standing}
            assert halts["global"].level is Level.HALTED
            assert "cash" in halts["venue"].cause

    run_virtual(main)


def test_a_cancel_that_broke_halts_the_desk_and_goes_on() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order, honest = await bench.sent(), bench.venue.cancel
            client = order.intent.client_order_id
            broke = 0

            async def breaking(orders: Sequence[tuple[str, str]]) -> tuple[CancelOutcome, ...]:
                nonlocal broke
                if broke < 3:
                    broke += 1
                    raise RuntimeError("client broke")
                return await honest(orders)

            bench.venue.cancel = breaking  # type: ignore[method-assign]
            bench.engine.cancel_order(client, TRADER)
            await bench.until(lambda: bench.order(client).life is Life.CANCELLED, "cancelled", 15)
            assert broke == 3 and not bench.venue.only().open
            assert bench.engine.state.halts.desk is Level.HALTED

    run_virtual(main)
