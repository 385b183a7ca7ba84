"""What a flatten never does: sell beside an order that may still fill, or more than both counts show."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest

from core.domain.market import MarketStatus
from core.domain.order import BookSide, Life
from core.domain.units import Price, Quantity
from core.execution.ladder import Phase
from core.venues.venue import Incomplete, OrderReport, PositionReport, ReportStatus
from tests.execution.bench import HOT, TRADER, WARM, Bench, running
from tests.execution.fake_venue import strange
from tests.virtual import VirtualLoop, run_virtual


async def over(bench: Bench, seconds: float = 200) -> str:
    ladder = bench.engine.desk.stop.ladder
    assert ladder is not None
    await bench.until(lambda: ladder.over, "end of the ladder", seconds)
    return ladder.receipt


def test_nothing_is_sold_beside_an_order_whose_end_is_not_proved() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            assert any(o.open for o in bench.venue.placed.values()), "the rest of the entry still works"
            bench.venue.faults.refuse_cancels, bench.venue.faults.refuse_groups = 100_000, True
            bench.engine.flatten(TRADER, now=True)
            await asyncio.sleep(60)
            assert not bench.venue.exits_seen and bench.venue.net[HOT] == 20_000_000
            # Its own expiry proves the end, and only then the position goes.
            await bench.until(lambda: bool(bench.venue.exits_seen), "exit", 70)
            assert not bench.engine.desk.ledger.live or not any(o.open for o in bench.venue.placed.values())

    run_virtual(main)


@pytest.mark.parametrize("shown", [12, 0, -5])
def test_the_first_sale_is_bounded_by_the_venues_own_count(shown: int) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.venue.net[HOT] = shown * 1_000_000
            bench.engine.flatten(TRADER, now=True)
            if shown > 0:
                await bench.until(lambda: bool(bench.venue.exits_seen), "exit", 30)
                assert bench.venue.exits_seen[0].quantity <= shown * 1_000_000
            else:
                assert "NOT FLAT" in await over(bench)
                assert not bench.venue.exits_seen
            assert not bench.venue.crossed_zero

    run_virtual(main)


def test_our_own_count_alone_keeps_it_from_being_called_flat() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.venue.net.clear()
            bench.engine.flatten(TRADER, now=True)
            receipt = await over(bench)
            ladder = bench.engine.desk.stop.ladder
            assert ladder is not None and ladder.phase is Phase.UNFLATTENED
            assert "20" in receipt

    run_virtual(main)


def test_an_order_that_still_rests_keeps_it_from_being_called_flat() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            bench.venue.faults.refuse_cancels, bench.venue.faults.refuse_groups = 100_000, True
            bench.engine.flatten(TRADER, now=True)
            receipt = await over(bench)
            assert receipt.startswith("NOT FLAT") and "rests" in receipt
            assert bench.order(order.intent.client_order_id).life is Life.WORKING
            bench.venue.faults.refuse_cancels = 0
            await asyncio.sleep(5)
            assert not bench.venue.only().open, "the cancels went on"

    run_virtual(main)


async def unread(ticker: str) -> Incomplete:
    return Incomplete(f"book of {ticker}", "HTTP 503")


@pytest.mark.parametrize("how", ["stream", "read"])
def test_nothing_is_sold_by_a_book_that_lost_its_place(how: str) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            honest, bench.venue.book_now = bench.venue.book_now, unread  # type: ignore[method-assign]
            bench.venue.last_price = unread  # type: ignore[method-assign]
            bench.engine.flatten(TRADER, now=True)
            bench.venue.books[HOT].intact = False
            await asyncio.sleep(8)
            assert not bench.venue.exits_seen
            if how == "stream":
                bench.venue.quote(HOT, 38, 42)
            else:
                bench.venue.book_now = honest  # type: ignore[method-assign]
            assert (await over(bench)).startswith("FLAT") and bench.venue.net[HOT] == 0

    run_virtual(main)


def test_without_any_book_a_quarter_goes_far_under_the_last_trade() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            last = bench.venue.executed[-1].price
            bench.venue.book_now = unread  # type: ignore[method-assign]
            bench.engine.flatten(TRADER, now=True)
            bench.venue.books[HOT].intact = False
            await bench.until(lambda: bool(bench.venue.exits_seen), "exit", 10)
            assert sum(call == f"book {HOT}" for _, call in bench.venue.calls) == 0, "no reading succeeded"
            first = bench.venue.exits_seen[0]
            assert (first.price, first.quantity) == (last - 1_000, 5_000_000)
            assert (await over(bench)).startswith("FLAT") and bench.venue.net[HOT] == 0

    run_virtual(main)


def test_a_market_outside_the_chosen_series_is_sold_too() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            far = msgspec.structs.replace(
                bench.venue.listed[3],
                ticker="KXOTHER-26-B1",
                event_ticker="KXOTHER-26",
                series_ticker="KXOTHER",
                station=None,
            )
            bench.venue.listed = (*bench.venue.listed, far)
            await bench.seat.venue.subscribe([far.ticker])
            bench.venue.quote(far.ticker, 38, 42)
            bench.venue.net[far.ticker] = 5_000_000
            bench.engine.reconcile(TRADER)
            await asyncio.sleep(40)
            assert bench.engine.accept(far.ticker, "accept", "bought by hand", TRADER).accepted
            assert far.ticker not in bench.engine.state.markets
            bench.engine.flatten(TRADER, now=True)
            assert (await over(bench)).startswith("FLAT") and not bench.venue.net[far.ticker]
            await asyncio.sleep(900)  # lists are read again, and never hold it
            assert bench.engine.state.markets[far.ticker].market.status is MarketStatus.ACTIVE

    run_virtual(main)


def test_what_any_of_the_last_readings_shows_is_not_flat() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            honest, desk = bench.venue.positions, bench.engine.desk
            shown = 0

            async def appearing() -> tuple[PositionReport, ...]:
                nonlocal shown
                ladder = desk.stop.ladder
                if ladder is not None and ladder.phase is Phase.VERIFYING:
                    shown += 1
                    if shown > 1:
                        return (PositionReport(WARM, Quantity(3_000_000)),)
                found = await honest()
                assert isinstance(found, tuple)
                return found

            bench.venue.positions = appearing  # type: ignore[method-assign]
            bench.engine.flatten(TRADER, now=True)
            receipt = await over(bench)
            assert receipt.startswith(f"NOT FLAT, {WARM} left, cost ")
            assert f". {WARM}: 3 contracts held" in receipt

    run_virtual(main)


def sold_by_hand(bench: Bench, contracts: int) -> None:
    """Somebody's own sell order rests in the market, under no id of ours, and the stream tells of it."""
    theirs = strange(next(iter(bench.venue.placed.values())))
    theirs.intent = msgspec.structs.replace(theirs.intent, side=BookSide.ASK, price=Price(9_000))
    theirs.order_id, theirs.filled, theirs.open = "X1", 0, contracts * 1_000_000
    bench.venue.placed["X1"] = theirs
    report = OrderReport(
        "X1", theirs.intent.client_order_id, HOT, BookSide.ASK, Price(9_000),
        Quantity(theirs.open), Quantity(0), Quantity(theirs.open), ReportStatus.RESTING,
    )  # fmt: skip
    bench.venue.listener.on_order(report)


def denials(bench: Bench) -> list[tuple[str, str, str]]:
    rows = [row for row in bench.journal.rows if row.kind == "DENIED"]
    return [(row.actor, str(row.data()["text"]), str(row.data()["gate"])) for row in rows]


def test_a_denied_exit_of_a_flatten_is_a_row_with_its_reason() -> None:
    """A hand begins to sell the same contracts while the price of the exit is being read."""

    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            honest = bench.venue.last_price

            async def last_price(ticker: str) -> Price | Incomplete | None:
                sold_by_hand(bench, 20)
                return await honest(ticker)

            bench.venue.book_now, bench.venue.last_price = unread, last_price  # type: ignore[method-assign]
            bench.engine.flatten(TRADER, now=True)
            bench.venue.books[HOT].intact = False
            assert "an order from outside sells all of it already" in await over(bench)
            assert not bench.venue.exits_seen
            text = f"SELL YES 5 @ 29c {HOT} was not sent: only 0.00 contracts are free to close"
            assert denials(bench) == [("engine", text, "")]

    run_virtual(main)


def test_a_denied_exit_at_a_price_is_a_row_with_who_wanted_it() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.held(20)
            bench.engine.halt("enough", TRADER)
            await bench.until(lambda: not bench.engine.desk.ledger.live, "cancelled")
            assert not bench.engine.rest_exit(HOT, Price(4_500), TRADER).accepted
            ((actor, text, gate),) = denials(bench)
            assert (actor, json.loads(gate)["codes"]) == (TRADER.name, ["G01"])
            assert text.startswith(f"SELL YES 20 @ 45c {HOT} was not sent: G01")

    run_virtual(main)
