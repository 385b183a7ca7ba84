"""The account line by line: both sides, also where they agree, and never a figure nobody said."""

from __future__ import annotations

from core.execution.lines import AccountLine, Agreement
from tests.execution.bench import HOT, WARM, Bench, running
from tests.execution.fake_venue import strange
from tests.execution.test_unknowns import lost
from tests.virtual import VirtualLoop, run_virtual


def lines(bench: Bench) -> dict[tuple[str, str], AccountLine]:
    """By what they are about and the market; one order a market here."""
    found = bench.seat.reconciler.lines()
    return {(line.key.about.value, line.key.ticker): line for line in found}


async def read(bench: Bench) -> None:
    before = bench.seat.reconciler.readings
    bench.seat.reconciler.request("test")
    await bench.until(lambda: bench.seat.reconciler.readings > before, "reading", 10)


def test_cash_positions_and_orders_agree_line_by_line() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            sent = await bench.sent()
            bench.venue.trade(sent.order_id, 6)
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) == 6_000_000, "fill", 1)
            await read(bench)
            found = lines(bench)
            position, order, cash = found["position", HOT], found["order", HOT], found["cash", ""]
            assert (position.ours, position.theirs) == ("6.00", "6.00")
            assert order.ours.startswith("WORKING ") and order.theirs.startswith("resting ")
            assert order.ours.split()[1] == order.theirs.split()[1]
            assert cash.ours == cash.theirs != "0.00"
            assert {line.agreement for line in found.values()} == {Agreement.AGREES}

    run_virtual(main)


def test_cash_the_venue_holds_back_for_what_rests_is_no_agreement_but_explained() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await bench.sent()
            bench.venue.cash_now -= 1_000_000
            await read(bench)
            cash = lines(bench)["cash", ""]
            assert cash.ours != cash.theirs and cash.agreement is Agreement.EXPLAINED

    run_virtual(main)


def test_what_traded_since_the_list_was_read_has_moved_and_a_mismatch_differs() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            order = await bench.sent()
            await read(bench)
            bench.venue.trade(order.order_id, 6)
            await bench.until(lambda: bench.engine.desk.ledger.net(HOT) == 6_000_000, "fill", 1)
            found = lines(bench)
            assert found["position", HOT].agreement is Agreement.MOVED
            assert (found["position", HOT].ours, found["position", HOT].theirs) == ("6.00", "0.00")
            assert found["order", HOT].agreement is Agreement.MOVED
            spent = found["cash", ""]
            assert spent.ours != spent.theirs and spent.agreement is Agreement.MOVED
            bench.venue.net[WARM] = 3_000_000
            await bench.until(lambda: WARM in bench.engine.desk.seats.venue_net, "shown", 40)
            differs = lines(bench)["position", WARM]
            assert (differs.ours, differs.theirs, differs.agreement) == ("0.00", "3.00", Agreement.DIFFERS)

    run_virtual(main)


def test_an_order_placed_elsewhere_is_called_so() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            ours = await bench.sent()
            theirs = strange(bench.venue.placed[ours.order_id])
            theirs.order_id, theirs.open, theirs.filled = "X1", 5_000_000, 0
            bench.venue.placed["X1"] = theirs
            await read(bench)
            (outside,) = [line for line in bench.seat.reconciler.lines() if line.key.subject == "X1"]
            assert (outside.agreement, outside.ours) == (Agreement.EXTERNAL, "not ours")
            assert outside.theirs == "resting 5.00"

    run_virtual(main)


def test_an_order_nobody_answered_for_is_unknown_and_not_agreed_on() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            await lost(bench)
            found = lines(bench)["order", HOT]
            assert found.agreement is Agreement.UNKNOWN and found.ours.startswith("UNKNOWN ")
            assert found.theirs == "not listed"

    run_virtual(main)
