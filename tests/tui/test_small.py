"""Terminals too small for the desk: nothing is approved that is not on the screen, and nothing overlaps."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import Resize
from textual.geometry import Size

from core.control.protocol import Approve, Halt
from tests.tui import rows
from tests.tui.conftest import Desk, running
from tui.lines import plain, width_of
from tui.scene import Scene
from tui.tables import Now
from tui.view_model import ViewModel
from tui.widgets.card import reduced_lines
from tui.widgets.line_pane import LinePane

NOW = Now(1_000 * rows.S, 1_700_000_000_000)
SCREENS = (
    "1",
    "v",
    "1",
    "b",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
    "exclamation_mark",
    "question_mark",
    "l",
)


@given(st.integers(1, 79), st.integers(1, 20), st.booleans())
def test_a_small_card_is_whole_only_with_all_that_is_decided_on_it(
    width: int, height: int, plan: bool
) -> None:
    card = rows.plan_card(NOW) if plan else rows.card(NOW)
    scene = Scene(ViewModel(), NOW, width, cards=(card,), card=card, card_word="ARMED")
    lines, whole = reduced_lines(scene, card, width, height)
    text = "\n".join(plain(row) for row in lines[:height])
    decided = (
        ("every YES bought", "20 sets", "cost 18.40", "max loss 15.24", "legs")
        if plan
        else (f"market {card.key}", "BUY YES", "40 @ 32c", "max loss 12.95")
    )
    missing = [words for words in (*decided, " ARMED ") if words not in text]
    assert not (whole and missing)
    assert not whole or all(width_of(row) <= width for row in lines)
    assert whole or plan or width < 36 or height < 4


async def test_a_card_without_room_for_what_is_decided_cannot_be_approved(directory: Path) -> None:
    async with running(directory, size=(80, 24)) as desk:
        await desk.shows(" ARMED ")
        await desk.pilot.resize_terminal(40, 6)
        await desk.shows(" SMALL  make the terminal larger")
        assert "a yes" not in desk.text
        await desk.press("a")
        await desk.shows("not sent: there is no room")
        await desk.press("H")  # the way out has room everywhere
        await desk.engine.expect(Halt)
        await desk.pilot.resize_terminal(40, 10)
        await desk.shows(" ARMED ")
        for words in ("NYC high Nov 23  48-49", "BUY YES", "40 @ 32c", "max loss 12.95", "^X STOP"):
            assert words in desk.text, words
        assert desk.sent(Approve) == []


async def test_every_screen_keeps_its_panes_apart_and_the_stop_key_in_sight(directory: Path) -> None:
    async with running(directory, size=(80, 24)) as desk:
        await desk.pilot.resize_terminal(40, 10)
        for key in SCREENS:
            await desk.press(key)
            await desk.shows("^X STOP")
            assert_tidy(desk, 40, 10)


def assert_tidy(desk: Desk, width: int, height: int) -> None:
    """No cell of the screen belongs to two panes, and none lies outside."""
    taken: dict[tuple[int, int], str | None] = {}
    for pane in desk.app.screen.query(LinePane):
        region = pane.region
        if not region or not pane.display:
            continue
        assert region.right <= width and region.bottom <= height, (pane.id, region)
        for cell in ((x, y) for x in range(region.x, region.right) for y in range(region.y, region.bottom)):
            assert cell not in taken, (pane.id, taken[cell], desk.text)
            taken[cell] = pane.id
        assert len(pane.text.splitlines()) == region.height, pane.id


async def test_two_sizes_under_way_end_with_the_terminals_own_and_not_in_a_race(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a terminal gets its size while the first screen is still being made."""
    async with running(directory, size=(80, 24)) as desk:
        screen, arranged = desk.app.screen, []
        whole = screen._refresh_layout

        def counted(*args: object, **named: object) -> None:
            arranged.append(args)
            assert len(arranged) < 50, "the screen does nothing else any more"
            whole(*args, **named)

        monkeypatch.setattr(screen, "_refresh_layout", counted)
        for columns, lines in ((160, 45), (100, 30)):
            size = Size(columns, lines)
            screen.post_message(Resize(size, size))
            screen.call_after_refresh(lambda: None)
        await desk.pilot.pause()
        assert screen.size == desk.app.size == Size(80, 24)
        await desk.pilot.resize_terminal(160, 45)
        await desk.until(lambda: screen.size == Size(160, 45))


@pytest.mark.parametrize("controls", [True, False])
def test_a_card_names_no_key_that_would_be_refused_to_a_console_that_looks_on(controls: bool) -> None:
    card = rows.card(NOW)
    word = "ARMED" if controls else "VIEWER"
    scene = Scene(ViewModel(), NOW, 78, cards=(card,), card=card, card_word=word, controls=controls)
    text = " ".join(plain(row) for row in reduced_lines(scene, card, 78, 20)[0])
    assert "v why" in text and ("a approve" in text) is ("e edit" in text) is controls
