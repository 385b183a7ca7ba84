"""Positions, cash, fees and markets in the table of differences: who wins, what is shown, what stops."""

from __future__ import annotations

import asyncio

import msgspec

from core.control.rows.markets import Touch
from core.control.snapshot import Snapshot
from core.domain.market import MarketStatus
from core.domain.units import Money, Price, contracts
from core.execution.differences import About, Key, Row
from core.execution.ladder import Phase
from core.journal.events import Kind
from core.risk.halts import Level
from core.venues.venue import SettlementReport
from tests.execution.bench import HOT, TRADER, WARM, only, running
from tests.execution.differing import level, rows, rung, seen, stopped
from tests.virtual import VirtualLoop, run_virtual

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
