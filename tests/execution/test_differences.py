"""How a difference lives: when it is acted on, what it waits for, and that each row has a policy."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from core.domain.order import BookSide
from core.domain.units import contracts
from core.execution.differences import POLICY, About, Difference, Differences, Key, Row
from core.risk.halts import Level
from core.venues.venue import Incomplete, PositionReport
from tests.execution.bench import HOT, TRADER, WARM, running
from tests.execution.differing import from_outside, level, seen, stopped
from tests.virtual import VirtualLoop, run_virtual


def test_what_differs_at_the_start_is_acted_on_at_once() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            history, venue = list(bench.journal.rows), bench.venue
        venue.net[HOT] = 9_000_000
        async with running(loop, venue=venue, history=history, ready=False, run="r2") as again:
            await again.until(lambda: again.engine.state.ready, "ready")
            await stopped(again, "we say 8.00, the venue says 9.00", seconds=0.1)

    run_virtual(main)


def test_a_report_of_another_market_or_side_changes_no_order() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            client = order.intent.client_order_id
            mine = bench.venue._report(bench.venue.only())
            for wrong in ({"ticker": WARM}, {"side": BookSide.ASK}):
                bench.venue.listener.on_order(msgspec.structs.replace(mine, filled=contracts(9), **wrong))
                assert bench.order(client) == order
            assert bench.kinds().count("ANOMALY") >= 2

    run_virtual(main)


def test_two_orders_under_one_client_id_halt_and_the_second_counts() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            twin = from_outside(bench, "O2")
            twin.intent = order.intent
            bench.seat.reconciler.request("test")
            await stopped(bench, "carry one client id", seconds=10)
            assert bench.order(order.intent.client_order_id).order_id == order.order_id
            assert "O2" in bench.engine.desk.ledger.externals

    run_virtual(main)


def test_a_difference_that_could_not_be_compared_again_still_stands() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            bench.engine.pause("", TRADER)
            reconciler, ledger = bench.seat.reconciler, bench.engine.desk.ledger
            key = Key(About.POSITION, HOT)
            bench.venue.net[HOT] = 11_000_000
            await reconciler.once()
            assert key in reconciler.differences
            truth = bench.venue.positions

            async def racing() -> tuple[PositionReport, ...] | Incomplete:
                found = await truth()
                ledger._moved(HOT)  # something of this market arrives while the list is on its way
                return found

            bench.venue.positions = racing  # type: ignore[method-assign]
            assert not (await reconciler.once()).clean
            assert reconciler.differences[key].reads == 1, "a race counts neither way"
            bench.venue.positions = truth  # type: ignore[method-assign]
            bench.venue.net[HOT] = 8_000_000
            assert (await reconciler.once()).clean

    run_virtual(main)


def test_a_market_that_never_rests_cannot_hide_a_difference_for_more_than_a_minute() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            bench.engine.pause("", TRADER)
            bench.venue.net[HOT] = 11_000_000

            async def busy() -> None:
                while True:
                    bench.engine.desk.ledger._moved(HOT)
                    await asyncio.sleep(1.7)

            moving = loop.create_task(busy())
            await stopped(bench, "the venue says 11.00", seconds=105)
            moving.cancel()

    run_virtual(main)


def test_resuming_waits_for_agreement() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(8)
            bench.engine.pause("", TRADER)
            bench.venue.net[HOT] = 11_000_000
            await stopped(bench, "the venue says 11.00")
            clean = bench.seat.reconciler.clean_ns
            await asyncio.sleep(10)
            assert bench.seat.reconciler.clean_ns == clean, "a reading with a difference is not clean"
            seen(bench)
            refused = bench.engine.resume("resume", "looked", TRADER)
            assert not refused.accepted and "11.00" in refused.text
            missing = msgspec.structs.replace(
                bench.venue.executed[0], trade_id="T-late", quantity=contracts(3), at_ms=bench.clock.wall_ms()
            )
            bench.venue.executed.append(missing)
            bench.venue.placed[missing.order_id].filled += missing.quantity
            bench.venue.cash_now -= missing.price * 3 * 100
            await bench.until(lambda: not bench.seat.reconciler.differences, "agreement", 40)
            assert bench.engine.desk.ledger.net(HOT) == 11_000_000
            await asyncio.sleep(6)
            seen(bench)
            assert bench.engine.resume("resume", "found it", TRADER).accepted
            assert level(bench) is Level.NORMAL

    run_virtual(main)


SECOND = 1_000_000_000
KEY = Key(About.POSITION, HOT)


def life(row: Row, key: Key, at_s: list[float], *, startup: bool = False) -> list[float]:
    """The readings, by their time, at which a difference seen in all of them is acted on."""
    found, acted = Differences(), []
    for at in at_s:
        found.begin(About)
        found.saw(row, key, "8", "11")
        now = int(at * SECOND)
        if found.conclude(now, startup=startup, settled=lambda _: True):
            acted.append(at)
    return acted


@pytest.mark.parametrize(
    ("row", "at_s", "acted"),
    [
        (Row.POSITION, [0, 2.9], []),
        (Row.POSITION, [0, 3, 6], [3]),
        (Row.RESURRECTED, [0, 3], [3]),
        (Row.UNLISTED_FILL, [0, 59, 60, 61], [60]),
        (Row.COUNTED_FILL, [0, 29, 30], [30]),
    ],
)
def test_when_a_difference_is_acted_on(row: Row, at_s: list[float], acted: list[float]) -> None:
    assert life(row, KEY, at_s) == acted


def test_at_the_start_only_what_may_lag_waits() -> None:
    assert life(Row.POSITION, KEY, [0], startup=True) == [0]
    assert life(Row.UNLISTED_FILL, KEY, [0], startup=True) == []


def test_what_a_look_up_has_proved_needs_no_second_reading() -> None:
    found = Differences()
    found.begin(About)
    found.saw(Row.RESURRECTED, KEY, "CANCELLED", "resting", proved=True)
    assert found.conclude(0, startup=False, settled=lambda _: False)


def test_a_worse_row_of_the_same_position_is_acted_on_anew() -> None:
    found, acted = Differences(), list[Difference]()
    for at, row in enumerate((Row.POSITION, Row.POSITION, Row.OTHER_SIDE, Row.OTHER_SIDE)):
        found.begin(About)
        found.saw(row, KEY, "8", "-1")
        acted += found.conclude(at * 4 * SECOND, startup=False, settled=lambda _: True)
    assert [d.row for d in acted] == [Row.POSITION, Row.OTHER_SIDE]


def test_every_row_a_reading_can_leave_standing_has_a_policy() -> None:
    facts = {
        Row.MISSED_FILL, Row.UNKNOWN_FOUND, Row.EXTERNAL_ORDER, Row.FEE, Row.MARKET_STATE,
        Row.TWO_CONTENTS, Row.OVERFILL, Row.LIMITS, Row.FAILED_TRADE, Row.RESIZED,
    }  # fmt: skip
    assert POLICY.keys() | facts == set(Row) and not POLICY.keys() & facts
    assert [row.value for row in Row] == [f"R{n}" for n in range(1, 20)]
