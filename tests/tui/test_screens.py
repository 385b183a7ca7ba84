"""What is on the screen: every size, every state, no line too long, engine gone and back."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from core.config import paths
from core.control.tables.safety import FlattenVenueRow
from core.control.tables.sources import FeedRow
from core.control.tables.status import LinkRow
from tests.tui import rows
from tests.tui.conftest import Desk, running
from tests.tui.fake_engine import FakeEngine, read_clocks
from tui.widgets.line_pane import LinePane

SIZES = [(80, 24), (100, 30), (120, 36)]
"""The smallest terminal and two between those of the frames."""


def checked_lines(desk: Desk) -> list[str]:
    """Every visible pane's lines, each exactly as wide as its pane."""
    found = []
    for pane in desk.app.screen.query(LinePane):
        if pane.region:
            lines = pane.text.splitlines()
            assert {len(text) for text in lines} == {pane.region.width}, pane.id
            assert len(lines) == pane.region.height, pane.id
            found += lines
    return found


@pytest.mark.parametrize("size", SIZES)
async def test_markets_fair_values_orders_and_limits_are_seen_together(
    directory: Path, size: tuple[int, int]
) -> None:
    async with running(directory, size=size) as desk:
        await desk.shows(" ARMED ")
        text = "\n".join(checked_lines(desk))
        for words in (
            "NYC hi Nov23 48-49",
            "38.2",
            "+5.8",
            "BUY YES",
            "max loss 12.95",
            "CHI hi Nov23 41-42",
            "WORKING",
            "35/800",
            "NEAR",
            "unk 0",
            "x144",
            "^X STOP",
        ):
            assert words in text, words
        if size[1] >= 30:
            assert re.search(r"48-49 +38\.2 +32\.5 +38\.2 +2\.9 +\+5\.8", text)


async def test_the_smallest_desk_tells_what_is_held_where_no_order_works(directory: Path) -> None:
    async with running(directory, size=(80, 24)) as desk:
        await desk.shows("ORDERS 2   POSITIONS ")
        now = read_clocks()
        ended = tuple(msgspec.structs.replace(row, ended_ns=now.mono_ns) for row in rows.orders(now))
        desk.engine.send(orders=ended)
        await desk.shows("ORDERS 0   POSITIONS ")
        held = next(text for text in checked_lines(desk) if text.startswith(" held"))
        assert held.startswith(" held  YES 30 CHI hi Nov23 39-40 +0.60  YES 16 NYC hi Nov23 46-47 -0.18  ")


async def test_a_plan_shows_its_legs_its_worst_case_and_what_can_go_wrong(directory: Path) -> None:
    async with running(directory, size=(80, 24), cards=False) as desk:
        desk.engine.send(proposals=(rows.plan_card(read_clocks()),))
        await desk.shows(" ARMED ")
        card = [text.rstrip() for text in desk.text.splitlines()[2:11]]
        assert card[0].startswith("DEMO KAL every YES bought NYC high Nov 23 6 legs, each takes")
        assert card[1] == "20 sets   cost 18.40   fee 1.08   pays 20.00   profit 0.52   a set +2.6c"
        assert card[2] == "if legs fail max loss 15.24   bound by depth share"
        assert card[3] == "legs  YES 48-49 8c  YES 46-47 12c  YES 50-51 14c  YES NYC hi Nov24 50-51 16c"
        assert card[4] == "  YES NYC hi Nov24 52-53 18c  YES PHL hi Nov23 49-50 24c"
        assert card[5].startswith("mkt ")
        assert " ".join(card[6:8]) == (
            "can go wrong: a market that is voided or paid at a fair price breaks the set; "
            "money is bound until settlement and up to 1 h more"
        )
        assert card[8] == " ARMED  a approve  x veto  d defer  v why"
        desk.engine.send(proposals=(rows.plan_card(read_clocks(), edge_half=410),))
        await desk.shows("20 sets   cost 18.40   fee 1.08   pays 20.00   profit 0.52   a set +2.6c..+4.1c")
        await desk.press("v")
        await desk.shows("BUY YES 20 @ 8c  NYC hi Nov23 48-49")
        await desk.shows("a leg that fails leaves the others open: up to 15.24 is lost then")


async def test_a_small_terminal_keeps_the_card_and_the_way_out(directory: Path) -> None:
    async with running(directory, size=(80, 24)) as desk:
        await desk.pilot.resize_terminal(60, 16)
        await desk.shows("80x24 shows the whole desk")
        text = "\n".join(checked_lines(desk))
        assert "BUY YES" in text and "^X STOP" in text and "MARKETS" not in text
        await desk.pilot.resize_terminal(160, 45)
        await desk.shows("FAIR VALUES")


async def test_an_empty_desk_says_what_it_knows_and_what_it_has_not_read(directory: Path) -> None:
    async with running(directory, cards=False) as desk:
        await desk.shows("No proposal. Best: NYC hi Nov23 48-49 +1.1c")
        gone = tuple(row.client_order_id for row in rows.orders(read_clocks()))
        desk.engine.send(gone_orders=gone, gone_positions=(1, 10, 30, 50))
        await desk.shows("No working orders, read ")
        await desk.shows("Flat, read ")
        unread = rows.status(read_clocks(), session=desk.engine.session, read_ns=None)
        desk.engine.send(status=unread)
        await desk.shows("Reading orders from the venue.")
        await desk.shows("Reading positions from the venue.")
        assert "Flat" not in desk.text


async def test_states_that_must_be_impossible_to_miss(directory: Path) -> None:
    async with running(directory, size=(160, 45), cards=False) as desk:
        now = read_clocks()
        session = desk.engine.session
        down = LinkRow("kalshi", "DOWN", now.mono_ns, "", now.mono_ns + 20 * rows.S)
        feed = FeedRow("NWS", "DOWN", rows.WORLD_MS, now.mono_ns, 5400, now.mono_ns + 9 * rows.S, "timeout")
        unknown = rows.order(
            now,
            client_order_id="pm-u",
            state="UNKNOWN",
            bound="may cost 6.60",
            next_check_ns=now.mono_ns + 3 * rows.S,
        )
        desk.engine.send(
            status=rows.status(
                now, session=session, links=(down,), feeds=(feed,), unknown=1, problem="NO JOURNAL"
            ),
            orders=(unknown,),
        )
        for words in (
            "KAL  DOWN 0:",
            "NWS DOWN 0:0",
            "unk 1",
            "NO JOURNAL",
            "UNKNOWN CHI hi Nov23 41-42: may cost 6.60",
        ):
            await desk.shows(words)
        orders = desk.app.screen.query_one("#orders", LinePane).text.splitlines()
        assert "UNKNOWN" in orders[2]
        starting = (("venue", True), ("feeds", False))
        desk.engine.send(status=rows.status(now, session=session, starting=starting))
        await desk.shows("Engine starting:  [x] venue  [ ] feeds")
        desk.engine.send(status=rows.status(now, session="another", controller="pid 9 (uid 0)"))
        await desk.shows("READ-ONLY")
        await desk.shows("pid 9 (uid 0) took control; this one views, :take takes it back")


async def test_what_a_stop_has_left_is_never_cut(directory: Path) -> None:
    """The narrowest stop table is the left column of the smallest two-column desk."""
    async with running(directory, size=(120, 36)) as desk:
        venues = (FlattenVenueRow("kalshi", 120, 118, 2, 100, 88, 1234 * rows.C + rows.C // 4, 3, 3, 12),)
        desk.engine.send(
            flatten=rows.flatten(read_clocks(), phase="EXITING", exits_at_ns=None, venues=venues)
        )
        await desk.shows("groups")
        table = desk.app.screen.query_one("#stop", LinePane).text.splitlines()
        assert table[2].split() == ["│", "groups", "cancels", "unk", "exits", "rest", "left", "│"]
        assert table[3].split() == ["│", "KAL", "3/3", "118/120", "2", "88/100", "12", "1234.25", "│"]


async def test_a_stop_shows_its_table_and_its_residue(directory: Path) -> None:
    async with running(directory, size=(80, 24)) as desk:
        venues = (FlattenVenueRow("kalshi", 2, 2, 0, 4, 3, 8 * rows.C),)
        desk.engine.send(flatten=rows.flatten(read_clocks(), phase="EXITING", venues=venues))
        await desk.shows("STOPPING   EXITING   KAL cancels 2/2 unk 0  exits 3/4  left 8")
        await desk.shows("by console ")
        own = desk.app.view.status.controller
        desk.engine.send(flatten=rows.flatten(read_clocks(), phase="EXITING", venues=venues, by=own))
        await desk.shows("by you ")
        over = rows.flatten(
            read_clocks(), phase="UNFLATTENED", receipt="Not flat after 30 s.", residue=("AUS hi 71-72 8",)
        )
        desk.engine.send(flatten=over)
        await desk.shows("Not flat after 30 s. Left: AUS hi 71-72 8.")
        panes = [pane for pane in desk.app.screen.query(LinePane) if pane.region]
        await desk.until(lambda: all(len(pane.text.splitlines()) == pane.region.height for pane in panes))
        checked_lines(desk)


async def test_an_engine_that_dies_is_named_and_its_return_is_told(directory: Path) -> None:
    async with running(directory) as desk:
        await desk.shows(" ARMED ")
        await desk.engine.stop()
        await desk.shows("ENGINE DOWN")
        await desk.shows("Orders at the venue: 2, dead by expiry in 1:")
        await desk.shows("pmconsole engine start")
        await desk.shows(" DOWN  the engine is gone")
        assert "KAL ?" in desk.text and "KAL ok" not in desk.text
        await desk.press("a")
        await desk.shows("NYC hi Nov23 48-49")
        again = FakeEngine(desk.engine.path)
        await again.start()
        try:
            await desk.until(lambda: "ENGINE DOWN" not in desk.text)
            await desk.shows("Attached again.")
            assert again.commands == []
        finally:
            await again.stop()


async def test_a_console_without_an_engine_says_how_to_start_one(directory: Path) -> None:
    from tui.app import ConsoleOptions, PmConsole

    app = PmConsole(ConsoleOptions(directory / "none.sock", paths.profile("live").command))
    async with app.run_test(size=(80, 24)) as pilot:
        desk = Desk(app, FakeEngine(directory / "none.sock"), pilot)
        await desk.shows("ENGINE DOWN")
        await desk.shows("no engine answers at")
        await desk.shows("Start it with: pmconsole engine start --profile live")


async def test_only_changed_rows_are_written(directory: Path) -> None:
    async with running(directory, cards=False, size=(160, 45)) as desk:
        await desk.shows("stale: wait")
        table = desk.app.screen.query_one("#markets", LinePane)
        regions: list[tuple[int, int]] = []
        plain_refresh = table.refresh

        def spy(*where, **options):
            regions.extend([(region.y, region.width) for region in where] or [(0, 1000)])
            return plain_refresh(*where, **options)

        table.refresh = spy  # type: ignore[method-assign]  # only counts, then does the same
        row = rows.markets(read_clocks())[3]
        desk.engine.send(markets=(msgspec.structs.replace(row, bid=4500, moved=2 + 3),))
        await desk.shows("45^")
        assert regions and max(width for _, width in regions) < 96
