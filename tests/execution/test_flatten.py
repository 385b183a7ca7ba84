"""The stop ladder: everything cancelled, everything sold, nothing sold twice, and the proof."""

from __future__ import annotations

import asyncio

import msgspec

from core.domain.fees import estimate
from core.domain.market import FeeChange, FeeSchedule, FeeType
from core.domain.order import BookSide, Life
from core.execution.ladder import Phase
from core.risk.halts import Level
from tests.execution.bench import CLI, HOT, TRADER, VIEWER, Bench, running
from tests.virtual import VirtualLoop, run_virtual


async def over(bench: Bench, seconds: float = 60) -> None:
    ladder = bench.engine.desk.stop.ladder
    assert ladder is not None
    await bench.until(lambda: ladder.over, "end of the ladder", seconds)


def phase(bench: Bench) -> Phase:
    ladder = bench.engine.desk.stop.ladder
    assert ladder is not None
    return ladder.phase


def test_one_press_cancels_counts_down_sells_and_proves() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            resting = [o for o in bench.venue.placed.values() if o.open]
            assert resting
            pressed = loop.time()
            assert bench.engine.flatten(TRADER).accepted
            await bench.until(lambda: bool(bench.venue.cancel_calls), "cancel")
            assert bench.venue.cancel_calls[0][0] - pressed < 0.005
            assert bench.engine.state.halts.desk is Level.FLATTENING
            await asyncio.sleep(4.5)
            assert not bench.venue.exits_seen, "nothing is sold before the countdown is over"
            await over(bench)
            ladder = bench.engine.desk.stop.ladder
            assert ladder.phase is Phase.FLAT and "FLAT" in ladder.receipt
            assert bench.venue.net[HOT] == 0
            assert not bench.venue.crossed_zero
            assert not any(o.open for o in bench.venue.placed.values())
            assert loop.time() - pressed < 30
            assert bench.engine.state.halts.desk is Level.LOCKED
            kinds = bench.kinds()
            assert kinds.index("FLATTEN_START") < kinds.index("FLATTEN_END")

    run_virtual(main)


def test_an_exit_reckons_with_the_fee_of_its_moment() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            known, dear = bench.engine.state.markets[HOT], FeeSchedule(FeeType.QUADRATIC, 3_000_000)
            now_ms = bench.engine.desk.clocks.world_ms()
            known.market = msgspec.structs.replace(known.market, fee_changes=(FeeChange(now_ms, dear),))
            bench.engine.flatten(TRADER, now=True)
            await bench.until(lambda: bool(bench.venue.exits_seen), "exit")
            exit_ = bench.venue.exits_seen[0]
            paid = estimate(dear, exit_.price, exit_.quantity, is_taker=True)
            assert (
                exit_.reserved
                == paid
                > estimate(known.market.fees, exit_.price, exit_.quantity, is_taker=True)
            )

    run_virtual(main)


def test_esc_keeps_the_positions_but_not_the_orders() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.engine.flatten(TRADER)
            await asyncio.sleep(2)
            assert not bench.engine.abort_flatten(VIEWER).accepted
            assert bench.engine.abort_flatten(TRADER).accepted
            await asyncio.sleep(20)
            assert phase(bench) is Phase.ABORTED
            assert bench.venue.net[HOT] == 20_000_000
            assert not bench.venue.exits_seen
            assert not any(o.open for o in bench.venue.placed.values())
            assert bench.engine.state.halts.desk is Level.HALTED
            assert not bench.engine.abort_flatten(TRADER).accepted

    run_virtual(main)


def test_skip_and_now_end_the_countdown() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.engine.flatten(TRADER)
            await asyncio.sleep(1)
            assert bench.engine.skip_wait(TRADER).accepted
            began = loop.time()
            await bench.until(lambda: bool(bench.venue.exits_seen), "exit")
            assert loop.time() - began < 1.0
            await over(bench)
            assert phase(bench) is Phase.FLAT

    run_virtual(main)


def test_further_presses_join() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.engine.flatten(VIEWER)
            began = bench.engine.desk.stop.ladder.exits_at_ns
            await asyncio.sleep(1)
            for actor in (TRADER, CLI, VIEWER):
                assert bench.engine.flatten(actor).accepted
            assert bench.engine.desk.stop.ladder.exits_at_ns == began
            assert bench.engine.desk.stop.ladder.pressed == 4
            await over(bench)
            assert bench.kinds().count("FLATTEN_START") == 1
            assert bench.venue.net[HOT] == 0 and not bench.venue.crossed_zero

    run_virtual(main)


def test_a_late_fill_never_reverses_the_position() -> None:
    """The cancel's answer is lost, the order fills in that moment, and the news comes seconds later."""

    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(5)
            bench.venue.faults.fill_on_cancel = 7
            bench.venue.faults.fill_delay_s = 4.0
            bench.venue.faults.lose_cancel_answers = 1
            bench.engine.flatten(TRADER)
            await over(bench, 90)
            assert not bench.venue.crossed_zero
            assert bench.venue.net[HOT] == 0
            assert phase(bench) is Phase.FLAT

    run_virtual(main)


def test_an_exit_without_an_answer_stops_its_market_until_it_is_found() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.venue.faults.list_lag_s = 9.0
            bench.engine.flatten(TRADER, now=True)
            bench.venue.faults.lose_answers = 1
            bench.venue.faults.silent_fills = True
            await bench.until(lambda: bool(bench.venue.exits_seen), "first exit")
            await asyncio.sleep(8)
            assert len(bench.venue.exits_seen) == 1, "a second slice beside an unanswered one could flip"
            await over(bench, 150)
            assert bench.venue.net[HOT] == 0 and not bench.venue.crossed_zero
            assert phase(bench) is Phase.FLAT

    run_virtual(main)


def test_nobody_bidding_is_named_and_nothing_is_dumped() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.engine.flatten(TRADER)
            book = bench.venue.books[HOT].book
            for price, size in list(book.walk(BookSide.BID)):
                book.change(BookSide.BID, price, -size)
            await over(bench, 200)
            ladder = bench.engine.desk.stop.ladder
            assert ladder.phase is Phase.UNFLATTENED
            assert "nobody bids" in ladder.receipt
            assert not bench.venue.exits_seen
            assert bench.venue.net[HOT] == 20_000_000

    run_virtual(main)


def test_a_thin_book_is_sold_into_in_slices() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.venue.quote(HOT, 38, 42, size=4)
            bench.engine.flatten(TRADER, now=True)

            async def refill() -> None:
                while phase(bench) is not Phase.FLAT:
                    await asyncio.sleep(0.3)
                    bench.venue.quote(HOT, 38, 42, size=4)

            refilling = loop.create_task(refill())
            await over(bench, 90)
            await refilling
            assert len(bench.venue.exits_seen) >= 3
            assert all(exit_.reduce_only and exit_.price >= 3500 for exit_ in bench.venue.exits_seen)
            assert bench.venue.net[HOT] == 0

    run_virtual(main)


def test_an_unread_account_is_never_called_flat() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.venue.faults.broken_reads = True
            bench.engine.flatten(TRADER, now=True)
            await over(bench, 60)
            assert phase(bench) is Phase.UNFLATTENED

    run_virtual(main)


def test_a_cut_short_ladder_comes_up_locked_and_says_so() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.engine.flatten(TRADER)
            await asyncio.sleep(1)
            rows, venue = list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            await again.until(lambda: again.engine.state.ready, "ready")
            assert again.engine.state.halts.desk is Level.LOCKED
            assert any("cut short" in a.what for a in again.engine.state.alarms.values())
            await asyncio.sleep(20)
            assert venue.net[HOT] == 20_000_000
            again.engine.flatten(TRADER, now=True)
            await over(again)
            assert venue.net[HOT] == 0

    run_virtual(main)


def test_flatten_with_an_unknown_entry_waits_for_it() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            bench.venue.faults.lose_answers = 1
            bench.venue.faults.list_lag_s = 12.0
            bench.approve(card)
            (client,) = bench.engine.desk.ledger.of_proposal[card.id]
            await bench.until(lambda: bench.order(client).life is Life.UNKNOWN, "unknown")
            bench.engine.flatten(TRADER)
            await bench.until(lambda: not bench.order(client).live, "found and cancelled", 60)
            await over(bench)
            assert not any(o.open for o in bench.venue.placed.values())

    run_virtual(main)
