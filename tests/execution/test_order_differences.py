"""Orders and fills in the table of differences: who wins, what is shown, what stops, how it is journalled."""

from __future__ import annotations

import asyncio

import msgspec

from core.domain.order import Life
from core.engine.state import Mode
from core.execution.differences import Row
from core.risk.halts import Level
from core.venues.venue import OrderReport
from tests.execution.bench import HOT, TRADER, WARM, only, running
from tests.execution.differing import from_outside, level, rows, rung, seen, stopped
from tests.virtual import VirtualLoop, run_virtual

# --- R1 to R4: orders and fills the venue tells differently ----------------------------------------


def test_r1_a_missed_fill_is_recovered_and_told() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            bench.venue.faults.silent_fills = True
            bench.venue.trade(order.order_id, 6)
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) == 6_000_000, "recovery", 35)
            (told,) = rows(bench, Row.MISSED_FILL)
            assert "missed fill recovered: 6.00, trade T1" in told
            assert level(bench) is Level.NORMAL, "the position agrees"

    run_virtual(main)


def test_r2_a_fill_the_list_lacks_stands_for_a_minute() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            bench.venue.executed.clear()
            await bench.until(lambda: bool(rows(bench, Row.UNLISTED_FILL)), "shown", 45)
            await asyncio.sleep(50)
            assert level(bench) is Level.NORMAL, "lists lag"
            await stopped(bench, "the venue says no such fill", seconds=30)
            assert bench.engine.desk.ledger.net(HOT) == 8_000_000, "facts are not forgotten"
            assert level(bench, WARM) is Level.NORMAL

    run_virtual(main)


def test_r2_a_count_below_our_fills_is_no_order_of_ours_for_long() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            bench.venue.trade(order.order_id, 6)
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) == 6_000_000, "fill", 5)
            bench.venue.only().filled = 2_000_000
            await stopped(bench, "we say 6.00 filled, the venue says 2.00 filled", seconds=100)

    run_virtual(main)


def test_r3_a_fill_that_is_counted_but_never_told_halts() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            bench.venue.faults.silent_fills = True
            bench.venue.trade(order.order_id, 6)
            bench.venue.executed.clear()
            bench.venue.net.clear()  # not even the position tells
            await asyncio.sleep(25)
            assert level(bench) is Level.NORMAL, "fills may be late"
            await stopped(bench, "we say 0.00, the venue says 6.00")
            assert rows(bench, Row.COUNTED_FILL)
            assert bench.engine.desk.ledger.net(HOT) == 0, "no fill is invented"
            assert level(bench, WARM) is Level.NORMAL

    run_virtual(main)


def test_r4_an_order_the_venue_has_never_heard_of_halts_and_stays_counted() -> None:
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
            await stopped(bench, "we say WORKING, the venue says not known", seconds=60)
            assert rows(bench, Row.UNLISTED_ORDER)
            assert bench.order(client).life is Life.WORKING
            assert bench.engine.desk.exposure.now(HOT).market >= order.intent.reserved
            assert level(bench, WARM) is Level.NORMAL

    run_virtual(main)


# --- R5 to R8: orders that should not be there -----------------------------------------------------


def test_r5_an_order_that_rises_from_the_dead_counts_again_and_is_cancelled() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client = order.intent.client_order_id
            bench.engine.cancel_order(client, TRADER)
            await bench.until(lambda: bench.order(client).life is Life.CANCELLED, "cancelled")
            bench.engine.pause("", TRADER)
            await asyncio.sleep(60)
            bench.venue.faults.refuse_cancels = 4
            bench.venue.placed[order.order_id].open = 5_000_000
            calls = len(bench.venue.cancel_calls)
            bench.seat.reconciler.request("test")
            await stopped(bench, "we say CANCELLED, the venue says resting", seconds=5)
            assert rows(bench, Row.RESURRECTED)
            assert bench.order(client).life is Life.WORKING
            assert bench.engine.desk.exposure.now(HOT).market > 0, "it may fill"
            await bench.until(lambda: not bench.venue.placed[order.order_id].open, "dead", 10)
            assert len(bench.venue.cancel_calls) > calls + 3, "cancelled until it is proved"
            await bench.until(lambda: not bench.seat.reconciler.differences, "agreement", 10)
            assert not bench.engine.desk.ledger.live
            history, venue = list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=history, ready=False, run="r2") as again:
            assert not again.engine.desk.ledger.live

    run_virtual(main)


def test_r5_a_list_that_lags_behind_an_end_raises_nobody() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client = order.intent.client_order_id
            bench.engine.cancel_order(client, TRADER)
            await bench.until(lambda: bench.order(client).life is Life.CANCELLED, "cancelled")
            bench.venue.placed[order.order_id].open = 5_000_000  # as list and look-up still say
            bench.seat.reconciler.request("test")
            await asyncio.sleep(2)
            assert bench.order(client).life is Life.CANCELLED and "RESURRECTED" not in bench.kinds()
            assert level(bench) is Level.REDUCE_ONLY, "no entries until it is clear"
            await bench.until(lambda: level(bench) is Level.NORMAL, "agreement", 10)

    run_virtual(main)


def test_r5_an_order_of_ours_without_an_intent_counts_halts_and_is_cancelled() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.sent()
            theirs = from_outside(bench)
            theirs.intent = msgspec.structs.replace(theirs.intent, client_order_id="pm-other-0001-00")
            bench.seat.reconciler.request("test")
            await stopped(bench, "we say no intent, the venue says order X1")
            await bench.until(lambda: not theirs.open, "cancelled", 5)
            await asyncio.sleep(0.1)
            told = [text for text in rows(bench, Row.RESURRECTED) if "order X1: " in text]
            assert [text.rpartition(": ")[2] for text in told] == ["cancel sent", "cancelled"]
            await bench.until(lambda: not bench.engine.desk.ledger.externals, "counted no more", 40)

    run_virtual(main)


def test_r5_an_order_of_ours_without_an_intent_is_cancelled_until_the_venue_answers() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.sent()
            theirs = from_outside(bench)
            theirs.intent = msgspec.structs.replace(theirs.intent, client_order_id="pm-other-0001-00")
            bench.venue.faults.lose_cancel_answers = 3
            bench.seat.reconciler.request("test")
            await stopped(bench, "we say no intent, the venue says order X1")
            await bench.until(lambda: len(bench.venue.cancel_calls) == 4, "asked again", 5)
            await asyncio.sleep(0.1)
            told = [text for text in rows(bench, Row.RESURRECTED) if "order X1: " in text]
            assert len(told) == 2 and told[1].endswith("not there to be cancelled: not_found")

    run_virtual(main)


def test_r6_an_unanswered_order_that_is_found_says_so() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            bench.venue.faults.lose_answers = 1
            assert bench.approve(card).accepted
            (client,) = bench.engine.desk.ledger.of_proposal[card.id]
            await bench.until(lambda: bench.order(client).life is Life.UNKNOWN, "unknown")
            await bench.until(lambda: bench.order(client).life is Life.WORKING, "found", 5)
            (told,) = rows(bench, Row.UNKNOWN_FOUND)
            assert client[-4:] in told

    run_virtual(main)


def test_r7_an_order_from_outside_counts_and_keeps_automatic_mode_off_until_seen() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            ours = await bench.sent()
            engine, desk = bench.engine, bench.engine.desk
            assert engine.set_mode("auto", "automatic", "", TRADER).accepted
            before = desk.exposure.now(HOT)
            theirs = from_outside(bench)
            only(desk).reconciler.request("test")
            await bench.until(lambda: bool(rows(bench, Row.EXTERNAL_ORDER)), "seen", 5)
            cost = 5 * ours.intent.price * 100
            after = desk.exposure.now(HOT)
            assert (after.market - before.market, after.total - before.total) == (cost, cost)
            assert engine.state.mode is Mode.SEMI and level(bench) is Level.NORMAL
            refused = engine.set_mode("auto", "automatic", "", TRADER)
            assert not refused.accepted and "X1" in refused.text
            seen(bench)
            assert engine.set_mode("auto", "automatic", "", TRADER).accepted
            assert theirs.open == 5_000_000, "what is not ours is never cancelled"
            theirs.open = 0
            await bench.until(lambda: not desk.ledger.externals, "gone", 40)
            assert desk.exposure.now(HOT).market == before.market

    run_virtual(main)


def test_r7_an_order_from_outside_missing_from_a_list_still_counts() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.sent()
            theirs = from_outside(bench)
            bench.seat.reconciler.request("test")
            await bench.until(lambda: bool(bench.engine.desk.ledger.externals), "seen", 5)
            theirs.visible_at = loop.time() + 1_000
            await asyncio.sleep(35)
            assert "X1" in bench.engine.desk.ledger.externals, "asked for by its id, it rests"

    run_virtual(main)


def test_r8_a_fill_of_an_order_from_outside_moves_the_position_and_stops_entries_until_seen() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.sent()
            theirs = from_outside(bench)
            bench.venue.faults.silent_fills = True
            bench.venue.trade("X1", 5)
            assert theirs.open == 0  # never seen resting
            bench.seat.reconciler.request("test")
            await stopped(bench, "is of an order not placed here", Level.REDUCE_ONLY)
            assert level(bench, WARM) is Level.REDUCE_ONLY, "the whole venue"
            assert len(rows(bench, Row.EXTERNAL_FILL)) == 1
            await asyncio.sleep(70)
            assert bench.engine.desk.ledger.net(HOT) == 5_000_000, "counted once, however often it is listed"
            assert bench.kinds().count("EXTERNAL_FILL") == 1
            history, venue = list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=history, run="r2") as again:
            assert again.engine.desk.ledger.net(HOT) == 5_000_000
            assert level(again) is Level.REDUCE_ONLY and rung(again, "not placed here"), "it rings again"
            seen(again)
            assert level(again) is Level.NORMAL, "looking at it is what it waits for"
            assert again.kinds()[-1] == "RESUME"

    run_virtual(main)


def test_r8_a_listed_fill_of_an_order_nobody_knows_is_taken_as_a_foreign_one() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            ghost = msgspec.structs.replace(bench.venue.executed[0], trade_id="T-ghost", order_id="GHOST")
            bench.venue.executed.append(ghost)
            bench.venue.net[HOT] += 8_000_000
            bench.seat.reconciler.request("test")
            await bench.until(lambda: "no such order" in "".join(rows(bench, Row.EXTERNAL_FILL)), "shown", 15)
            assert bench.engine.desk.ledger.net(HOT) == 8_000_000, "one reading is not two"
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) == 16_000_000, "taken", 70)
            assert bench.kinds().count("FILL_PARKED") == 1

    run_virtual(main)


def test_a_fill_that_only_one_message_told_is_dropped_in_the_end() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            bench.engine.pause("", TRADER)
            ghost = msgspec.structs.replace(bench.venue.executed[0], trade_id="T-ghost", order_id="GHOST")
            bench.venue.listener.on_fill(ghost, "")
            await asyncio.sleep(590)
            assert "T-ghost" in bench.engine.desk.ledger.parked
            await asyncio.sleep(60)
            assert not bench.engine.desk.ledger.parked and "FILL_DROPPED" in bench.kinds()
            assert bench.engine.desk.ledger.net(HOT) == 8_000_000

    run_virtual(main)
