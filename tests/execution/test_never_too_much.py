"""Whatever the order of events, faults and presses: no close beyond what is held, no crossing of zero."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from core.config.settings import EngineSettings, Settings
from core.domain.order import BookSide
from core.domain.units import Price
from core.execution.invariants import violations
from tests.execution.bench import HOT, TRADER, Bench, running
from tests.virtual import VirtualLoop, run_virtual

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["approve", "trade", "cheap", "dear", "forecast", "lose_answer", "lose_cancel", "refuse_cancel",
             "fill_on_cancel", "slow_fills", "quick_fills", "cancel", "silent", "loud", "wait", "flatten",
             "resume", "trip", "hurry", "rest_exit", "lose_renewal", "shut", "open", "sweep"]
        ),
        st.integers(1, 9),
    ),
    min_size=5,
    max_size=30,
)  # fmt: skip


async def step(bench: Bench, kind: str, amount: int) -> None:
    engine, venue = bench.engine, bench.venue
    match kind:
        case "approve":
            for card in engine.desk.approvals.queue():
                bench.approve(card)
        case "trade":
            for order in list(venue.placed.values()):
                if order.open:
                    venue.trade(order.order_id, amount)
        case "cheap":
            venue.quote(HOT, 38, 42, size=40)
        case "dear":
            venue.quote(HOT, 58, 61, size=4 * amount)
        case "forecast":
            bench.feed.forecast(46.0 + amount / 3)
        case "lose_answer":
            venue.faults.lose_answers = 1
        case "lose_cancel":
            venue.faults.lose_cancel_answers = 1
        case "refuse_cancel":
            venue.faults.refuse_cancels = amount
        case "fill_on_cancel":
            venue.faults.fill_on_cancel = amount
        case "slow_fills":
            venue.faults.fill_delay_s = amount
        case "quick_fills":
            venue.faults.fill_delay_s = 0.01
        case "cancel":
            engine.cancel_market(HOT, TRADER)
        case "silent":
            venue.faults.silent_fills = True
        case "loud":
            venue.faults.silent_fills = False
        case "wait":
            await asyncio.sleep(amount * 3)
        case "flatten":
            engine.flatten(TRADER, now=amount > 4)
        case "trip":
            venue.trip(f"G{1 + amount % 2}")
        case "hurry":
            engine.hurry_exits(TRADER)
        case "rest_exit":
            engine.rest_exit(HOT, Price(2_000 + 500 * amount), TRADER)
        case "lose_renewal":
            venue.faults.lose_renewals = 1
        case "shut":
            venue.trading = False
        case "open":
            venue.trading = True
        case "sweep":
            engine.flatten(TRADER, now=True, include_external=True)
        case "resume":
            engine.resume("resume", "test", TRADER)
            engine.unpause("", "unpause", TRADER)
    await asyncio.sleep(0.3)


def assert_sound(bench: Bench) -> None:
    """The desk's invariants, and the venue's own record."""
    ledger = bench.engine.desk.ledger
    for order in ledger.orders.values():
        assert not violations(ledger, order)
    assert not bench.venue.crossed_zero
    held = ledger.net(HOT)
    assert ledger.closing(HOT, BookSide.ASK) <= max(0, held)
    assert ledger.closing(HOT, BookSide.BID) <= max(0, -held)
    intents = {o.intent.client_order_id for o in bench.venue.placed.values()}
    assert len(intents) == len(bench.venue.placed) and intents <= set(ledger.orders)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(STEPS)
def test_no_close_exceeds_what_is_held_and_no_order_crosses_zero(steps: list[tuple[str, int]]) -> None:
    async def main(loop: VirtualLoop) -> None:
        configured = Settings(engine=EngineSettings(confirm_above=100, exits_without_approval=True))
        async with running(loop, settings=configured) as bench:
            for kind, amount in steps:
                await step(bench, kind, amount)
                assert_sound(bench)
            faults = bench.venue.faults
            bench.venue.trading, faults.lose_renewals = True, 0
            faults.silent_fills, faults.fill_delay_s, faults.lose_answers = False, 0.01, 0
            faults.refuse_cancels = faults.fill_on_cancel = faults.lose_cancel_answers = 0
            ledger = bench.engine.desk.ledger
            await bench.until(lambda: not ledger.unknown() and not ledger.parked, "certainty", 160)
            await asyncio.sleep(32)  # one more reconciliation
            assert_sound(bench)
            assert {t: p.net for t, p in ledger.positions.items() if p.net} == {
                t: n for t, n in bench.venue.net.items() if n
            }
            assert sum(o.filled for o in ledger.orders.values()) == sum(
                f.quantity for f in bench.venue.executed
            )

    run_virtual(main)
