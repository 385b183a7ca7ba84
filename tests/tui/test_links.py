"""Linked pairs on the console: both venues side by side, no promise, literal outside text."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from core.control.protocol import LinkMarkets, UnlinkMarkets
from core.control.tables.markets import PairRow, WayRow
from core.strategy.linked import CAUTION
from tests.tui import rows
from tests.tui.conftest import Desk, running
from tests.tui.fake_engine import read_clocks
from tests.tui.test_screens import SIZES, checked_lines
from tui.tables import clean
from tui.view_model import ViewModel
from tui.widgets.link_table import difference
from tui.widgets.live_table import Column, plan

HERE, THERE = 2, 900
TICKER, SLUG = "KXHIGHNYC-26NOV23-B48-49", "highest-temperature-in-nyc-on-november-23-48-49f"
YES = WayRow("YES", "NO", 10 * rows.C, 9_400_000, 298_580, 301, "")
NO = WayRow("NO", "YES", 0, 0, 0, None, "polymarket has no YES to buy")


def pair(**changes: object) -> PairRow:
    values: dict[str, object] = {
        "first": TICKER,
        "second": SLUG,
        "first_key": HERE,
        "second_key": THERE,
        "opposite": False,
        "state": "linked",
        "why": "",
        "quantity": 10 * rows.C,
        "ways": (YES, NO),
        "apart": ("station KNYC, KLGA",),
        "by": "console pid 4711 (uid 1000)",
        "wall_ms": rows.WORLD_MS,
        "first_ms": 1,
        "second_ms": 1,
        "caution": CAUTION,
    }
    return PairRow(**(values | changes))  # type: ignore[arg-type]  # a test's table of fields


def linked(desk: Desk, *pairs: PairRow) -> None:
    """The desk also has the other venue's market, and these pairs."""
    now = read_clocks()
    static = next(row for row in rows.statics() if row.key == HERE)
    there = {"key": THERE, "venue": "polymarket", "ticker": SLUG, "label": "NYC Nov23 48-49"}
    book = next(row for row in rows.markets(now) if row.key == HERE)
    ours = {"message_ms": (now.mono_ns + 60 * rows.S) // 1_000_000}  # not old, however long the test takes
    theirs = {"key": THERE, "bid": 5000, "ask": 5200, "message_ms": (now.mono_ns - 40 * rows.S) // 1_000_000}
    desk.engine.send(
        statics=(msgspec.structs.replace(static, **there),),
        markets=(msgspec.structs.replace(book, **ours), msgspec.structs.replace(book, **theirs)),
        pairs=pairs,
    )


@pytest.mark.parametrize("size", SIZES)
async def test_both_books_the_difference_each_way_the_ages_and_the_pin_are_seen_together(
    directory: Path, size: tuple[int, int]
) -> None:
    async with running(directory, size=size) as desk:
        await desk.press("colon", *"links", "enter")
        await desk.shows("No pairs. :link add FIRST SECOND")
        linked(desk, pair())
        await desk.shows("LINKED PAIRS 1")
        await desk.shows("50~")
        text = "\n".join(checked_lines(desk))
        (row,) = [text for text in text.splitlines() if text.startswith(">K ")]
        cells = row.split()
        assert [cell for cell in ("31", "34", "50~", "52~", "+3.01~", "--", "yes") if cell not in cells] == []
        assert " P NYC" in row and row.split("P NYC")[1].strip().count("48-49") == 1
        for words in (
            "YES KAL + NO POLY  +3.01c  10 for 9.40 + fees 0.2986, pay 10.00 if alike",
            "polymarket has no YES to buy",
            "station KNYC, KLGA",
            "Not riskless:",
            "can make both sides pay nothing.",
            TICKER,
            SLUG,
        ):
            assert words in text, words
        assert "arbitrage" not in text.lower()


async def test_a_text_that_changed_takes_the_figures_away_and_says_what_to_do(directory: Path) -> None:
    async with running(directory, size=(80, 24)) as desk:
        await desk.press("colon", *"links", "enter")
        why = f"the rules of {SLUG} read differently (ab12cd34)"
        linked(desk, pair(state="unpinned", why=why, ways=()))
        await desk.shows("1 unpinned")
        text = " ".join(" ".join(checked_lines(desk)).replace("│", "").split())
        assert f"UNPINNED, {why}: read both texts, then :link add again, or remove." in text
        assert "+3.01" not in text
        (row,) = [text for text in checked_lines(desk) if text.startswith(">K ")]
        assert row.split()[-3:] == ["--", "--", "NO"]
        desk.engine.send(gone_pairs=((TICKER, SLUG),))
        await desk.shows("No pairs.")


async def test_a_market_leads_to_its_pair_and_back(directory: Path) -> None:
    async with running(directory) as desk:
        linked(desk, pair(second="other", second_key=0, apart=()), pair(), pair(first_key=1, first="X"))
        await desk.press("2")
        await desk.press("enter")
        await desk.shows("linked with")
        await desk.shows("YES 1st +3.01, NO 1st -- net of fees")
        await desk.press("l")
        await desk.shows("LINKED PAIRS 3")
        await desk.press("end")
        await desk.shows(" 1st NYC hi Nov23 46-47")
        await desk.press("enter")
        await desk.shows("MARKET NYC hi Nov23 46-47")
        await desk.press("l")
        await desk.shows(" 1st NYC hi Nov23 46-47")
        for back in ("MARKET NYC hi Nov23 46-47", "LINKED PAIRS", "MARKET NYC hi Nov23 48-49"):
            await desk.press("escape")
            await desk.shows(back)


async def test_outside_words_in_a_pair_are_literal_and_clean(directory: Path) -> None:
    async with running(directory, size=(80, 24)) as desk:
        await desk.press("colon", *"links", "enter")
        hostile = "[red]no[/] \x1b[2J\u202e" + "w" * 300
        linked(desk, pair(second=hostile, second_key=0, apart=(hostile,), ways=(), why=hostile))
        await desk.shows("[red]no[/]")
        assert all(char.isprintable() for char in "".join(checked_lines(desk)))


async def test_links_are_made_and_removed_on_the_command_line(directory: Path) -> None:
    async with running(directory) as desk:
        linked(desk)

        async def typed(text: str) -> None:
            await desk.press(
                "colon", *[{" ": "space", "-": "minus", ".": "full_stop"}.get(c, c) for c in text], "enter"
            )

        await typed(f"link add B48-49 {SLUG} opposite 2.5")
        sent = await desk.engine.expect(LinkMarkets)
        assert isinstance(sent, LinkMarkets)
        assert (sent.first, sent.second, sent.quantity, sent.opposite) == (TICKER, SLUG, 2_500_000, True)
        await typed(f"link remove B48-49 {SLUG}")
        gone = await desk.engine.expect(UnlinkMarkets)
        assert isinstance(gone, UnlinkMarkets) and (gone.first, gone.second) == (TICKER, SLUG)
        for wrong in ("link drop a b", "link remove a b 3", "link add a b 1 2"):
            await typed(wrong)
            await desk.shows("usage: link add|remove MARKET MARKET [opposite] [SIZE]")
            await desk.press("escape")
        await typed("link add a b x")
        await desk.shows("link add: 'x' is no quantity")
        assert len(desk.sent(LinkMarkets)) == 1


def test_figures_are_shown_to_the_hundredth_of_a_cent_with_their_sign() -> None:
    shown = [difference(msgspec.structs.replace(YES, difference=value)) for value in (301, -1297, 0, 4, None)]
    assert shown == ["+3.01", "-12.97", "+0.00", "+0.04", "--"]


def test_what_is_left_of_a_line_is_given_out_once() -> None:
    cell = lambda scene, key: rows  # noqa: E731  never drawn
    grows = [Column(name, "", 10, 1, cell, grow=True, width_max=25) for name in "ab"]
    assert [column.width for column in plan(grows, 45)] == [25, 20]


def test_a_pair_is_found_from_either_market() -> None:
    view = ViewModel()
    view.pairs[TICKER, SLUG] = clean(pair())
    assert view.pairs_of(HERE) == view.pairs_of(THERE) == [pair()]
    assert view.pairs_of(1) == []
