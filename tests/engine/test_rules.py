"""G03, G30: a market whose rules read differently takes no entries until a person has accepted the text."""

from __future__ import annotations

import asyncio

import msgspec

from core.engine.state import AlarmLevel
from core.risk.halts import HaltScope, Level, ScopeKind
from tests.execution.bench import EVENT, HOT, TRADER, Bench, running
from tests.execution.fake_venue import FakeVenue
from tests.virtual import VirtualLoop, run_virtual

SCOPE = HaltScope(ScopeKind.EVENT, EVENT)


def reword(venue: FakeVenue, rules: str, text: str | None = None) -> None:
    """The exchange edits the rules of one market."""
    venue.listed = tuple(
        msgspec.structs.replace(m, rules_hash=rules, rules=m.rules if text is None else text)
        if m.ticker == HOT
        else m
        for m in venue.listed
    )


def stopped(bench: Bench) -> bool:
    halt = bench.engine.state.halts.at(SCOPE)
    rung = any(
        a.level is AlarmLevel.ACT and a.active and f"the rules of {HOT} read differently" in a.what
        for a in bench.engine.state.alarms.values()
    )
    return rung and halt is not None and halt.level is Level.REDUCE_ONLY


async def accepted(bench: Bench) -> None:
    assert bench.engine.acknowledge_all(TRADER).accepted
    assert bench.engine.state.halts.at(SCOPE) is not None, "to have seen it is not to accept it"
    bench.seat.reconciler.request("test")
    await asyncio.sleep(5)
    assert bench.engine.resume("resume", "read them", TRADER, EVENT).accepted


def test_rules_that_change_end_entries_until_a_person_resumes_the_event() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            entry = await bench.sent()
            reword(bench.venue, "r2")
            bench.venue.listener.on_market(next(m for m in bench.venue.listed if m.ticker == HOT))
            assert stopped(bench)
            await bench.until(lambda: not bench.order(entry.intent.client_order_id).live, "cancelled", 5)
            assert bench.engine.desk.pinned_rules[HOT] == "r1"
            await accepted(bench)
            assert bench.engine.desk.pinned_rules[HOT] == "r2"
            assert bench.engine.unpause("", "unpause", TRADER).accepted
            await bench.sent()

    run_virtual(main)


def test_rules_that_changed_while_no_engine_ran_are_noticed() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            rows, venue = list(bench.journal.rows), bench.venue
        reword(venue, "r2")
        async with running(loop, venue=venue, history=rows, run="r2") as again:
            assert stopped(again) and again.engine.desk.pinned_rules[HOT] == "r1"
            await accepted(again)
            rows += again.journal.rows
        async with running(loop, venue=venue, history=rows, run="r3") as third:
            assert third.engine.state.halts.at(SCOPE) is None, "what was accepted stays accepted"
            assert third.engine.desk.pinned_rules[HOT] == "r2"

    run_virtual(main)


def test_a_text_that_changes_again_is_accepted_again() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            for rules in ("r2", "r3"):
                reword(bench.venue, rules)
                bench.venue.listener.on_market(next(m for m in bench.venue.listed if m.ticker == HOT))
                bench.engine.acknowledge_all(TRADER)
            reword(bench.venue, "r4")
            bench.venue.listener.on_market(next(m for m in bench.venue.listed if m.ticker == HOT))
            bench.seat.reconciler.request("test")
            await asyncio.sleep(5)
            refused = bench.engine.resume("resume", "read r3", TRADER, EVENT)
            assert not refused.accepted and "Acknowledge" in refused.text and "(r4)" in refused.text

    run_virtual(main)


def test_the_sentence_that_differs_stands_in_the_cause() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            reword(bench.venue, "r1", "By the report of Central Park. Ties pay YES.")
            bench.venue.listener.on_market(next(m for m in bench.venue.listed if m.ticker == HOT))
            assert bench.engine.state.halts.at(SCOPE) is None
            reword(bench.venue, "r2", "By the report of Newark. Ties pay YES.")
            bench.venue.listener.on_market(next(m for m in bench.venue.listed if m.ticker == HOT))
            halt = bench.engine.state.halts.at(SCOPE)
            assert halt is not None and halt.cause.endswith('(r2): "By the report of Newark."')

    run_virtual(main)
