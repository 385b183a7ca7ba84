"""Each way in which the venue can disagree with the desk is shown, and halts its market and no other."""

from __future__ import annotations

import asyncio

import msgspec

from core.domain.order import Life
from core.domain.units import contracts
from core.engine.state import Mode
from core.risk.halts import Level
from core.venues.venue import Incomplete, OrderReport, PositionReport
from tests.execution.bench import HOT, TRADER, WARM, Bench, running
from tests.execution.fake_venue import Resting, strange
from tests.virtual import VirtualLoop, run_virtual


def level(bench: Bench, ticker: str = HOT) -> Level:
    halt = bench.engine.desk.halting.level("KXHIGHNY-26NOV23", ticker)
    return halt.level if halt is not None else Level.NORMAL


async def halted(bench: Bench, words: str, seconds: float = 70) -> None:
    """Wait for the halt, then look at what a person is told of it."""
    await bench.until(lambda: level(bench) is Level.HALTED, f"halt for {words!r}", seconds)
    assert level(bench, WARM) is Level.NORMAL, "only the market itself is halted"
    standing = bench.engine.desk.halting.level("KXHIGHNY-26NOV23", HOT)
    assert standing is not None and words in standing.cause
    assert any(words in alarm.what for alarm in bench.engine.state.alarms.values())
    assert any(row.kind == "HALT" and words in row.payload for row in bench.journal.rows)


def differences(bench: Bench) -> str:
    return "; ".join(row.payload for row in bench.journal.rows if row.kind == "DIFFERENCE")


def from_outside(bench: Bench, order_id: str = "X1", open_: int = 5) -> Resting:
    """A copy of our resting order, placed by somebody else."""
    theirs = strange(bench.venue.only())
    theirs.order_id, theirs.filled, theirs.open = order_id, 0, open_ * 1_000_000
    bench.venue.placed[order_id] = theirs
    return theirs


def test_a_fill_that_is_counted_but_never_told_halts() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            bench.venue.faults.silent_fills = True
            bench.venue.trade(order.order_id, 6)
            bench.venue.trades.clear()
            bench.venue.net.clear()  # not even the position tells
            await asyncio.sleep(25)
            assert level(bench) is Level.NORMAL, "fills may be late"
            await halted(bench, "do not come")
            assert bench.engine.desk.ledger.net(HOT) == 0, "no fill is invented"

    run_virtual(main)


def test_a_position_without_its_fill_halts() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            bench.engine.pause("", TRADER)
            bench.venue.net[HOT] = 11_000_000
            await halted(bench, "we say 8.00, the venue says 11.00")
            assert "MISMATCH" in "".join(a.what for a in bench.engine.state.alarms.values())
            assert bench.engine.state.venue_net == {HOT: 11_000_000}
            assert bench.engine.desk.ledger.net(HOT) == 8_000_000

    run_virtual(main)


def test_a_fill_of_an_order_nobody_knows_halts() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            ghost = msgspec.structs.replace(bench.venue.trades[0], trade_id="T-ghost", order_id="GHOST")
            bench.venue.trades.append(ghost)
            bench.engine.desk.reconciler.request("test")
            await halted(bench, "trade T-ghost")
            assert "fill" in differences(bench)
            assert bench.engine.desk.ledger.net(HOT) == 8_000_000

    run_virtual(main)


def test_an_order_from_outside_halts_counts_and_ends_automatic_mode() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            ours = await bench.sent()
            assert bench.engine.set_mode("auto", "automatic", "", TRADER).accepted
            before = bench.engine.desk.exposure.now(HOT)
            theirs = from_outside(bench)
            bench.engine.desk.reconciler.request("test")
            await bench.until(lambda: bool(bench.engine.desk.ledger.externals), "seen", 5)
            cost = 5 * ours.intent.price * 100
            after = bench.engine.desk.exposure.now(HOT)
            assert (after.market - before.market, after.total - before.total) == (cost, cost)
            await halted(bench, "X1 was not placed here", 5)
            assert bench.engine.state.mode is Mode.SEMI
            await bench.until(lambda: not bench.engine.desk.ledger.live, "our own order is cancelled", 5)
            assert theirs.open == 5_000_000, "what is not ours is never cancelled"
            theirs.open = 0
            await bench.until(lambda: not bench.engine.desk.ledger.externals, "gone", 40)
            assert bench.engine.desk.exposure.now(HOT).market == 0

    run_virtual(main)


def test_a_fill_of_an_order_from_outside_moves_the_position_and_halts() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.sent()
            theirs = from_outside(bench)
            bench.venue.faults.silent_fills = True
            bench.venue.trade("X1", 5)
            assert theirs.open == 0  # never seen resting
            bench.engine.desk.reconciler.request("test")
            await halted(bench, "is of an order not placed here")
            assert bench.engine.desk.ledger.net(HOT) == 5_000_000
            await asyncio.sleep(70)
            assert bench.engine.desk.ledger.net(HOT) == 5_000_000, "counted once, however often it is listed"
            assert bench.kinds().count("EXTERNAL_FILL") == 1
            rows, venue = list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            assert again.engine.desk.ledger.net(HOT) == 5_000_000
            assert level(again) is Level.HALTED

    run_virtual(main)


def test_an_order_that_rises_from_the_dead_halts_and_is_cancelled() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client = order.intent.client_order_id
            bench.engine.cancel_order(client, TRADER)
            await bench.until(lambda: bench.order(client).life is Life.CANCELLED, "cancelled")
            bench.engine.pause("", TRADER)
            await asyncio.sleep(25)
            bench.venue.faults.refuse_cancels = 1_000
            bench.venue.placed[order.order_id].open = 5_000_000
            calls = len(bench.venue.cancel_calls)
            bench.engine.desk.reconciler.request("test")
            await halted(bench, "we say CANCELLED, the venue says resting")
            assert len(bench.venue.cancel_calls) > calls + 1, "cancelled at each reading that shows it"
            bench.venue.faults.refuse_cancels = 0
            await bench.until(lambda: not bench.venue.placed[order.order_id].open, "dead", 10)
            await bench.until(lambda: not bench.engine.desk.reconciler.differences, "agreement", 10)

    run_virtual(main)


def test_an_order_the_venue_has_never_heard_of_halts_and_stays_counted() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client = order.intent.client_order_id
            honest = bench.venue.order

            async def forgetful(order_id: str) -> OrderReport | None:
                return None if order_id == order.order_id else await honest(order_id)  # type: ignore[return-value]

            bench.venue.order = forgetful  # type: ignore[method-assign]
            bench.venue.only().visible_at = loop.time() + 1_000
            await asyncio.sleep(25)
            bench.engine.desk.reconciler.request("test")
            await halted(bench, "we say WORKING, the venue says not known", 60)
            assert bench.order(client).life is Life.WORKING
            assert bench.engine.desk.exposure.now(HOT).market >= order.intent.reserved

    run_virtual(main)


def test_an_order_of_ours_without_an_intent_halts() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.sent()
            theirs = from_outside(bench)
            theirs.intent = msgspec.structs.replace(theirs.intent, client_order_id="pm-other-0001-00")
            bench.engine.desk.reconciler.request("test")
            await halted(bench, "we say no intent, the venue says order X1")
            assert not bench.engine.desk.ledger.externals

    run_virtual(main)


def test_what_differs_at_the_start_halts_at_once() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            rows, venue = list(bench.journal.rows), bench.venue
        venue.net[HOT] = 9_000_000
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            await again.until(lambda: again.engine.state.ready, "ready")
            await halted(again, "we say 8.00, the venue says 9.00", 0.1)

    run_virtual(main)


def test_resuming_waits_for_agreement() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            bench.engine.pause("", TRADER)
            bench.venue.net[HOT] = 11_000_000
            await halted(bench, "the venue says 11.00")
            clean = bench.engine.desk.reconciler.clean_ns
            await asyncio.sleep(10)
            assert bench.engine.desk.reconciler.clean_ns == clean, "a reading with a difference is not clean"
            refused = bench.engine.resume("resume", "looked", TRADER)
            assert not refused.accepted and "11.00" in refused.text
            missing = msgspec.structs.replace(
                bench.venue.trades[0], trade_id="T-late", quantity=contracts(3), at_ms=bench.clock.wall_ms()
            )
            bench.venue.trades.append(missing)
            bench.venue.placed[missing.order_id].filled += missing.quantity
            bench.venue.cash_now -= missing.price * 3 * 100
            await bench.until(lambda: not bench.engine.desk.reconciler.differences, "agreement", 40)
            assert bench.engine.desk.ledger.net(HOT) == 11_000_000
            await asyncio.sleep(6)
            assert bench.engine.resume("resume", "found it", TRADER).accepted
            assert level(bench) is Level.NORMAL

    run_virtual(main)


def test_a_difference_that_could_not_be_compared_again_still_stands() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            bench.engine.pause("", TRADER)
            reconciler, ledger = bench.engine.desk.reconciler, bench.engine.desk.ledger
            bench.venue.net[HOT] = 11_000_000
            await reconciler.once()
            assert ("position", HOT) in reconciler.differences
            truth = bench.venue.positions

            async def racing() -> tuple[PositionReport, ...] | Incomplete:
                found = await truth()
                ledger._moved(HOT)  # something of this market arrives while the list is on its way
                return found

            bench.venue.positions = racing  # type: ignore[method-assign]
            assert not (await reconciler.once()).clean
            assert reconciler.differences["position", HOT].reads == 1, "a race counts neither way"
            bench.venue.positions = truth  # type: ignore[method-assign]
            bench.venue.net[HOT] = 8_000_000
            assert (await reconciler.once()).clean

    run_virtual(main)


def test_a_market_that_never_rests_cannot_hide_a_difference_for_more_than_a_minute() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            bench.engine.pause("", TRADER)
            bench.venue.net[HOT] = 11_000_000

            async def busy() -> None:
                while True:
                    bench.engine.desk.ledger._moved(HOT)
                    await asyncio.sleep(1.7)

            moving = loop.create_task(busy())
            await halted(bench, "the venue says 11.00", 105)
            moving.cancel()

    run_virtual(main)
