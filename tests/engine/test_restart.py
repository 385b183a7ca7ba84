"""A desk that died comes back as it was, minus its arms."""

from __future__ import annotations

import asyncio

import msgspec

from core.control.snapshot import Snapshot
from core.domain.order import Life
from core.domain.units import Money, Price
from core.engine.state import ALL_STRATEGIES, Mode
from core.execution.ledger import Ledger
from core.risk.halts import Level
from core.risk.limits import DEFAULTS
from tests.execution.bench import HOT, TRADER, Bench, running
from tests.virtual import VirtualLoop, run_virtual


def belief(ledger: Ledger) -> bytes:
    """Everything a restart must find again, as text that can be compared."""
    return msgspec.json.encode(
        {
            "orders": dict(sorted(ledger.orders.items())),
            "positions": dict(sorted(ledger.positions.items())),
            "fills": sorted(ledger.fills),
            "ids": dict(sorted(ledger.by_order_id.items())),
            "live": sorted(ledger.live),
        }
    )


async def a_busy_day(bench: Bench) -> None:
    """Orders filled, cancelled and working."""
    await bench.held(8)
    order = bench.venue.only()
    bench.engine.cancel_order(order.intent.client_order_id, TRADER)
    await bench.until(lambda: not bench.engine.desk.ledger.live, "cancel")
    await bench.sent()


def test_replayed_rows_give_the_living_ledger() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await a_busy_day(bench)
            live, rows, venue = belief(bench.engine.desk.ledger), list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            assert belief(again.engine.desk.ledger) == live

    run_virtual(main)


def test_a_send_cut_short_comes_back_unknown_and_is_found() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            bench.venue.faults.answer_s = 3.0
            bench.approve(card)
            (client,) = bench.engine.desk.ledger.of_proposal[card.id]
            await bench.until(lambda: bool(bench.venue.placed), "arrival")
            assert bench.order(client).life is Life.SENDING
            rows, venue = list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            await again.until(lambda: client in again.engine.desk.ledger.orders, "replay")
            assert again.order(client).life in (Life.UNKNOWN, Life.WORKING)
            await again.until(lambda: again.order(client).life is Life.WORKING, "found")
            assert len(venue.placed) == 1

    run_virtual(main)


def test_an_order_that_was_unknown_is_looked_for_again() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            bench.venue.faults.lose_requests = 1
            bench.approve(card)
            (client,) = bench.engine.desk.ledger.of_proposal[card.id]
            await bench.until(lambda: bench.order(client).life is Life.UNKNOWN, "unknown")
            rows, venue = list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            await again.until(lambda: again.engine.state.ready, "ready")
            assert again.order(client).life is Life.UNKNOWN
            assert client in again.seat.unknowns.searches
            assert again.engine.desk.exposure.now(HOT).market >= again.order(client).intent.reserved
            await again.until(lambda: again.order(client).life is Life.NEVER_ARRIVED, "proof", 150)

    run_virtual(main)


def test_the_restarted_desk_is_unarmed_and_a_halt_still_stands() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            assert not bench.engine.state.paused, "the first run of a fresh demo arms itself"
            bench.engine.set_mode("auto", "automatic", "", TRADER)
            bench.engine.set_limit("day_loss_max", "50", "", "", TRADER)
            bench.engine.halt("enough", TRADER)
            rows, venue = list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            state = again.engine.state
            await again.until(lambda: state.ready, "ready")
            assert state.mode is Mode.SEMI and ALL_STRATEGIES in state.paused
            status = Snapshot(again.engine.desk).status()
            assert (status.level, status.level_by) == ("HALTED", TRADER.name) and status.level_wall_ms
            assert (status.paused_by, status.paused_why) == ("engine", "after a start")
            assert state.halts.desk is Level.HALTED
            assert state.limits.current.day_loss_max == 50_000_000
            await asyncio.sleep(3)
            assert not again.engine.desk.approvals.proposals
            assert again.engine.resume("resume", "looked at it", TRADER).accepted
            assert ALL_STRATEGIES in state.paused
            status = Snapshot(again.engine.desk).status()
            assert (status.level, status.level_by, status.level_wall_ms) == ("NORMAL", "", None)
            assert (status.paused_by, status.paused_why) == (TRADER.name, "after a resume")
            assert not again.engine.unpause("", "", TRADER).accepted
            assert again.engine.unpause("", "unpause", TRADER).accepted
            assert Snapshot(again.engine.desk).status().paused_by == ""
            venue.quote(HOT, 38, 42)
            await again.card()

    run_virtual(main)


def test_a_looser_file_loosens_nothing_until_somebody_raises_the_limit() -> None:
    async def main(loop: VirtualLoop) -> None:
        strict = msgspec.structs.replace(DEFAULTS, market_loss_max=Money(60_000_000), edge_min=Price(300))
        async with running(loop, ceilings=strict) as bench:
            rows, venue = list(bench.journal.rows), bench.venue
            start = next(row.data() for row in rows if row.kind == "START")
            assert start["limits"] == start["ceilings"] == strict.digest()
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            engine, state = again.engine, again.engine.state
            assert state.limits.current == strict and state.limits.ceilings == DEFAULTS
            told = "limits in force are tighter than the file: edge_min, market_loss_max"
            assert told in [alarm.what for alarm in state.alarms.values()]
            assert not engine.set_limit("market_loss_max", "100", "", "", TRADER).accepted
            assert engine.set_limit("market_loss_max", "100", "raise", "agreed", TRADER).accepted
            rows += again.journal.rows
        tighter = msgspec.structs.replace(DEFAULTS, order_cost_max=Money(5_000_000))
        async with running(loop, venue=venue, history=rows, ceilings=tighter, ready=False, run="r3") as third:
            current = third.engine.state.limits.current
            assert (current.market_loss_max, current.edge_min) == (DEFAULTS.market_loss_max, 300)
            assert current.order_cost_max == 5_000_000, "a tighter file holds at once"

    run_virtual(main)


def test_proposal_numbers_and_client_ids_go_on() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            first = await bench.sent()
            bench.engine.cancel_order(first.intent.client_order_id, TRADER)
            await bench.until(lambda: not bench.engine.desk.ledger.live, "cancel")
            rows, venue = list(bench.journal.rows), bench.venue
            numbers = set(bench.engine.desk.ledger.of_proposal)
        async with running(loop, venue=venue, history=rows, run="r2") as again:
            again.engine.unpause("", "unpause", TRADER)
            second = await again.sent()
            assert second.intent.proposal_id not in numbers
            assert second.intent.client_order_id != first.intent.client_order_id

    run_virtual(main)


def test_a_restart_forgets_no_order_of_the_last_hour() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await a_busy_day(bench)
            rows, venue, counts = list(bench.journal.rows), bench.venue, bench.engine.state.counts
            filled = bench.engine.desk.account.filled_within(300_000_000_000)
            assert filled > 0
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            account = again.engine.desk.account
            assert len(account.recent("")) == 2
            assert account.filled_within(300_000_000_000) == filled
            assert again.engine.state.counts == counts

    run_virtual(main)


def test_a_stop_file_found_at_start_keeps_the_desk_halted() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, start_halted="a FLATTEN file was found") as bench:
            assert bench.engine.state.halts.desk is Level.HALTED
            await asyncio.sleep(3)
            assert not bench.engine.desk.approvals.proposals

    run_virtual(main)


def test_what_a_halt_was_cancelling_is_cancelled_by_the_engine_after_it() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            bench.venue.faults.refuse_cancels, bench.venue.faults.refuse_groups = 10_000, True
            bench.engine.halt("enough", TRADER)
            await asyncio.sleep(0.5)
            assert bench.engine.desk.ledger.live
            rows, venue = list(bench.journal.rows), bench.venue
        venue.faults.refuse_cancels, venue.faults.refuse_groups = 0, False
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            await again.until(lambda: not venue.placed[order.order_id].open, "cancel", 3.0)
            await again.until(lambda: not again.engine.desk.ledger.live, "proof")

    run_virtual(main)


def test_a_cancel_a_person_asked_for_goes_on_after_a_restart() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            bench.venue.faults.refuse_cancels = 10_000
            assert bench.engine.cancel_order(order.intent.client_order_id, TRADER).accepted
            await asyncio.sleep(0.5)
            rows, venue = list(bench.journal.rows), bench.venue
        venue.faults.refuse_cancels = 0
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            await again.until(lambda: not venue.placed[order.order_id].open, "cancel", 3.0)
            assert not again.engine.state.halts.standing

    run_virtual(main)
