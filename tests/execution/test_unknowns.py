"""Absence is weak evidence: when an unanswered order may be written off, and when it may not."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import msgspec

from core.domain.order import BookSide, Life, Purpose
from core.domain.units import contracts
from core.engine.operator import Outcome
from core.execution.gateway import Denied, Wish
from core.execution.unknowns import TURN_S, bound
from core.risk.halts import HaltScope, Level, ScopeKind
from core.risk.limits import DEFAULTS
from core.venues.venue import Incomplete, NotThere, OrderReport, PositionReport, Sealed
from tests.execution.bench import HOT, TRADER, VIEWER, WARM, Bench, only, running
from tests.risk.desk import order
from tests.virtual import VirtualLoop, run_virtual

EXPIRY_S = 120
MANY = msgspec.structs.replace(
    DEFAULTS,
    open_orders_market_max=100, open_orders_total_max=100, unknowns_max=100, repeat_hour_max=100,
    rate_second_max=100, rate_minute_max=100, rate_hour_max=100,
)  # fmt: skip


async def lost(bench: Bench) -> str:
    """An order whose request never reached the venue."""
    card = await bench.card()
    bench.venue.faults.lose_requests = 1
    assert bench.approve(card).accepted
    (client,) = bench.engine.desk.ledger.of_proposal[card.id]
    await bench.until(lambda: bench.order(client).life is Life.UNKNOWN, "unknown")
    return client


def test_the_worst_a_lost_order_can_do_reads_as_its_card_did() -> None:
    assert bound(order(BookSide.ASK, price=7_200, count=31)) == "could buy 31 NO @ 28c"
    assert bound(order(BookSide.ASK, Purpose.CLOSE, price=355, count=2)) == "could sell 2 YES @ 3.55c"


def test_failed_reads_prove_nothing_and_three_good_ones_are_needed() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            client = await lost(bench)
            bench.venue.faults.broken_reads = True
            await asyncio.sleep(EXPIRY_S + 20)
            assert bench.order(client).life is Life.UNKNOWN
            assert bench.seat.unknowns.searches[client].reads == 0
            bench.venue.faults.broken_reads = False
            seen = 0
            while bench.order(client).life is Life.UNKNOWN:
                search = bench.seat.unknowns.searches.get(client)
                seen = max(seen, search.reads if search is not None else 0)
                await asyncio.sleep(0.01)
            assert bench.order(client).life is Life.NEVER_ARRIVED
            assert "not found in 3 complete reads" in bench.order(client).reason
            assert seen >= 2

    run_virtual(main)


def test_lists_that_lag_by_the_venues_own_word_prove_nothing_yet() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            client = await lost(bench)
            bench.venue.faults.lists_lag_ms = 45_000
            ends_ms = bench.order(client).dead_by_ms
            assert ends_ms is not None
            await bench.until(lambda: bench.clock.wall_ms() > ends_ms + 5_000 + 44_000, "lagging", 200)
            assert bench.order(client).life is Life.UNKNOWN
            assert bench.seat.unknowns.searches[client].reads > 3
            await bench.until(lambda: bench.order(client).life is Life.NEVER_ARRIVED, "proof", 12)

    run_virtual(main)


def test_a_position_nobody_can_explain_keeps_the_order_until_a_person_looks() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            client = await lost(bench)
            order = bench.order(client)
            bench.venue.net[HOT] = order.intent.quantity  # it may have arrived and filled after all
            await asyncio.sleep(EXPIRY_S + 20)
            assert bench.order(client).life is Life.UNKNOWN
            assert bench.engine.desk.exposure.now(HOT).market >= order.intent.reserved
            await asyncio.sleep(70)
            halt = bench.engine.desk.halting.level("KXHIGHNY-26NOV23", HOT)
            assert halt is not None and halt.level is Level.HALTED
            assert f"order {client[-4:]} cannot be resolved" in halt.cause
            assert bench.engine.desk.halting.level("KXHIGHNY-26NOV23", WARM) is None
            refused = bench.engine.resume("resume", "no", TRADER)
            assert not refused.accepted
            del bench.venue.net[HOT]
            await bench.until(lambda: bench.order(client).life is Life.NEVER_ARRIVED, "proof", 30)

    run_virtual(main)


def test_an_exit_without_an_expiry_waits_a_whole_minute() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.venue.quote(HOT, 60, 62)
            card = await bench.card(closes=True)
            bench.venue.faults.lose_requests = 1
            assert bench.approve(card).accepted
            (client,) = bench.engine.desk.ledger.of_proposal[card.id]
            await bench.until(lambda: bench.order(client).life is Life.UNKNOWN, "unknown")
            assert bench.order(client).intent.expires_ms is None
            sent_ms = bench.order(client).sent_ms
            assert sent_ms is not None
            await asyncio.sleep((sent_ms + 59_000 - bench.clock.wall_ms()) / 1000)
            assert bench.order(client).life is Life.UNKNOWN
            assert bench.engine.desk.ledger.closable(HOT) < bench.engine.desk.ledger.net(HOT)
            await bench.until(lambda: bench.order(client).life is Life.NEVER_ARRIVED, "proof", 20)

    run_virtual(main)


def test_a_fill_found_while_looking_proves_arrival() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            bench.venue.faults.lose_answers, bench.venue.faults.silent_fills = 1, True
            bench.venue.faults.list_lag_s = 1_000  # the list never shows it
            assert bench.approve(card).accepted
            (client,) = bench.engine.desk.ledger.of_proposal[card.id]
            await bench.until(lambda: bool(bench.venue.placed), "arrival")
            bench.venue.trade(bench.venue.only().order_id, 2)
            await bench.until(lambda: bench.order(client).filled > 0, "found by its fill", 60)
            assert bench.order(client).order_id == bench.venue.only().order_id

    run_virtual(main)


def test_a_stuck_order_is_resolved_by_hand_and_only_when_nothing_contradicts_it() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            client = await lost(bench)
            engine, order = bench.engine, bench.order(client)

            def resolve(found: str = "", word: str = "resolve", reason: str = "asked them") -> Outcome:
                return engine.resolve(client[-6:], found, word, reason, TRADER)

            bench.venue.net[HOT] = order.intent.quantity
            assert "may still arrive" in resolve().text
            await asyncio.sleep(EXPIRY_S + 80)
            assert bench.order(client).life is Life.UNKNOWN
            for refused in (
                resolve(word="yes"),
                resolve(reason=" "),
                engine.resolve("nope", "", "resolve", "x", TRADER),
                engine.resolve(client, "", "resolve", "x", VIEWER),
            ):
                assert not refused.accepted
            assert resolve().accepted
            assert bench.order(client).life is Life.NEVER_ARRIVED
            assert "written off by" in bench.order(client).reason and "WRITTEN_OFF" in bench.kinds()
            assert engine.desk.exposure.now(HOT).market == 0
            # What it left is a position no fill explains, for an operator to accept.
            await bench.until(lambda: bool(only(engine.desk).reconciler.differences), "mismatch", 10)

    run_virtual(main)


def test_an_order_nothing_can_be_read_of_is_stuck_and_not_even_a_person_may_write_it_off() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            client = await lost(bench)
            bench.venue.faults.broken_reads = True
            await asyncio.sleep(EXPIRY_S + 80)
            assert bench.seat.unknowns.searches[client].stuck
            halt = bench.engine.desk.halting.level("KXHIGHNY-26NOV23", HOT)
            assert halt is not None and halt.level is Level.HALTED
            refused = bench.engine.resolve(client, "", "resolve", "I am sure", TRADER)
            assert not refused.accepted and "cannot be read is not absent" in refused.text

    run_virtual(main)


def test_a_look_up_that_hangs_does_not_keep_a_stuck_order_from_being_told() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            client = await lost(bench)
            bench.venue.faults.hanging_reads = True
            await asyncio.sleep(EXPIRY_S + 70)
            halt = bench.engine.state.halts.at(HaltScope(ScopeKind.MARKET, HOT))
            assert bench.seat.unknowns.searches[client].stuck
            assert halt is not None and halt.level is Level.HALTED and "cannot be resolved" in halt.cause

    run_virtual(main)


def test_an_unknown_order_is_bound_by_hand_to_the_venues_if_it_can_be_the_same() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            card = await bench.card()
            bench.venue.faults.lose_answers, bench.venue.faults.list_lag_s = 1, 1_000
            assert bench.approve(card).accepted
            (client,) = bench.engine.desk.ledger.of_proposal[card.id]
            await bench.until(lambda: bench.order(client).life is Life.UNKNOWN, "unknown")
            mine = bench.venue.only()
            honest = bench.venue._report(mine)
            wrong = {
                "V-size": msgspec.structs.replace(honest, order_id="V-size", quantity=contracts(1)),
                "V-other": msgspec.structs.replace(honest, order_id="V-other", client_order_id="pm-x"),
            }
            truth = bench.venue.order

            async def order(order_id: str) -> object:
                return wrong.get(order_id) or await truth(order_id)

            bench.venue.order = order  # type: ignore[method-assign, assignment]
            for named in (*wrong, "V-none"):
                assert bench.engine.resolve(client, named, "resolve", "saw it", TRADER).accepted
                await asyncio.sleep(0.2)
                assert bench.order(client).life is Life.UNKNOWN
                alarms = [a.what for a in bench.engine.state.alarms.values()]
                assert any(named in what for what in alarms)
            assert bench.engine.resolve(client, mine.order_id, "resolve", "saw it", TRADER).accepted
            await bench.until(lambda: bench.order(client).life is Life.WORKING, "bound", 2)
            assert bench.order(client).order_id == mine.order_id

    run_virtual(main)


def test_a_clock_set_forward_shortens_no_wait() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            client = await lost(bench)
            wall = bench.clock.wall_ms
            bench.clock.wall_ms = lambda: wall() + 3_600_000  # type: ignore[method-assign]
            await asyncio.sleep(EXPIRY_S - 10)
            assert bench.order(client).life is Life.UNKNOWN
            await bench.until(lambda: bench.order(client).life is Life.NEVER_ARRIVED, "proof", 40)

    run_virtual(main)


def test_a_look_up_that_began_too_early_proves_nothing() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            client = await lost(bench)
            search = bench.seat.unknowns.searches[client]
            truth, began = bench.venue.orders, list[int]()

            async def slow(**asked: object) -> object:
                if asked.get("ticker"):
                    began.append(bench.clock.mono_ns())
                    await asyncio.sleep(25)
                return await truth(**asked)  # type: ignore[arg-type]

            bench.venue.orders = slow  # type: ignore[method-assign, assignment]
            await bench.until(lambda: bench.order(client).life is Life.NEVER_ARRIVED, "proof", 400)
            assert began[-1] >= search.provable_ns > began[-2], "the read across that moment did not count"

    run_virtual(main)


def test_many_unanswered_orders_leave_the_accounts_own_reading_its_share_of_the_rate() -> None:
    """Each asked for twice a second, by its search and by its cancel, they kept everything else waiting."""

    async def main(loop: VirtualLoop) -> None:
        async with running(loop, ceilings=MANY) as bench:
            venue, ledger, count = bench.venue, bench.engine.desk.ledger, 16
            candidate, asked = (await bench.card()).candidate, Counter[str]()
            order, orders, positions = venue.order, venue.orders, venue.positions

            async def one(order_id: str) -> OrderReport | Incomplete | None:
                asked["order"] += 1
                return await order(order_id)

            async def several(**query: Any) -> tuple[OrderReport, ...] | Incomplete:
                asked["orders"] += bool(query.get("ticker"))
                return await orders(**query)

            async def held() -> tuple[PositionReport, ...] | Incomplete:
                asked["positions"] += 1
                return await positions()

            venue.order, venue.orders, venue.positions = one, several, held  # type: ignore[method-assign]
            venue.seal = lambda intent: Sealed(f"0x{intent.client_order_id}", b"{}")  # type: ignore[method-assign]
            venue._cancel = lambda order_id: NotThere(order_id, "not found")  # type: ignore[method-assign]
            venue.faults.lose_requests = count
            for size in range(1, count + 1):
                wish = Wish(msgspec.structs.replace(candidate, quantity=contracts(size)))
                sent = bench.seat.gateway.send(wish)
                assert not isinstance(sent, Denied), sent
            await bench.until(lambda: len(ledger.unknown()) == count, "unknown", 10)
            bench.seat.gateway.cancel(list(ledger.live), "not wanted")
            await asyncio.sleep(5)
            asked.clear()
            await asyncio.sleep(20)
            assert 0 < asked["orders"] <= 20 / TURN_S and asked["order"] <= 20 / TURN_S, asked
            first = min(search.provable_ns for search in bench.seat.unknowns.searches.values())
            await asyncio.sleep((first - bench.clock.mono_ns()) / 1e9 - 1)
            asked.clear()
            await bench.until(lambda: not ledger.unknown(), "proofs", 20)
            assert {order.life for order in ledger.orders.values()} == {Life.NEVER_ARRIVED}
            assert asked["positions"] < count // 2, "orders that are proved together share a reading"

    run_virtual(main)
