"""Levels by scope: what raises them, what a person must do before they fall, and what passes by itself."""

from __future__ import annotations

import asyncio
import itertools

import msgspec

from core.domain.market import Venue
from core.engine.alarms import RESUME
from core.engine.incidents import market, stop
from core.engine.state import ALL_STRATEGIES, Mode
from core.execution.differences import Row
from core.journal.events import Event, Kind
from core.journal.events import Row as JournalRow
from core.journal.store import MemoryJournal
from core.risk.halts import GLOBAL, HaltScope, Level, ScopeKind
from core.venues.venue import Incomplete
from tests.execution.bench import EVENT, HOT, TRADER, VIEWER, WARM, Bench, only, running
from tests.virtual import VirtualLoop, run_virtual

VENUE = HaltScope(ScopeKind.VENUE, Venue.KALSHI.value)


def level(bench: Bench, ticker: str = HOT) -> Level:
    halt = bench.engine.desk.halting.level(EVENT, ticker)
    return halt.level if halt is not None else Level.NORMAL


def act(bench: Bench) -> list[str]:
    return [a.what for a in bench.engine.state.alarms.values() if a.level.value == "ACT" and a.active]


# --- scopes ----------------------------------------------------------------------------------------


def test_each_scope_is_resumed_by_its_name_and_the_others_stand() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.quiet()
            engine, desk = bench.engine, bench.engine.desk
            event = HaltScope(ScopeKind.EVENT, EVENT)
            stops = ((market(HOT), HOT, 3), (event, EVENT, 2), (GLOBAL, "desk", 1), (VENUE, "KAL", 0))
            for scope, _, _ in stops:
                stop(desk, scope, Level.HALTED, f"test of {scope}")
            await asyncio.sleep(6)
            unknown = engine.resume("resume", "x", TRADER, "KX-NOWHERE")
            assert not unknown.accepted and "what is: " in unknown.text
            for scope, named, left in stops:
                unseen = engine.resume("resume", "looked", TRADER, named)
                assert not unseen.accepted and "Acknowledge alarm" in unseen.text
                for alarm in [a for a in engine.state.alarms.values() if a.what.endswith(f"test of {scope}")]:
                    engine.acknowledge(alarm.id, TRADER)
                assert engine.resume("resume", "looked", TRADER, named).accepted
                assert len(engine.state.halts.standing) == left
                assert len(act(bench)) == left
            assert level(bench) is Level.NORMAL

    run_virtual(main)


def test_a_cause_that_goes_on_growing_rings_once_and_again_after_it_was_seen() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            engine, desk = bench.engine, bench.engine.desk
            for lost in range(30):
                stop(desk, market(HOT), Level.REDUCE_ONLY, f"{lost} at risk")
            stop(desk, market(HOT), Level.HALTED, "an overfill")
            (alarm,) = engine.state.alarms.values()
            assert "29 at risk; an overfill" in alarm.what and alarm.effect == "that market is halted"
            assert engine.acknowledge(alarm.id, TRADER).accepted
            stop(desk, market(HOT), Level.HALTED, "another overfill")
            assert [a.acknowledged for a in engine.state.alarms.values()] == [True, False]
            assert not engine.resume("resume", "looked", TRADER).accepted

    run_virtual(main)


def test_a_market_resumed_leaves_entries_going_and_the_desk_resumed_does_not() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bench.quiet()
            engine, desk = bench.engine, bench.engine.desk
            assert engine.set_mode("auto", "automatic", "", TRADER).accepted
            stop(desk, market(WARM), Level.HALTED, "test")
            assert engine.state.mode is Mode.SEMI, "a halt ends automatic mode"
            await asyncio.sleep(6)
            engine.acknowledge_all(TRADER)
            assert engine.resume("resume", "looked", TRADER, WARM).accepted
            assert ALL_STRATEGIES not in engine.state.paused
            engine.halt("test", TRADER)
            await asyncio.sleep(6)
            assert engine.resume("resume", "looked", TRADER).accepted
            assert ALL_STRATEGIES in engine.state.paused and engine.state.mode is Mode.SEMI

    run_virtual(main)


def test_a_second_stop_of_the_same_hand_names_it_once() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            halting = bench.engine.desk.halting
            for by in ("console 7", "console 7", "cli 8"):
                halting.flatten_begins(by)
            halt = bench.engine.state.halts.at(GLOBAL)
            assert halt is not None and halt.cause == "flatten by console 7; flatten by cli 8"

    run_virtual(main)


def test_only_what_is_in_its_scope_keeps_a_market_halted() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            engine, desk = bench.engine, bench.engine.desk
            card = await bench.card()
            bench.venue.faults.lose_requests = 1
            assert bench.approve(card).accepted
            await bench.until(lambda: bool(desk.ledger.unknown()), "unknown", 10)
            stop(desk, market(HOT), Level.HALTED, "test")
            stop(desk, market(WARM), Level.HALTED, "test")
            engine.acknowledge_all(TRADER)
            await asyncio.sleep(6)
            only(desk).reconciler.request("test")
            await asyncio.sleep(2)
            refused = engine.resume("resume", "x", TRADER, HOT)
            assert not refused.accepted and "UNKNOWN" in refused.text
            assert engine.resume("resume", "x", TRADER, WARM).accepted

    run_virtual(main)


def test_a_second_cause_rings_anew_and_must_be_seen_too() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            engine, desk = bench.engine, bench.engine.desk
            stop(desk, market(WARM), Level.HALTED, "one thing")
            engine.acknowledge_all(TRADER)
            stop(desk, market(WARM), Level.HALTED, "another thing")
            await asyncio.sleep(35)
            refused = engine.resume("resume", "x", TRADER, WARM)
            assert not refused.accepted and "another thing" in refused.text
            stop(desk, market(WARM), Level.HALTED, "one thing")
            assert len(act(bench)) == 1, "what stands already rings no more"

    run_virtual(main)


def test_what_waits_to_be_seen_is_lifted_by_seeing_unless_something_else_joined() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            engine, desk = bench.engine, bench.engine.desk
            stop(desk, VENUE, Level.REDUCE_ONLY, "a foreign fill", until_seen=True)
            assert level(bench) is Level.REDUCE_ONLY
            assert engine.acknowledge_all(VIEWER).accepted is False
            assert "go on" in engine.acknowledge_all(TRADER).text
            assert level(bench) is Level.NORMAL and not act(bench)
            stop(desk, VENUE, Level.REDUCE_ONLY, "a foreign fill", until_seen=True)
            stop(desk, VENUE, Level.REDUCE_ONLY, "a storm")
            engine.acknowledge_all(TRADER)
            assert level(bench) is Level.REDUCE_ONLY, "the storm wants a resume"
            history, venue = list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=history, ready=False, run="r2") as again:
            assert level(again) is Level.REDUCE_ONLY and not act(again), "it was seen before the restart"

    run_virtual(main)


def test_halts_of_an_earlier_run_stand_and_ring_again_until_seen() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            stop(bench.engine.desk, market(WARM), Level.HALTED, "look at this")
            history, venue = list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=history, ready=False, run="r2") as again:
            assert level(again, WARM) is Level.HALTED
            (alarm,) = [a for a in again.engine.state.alarms.values() if "look at this" in a.what]
            assert not alarm.acknowledged and alarm.clears == RESUME

    run_virtual(main)


# --- readings --------------------------------------------------------------------------------------


def test_three_readings_that_fail_take_no_entries_and_a_minute_of_them_halts_the_venue() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            await asyncio.sleep(25)
            reconciler = bench.seat.reconciler
            bench.venue.faults.broken_reads = True
            await bench.until(lambda: reconciler.incomplete_count == 2, "two", 40)
            assert level(bench) is Level.NORMAL
            await bench.until(lambda: reconciler.incomplete_count == 3, "three", 10)
            assert level(bench) is Level.REDUCE_ONLY and not bench.engine.state.halts.standing
            await bench.until(lambda: level(bench) is Level.HALTED, "a minute", 65)
            assert bench.engine.desk.ledger.net(HOT) == 8_000_000
            bench.venue.faults.broken_reads = False
            await asyncio.sleep(10)
            assert level(bench) is Level.HALTED, "it does not fall by itself"

    run_virtual(main)


def test_after_a_short_outage_entries_go_on_by_themselves() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await asyncio.sleep(25)
            bench.venue.faults.broken_reads = True
            await bench.until(lambda: level(bench) is Level.REDUCE_ONLY, "three", 40)
            bench.venue.faults.broken_reads = False
            await bench.until(lambda: level(bench) is Level.NORMAL, "the next good one", 10)

    run_virtual(main)


def test_after_a_reconnect_nothing_is_risked_before_a_clean_reading_that_began_later() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await asyncio.sleep(5)
            truth = bench.venue.positions

            async def slow() -> object:
                found = await truth()
                await asyncio.sleep(2)
                return found

            bench.venue.positions = slow  # type: ignore[method-assign, assignment]
            bench.seat.reconciler.request("test")
            await asyncio.sleep(1)
            bench.venue.reconnect()
            assert level(bench) is Level.REDUCE_ONLY
            await asyncio.sleep(1.5)  # the reading that was under way has ended
            assert level(bench) is Level.REDUCE_ONLY
            await bench.until(lambda: level(bench) is Level.NORMAL, "its own reading", 5)

    run_virtual(main)


def test_the_account_is_read_by_its_periods() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            asked: list[tuple[str, float, object]] = []
            venue = bench.venue
            fills, orders = venue.fills, venue.orders

            async def noted_fills(*, since_ms: int | None = None) -> object:
                asked.append(("fills", loop.time(), since_ms))
                return await fills(since_ms=since_ms)

            async def noted_orders(**given: object) -> object:
                asked.append(("orders", loop.time(), None))
                return await orders(**given)  # type: ignore[arg-type]

            venue.fills, venue.orders = noted_fills, noted_orders  # type: ignore[method-assign, assignment]
            await bench.sent()
            await asyncio.sleep(5)
            asked.clear()
            began = loop.time()
            await asyncio.sleep(900)
            whole = [at for what, at, _ in asked if what == "fills"]
            listed = [at for what, at, _ in asked if what == "orders"]
            while_live = [at for at in listed if at - began < 60]
            assert len(while_live) >= 6, "open orders every ten seconds"
            assert 28 <= len(whole) <= 40, "everything every half minute"
            audits = [at for what, at, since in asked if what == "fills" and since is None]
            assert len(audits) == 1, "and once from the beginning"
            overlaps = [since for what, _, since in asked if what == "fills" and since is not None]
            assert all(bench.clock.wall_ms() - int(str(since)) >= 600_000 for since in overlaps)

    run_virtual(main)


def test_a_market_that_moved_while_it_was_read_is_compared_again_soon_and_not_for_ever() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            bench.engine.pause("", TRADER)
            await asyncio.sleep(25)
            reads: list[float] = []
            truth, ledger = bench.venue.positions, bench.engine.desk.ledger

            async def racing() -> object:
                reads.append(loop.time())
                found = await truth()
                ledger._moved(HOT)
                return msgspec.convert([], tuple) if isinstance(found, Incomplete) else ()

            bench.venue.positions = racing  # type: ignore[method-assign, assignment]
            bench.seat.reconciler.request("test")
            await asyncio.sleep(40)
            gaps = [b - a for a, b in itertools.pairwise(reads)]
            assert [g < 3 for g in gaps[:2]] == [True, True] and all(g > 2.5 for g in gaps[2:])

    run_virtual(main)


# --- a restart -------------------------------------------------------------------------------------


def armed(rows: list[JournalRow], limits: str) -> list[JournalRow]:
    """The journal with a desk that was armed under other limits."""
    log = MemoryJournal(_Clock())
    for row in rows:
        log.append(Event(Kind(row.kind), row.data(), row.order_id, row.ticker, row.cause_seq, row.actor))
    log.append(Event(Kind.ARM, {"text": "armed", "armed": True, "limits": limits}))
    return list(log.rows)


class _Clock:
    def wall_ms(self) -> int:
        return 1

    def mono_ns(self) -> int:
        return 1


def test_r18_limits_that_are_not_those_that_were_armed_lock_the_desk_once() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            history = armed(list(bench.journal.rows), "0" * 64)
            same = armed(list(bench.journal.rows), bench.engine.ports.ceilings.digest())
            venue = bench.venue
        async with running(loop, venue=venue, history=same, ready=False, run="r2") as again:
            assert again.engine.state.halts.desk is Level.NORMAL
        async with running(loop) as bench:
            stop(bench.engine.desk, VENUE, Level.REDUCE_ONLY, "a stranger", until_seen=True)
            bench.engine.acknowledge_all(TRADER)
            seen = [row for row in bench.journal.rows if row.kind == "RESUME"]
            assert len(seen) == 1
        async with running(loop, venue=venue, history=[*history, *seen], ready=False, run="r2") as again:
            assert again.engine.state.halts.desk is Level.LOCKED, "what was seen of a venue decides no limits"
        async with running(loop, venue=venue, history=history, run="r3") as again:
            assert again.engine.state.halts.desk is Level.LOCKED
            told = [
                str(r.data()["text"]) for r in again.journal.rows if r.data().get("row") == Row.LIMITS.value
            ]
            assert told and "000000000000" in told[0]
            again.engine.acknowledge_all(TRADER)
            await asyncio.sleep(6)
            assert again.engine.resume("resume", "new limits are meant", TRADER).accepted
            history = [*history, *again.journal.rows]
        async with running(loop, venue=venue, history=history, ready=False, run="r4") as later:
            assert later.engine.state.halts.desk is Level.NORMAL, "somebody has decided"

    run_virtual(main)


def test_a_journal_that_contradicts_itself_locks_the_desk() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.sent()
            rows, venue = list(bench.journal.rows), bench.venue
        without = [row for row in rows if row.kind != "ORDER_INTENT"]
        async with running(loop, venue=venue, history=without, ready=False, run="r2") as again:
            assert again.engine.state.halts.desk is Level.LOCKED
            assert any("has no intent" in what for what in act(again))

    run_virtual(main)


def test_what_the_streams_tell_at_the_start_waits_for_the_reading() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            history, venue = list(bench.journal.rows), bench.venue
        venue.faults.broken_reads = True
        async with running(loop, venue=venue, history=history, ready=False, run="r2") as again:
            venue.trade(order.order_id, 6)
            await asyncio.sleep(3)
            assert again.engine.desk.ledger.net(HOT) == 0 and not again.engine.state.ready
            venue.faults.broken_reads = False
            await again.until(lambda: again.engine.state.ready, "ready", 10)
            assert again.engine.desk.ledger.net(HOT) == 6_000_000
            assert again.kinds().count("FILL") == 1, "list and stream tell one fill"

    run_virtual(main)


def test_seeing_what_stopped_entries_leaves_no_desk_whose_groups_nobody_can_reset() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            desk = bench.engine.desk
            stop(desk, VENUE, Level.REDUCE_ONLY, "a stranger's fill", until_seen=True)
            bench.engine.halt("look at it", TRADER)
            await bench.until(lambda: only(desk).groups.triggered, "triggered groups")
            await asyncio.sleep(6)
            assert bench.engine.resume("resume", "the halt is over", TRADER, "desk").accepted
            bench.engine.acknowledge_all(TRADER)
            await asyncio.sleep(6)
            told = bench.engine.resume("resume", "the stranger is known", TRADER)
            assert told.accepted, told.text
            await bench.until(lambda: not only(desk).groups.triggered, "reset groups")

    run_virtual(main)
