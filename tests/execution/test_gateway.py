"""Sends that go wrong, cancels that go wrong, and what is never done about either."""

from __future__ import annotations

import asyncio

import msgspec

from core.control.snapshot import Snapshot
from core.domain.order import Command, Life, OrderIntent, TimeInForce
from core.domain.units import Money, contracts
from core.engine.restore import restore
from core.execution.events import OrderIntended
from core.execution.gateway import Denied, Wish
from core.execution.ledger import Ledger
from core.execution.replaying import replay
from core.journal.store import MemoryJournal
from core.risk.halts import Level
from core.strategy.proposal import FeeRole
from core.venues.venue import UNSEALED, Incomplete, LastCheck, OrderReport, PlaceOutcome, Rejected, Sealed
from tests.execution.bench import HOT, TRADER, Bench, only, running
from tests.virtual import VirtualLoop, run_virtual

DURABLE_S = 0.2


class SlowJournal(MemoryJournal):
    """Rows are on disk a while after they were written."""

    def durable(self, seq: int) -> asyncio.Future[bool]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bool] = loop.create_future()
        loop.call_later(DURABLE_S, answer.set_result, True)
        return answer


class BrokenJournal(MemoryJournal):
    """Rows never reach the disk."""

    def durable(self, seq: int) -> asyncio.Future[bool]:
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        answer.set_result(False)
        return answer


async def approved(bench: Bench) -> str:
    card = await bench.card()
    assert bench.approve(card).accepted
    (client,) = bench.engine.desk.ledger.of_proposal[card.id]
    return client


def test_a_lost_answer_is_unknown_then_found_and_adopted() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.card()
            bench.venue.faults.lose_answers = 1
            bench.venue.faults.list_lag_s = 7.0
            client = await approved(bench)
            await bench.until(lambda: bench.order(client).life is Life.UNKNOWN, "unknown")
            desk = bench.engine.desk
            assert only(desk).unknowns.searches[client].next_check_ns > bench.clock.mono_ns()
            reserved = desk.exposure.now(HOT).market
            assert reserved >= bench.order(client).intent.reserved
            await bench.until(lambda: bench.order(client).life is Life.WORKING, "adoption")
            assert bench.order(client).order_id == bench.venue.only().order_id
            assert client not in only(desk).unknowns.searches

    run_virtual(main)


def test_a_lost_answer_with_a_fill_is_resolved_by_the_fill() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.card()
            bench.venue.faults.lose_answers = 1
            client = await approved(bench)
            await bench.until(lambda: bool(bench.venue.placed), "order")
            bench.venue.trade(bench.venue.only().order_id, 3)
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) == 3_000_000, "position")
            await asyncio.sleep(6)
            assert bench.order(client).life is Life.WORKING

    run_virtual(main)


def test_an_order_that_never_arrived_keeps_its_worst_case_until_it_is_proved() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.card()
            bench.venue.faults.lose_requests = 1
            client = await approved(bench)
            await bench.until(lambda: bench.order(client).life is Life.UNKNOWN, "unknown")
            await asyncio.sleep(100)
            assert bench.order(client).life is Life.UNKNOWN
            assert bench.engine.desk.exposure.now(HOT).market >= bench.order(client).intent.reserved
            assert bench.engine.desk.approvals.of(HOT) is None  # no second order beside it
            await bench.until(lambda: bench.order(client).life is Life.NEVER_ARRIVED, "proof", seconds=60)
            assert not bench.venue.placed
            assert bench.engine.desk.exposure.now(HOT).market == 0
            assert bench.kinds().count("SEND_OUTCOME") == 1

    run_virtual(main)


def test_a_halt_while_the_row_is_written_stops_the_send() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, journal=SlowJournal) as bench:
            client = await approved(bench)
            await asyncio.sleep(DURABLE_S / 2)
            bench.engine.halt("test", TRADER)
            await bench.until(lambda: not bench.order(client).live, "end")
            assert bench.order(client).life is Life.NEVER_SENT
            assert not bench.venue.placed

    run_virtual(main)


def test_a_book_that_moves_while_the_row_is_written_stops_the_send() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, journal=SlowJournal) as bench:
            client = await approved(bench)
            await asyncio.sleep(DURABLE_S / 2)
            cents = bench.order(client).intent.price // 100
            bench.venue.quote(HOT, cents - 3, cents)
            await bench.until(lambda: not bench.order(client).live, "end")
            assert bench.order(client).life is Life.NEVER_SENT
            assert "moved" in bench.order(client).reason
            assert not bench.venue.placed

    run_virtual(main)


def test_a_cancel_while_the_row_is_written_stops_the_send() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, journal=SlowJournal) as bench:
            client = await approved(bench)
            assert bench.engine.cancel_order(client, TRADER).accepted
            await bench.until(lambda: not bench.order(client).live, "end")
            assert bench.order(client).life is Life.NEVER_SENT
            assert not bench.venue.placed

    run_virtual(main)


def test_without_a_durable_row_nothing_is_sent() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, journal=BrokenJournal) as bench:
            client = await approved(bench)
            await bench.until(lambda: not bench.order(client).live, "end")
            assert bench.order(client).life is Life.NEVER_SENT
            assert not bench.venue.placed

    run_virtual(main)


def test_cancels_wait_for_no_journal() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            bench.engine.desk.scribe.log.__class__ = BrokenJournal
            pressed = loop.time()
            bench.engine.halt("test", TRADER)
            await bench.until(lambda: bool(bench.venue.cancel_calls), "cancel")
            assert bench.venue.cancel_calls[0][0] - pressed < 0.005
            await bench.until(lambda: not bench.order(order.intent.client_order_id).live, "dead")

    run_virtual(main)


def test_a_cancel_the_venue_denies_is_repeated_until_the_order_is_dead() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            bench.venue.faults.refuse_cancels = 3
            bench.engine.cancel_order(order.intent.client_order_id, TRADER)
            client = order.intent.client_order_id
            await asyncio.sleep(0.1)
            assert bench.order(client).live
            await bench.until(lambda: bench.order(client).life is Life.CANCELLED, "dead", seconds=10)
            assert len(bench.venue.cancel_calls) == 4

    run_virtual(main)


def test_a_look_up_that_hangs_holds_up_no_cancel() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            asked = 0

            async def hang(_: str) -> OrderReport | Incomplete | None:
                nonlocal asked
                asked += 1
                await asyncio.sleep(60.0)
                return Incomplete("order", "no answer")

            bench.venue.order = hang  # type: ignore[method-assign]
            bench.venue.faults.refuse_cancels = 4
            bench.engine.cancel_order(order.intent.client_order_id, TRADER)
            await bench.until(lambda: not bench.venue.only().open, "the fifth cancel", 6.0)
            assert asked == 1, "one look-up of an order at a time"

    run_virtual(main)


def test_a_cancel_without_an_answer_frees_nothing_until_it_is_proved() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client = order.intent.client_order_id
            bench.venue.faults.lose_cancel_answers = 1
            bench.venue.faults.silent_fills = True
            bench.engine.cancel_order(client, TRADER)
            await asyncio.sleep(0.06)
            assert bench.order(client).display == "CANCELLING"
            assert bench.engine.desk.exposure.now(HOT).market > 0
            await bench.until(lambda: not bench.order(client).live, "proof", seconds=10)

    run_virtual(main)


def test_a_fill_in_the_moment_of_the_cancel_is_counted() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client = order.intent.client_order_id
            bench.venue.faults.fill_on_cancel = 4
            bench.venue.faults.fill_delay_s = 1.0
            bench.venue.faults.broken_reads = True  # only the stream tells
            bench.engine.cancel_order(client, TRADER)
            await bench.until(lambda: not bench.order(client).live, "end", seconds=10)
            assert bench.order(client).life is Life.CANCELLED
            assert len(bench.venue.cancel_calls) == 1, "an end that waits for its fills"
            assert bench.engine.desk.ledger.net(HOT) == 4_000_000
            assert not bench.engine.state.halts.standing

    run_virtual(main)


def test_a_decision_that_ran_out_on_its_way_is_not_sent() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop, journal=SlowJournal) as bench:
            card = await bench.card()
            desk, now = bench.engine.desk, bench.clock.wall_ms()
            late = only(desk).gateway.send(Wish(card.candidate, valid_until_ms=now))
            assert isinstance(late, Denied) and "expired" in late.reason
            sent = only(desk).gateway.send(Wish(card.candidate, valid_until_ms=now + int(DURABLE_S * 500)))
            assert not isinstance(sent, Denied)
            client = sent.intent.client_order_id
            await bench.until(lambda: not bench.order(client).live, "end")
            assert bench.order(client).life is Life.NEVER_SENT
            assert "expired" in bench.order(client).reason and not bench.venue.placed

    run_virtual(main)


def test_an_intent_holds_its_worst_case_and_an_end_in_whole_seconds() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            dear = msgspec.structs.replace(card.candidate, fee=Money(123_456))
            sent = bench.seat.gateway.send(Wish(dear))
            assert not isinstance(sent, Denied)
            intent = sent.intent
            assert intent.reserved == dear.outcome_price * dear.quantity // 10_000 + 123_456
            assert intent.expires_ms is not None and intent.expires_ms % 1000 == 0
            assert 0 <= intent.expires_ms - intent.created_ms - dear.lifetime_s * 1000 < 1000

    run_virtual(main)


def test_a_cancel_during_the_send_leaves_as_soon_as_the_order_has_an_id() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            bench.venue.faults.answer_s = 0.95
            assert bench.approve(card).accepted
            (client,) = bench.engine.desk.ledger.of_proposal[card.id]
            await bench.until(lambda: bool(bench.venue.placed), "arrival")
            assert bench.engine.cancel_order(client, TRADER).accepted
            await bench.until(lambda: bool(bench.order(client).order_id), "answer")
            answered = loop.time()
            await bench.until(lambda: bool(bench.venue.cancel_calls), "cancel")
            assert bench.venue.cancel_calls[0][0] - answered < 0.05
            await bench.until(lambda: not bench.order(client).live, "dead")

    run_virtual(main)


def test_an_unanswered_order_is_cancelled_once_found_and_nothing_else_is_stopped_for_it() -> None:
    """A trigger of its group would reach it now, and every other entry with it until a resume."""

    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            bench.venue.faults.lose_answers = 1
            bench.venue.faults.list_lag_s = 1_000.0
            assert bench.approve(card).accepted
            (client,) = bench.engine.desk.ledger.of_proposal[card.id]
            await bench.until(lambda: bench.order(client).life is Life.UNKNOWN, "unknown", 20)
            told = bench.engine.cancel_order(client, TRADER)
            assert told.accepted and "cancelled as soon as it is found" in told.text
            row = Snapshot(bench.engine.desk).order(bench.order(client))
            assert row.state == "UNKNOWN" and row.bound.endswith(", cancelled once found")
            await asyncio.sleep(2)
            assert bench.order(client).life is Life.UNKNOWN
            assert not any(call.startswith("trigger") for _, call in bench.venue.calls)
            assert not bench.venue.cancel_calls, "there is no id to cancel by"
            rows, venue = list(bench.journal.rows), bench.venue
        venue.faults.list_lag_s = 0.0
        for order in venue.placed.values():
            order.visible_at = 0.0
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            await again.until(lambda: again.order(client).life is Life.CANCELLED, "found and cancelled", 20)
            assert not venue.only().open

    run_virtual(main)


def test_a_fill_that_stops_its_own_market_does_not_undo_the_cancel_it_caused() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            bench.venue.faults.refuse_cancels = 100_000
            worse = order.intent.price + 100
            bench.venue._fill(bench.venue.placed[order.order_id], worse, contracts(1), taker=False)
            await asyncio.sleep(bench.venue.faults.fill_delay_s + 0.005)
            now = bench.order(order.intent.client_order_id)
            assert now.filled == contracts(1) and now.command is Command.CANCEL_SENDING
            assert bench.kinds().count("CANCEL_SENT") == 1, "asked for once"
            again = Ledger(bench.engine.desk.scribe.ledger, bench.engine._ears)
            assert replay(again, restore(bench.journal.rows).orders, 0) == []
            assert again.orders == bench.engine.desk.ledger.orders

    run_virtual(main)


def test_a_send_that_was_held_up_for_seconds_is_dropped() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            place, left = bench.venue.place, list[float]()

            async def queued(intent: OrderIntent, sealed: Sealed, last_check: LastCheck) -> PlaceOutcome:
                await asyncio.sleep(2.1)  # the rate limiter's queue
                left.append(loop.time())
                return await place(intent, sealed, last_check)

            bench.venue.place = queued  # type: ignore[method-assign]
            assert bench.approve(card).accepted
            (client,) = bench.engine.desk.ledger.of_proposal[card.id]
            await bench.until(lambda: not bench.order(client).live, "end", 10)
            assert left and not bench.venue.placed
            assert bench.order(client).life is Life.NEVER_SENT
            assert "in time" in bench.order(client).reason

    run_virtual(main)


def test_what_was_sealed_is_in_the_row_and_goes_to_the_wire_as_it_is() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            place, sent = bench.venue.place, list[Sealed]()

            async def seen(intent: OrderIntent, sealed: Sealed, last_check: LastCheck) -> PlaceOutcome:
                sent.append(sealed)
                return await place(intent, sealed, last_check)

            bench.venue.seal = lambda intent: Sealed("0x26ad", b'{"salt":1}')  # type: ignore[method-assign]
            bench.venue.place = seen  # type: ignore[method-assign]
            assert bench.approve(card).accepted
            await bench.until(lambda: bool(bench.venue.placed), "order")
            (row,) = [row for row in bench.journal.rows if row.kind == "ORDER_INTENT"]
            kept = msgspec.json.decode(row.payload, type=OrderIntended)
            assert [kept.sealed] == sent == [Sealed("0x26ad", b'{"salt":1}')]

    run_virtual(main)


def test_an_order_the_venue_cannot_have_leaves_no_row() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            refusal = Rejected("size", "5 contracts are the least this market takes")
            bench.venue.seal = lambda intent: refusal  # type: ignore[method-assign]
            answer = bench.seat.gateway.send(Wish(card.candidate))
            assert isinstance(answer, Denied) and refusal.text in answer.reason
            assert not bench.engine.desk.ledger.orders and "ORDER_INTENT" not in bench.kinds()

    run_virtual(main)


def test_a_row_without_a_seal_is_as_it_was_before_there_were_any() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await approved(bench)
            (row,) = [row for row in bench.journal.rows if row.kind == "ORDER_INTENT"]
            assert set(row.data()) == {"type", "intent", "gate"}
            assert msgspec.json.decode(row.payload, type=OrderIntended).sealed == UNSEALED

    run_virtual(main)


def test_a_fault_of_the_venues_client_proves_nothing_and_halts() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            place = bench.venue.place

            async def broken(intent: OrderIntent, sealed: Sealed, last_check: LastCheck) -> PlaceOutcome:
                await place(intent, sealed, last_check)  # the order has arrived
                raise RuntimeError("client broke")

            bench.venue.place = broken  # type: ignore[method-assign]
            assert bench.approve(card).accepted
            (client,) = bench.engine.desk.ledger.of_proposal[card.id]
            await bench.until(lambda: bench.engine.state.halts.desk is Level.HALTED, "halt")
            assert "SEND_OUTCOME" in bench.kinds()
            assert bench.order(client).life is not Life.NEVER_SENT and bench.order(client).live
            await bench.until(lambda: not bench.order(client).live, "found and cancelled", 20)
            assert bench.order(client).life is Life.CANCELLED
            assert not any(o.open for o in bench.venue.placed.values())

    run_virtual(main)


def test_a_check_that_breaks_before_the_first_byte_leaves_no_order_behind() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            gateway, checked = bench.seat.gateway, list[str]()
            gate = gateway._gate

            def broken(wish: Wish, without: str) -> Denied | str:
                checked.append(without)
                if without:
                    raise ZeroDivisionError("the book is nowhere")
                return gate(wish, without)

            gateway._gate = broken
            assert bench.approve(card).accepted
            (client,) = bench.engine.desk.ledger.of_proposal[card.id]
            await bench.until(lambda: not bench.order(client).live, "end")
            assert bench.order(client).life is Life.NEVER_SENT and not bench.venue.placed
            assert bench.engine.state.halts.desk is Level.HALTED

    run_virtual(main)


def test_an_immediate_order_that_a_restart_finds_resting_is_taken_off_and_no_other() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            kept = bench.seat.gateway.send(
                Wish(msgspec.structs.replace(card.candidate, quantity=contracts(5)))
            )
            assert not isinstance(kept, Denied), kept
            await bench.until(
                lambda: bench.order(kept.intent.client_order_id).life is Life.WORKING, "resting"
            )
            bench.venue.faults.at_once_rests, bench.venue.faults.lose_answers = True, 1
            bench.venue.faults.refuse_cancels = 10_000
            at_once = msgspec.structs.replace(
                card.candidate,
                quantity=contracts(4),
                tif=TimeInForce.IOC,
                post_only=False,
                fee_role=FeeRole.TAKER,
            )
            cents = card.candidate.price // 100
            bench.venue.quote(HOT, cents - 1, cents)
            sent = bench.seat.gateway.send(Wish(at_once))
            assert not isinstance(sent, Denied), sent
            client = sent.intent.client_order_id
            await bench.until(lambda: bench.order(client).life is Life.UNKNOWN, "unknown")
            rows, venue = list(bench.journal.rows), bench.venue
        assert all(order.open for order in venue.placed.values())
        venue.faults.refuse_cancels = 0
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            await again.until(lambda: again.order(client).life is Life.CANCELLED, "cancel", 5)
            assert again.order(kept.intent.client_order_id).life is Life.WORKING

    run_virtual(main)


def test_the_same_client_id_is_never_used_twice() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            first = await bench.sent()
            bench.engine.cancel_order(first.intent.client_order_id, TRADER)
            await bench.until(lambda: not bench.order(first.intent.client_order_id).live, "dead")
            second = await bench.sent()
            ids = [first.intent.client_order_id, second.intent.client_order_id]
            assert len(set(ids)) == 2
            assert all(i.startswith("pm-r1-") and len(i) <= 64 for i in ids)

    run_virtual(main)
