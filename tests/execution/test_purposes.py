"""The gateway's own refusals: orders that no strategy would want and that must not leave anyway."""

from __future__ import annotations

import asyncio

import msgspec

from core.domain.order import BookSide, Life, Order, Purpose, TimeInForce
from core.domain.units import Price, contracts
from core.execution.gateway import Denied, Wish
from core.strategy.proposal import Candidate, FeeRole
from tests.execution.bench import HOT, TRADER, Bench, running
from tests.virtual import VirtualLoop, run_virtual


def close(candidate: Candidate, size: int, side: BookSide = BookSide.ASK) -> Wish:
    """Sell what is held, at once."""
    return Wish(
        msgspec.structs.replace(
            candidate,
            side=side,
            purpose=Purpose.CLOSE,
            price=Price(3_800),
            quantity=contracts(size),
            tif=TimeInForce.IOC,
            post_only=False,
            reduce_only=True,
            fee_role=FeeRole.TAKER,
        )
    )


def opposite(candidate: Candidate) -> Wish:
    """Open the other side."""
    return Wish(msgspec.structs.replace(candidate, side=BookSide.ASK, price=Price(4_700)))


def denied(bench: Bench, wish: Wish) -> str:
    sent = bench.seat.gateway.send(wish)
    assert isinstance(sent, Denied), sent
    return sent.reason


def test_a_close_needs_something_to_close() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            candidate = (await bench.card()).candidate
            assert "free to close" in denied(bench, close(candidate, 1))
            await bench.held(10)
            assert "free to close" in denied(bench, close(candidate, 11))
            assert "free to close" in denied(bench, close(candidate, 1, BookSide.BID))

    run_virtual(main)


def test_two_closes_never_promise_the_same_contracts() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            candidate = (await bench.card()).candidate
            await bench.held(10)
            bench.venue.faults.lose_requests = 1
            first = bench.seat.gateway.send(close(candidate, 7))
            assert isinstance(first, Order)
            assert "only 3.00" in denied(bench, close(candidate, 4))
            client = first.intent.client_order_id
            await bench.until(lambda: bench.order(client).life is Life.UNKNOWN, "unknown")
            assert "only 3.00" in denied(bench, close(candidate, 4)), "an unknown close still counts"
            bench.engine.cancel_order(client, TRADER)
            await asyncio.sleep(1)
            assert "only 3.00" in denied(bench, close(candidate, 4)), "a cancel request frees nothing"

    run_virtual(main)


def test_an_open_of_the_other_side_waits_for_nothing_held_and_nothing_working() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            candidate = (await bench.card()).candidate
            order = await bench.sent()
            assert "other side may still fill" in denied(bench, opposite(candidate))
            bench.venue.trade(order.order_id, 5)
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) > 0, "fill")
            bench.engine.cancel_order(order.intent.client_order_id, TRADER)
            await bench.until(lambda: not bench.engine.desk.ledger.live, "cancel")
            assert "other side of this market is held" in denied(bench, opposite(candidate))

    run_virtual(main)


def test_nothing_leaves_a_halted_desk_but_the_ladder() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            candidate = (await bench.card()).candidate
            await bench.held(10)
            bench.engine.halt("test", TRADER)
            assert "halted" in denied(bench, close(candidate, 5))
            assert "halted" in denied(bench, Wish(candidate))

    run_virtual(main)
