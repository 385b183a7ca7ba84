"""Entries that rest: automatic mode moves one to a better place in the book, a person's keeps its own."""

from __future__ import annotations

import asyncio

import pytest

from core.domain.market import Venue
from core.domain.order import Life
from core.domain.position import Position
from core.domain.units import Money, contracts
from core.engine.facts import headroom, market_view
from core.engine.state import ALL_STRATEGIES, Mode
from core.models.calibration import Standing, Verdict
from tests.execution.bench import HOT, running
from tests.virtual import VirtualLoop, run_virtual


@pytest.mark.parametrize(("mode", "moves"), [(Mode.AUTO, True), (Mode.SEMI, False)])
def test_an_entry_that_was_outbid_moves_in_automatic_mode_alone(mode: Mode, moves: bool) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client = order.intent.client_order_id
            bench.engine.state.mode = mode
            price = order.intent.price // 100
            bench.venue.quote(HOT, price + 1, price + 5, size=900)
            await asyncio.sleep(bench.engine.desk.rules.requote_after_s - 2)
            assert bench.order(client).life is Life.WORKING, "it has not had its place for long"
            await asyncio.sleep(20)
            assert (bench.order(client).life is Life.CANCELLED) is moves
            reasons = [row.payload for row in bench.journal.rows if row.kind == "CANCEL_SENT"]
            assert any("is worth" in reason for reason in reasons) is moves
            if moves:
                live = bench.engine.desk.ledger.live_in(HOT)
                assert [o.intent.price // 100 for o in live] == [price + 2]

    run_virtual(main)


@pytest.mark.parametrize("held_back", ["no record", "paused", "a crumb is left"])
def test_no_place_is_given_up_that_could_not_be_taken_again(held_back: str) -> None:
    verdict = Verdict.INSUFFICIENT if held_back == "no record" else Verdict.PROVEN

    async def main(loop: VirtualLoop) -> None:
        async with running(loop, judge=lambda *_: Standing(verdict, 1.0, "as a test says")) as bench:
            order = await bench.sent()
            client, price = order.intent.client_order_id, order.intent.price // 100
            if held_back == "a crumb is left":
                bench.venue.trade(order.order_id, order.leaves // contracts(1) - 1)
            if held_back == "paused":
                bench.engine.state.paused.add(ALL_STRATEGIES)
            bench.engine.state.mode = Mode.AUTO
            bench.venue.quote(HOT, price + 1, price + 5, size=900)
            await asyncio.sleep(bench.engine.desk.rules.requote_after_s + 10)
            assert bench.order(client).life is Life.WORKING
            assert len(bench.engine.desk.ledger.live_in(HOT)) == 1

    run_virtual(main)


def test_a_good_place_in_the_queue_is_kept() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client, price = order.intent.client_order_id, order.intent.price // 100
            bench.engine.state.mode = Mode.AUTO
            # Many stand at our price, and the venue says that they stand behind us.
            bench.venue.quote(HOT, price, price + 4, size=900)
            bench.venue.ahead = {order.order_id: contracts(5)}
            await asyncio.sleep(60)
            assert bench.order(client).life is Life.WORKING
            bench.venue.ahead = {order.order_id: contracts(800)}
            await bench.until(lambda: bench.order(client).life is Life.CANCELLED, "moved", 30)

    run_virtual(main)


def test_what_rests_and_what_is_risked_elsewhere_reaches_the_size() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order, desk = await bench.sent(), bench.engine.desk
            view, room = market_view(desk, HOT), headroom(desk, [HOT])
            assert view is not None and room is not None
            assert view.opening_cost == order.intent.reserved > 0
            assert room.elsewhere == 0 < desk.exposure.total
            desk.exposure.admit("KXRAIN-1", Venue.KALSHI)
            desk.exposure.update("KXRAIN-1", Position(contracts(10), Money(4_000_000)), [])
            room = headroom(desk, [HOT])
            assert room is not None and room.elsewhere == 4_000_000

    run_virtual(main)
