"""Each row of the table of differences: who wins, what is shown, what stops, and how it is journalled."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from core.control.rows.markets import Touch
from core.control.snapshot import Snapshot
from core.domain.market import MarketStatus
from core.domain.order import BookSide, Life
from core.domain.units import Money, Price, contracts
from core.engine.state import Mode
from core.execution.differences import POLICY, About, Difference, Differences, Key, Row
from core.execution.ladder import Phase
from core.journal.events import Kind
from core.risk.halts import Level
from core.venues.venue import Incomplete, OrderReport, PositionReport, SettlementReport
from tests.execution.bench import HOT, TRADER, WARM, Bench, only, running
from tests.execution.fake_venue import Resting, strange
from tests.virtual import VirtualLoop, run_virtual

EVENT = "KXHIGHNY-26NOV23"


def level(bench: Bench, ticker: str = HOT) -> Level:
    halt = bench.engine.desk.halting.level(EVENT, ticker)
    return halt.level if halt is not None else Level.NORMAL


def rows(bench: Bench, row: Row) -> list[str]:
    """What the journal says of a row."""
    found = [(r.data().get("row"), str(r.data().get("text"))) for r in bench.journal.rows]
    return [text for name, text in found if name == row.value]


async def stopped(bench: Bench, words: str, wanted: Level = Level.HALTED, seconds: float = 70) -> None:
    """Wait for the level, then look at what a person is told of it."""
    await bench.until(lambda: level(bench) is wanted and rung(bench, words), f"{wanted} {words!r}", seconds)
    assert any(row.kind == "HALT" and words in row.payload for row in bench.journal.rows)


def rung(bench: Bench, words: str) -> bool:
    return any(words in a.what for a in bench.engine.state.alarms.values() if a.level.value == "ACT")


def from_outside(bench: Bench, order_id: str = "X1", open_: int = 5) -> Resting:
    """A copy of our resting order, placed by somebody else."""
    theirs = strange(bench.venue.only())
    theirs.order_id, theirs.filled, theirs.open = order_id, 0, open_ * 1_000_000
    bench.venue.placed[order_id] = theirs
    return theirs


def seen(bench: Bench) -> None:
    """The operator looks at everything that rings."""
    bench.engine.acknowledge_all(TRADER)


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


# --- R9 to R13: positions and cash -----------------------------------------------------------------


def test_r9_a_position_no_fill_explains_halts_the_venue_until_a_person_accepts_it() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            engine, ledger = bench.engine, bench.engine.desk.ledger
            engine.pause("", TRADER)
            bench.venue.net[HOT] = 11_000_000
            await stopped(bench, "we say 8.00, the venue says 11.00")
            assert level(bench, WARM) is Level.HALTED
            assert rows(bench, Row.POSITION) and engine.desk.seats.venue_net == {HOT: 11_000_000}
            assert ledger.net(HOT) == 8_000_000, "nothing is adjusted without a word"
            told = engine.state.last_events[HOT]
            assert [row.kind for row in told[:4]] == ["ORDER_INTENT", "ORDER_SENDING", "SEND_OUTCOME", "FILL"]
            for number in range(600):
                engine.desk.scribe.desk(Kind.FEED, f"news {number}")
                engine.desk.scribe.desk(Kind.ANOMALY, f"elsewhere {number}", ticker=WARM)
            engine.reconcile(TRADER)
            await asyncio.sleep(1)
            assert engine.state.last_events[HOT][: len(told)] == told, "the log's tail has moved on"
            assert list(engine.state.last_events) == [HOT] and len(engine.state.last_events[HOT]) <= 10
            (shown,) = Snapshot(engine.desk).reading().differences
            assert [event.kind for event in shown.events][:4] == [row.kind for row in told[:4]]
            for confirm, reason in (("", "x"), ("accept", " ")):
                assert not engine.accept(HOT, confirm, reason, TRADER).accepted
            assert not engine.accept(WARM, "accept", "x", TRADER).accepted
            await bench.until(lambda: not ledger.live, "our own orders are cancelled", 5)
            cost = ledger.positions[HOT].cost
            assert engine.accept(HOT, "accept", "bought three by hand", TRADER).accepted
            assert ledger.net(HOT) == 11_000_000 and ledger.positions[HOT].cost > cost
            assert bench.kinds().count("ADJUSTMENT") == 1 and not ledger.external_fills
            await bench.until(
                lambda: list(only(engine.desk).reconciler.differences) == [Key(About.CASH)], "cash", 10
            )
            await asyncio.sleep(5)
            assert engine.accept("cash", "accept", "paid for the three", TRADER).accepted
            refused = engine.resume("resume", "looked", TRADER)
            assert not refused.accepted and "Acknowledge" in refused.text
            seen(bench)
            await asyncio.sleep(6)
            assert engine.resume("resume", "looked", TRADER, "KAL").accepted
            assert level(bench) is Level.NORMAL
            await asyncio.sleep(2)  # the safety groups are reset
            history, venue = list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=history, run="r2") as again:
            await asyncio.sleep(40)
            assert again.engine.desk.ledger.net(HOT) == 11_000_000
            assert not again.seat.reconciler.differences and level(again) is Level.NORMAL
            assert not again.engine.state.last_events

    run_virtual(main)


def test_r10_the_other_side_halts_the_desk() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            bench.engine.pause("", TRADER)
            bench.venue.net[HOT] = -8_000_000
            await stopped(bench, "we say 8.00, the venue says -8.00")
            assert bench.engine.state.halts.desk is Level.HALTED
            assert rows(bench, Row.OTHER_SIDE)

    run_virtual(main)


def test_r11_a_position_that_waits_for_its_payout_is_shown_and_blocks_nothing_else() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            now = bench.clock.wall_ms()
            bench.venue.listed = tuple(msgspec.structs.replace(m, close_ms=now) for m in bench.venue.listed)
            await asyncio.sleep(16)  # the catalogue reads it
            bench.venue.net.pop(HOT)
            await asyncio.sleep(100)
            assert rows(bench, Row.UNSETTLED) and level(bench) is Level.REDUCE_ONLY
            assert level(bench, WARM) is Level.NORMAL
            reconciler = bench.seat.reconciler
            assert reconciler.last.clean, "it may take hours"

    run_virtual(main)


def test_r11_a_position_list_that_lags_behind_a_payout_halts_nothing() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            bench.engine.pause("", TRADER)
            bench.venue.settle(HOT, 10_000)
            bench.venue.net[HOT] = 8_000_000  # as the list still says
            await bench.until(lambda: HOT in bench.engine.desk.ledger.settled, "settlement", 5)
            await asyncio.sleep(100)
            assert rows(bench, Row.UNSETTLED) and level(bench, WARM) is Level.NORMAL
            assert not bench.engine.accept(HOT, "accept", "no", TRADER).accepted

    run_virtual(main)


def test_a_count_from_before_the_settlement_is_not_taken_after_it() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            engine = bench.engine
            engine.pause("", TRADER)
            bench.venue.net[HOT] = 11_000_000
            await stopped(bench, "we say 8.00, the venue says 11.00")
            await bench.until(lambda: not engine.desk.ledger.live, "our own orders are cancelled", 5)
            engine.desk.ledger.settle(SettlementReport(HOT, Price(0), "no", bench.clock.wall_ms()))
            stale = engine.accept(HOT, "accept", "as the page says", TRADER)
            assert not stale.accepted and "moved since" in stale.text
            assert engine.desk.ledger.net(HOT) == 0

    run_virtual(main)


def test_r13_cash_nobody_can_explain_stops_entries_until_seen_and_is_counted_anew_when_accepted() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.quiet()
            await asyncio.sleep(25)
            engine = bench.engine
            engine.pause("", TRADER)
            bench.venue.cash_now = Money(bench.venue.cash_now - 3_000_000)
            await stopped(bench, "cash: we say 500.00, the venue says 497.00", Level.REDUCE_ONLY)
            assert rows(bench, Row.CASH)
            seen(bench)
            assert level(bench) is Level.NORMAL, "seen; it still differs"
            assert engine.accept("cash", "accept", "withdrew three", TRADER).accepted
            await asyncio.sleep(5)
            assert not only(engine.desk).reconciler.differences
            history, venue = list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=history, run="r2") as again:
            await asyncio.sleep(40)
            assert not again.seat.reconciler.differences

    run_virtual(main)


def test_cash_is_compared_while_orders_rest_whichever_way_the_venue_counts_them() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.quiet()
            await asyncio.sleep(25)
            bench.venue.quote(HOT, 38, 42)
            order = await bench.sent()
            reconciler, start = bench.seat.reconciler, bench.venue.cash_now
            bench.engine.pause("", TRADER)
            bench.venue.cash_now = Money(start - order.intent.reserved)
            assert not (await reconciler.once()).differences, "taken out of the balance"
            bench.venue.cash_now = start
            assert not (await reconciler.once()).differences, "left in it"
            bench.venue.cash_now = Money(start - order.intent.reserved - 60_000)
            assert [d.row for d in (await reconciler.once()).differences] == [Row.CASH]

    run_virtual(main)


# --- R14 to R18: what the venue says differently of fees, markets and limits -----------------------


def test_r14_the_lists_fee_is_the_fee() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            ledger = bench.engine.desk.ledger
            (trade,) = bench.venue.executed
            bench.venue.executed[0] = msgspec.structs.replace(trade, fee=Money(20_000))
            bench.venue.cash_now -= 20_000
            await bench.until(lambda: ledger.positions[HOT].fees == 20_000, "fee", 40)
            (told,) = rows(bench, Row.FEE)
            assert "0.02 in fees, not 0.00" in told
            assert [f.fee for o in ledger.orders.values() for f in o.fills] == [20_000]
            await asyncio.sleep(70)
            assert not bench.seat.reconciler.differences and level(bench) is Level.NORMAL
            history, venue = list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=history, ready=False, run="r2") as again:
            assert again.engine.desk.ledger.positions[HOT].fees == 20_000

    run_virtual(main)


def test_where_no_list_tells_fees_the_count_that_held_when_it_traded_stays() -> None:
    """The venue charges otherwise from now on: what was paid before is not what it would cost today."""

    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.venue.traits = msgspec.structs.replace(bench.venue.traits, tells_fees=False)
            await bench.held(8)
            ledger, (trade,) = bench.engine.desk.ledger, bench.venue.executed
            bench.venue.executed[0] = msgspec.structs.replace(trade, fee=Money(20_000))
            bench.venue.cash_now -= 20_000
            await bench.until(lambda: ledger.positions[HOT].fees == 20_000, "what nobody knew", 40)
            bench.venue.executed[0] = msgspec.structs.replace(trade, fee=Money(40_000))
            await asyncio.sleep(70)
            assert ledger.positions[HOT].fees == 20_000
            assert len(rows(bench, Row.FEE)) == 1

    run_virtual(main)


def test_r15_a_market_the_venue_has_closed_is_told() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            status = type(bench.venue.listed[0].status).INACTIVE
            bench.venue.listed = tuple(
                msgspec.structs.replace(m, status=status) if m.ticker == HOT else m
                for m in bench.venue.listed
            )
            await bench.until(lambda: bool(rows(bench, Row.MARKET_STATE)), "told", 20)
            assert "inactive" in rows(bench, Row.MARKET_STATE)[0]

    run_virtual(main)


def test_r15_a_held_market_the_list_no_longer_has_is_not_flat_and_takes_no_entries() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            desk, whole = bench.engine.desk, bench.venue.listed
            bench.venue.listed = tuple(m for m in whole if m.ticker not in (HOT, WARM))
            await asyncio.sleep(14)
            bench.venue.listed = whole
            await asyncio.sleep(17)
            assert not rows(bench, Row.MARKET_STATE), "one list that lacks it proves nothing"
            assert desk.state.markets[HOT].market.status is MarketStatus.ACTIVE
            bench.venue.listed = tuple(m for m in whole if m.ticker not in (HOT, WARM))
            await bench.until(lambda: rung(bench, "list no more; 8.00 held"), "rung", 40)
            assert not rung(bench, WARM), "nothing of it is ours"
            assert "delisted" in rows(bench, Row.MARKET_STATE)[0]
            await asyncio.sleep(50)
            assert WARM not in desk.state.markets, "shown for a while, then it leaves"
            assert (
                desk.ledger.net(HOT) == 8_000_000
                and desk.exposure.now(HOT).market >= desk.ledger.positions[HOT].cost > 0
            )
            assert desk.state.markets[HOT].market.status is MarketStatus.DELISTED
            row = Snapshot(desk).market(HOT, Touch())
            assert (row.status, row.net) == ("delisted", 8_000_000)
            card = desk.approvals.of(HOT)
            assert card is None or not card.verdict.passed
            bench.engine.flatten(TRADER, now=True)
            await bench.until(lambda: bool(desk.stop.ladder and desk.stop.ladder.over), "over", 200)
            assert desk.stop.ladder is not None
            assert desk.stop.ladder.phase is Phase.UNFLATTENED, "never flat by not being listed"
            bench.venue.listed = whole
            alarms = desk.state.alarms
            await bench.until(
                lambda: not any(a.active and "list no more" in a.what for a in alarms.values()), "back", 20
            )
            assert desk.state.markets[HOT].market.status is MarketStatus.ACTIVE

    run_virtual(main)


def test_r15_a_held_market_that_left_the_list_while_no_engine_ran_rings_counts_and_is_sold_once_it_can() -> (
    None
):
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            rows_then, venue = list(bench.journal.rows), bench.venue
        whole, venue.listed = venue.listed, tuple(m for m in venue.listed if m.ticker != HOT)
        async with running(loop, venue=venue, history=rows_then, run="r2") as again:
            desk = again.engine.desk
            assert rung(again, f"{HOT} is in no list of the venue and cannot be read (not found); 8.00 held")
            assert desk.exposure.now(WARM).total >= desk.ledger.positions[HOT].cost > 0
            again.engine.flatten(TRADER, now=True)
            await again.until(lambda: bool(desk.stop.ladder and desk.stop.ladder.over), "over", 200)
            assert desk.stop.ladder is not None
            assert desk.stop.ladder.phase is Phase.UNFLATTENED
            assert "not found" in desk.stop.ladder.residue[HOT], "it was tried"
            venue.listed = whole
            await again.until(lambda: not venue.net[HOT], "sold", 60)
            await again.until(
                lambda: not any(a.active and "no list" in a.what for a in desk.state.alarms.values()), "clear"
            )

    run_virtual(main)


def test_r15_what_was_paid_out_while_no_engine_ran_leaves_the_desk_again() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            rows_then, venue = list(bench.journal.rows), bench.venue
        over = next(m for m in venue.listed if m.ticker == HOT)
        over = msgspec.structs.replace(over, status=MarketStatus.FINALIZED)
        venue.listed = tuple(over if m.ticker == HOT else m for m in venue.listed)
        async with running(loop, venue=venue, history=rows_then, run="r2") as again:
            assert again.engine.state.markets[HOT].market.status is MarketStatus.FINALIZED
            venue.net.pop(HOT)
            again.engine.desk.ledger.settle(SettlementReport(HOT, Price(10_000), "yes", 9))
            await again.until(lambda: HOT not in again.engine.state.markets, "gone", 60)

    run_virtual(main)


def test_r16_a_trade_with_two_contents_halts_its_market_and_keeps_both() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            known = bench.venue.executed[0]
            other = msgspec.structs.replace(known, quantity=contracts(1))
            bench.venue.listener.on_fill(other, "")
            await stopped(bench, "conflicting fill")
            assert bench.engine.desk.ledger.net(HOT) == 8_000_000
            (told,) = rows(bench, Row.TWO_CONTENTS)
            assert "8000000" in told and "1000000" in told
            bench.venue.listener.on_fill(other, "")
            assert len(rows(bench, Row.TWO_CONTENTS)) == 1, "told once"
            assert level(bench, WARM) is Level.NORMAL

    run_virtual(main)


def test_r17_an_overfill_is_applied_and_halts_its_market() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            bench.venue.only().open = order.intent.quantity + 5_000_000
            bench.venue.trade(order.order_id, 1_000)
            await stopped(bench, "overfill", seconds=5)
            assert rows(bench, Row.OVERFILL)
            assert bench.engine.desk.ledger.net(HOT) == order.intent.quantity + 5_000_000, "facts are applied"

    run_virtual(main)


# --- how a difference lives ------------------------------------------------------------------------


def test_what_differs_at_the_start_is_acted_on_at_once() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            history, venue = list(bench.journal.rows), bench.venue
        venue.net[HOT] = 9_000_000
        async with running(loop, venue=venue, history=history, ready=False, run="r2") as again:
            await again.until(lambda: again.engine.state.ready, "ready")
            await stopped(again, "we say 8.00, the venue says 9.00", seconds=0.1)

    run_virtual(main)


def test_a_report_of_another_market_or_side_changes_no_order() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client = order.intent.client_order_id
            mine = bench.venue._report(bench.venue.only())
            for wrong in ({"ticker": WARM}, {"side": BookSide.ASK}):
                bench.venue.listener.on_order(msgspec.structs.replace(mine, filled=contracts(9), **wrong))
                assert bench.order(client) == order
            assert bench.kinds().count("ANOMALY") >= 2

    run_virtual(main)


def test_two_orders_under_one_client_id_halt_and_the_second_counts() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            twin = from_outside(bench, "O2")
            twin.intent = order.intent
            bench.seat.reconciler.request("test")
            await stopped(bench, "carry one client id", seconds=10)
            assert bench.order(order.intent.client_order_id).order_id == order.order_id
            assert "O2" in bench.engine.desk.ledger.externals

    run_virtual(main)


def test_a_difference_that_could_not_be_compared_again_still_stands() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            bench.engine.pause("", TRADER)
            reconciler, ledger = bench.seat.reconciler, bench.engine.desk.ledger
            key = Key(About.POSITION, HOT)
            bench.venue.net[HOT] = 11_000_000
            await reconciler.once()
            assert key in reconciler.differences
            truth = bench.venue.positions

            async def racing() -> tuple[PositionReport, ...] | Incomplete:
                found = await truth()
                ledger._moved(HOT)  # something of this market arrives while the list is on its way
                return found

            bench.venue.positions = racing  # type: ignore[method-assign]
            assert not (await reconciler.once()).clean
            assert reconciler.differences[key].reads == 1, "a race counts neither way"
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
            await stopped(bench, "the venue says 11.00", seconds=105)
            moving.cancel()

    run_virtual(main)


def test_resuming_waits_for_agreement() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            bench.engine.pause("", TRADER)
            bench.venue.net[HOT] = 11_000_000
            await stopped(bench, "the venue says 11.00")
            clean = bench.seat.reconciler.clean_ns
            await asyncio.sleep(10)
            assert bench.seat.reconciler.clean_ns == clean, "a reading with a difference is not clean"
            seen(bench)
            refused = bench.engine.resume("resume", "looked", TRADER)
            assert not refused.accepted and "11.00" in refused.text
            missing = msgspec.structs.replace(
                bench.venue.executed[0], trade_id="T-late", quantity=contracts(3), at_ms=bench.clock.wall_ms()
            )
            bench.venue.executed.append(missing)
            bench.venue.placed[missing.order_id].filled += missing.quantity
            bench.venue.cash_now -= missing.price * 3 * 100
            await bench.until(lambda: not bench.seat.reconciler.differences, "agreement", 40)
            assert bench.engine.desk.ledger.net(HOT) == 11_000_000
            await asyncio.sleep(6)
            seen(bench)
            assert bench.engine.resume("resume", "found it", TRADER).accepted
            assert level(bench) is Level.NORMAL

    run_virtual(main)


SECOND = 1_000_000_000
KEY = Key(About.POSITION, HOT)


def life(row: Row, key: Key, at_s: list[float], *, startup: bool = False) -> list[float]:
    """The readings, by their time, at which a difference seen in all of them is acted on."""
    found, acted = Differences(), []
    for at in at_s:
        found.begin(About)
        found.saw(row, key, "8", "11")
        now = int(at * SECOND)
        if found.conclude(now, startup=startup, settled=lambda _: True):
            acted.append(at)
    return acted


@pytest.mark.parametrize(
    ("row", "at_s", "acted"),
    [
        (Row.POSITION, [0, 2.9], []),
        (Row.POSITION, [0, 3, 6], [3]),
        (Row.RESURRECTED, [0, 3], [3]),
        (Row.UNLISTED_FILL, [0, 59, 60, 61], [60]),
        (Row.COUNTED_FILL, [0, 29, 30], [30]),
    ],
)
def test_when_a_difference_is_acted_on(row: Row, at_s: list[float], acted: list[float]) -> None:
    assert life(row, KEY, at_s) == acted


def test_at_the_start_only_what_may_lag_waits() -> None:
    assert life(Row.POSITION, KEY, [0], startup=True) == [0]
    assert life(Row.UNLISTED_FILL, KEY, [0], startup=True) == []


def test_what_a_look_up_has_proved_needs_no_second_reading() -> None:
    found = Differences()
    found.begin(About)
    found.saw(Row.RESURRECTED, KEY, "CANCELLED", "resting", proved=True)
    assert found.conclude(0, startup=False, settled=lambda _: False)


def test_a_worse_row_of_the_same_position_is_acted_on_anew() -> None:
    found, acted = Differences(), list[Difference]()
    for at, row in enumerate((Row.POSITION, Row.POSITION, Row.OTHER_SIDE, Row.OTHER_SIDE)):
        found.begin(About)
        found.saw(row, KEY, "8", "-1")
        acted += found.conclude(at * 4 * SECOND, startup=False, settled=lambda _: True)
    assert [d.row for d in acted] == [Row.POSITION, Row.OTHER_SIDE]


def test_every_row_a_reading_can_leave_standing_has_a_policy() -> None:
    facts = {
        Row.MISSED_FILL, Row.UNKNOWN_FOUND, Row.EXTERNAL_ORDER, Row.FEE, Row.MARKET_STATE,
        Row.TWO_CONTENTS, Row.OVERFILL, Row.LIMITS, Row.FAILED_TRADE,
    }  # fmt: skip
    assert POLICY.keys() | facts == set(Row) and not POLICY.keys() & facts
    assert [row.value for row in Row] == [f"R{n}" for n in range(1, 19)]
