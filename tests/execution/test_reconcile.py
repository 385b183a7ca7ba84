"""Belief against truth: what is recovered, what is shown, what halts, and what is not believed."""

from __future__ import annotations

import asyncio

import msgspec

from core.domain.order import Life
from core.domain.units import Money, Price, Quantity
from core.risk.halts import Level
from core.venues.venue import Incomplete, PositionReport, SettlementReport
from tests.execution.bench import HOT, TRADER, WARM, Bench, only, running
from tests.execution.fake_venue import strange
from tests.virtual import VirtualLoop, run_virtual


def market_level(bench: Bench, ticker: str = HOT) -> Level:
    halt = bench.engine.desk.halting.level("KXHIGHNY-26NOV23", ticker)
    return halt.level if halt is not None else Level.NORMAL


def alarms(bench: Bench) -> str:
    return "; ".join(alarm.what for alarm in bench.engine.state.alarms.values())


def test_a_fill_nobody_told_is_recovered() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            bench.venue.faults.silent_fills = True
            bench.venue.trade(order.order_id, 6)
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) == 6_000_000, "recovery", 35)
            assert market_level(bench) is Level.NORMAL

    run_virtual(main)


def test_a_fill_that_is_listed_late_is_recovered() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            bench.venue.faults.silent_fills = True
            bench.venue.trade(order.order_id, 6)
            late = bench.venue.executed.pop()
            for _ in range(3):
                await asyncio.sleep(5)
                bench.seat.reconciler.request("test")
            assert bench.engine.desk.ledger.net(HOT) == 0
            assert market_level(bench) is Level.REDUCE_ONLY, "until the position agrees"
            bench.venue.executed.append(late)
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) == 6_000_000, "recovery", 10)
            await bench.until(lambda: market_level(bench) is Level.NORMAL, "agreement", 5)

    run_virtual(main)


def test_a_reconnect_reads_the_account_at_once() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            bench.venue.disconnect()
            bench.venue.faults.silent_fills = True
            bench.venue.trade(order.order_id, 6)
            await asyncio.sleep(1)
            bench.venue.reconnect()
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) == 6_000_000, "recovery", 1)

    run_virtual(main)


def test_a_position_that_differs_is_shown_then_halts_the_venue() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await asyncio.sleep(25)
            bench.venue.net[WARM] = 3_000_000
            await bench.until(lambda: WARM in bench.engine.desk.seats.venue_net, "shown", 40)
            assert "MISMATCH R9" in alarms(bench)
            assert market_level(bench, WARM) is Level.REDUCE_ONLY, "at once, until it is clear"
            assert market_level(bench) is Level.NORMAL
            await bench.until(lambda: market_level(bench) is Level.HALTED, "halt", 60)
            refused = bench.engine.resume("resume", "because", TRADER)
            assert not refused.accepted and "position" in refused.text

    run_virtual(main)


def test_an_empty_list_once_is_not_believed() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            await asyncio.sleep(30)
            truth, bench.venue.net = bench.venue.net, {}
            bench.seat.reconciler.request("test")
            await bench.until(lambda: bool(bench.engine.desk.seats.venue_net), "shown", 5)
            bench.venue.net = truth
            await bench.until(lambda: not bench.engine.desk.seats.venue_net, "cleared", 10)
            await asyncio.sleep(60)
            assert market_level(bench) is Level.NORMAL
            assert bench.engine.desk.ledger.net(HOT) == 8_000_000

    run_virtual(main)


def test_a_lagging_position_list_halts_nothing() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            honest = bench.venue.positions

            async def lagging() -> tuple[PositionReport, ...]:
                return ()

            bench.venue.positions = lagging  # type: ignore[method-assign]
            bench.venue.trade(order.order_id, 4)
            for _ in range(4):
                bench.seat.reconciler.request("test")
                await asyncio.sleep(4)
            bench.venue.positions = honest  # type: ignore[method-assign]
            await asyncio.sleep(30)
            assert market_level(bench) is Level.NORMAL

    run_virtual(main)


def test_reads_that_fail_change_nothing_and_stop_entries_in_time() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            bench.venue.faults.broken_reads = True
            await asyncio.sleep(70)
            assert bench.engine.desk.ledger.net(HOT) == 8_000_000
            assert "cannot be read" in alarms(bench)
            bench.venue.quote(HOT, 38, 42)
            await asyncio.sleep(2)
            card = bench.engine.desk.approvals.of(HOT)
            assert card is None or not card.verdict.passed
            bench.venue.faults.broken_reads = False
            await bench.until(lambda: "cannot be read" not in active(bench), "recovery", 10)

    run_virtual(main)


def test_positions_that_cannot_be_read_are_not_taken_for_none() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            await asyncio.sleep(25)
            clean = bench.seat.reconciler.clean_ns

            async def broken() -> Incomplete:
                return Incomplete("positions", "page 2 failed")

            bench.venue.positions = broken  # type: ignore[method-assign]
            await asyncio.sleep(65)
            assert bench.engine.desk.ledger.net(HOT) == 8_000_000 and not bench.engine.desk.seats.venue_net
            assert bench.seat.reconciler.clean_ns == clean, "half a reading is not a clean one"
            assert "positions: page 2 failed" in active(bench)

    run_virtual(main)


def active(bench: Bench) -> str:
    return "; ".join(alarm.what for alarm in bench.engine.state.alarms.values() if alarm.active)


def test_a_clean_reading_is_as_old_as_its_beginning() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            honest = bench.venue.positions

            async def slow() -> tuple[PositionReport, ...] | Incomplete:
                await asyncio.sleep(7)
                return await honest()

            bench.venue.positions = slow  # type: ignore[method-assign]
            reconciler, readings = bench.seat.reconciler, bench.seat.reconciler.readings
            asked_ns = bench.clock.mono_ns()
            reconciler.request("test")
            await bench.until(lambda: reconciler.readings > readings, "a slow reading", 20)
            assert reconciler.clean_ns is not None and reconciler.clean_ns < asked_ns + 3_000_000_000

    run_virtual(main)


def test_an_order_from_outside_is_shown_and_counted() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            ours = await bench.sent()
            theirs = strange(bench.venue.placed[ours.order_id])
            theirs.order_id = "X1"
            theirs.open, theirs.filled = 5_000_000, 0
            bench.venue.placed["X1"] = theirs
            bench.seat.reconciler.request("test")
            await bench.until(lambda: "X1" in bench.engine.desk.ledger.externals, "seen", 5)
            bench.engine.halt("test", TRADER)
            await asyncio.sleep(5)
            assert theirs.open == 5_000_000, "what is not ours is never cancelled"
            theirs.open = 0
            await bench.until(lambda: not bench.engine.desk.ledger.externals, "gone", 40)

    run_virtual(main)


def test_an_order_missing_from_the_list_once_stays_what_it_is() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            bench.venue.only().visible_at = loop.time() + 10
            bench.seat.reconciler.request("test")
            await asyncio.sleep(5)
            assert bench.order(order.intent.client_order_id).life is Life.WORKING

    run_virtual(main)


def test_an_end_nobody_told_is_found() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client = order.intent.client_order_id
            bench.venue.faults.silent_fills = True
            bench.venue.end(order.order_id, "ExpiryCancel")
            await bench.until(lambda: not bench.order(client).live, "found", 35)
            assert bench.order(client).life is Life.EXPIRED
            assert not bench.seat.reconciler.differences

    run_virtual(main)


def test_a_position_paid_out_before_its_settlement_is_listed_is_no_difference() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            bench.engine.pause("", TRADER)
            bench.engine.cancel_market(HOT, TRADER)
            honest, now = bench.venue.settlements, bench.clock.wall_ms()

            async def not_yet() -> tuple[SettlementReport, ...]:
                return ()

            bench.venue.settlements = not_yet  # type: ignore[method-assign]
            bench.venue.listed = tuple(msgspec.structs.replace(m, close_ms=now) for m in bench.venue.listed)
            await asyncio.sleep(16)  # the catalogue reads it
            bench.venue.net.pop(HOT)
            await asyncio.sleep(70)
            assert market_level(bench) is Level.NORMAL
            assert bench.engine.desk.ledger.net(HOT) == 8_000_000, "it waits for its payout"
            bench.venue.settlements = honest  # type: ignore[method-assign]
            report = SettlementReport(HOT, Price(10_000), "yes", bench.clock.wall_ms())
            bench.venue.settled.append(report)
            bench.venue.cash_now += 8_000_000
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) == 0, "payout", 40)
            await asyncio.sleep(70)
            assert market_level(bench) is Level.NORMAL

    run_virtual(main)


def test_cash_that_differs_stops_entries_of_the_venue() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.quiet()
            await asyncio.sleep(25)
            bench.engine.pause("", TRADER)
            bench.venue.cash_now = Money(bench.venue.cash_now - 3_000_000)
            await bench.until(lambda: market_level(bench) is Level.REDUCE_ONLY, "halt", 60)
            assert "cash" in alarms(bench)

    run_virtual(main)


def test_cash_spent_since_the_last_reading_is_not_free() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order, read = await bench.sent(), bench.engine.desk.seats.cash
            assert read is not None
            bench.venue.trade(order.order_id, 6)
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) == 6_000_000, "fill", 1)
            fill = next(iter(bench.engine.desk.ledger.fills.values()))
            spent = fill.price * fill.quantity // 10_000 + fill.fee
            assert bench.engine.desk.seats.cash == read - spent > 0

    run_virtual(main)


def test_cash_that_came_in_since_the_last_reading_waits_for_the_venue_to_say_so() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order, desk = await bench.sent(), bench.engine.desk
            bench.venue.trade(order.order_id, 6)
            await bench.until(lambda: desk.ledger.net(HOT) == 6_000_000, "fill", 1)
            before_ns = only(desk).reconciler.read_ns
            only(desk).reconciler.request("test")
            await bench.until(lambda: only(desk).reconciler.read_ns != before_ns, "reading", 5)
            read = only(desk).reconciler.cash
            desk.ledger.settle(SettlementReport(HOT, Price(10_000), "yes", bench.clock.wall_ms()))
            assert desk.ledger.net(HOT) == 0 and only(desk).reconciler.cash == read

    run_virtual(main)


def test_settlement_is_booked_once() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            bench.engine.pause("", TRADER)
            bench.engine.halt("test", TRADER)
            bench.venue.settle(HOT, 10_000)
            ledger = bench.engine.desk.ledger
            await bench.until(lambda: HOT in ledger.settled, "settlement", 40)
            worth = ledger.positions[HOT].realised
            assert ledger.net(HOT) == 0 and worth > 0
            await asyncio.sleep(65)
            assert ledger.positions[HOT].realised == worth
            assert bench.kinds().count("SETTLEMENT") == 1
            assert market_level(bench, WARM) is Level.HALTED  # the operator's own halt, nothing else
            assert not bench.seat.reconciler.differences

    run_virtual(main)


def test_a_conflicting_trade_halts_its_market() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            known = bench.venue.executed[0]
            bench.venue.listener.on_fill(msgspec.structs.replace(known, quantity=Quantity(1_000_000)), "")
            assert market_level(bench) is Level.HALTED
            assert bench.engine.desk.ledger.net(HOT) == 8_000_000

    run_virtual(main)
