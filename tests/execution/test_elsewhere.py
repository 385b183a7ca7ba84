"""What the account has in markets that are not on the desk counts in every worst case, and is shown."""

from __future__ import annotations

import asyncio

from core.control.frames import Reader
from core.control.snapshot import Snapshot
from core.domain.market import Venue
from core.domain.order import BookSide, Fill
from core.domain.units import Money, Price, contracts
from core.risk.halts import GLOBAL, Level
from core.venues.venue import OrderReport, ReportStatus
from tests.execution.bench import HOT, TRADER, Bench, running
from tests.virtual import VirtualLoop, run_virtual

FED = "KXFEDDECISION-27JAN-H0"
CPI = "KXCPI-27JAN-T3"
DOLLAR = 1_000_000


def bought(bench: Bench, ticker: str, count: int, trade: str) -> None:
    """Somebody bought this many at 40 cents on the same account, outside this desk."""
    at_ms, paid = bench.clock.wall_ms(), Price(4_000)
    fill = Fill(
        trade, Venue.KALSHI, ticker, "X", BookSide.BID, paid, contracts(count), Money(0), False, at_ms
    )
    bench.engine.desk.ledger.offer_fill(fill, "", "reconcile", bench.clock.mono_ns())
    bench.engine.desk.ledger.claim_external(trade)


def resting(ticker: str, open_contracts: int) -> OrderReport:
    status = ReportStatus.RESTING if open_contracts else ReportStatus.CANCELED
    left, all_of_it = contracts(open_contracts), contracts(10)
    return OrderReport("X9", "", ticker, BookSide.ASK, Price(3_000), all_of_it, contracts(0), left, status)


def test_a_position_elsewhere_counts_until_it_is_gone() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            exposure, before = bench.engine.desk.exposure, bench.engine.desk.exposure.total
            bought(bench, FED, 20, "T1")
            assert exposure.total == exposure.venue(Venue.KALSHI) == before + 8 * DOLLAR
            assert exposure.now(HOT).total == before + 8 * DOLLAR, "entries on the desk are judged with it"
            assert exposure.now(FED).event == exposure.now(FED).correlated == 8 * DOLLAR
            bench.engine.desk.ledger.adjust(
                FED, contracts(0), Price(4_000), "sold there", "test", venue=Venue.KALSHI
            )
            assert exposure.total == before

    run_virtual(main)


def test_an_order_elsewhere_counts_at_its_worst_until_it_is_over() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            desk = bench.engine.desk
            before = desk.exposure.total
            desk.ledger.offer_report(resting(FED, 10), "reconcile", Venue.KALSHI)
            assert desk.exposure.total == before + 7 * DOLLAR
            desk.ledger.offer_report(resting(FED, 0), "reconcile", Venue.KALSHI)
            assert desk.exposure.total == before

    run_virtual(main)


def test_a_position_elsewhere_beyond_a_limit_ends_entries() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bought(bench, FED, 1, "T1")
            assert bench.engine.set_limit("total_loss_max", "20", "", "", TRADER).accepted
            await asyncio.sleep(2)
            bought(bench, FED, 60, "T2")

            def stopped() -> bool:
                halt = bench.engine.state.halts.at(GLOBAL)
                return halt is not None and halt.level is Level.REDUCE_ONLY and "at risk" in halt.cause

            await bench.until(stopped, "stopped", 5)

    run_virtual(main)


def test_it_still_counts_after_a_restart() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bought(bench, FED, 20, "T1")
            bench.venue.net[FED] = contracts(20)
            total, rows, venue = bench.engine.desk.exposure.total, list(bench.journal.rows), bench.venue
        async with running(loop, venue=venue, history=rows, ready=False, run="r2") as again:
            assert again.engine.desk.exposure.total == total

    run_virtual(main)


def test_each_has_a_row_of_its_own_under_the_venues_name() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            bought(bench, FED, 20, "T1")
            bought(bench, CPI, 10, "T2")
            snapshot = Snapshot(bench.engine.desk)
            shown = {row.ticker: (row.net, row.max_loss) for row in map(snapshot.position, (FED, CPI))}
            assert shown == {FED: (contracts(20), 8 * DOLLAR), CPI: (contracts(10), 4 * DOLLAR)}
            assert len({snapshot.position_key(ticker) for ticker in (FED, CPI, HOT)}) == 3
            used = {row.scope: row.used for row in snapshot.limits() if row.name == "market_loss_max"}
            assert used[FED] == 8 * DOLLAR and used[CPI] == 4 * DOLLAR
            rows = [row for frame in Reader(snapshot).full() for row in frame.positions]
            assert [row.ticker for row in rows] == [FED, CPI]

    run_virtual(main)
