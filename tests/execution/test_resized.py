"""An order of ours gets another size, at the venue or by us: what counts, what is told, what is sent."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from core.control.snapshot import Snapshot
from core.domain.order import Command, Life, Order
from core.domain.units import Price, contracts
from core.engine.incidents import market
from core.engine.state import Alarm, AlarmLevel, Mode
from core.execution.differences import Row
from core.execution.lines import Agreement
from core.risk.exposure import still_reserved
from core.risk.halts import Level
from tests.execution.bench import HOT, TRADER, Bench, running
from tests.execution.differing import rows, seen
from tests.execution.test_renewals import Forgetful, Slow, kept_fresh, renewed
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


def test_a_change_that_follows_a_renewal_stands_whenever_its_answer_comes() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client = order.intent.client_order_id
            bench.venue.faults.answer_s = 0.5
            await bench.until(lambda: bench.venue.only().renewed_ms is not None, "renewed there", 70)
            bench.venue.resize(order.order_id, 5)
            await bench.until(lambda: bench.order(client).quantity == contracts(5), "heard", 0.2)
            await bench.until(lambda: bench.order(client).command is Command.NONE, "answer", 1)
            await asyncio.sleep(0.6)
            assert bench.order(client).leaves == contracts(5)

    run_virtual(main)


def outcomes(bench: Bench, kind: str) -> list[str]:
    return [row.payload for row in bench.journal.rows if row.kind == kind]


def test_a_renewal_that_would_undo_a_change_heard_before_it_left_does_not_leave() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, journal=Slow) as bench:
            order = await bench.sent()
            client = order.intent.client_order_id
            bench.journal.takes_s = 1.0  # type: ignore[attr-defined]
            await bench.until(lambda: bench.order(client).command is Command.RENEW_SENDING, "due", 70)
            bench.venue.resize(order.order_id, 5)
            await bench.until(lambda: bench.order(client).command is Command.RENEW_REFUSED, "stopped", 3)
            assert renewed(bench) == 0 and bench.venue.only().open == contracts(5)
            assert "its size was changed meanwhile" in outcomes(bench, "RENEWAL_OUTCOME")[0]
            assert bench.order(client).leaves == contracts(5)

    run_virtual(main)


# --- made smaller here ----------------------------------------------------------------------------


def reductions(bench: Bench) -> list[str]:
    return [call for _, call in bench.venue.calls if call.startswith("reduce")]


async def shrunk(bench: Bench, order: Order, left: int) -> str:
    """Ask for so much to be left of it at its price."""
    told = bench.engine.amend(order.intent.client_order_id, Price(0), contracts(left), TRADER)
    assert told.accepted, told.text
    return told.text


@pytest.mark.parametrize("proof", ["ORDER_REPORT", "REDUCTION_OUTCOME"])
def test_a_smaller_size_at_its_price_is_done_in_place_without_a_card(proof: str) -> None:
    """Whichever of message and answer comes first is the proof."""

    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client = order.intent.client_order_id
            bench.venue.trade(order.order_id, 2)
            await bench.until(lambda: bench.order(client).filled == contracts(2), "fill", 2)
            bench.venue.faults.silent_fills = proof == "REDUCTION_OUTCOME"
            said = await shrunk(bench, order, 3)
            assert f"{client[-4:]} is being made smaller: 3.00 @ " in said and "is kept" in said
            assert bench.order(client).leaves == order.intent.quantity - contracts(2), "until there is proof"
            await bench.until(lambda: bench.order(client).command is Command.NONE, "answer", 2)
            smaller = bench.order(client)
            assert (smaller.life, smaller.quantity, smaller.leaves) == (
                Life.WORKING,
                contracts(5),
                contracts(3),
            )
            assert bench.venue.only().open == contracts(3) and not bench.venue.cancel_calls
            assert reductions(bench) == [f"reduce {order.order_id} {order.leaves - contracts(5)}"]
            await asyncio.sleep(12)
            assert not called(bench) and not rows(bench, Row.RESIZED), "it was asked for here"
            assert bench.engine.desk.approvals.asked(HOT) is None
            kinds = bench.kinds()
            assert proof in kinds[kinds.index("REDUCTION_SENT") :]
            assert replayed(bench.journal.rows) == belief(bench.engine.desk.ledger)

    run_virtual(main)


def test_it_is_done_where_no_entry_is_taken_for_it_only_takes_risk_away() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            bench.engine.desk.halting.rise(market(HOT), Level.REDUCE_ONLY, "looked odd")
            await shrunk(bench, order, 3)
            await bench.until(lambda: bench.venue.only().open == contracts(3), "smaller", 2)

    run_virtual(main)


def test_what_fills_on_the_way_is_taken_off_what_is_left() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            bench.venue.faults.request_s = 0.5
            await shrunk(bench, order, 5)
            await asyncio.sleep(0.2)
            bench.venue.trade(order.order_id, 2)
            await bench.until(lambda: bench.venue.only().open == contracts(3), "smaller", 2)
            client = order.intent.client_order_id
            await bench.until(lambda: bench.order(client).leaves == contracts(3), "known", 2)
            assert bench.order(client).quantity == contracts(5)

    run_virtual(main)


@pytest.mark.parametrize("filled", [False, True], ids=["refused", "too much filled"])
def test_a_reduction_that_came_to_nothing_is_told_and_may_be_asked_again(filled: bool) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client, ordered = order.intent.client_order_id, order.intent.quantity
            bench.venue.faults.refuse_reductions = 1
            if filled:
                bench.venue.faults.request_s = 0.2
            await shrunk(bench, order, 3)
            if filled:
                bench.venue.trade(order.order_id, int(ordered) // 1_000_000 - 1)
            await bench.until(lambda: bench.order(client).command is Command.NONE, "answer", 2)
            assert bench.order(client).quantity == ordered
            told = [a.what for a in bench.engine.state.alarms.values() if "did not make it smaller" in a.what]
            assert len(told) == 1 and client[-4:] in told[0]
            if not filled:
                await shrunk(bench, order, 3)
                await bench.until(lambda: bench.order(client).leaves == contracts(3), "smaller", 2)

    run_virtual(main)


def test_an_unanswered_reduction_is_looked_up_and_never_repeated() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client, ordered = order.intent.client_order_id, order.intent.quantity
            bench.venue.faults.lose_reductions = 1
            await shrunk(bench, order, 3)
            again = bench.engine.amend(client, Price(0), contracts(2), TRADER)
            assert not again.accepted and "waits for the venue's word" in again.text
            await asyncio.sleep(3)
            assert bench.order(client).leaves == ordered, "either size may hold"
            await bench.until(lambda: bench.order(client).command is Command.NONE, "looked up", 4)
            assert bench.order(client).leaves == contracts(3)
            assert len(reductions(bench)) == 1 and not rows(bench, Row.RESIZED)

    run_virtual(main)


def test_a_cancel_overtakes_a_reduction_and_misses_no_fill() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client = order.intent.client_order_id
            bench.venue.faults.lose_reductions = 1
            await shrunk(bench, order, 3)
            await asyncio.sleep(1)
            assert bench.engine.cancel_order(client, TRADER).accepted
            await bench.until(lambda: not bench.engine.desk.ledger.live, "cancelled", 10)
            assert (bench.order(client).life, bench.order(client).filled) == (Life.CANCELLED, 0)

    run_virtual(main)


@pytest.mark.parametrize(
    ("fills", "why"),
    [(True, "too much of it has filled meanwhile"), (False, "its size was changed meanwhile")],
)
def test_a_reduction_held_up_by_the_journal_is_judged_again_before_it_leaves(fills: bool, why: str) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, journal=Slow) as bench:
            order = await bench.sent()
            whole = int(order.intent.quantity) // 1_000_000
            bench.journal.takes_s = 1.0  # type: ignore[attr-defined]
            await shrunk(bench, order, 5)
            if fills:
                bench.venue.trade(order.order_id, 5)
            else:
                bench.venue.resize(order.order_id, whole - 1)
            await bench.until(lambda: bool(outcomes(bench, "REDUCTION_OUTCOME")), "judged", 3)
            assert why in outcomes(bench, "REDUCTION_OUTCOME")[0] and not reductions(bench)

    run_virtual(main)


def test_nothing_leaves_without_its_row() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, journal=Forgetful) as bench:
            order = await bench.sent()
            bench.journal.broken = True  # type: ignore[attr-defined]
            await shrunk(bench, order, 3)
            await asyncio.sleep(1)
            assert not reductions(bench) and bench.order(order.intent.client_order_id).leaves == order.leaves

    run_virtual(main)


def test_where_the_venue_changes_no_size_it_is_cancelled_and_asked_for_anew() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            bench.venue.traits = msgspec.structs.replace(bench.venue.traits, reduces=False)
            assert "its place in the queue is lost" in await shrunk(bench, order, 3)
            await bench.until(lambda: not bench.engine.desk.ledger.live, "cancelled", 5)
            assert not reductions(bench)

    run_virtual(main)
