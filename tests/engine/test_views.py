"""What a figure is expected to be: entered on the desk, priced by, kept in file and journal."""

from __future__ import annotations

import msgspec

from core.control.protocol import EnterView
from core.control.served import Served
from core.domain.market import Figure, Market, Strike, StrikeKind
from core.engine.operator import VIEWER_REFUSED
from core.engine.viewing import ViewEntered, Viewing
from core.feeds.feed import Stamp
from core.feeds.releases import Calendar, Certainty, Due, View, Views
from core.journal.events import Kind
from tests.execution.bench import CLI, TRADER, VIEWER, Bench, ladder, running
from tests.virtual import START_WALL_MS, VirtualLoop, run_virtual

COMES_MS = START_WALL_MS + 18 * 86_400_000
DAY = "2026-12-10"


def market() -> Market:
    return msgspec.structs.replace(
        ladder()[0], ticker="KXCPI-26NOV-T0.3", event_ticker="KXCPI-26NOV", station=None, climate_day=None,
        extreme=None, exclusive=False, figure=Figure("CPI", DAY), strike=Strike(StrikeKind.GREATER, 0.3),
    )  # fmt: skip


def with_file(bench: Bench, fault: str = "") -> list[View]:
    kept: list[View] = []

    def append(view: View) -> str:
        kept.extend(() if fault else (view,))
        return fault

    desk = bench.engine.desk
    bench.engine.viewing = Viewing(desk.clocks, desk.scribe.log, desk.releases, append)
    return kept


def test_a_view_is_dated_kept_and_priced_by_once_its_file_is_read() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            kept, served = with_file(bench), Served(bench.engine)
            bench.venue.listed = (*ladder(), market())
            await bench.engine.catalogue.refresh(bench.seat)
            bench.engine.desk.pricing.price_all()
            event = bench.engine.state.events["KXCPI-26NOV"]
            assert event.refusal.endswith(f"pmconsole view CPI {DAY} consensus VALUE SOURCE")
            wanted = EnterView("1", "cpi", "next", "consensus", "0.3", "a survey", "0.1")
            assert served.command(wanted, VIEWER).text == VIEWER_REFUSED.text and not kept
            assert "No calendar tells of a CPI" in served.command(wanted, TRADER).text
            odd = msgspec.structs.replace(wanted, id="2", kind="CPIX")
            assert served.command(odd, TRADER).text.startswith("'CPIX' is no figure: use CPI, ")
            due = Due("CPI", COMES_MS, Certainty.STATED, "bls")
            bench.feed.sink(Calendar("bls", ("CPI",), (due,), Stamp(START_WALL_MS, 0, 0), 3_000_000))
            said = served.command(wanted, TRADER)
            assert said.text == f"Entered: consensus of CPI of {DAY} is 0.3 +- 0.1, from a survey."
            (view,) = kept
            (row,) = [row for row in bench.journal.rows if row.kind == Kind.VIEW.value]
            assert msgspec.json.decode(row.payload, type=ViewEntered).view == view
            assert row.actor == TRADER.name
            bench.feed.sink(Views("own-views", tuple(kept), Stamp(START_WALL_MS, 0, 0)))
            fair = bench.engine.state.markets["KXCPI-26NOV-T0.3"].fair
            assert fair is not None and fair.model == "release-mixture"
            assert abs(fair.model_probability - 0.2735) < 1e-3

    run_virtual(main)


def test_what_cannot_be_kept_is_refused_and_no_row_says_otherwise() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            enter = bench.engine.enter_view
            with_file(bench, "/x/release-views.csv cannot be written.")
            assert enter("CPI", DAY, "own", "0.3", "", "me", CLI).text.startswith("/x/release-views.csv")
            kept = with_file(bench)
            assert "'PPI' is no figure" in enter("PPI", DAY, "own", "0.3", "", "me", CLI).text
            assert "It names no source" in enter("CPI", DAY, "own", "0.3", "", "", CLI).text
            assert not kept and all(row.kind != Kind.VIEW.value for row in bench.journal.rows)

    run_virtual(main)
