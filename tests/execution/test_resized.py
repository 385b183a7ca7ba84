"""A person changes the size of one of our orders at the venue: what counts, what is told, what is sent."""

from __future__ import annotations

from core.control.snapshot import Snapshot
from core.domain.order import Command, Life, Order
from core.domain.units import contracts
from core.engine.state import Alarm, AlarmLevel, Mode
from core.execution.differences import Row
from core.execution.lines import Agreement
from core.risk.exposure import still_reserved
from tests.execution.bench import HOT, TRADER, Bench, running
from tests.execution.differing import rows, seen
from tests.execution.test_renewals import kept_fresh, renewed
from tests.simulation.belief import belief, replayed
from tests.virtual import VirtualLoop, run_virtual


def called(bench: Bench) -> list[Alarm]:
    return [a for a in bench.engine.state.alarms.values() if "was changed at the venue" in a.what]


async def resized(bench: Bench, order: Order, contracts_: int) -> Order:
    client = order.intent.client_order_id
    bench.venue.resize(order.order_id, contracts_)
    await bench.until(lambda: bench.order(client).quantity == contracts(contracts_), "heard", 2)
    return bench.order(client)


def test_a_smaller_order_counts_as_it_is_and_is_told_once() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            desk, order = bench.engine.desk, await bench.sent()
            ordered = int(order.intent.quantity) // 1_000_000
            bench.venue.trade(order.order_id, 2)
            await bench.until(lambda: desk.ledger.net(HOT) == 2_000_000, "fill", 2)
            whole, reserved = desk.exposure.now(HOT).market, still_reserved(order)
            smaller = await resized(bench, order, 5)
            assert (smaller.life, smaller.leaves, smaller.display) == (Life.WORKING, contracts(3), "PARTIAL")
            assert still_reserved(smaller) == -(-reserved * 3 // ordered)
            assert whole - desk.exposure.now(HOT).market > 0
            (note,) = called(bench)
            assert note.level is AlarmLevel.NOTE
            assert note.what.endswith(f"changed at the venue: 5.00 contracts now, {ordered}.00 were ordered")
            (told,) = rows(bench, Row.RESIZED)
            assert told.endswith(f"{ordered}.00 before")
            row = Snapshot(desk).order(smaller)
            assert (row.quantity, row.leaves, row.ordered) == (5_000_000, 3_000_000, ordered * 1_000_000)
            await kept_fresh(bench, 35)
            (line,) = [
                n for n in bench.seat.reconciler.lines() if n.key.subject == smaller.intent.client_order_id
            ]
            assert (line.agreement, line.theirs) == (Agreement.AGREES, "resting 3.00")
            assert len(called(bench)) == len(rows(bench, Row.RESIZED)) == 1
            bench.venue.trade(order.order_id, 3)
            await bench.until(lambda: not desk.ledger.live, "full", 2)
            assert bench.order(order.intent.client_order_id).life is Life.FILLED

    run_virtual(main)


def test_a_list_tells_of_it_where_no_message_did_and_a_replay_knows_it() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            bench.venue.resize(order.order_id, 5, silent=True)
            await bench.until(
                lambda: bench.order(order.intent.client_order_id).quantity == 5_000_000, "read", 12
            )
            assert replayed(bench.journal.rows) == belief(bench.engine.desk.ledger)

    run_virtual(main)


def test_a_larger_order_counts_at_once_calls_somebody_and_is_left_to_end() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            engine, desk, order = bench.engine, bench.engine.desk, await bench.sent()
            assert engine.set_mode("auto", "automatic", "", TRADER).accepted
            ordered = int(order.intent.quantity) // 1_000_000
            before = desk.exposure.now(HOT).market
            larger = await resized(bench, order, ordered + 10)
            assert larger.leaves == contracts(ordered + 10)
            more = desk.exposure.now(HOT).market - before
            assert more >= 10 * order.intent.outcome_price * 100, "its worst case, in the same step"
            (alarm,) = called(bench)
            assert (alarm.level, alarm.active) == (AlarmLevel.ACT, True)
            assert alarm.effect == "it counts at that size in every limit and is not renewed"
            assert engine.state.mode is Mode.SEMI
            refused = engine.set_mode("auto", "automatic", "", TRADER)
            assert not refused.accepted and "changed at the venue" in refused.text
            seen(bench)
            await resized(bench, order, ordered + 20)
            assert sum(a.active and not a.acknowledged for a in called(bench)) == 1, "more of it rings anew"
            await kept_fresh(bench, 130)
            assert renewed(bench) == 0 and bench.order(order.intent.client_order_id).life is Life.EXPIRED
            assert not any(a.active for a in called(bench))

    run_virtual(main)


def test_a_restart_calls_again_for_an_order_that_is_larger_than_it_was_let_out() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            await resized(bench, order, 500)
            history, venue = list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=history, ready=False, run="r2") as again:
            assert again.order(order.intent.client_order_id).quantity == contracts(500)
            await again.until(lambda: again.engine.state.ready, "up")
            await again.until(lambda: bool(called(again)), "called", 3)
            assert called(again)[0].level is AlarmLevel.ACT

    run_virtual(main)


def test_a_change_that_meets_a_renewal_is_counted_at_the_larger_size_until_the_venue_tells() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client, ordered = order.intent.client_order_id, order.intent.quantity
            bench.venue.faults.request_s = 0.2
            await bench.until(lambda: renewed(bench) == 1, "renewal", 70)
            bench.venue.resize(order.order_id, 5)
            await bench.until(lambda: bench.order(client).quantity == 5_000_000, "heard", 0.1)
            assert bench.order(client).command is Command.RENEW_SENDING
            assert bench.order(client).leaves == ordered, "the renewal on its way brings it back"
            await bench.until(lambda: bench.order(client).command is Command.NONE, "answer", 1)
            assert bench.order(client).quantity == bench.venue.only().open == ordered

    run_virtual(main)
