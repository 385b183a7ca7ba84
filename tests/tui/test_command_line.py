"""The command line: what Tab makes of a typed text, what was typed before, the market that is meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import Input

from core.control.protocol import Flatten, Frame, Halt, Query
from tests.tui import rows
from tests.tui.conftest import running
from tui.actions import ACTIONS, COMMANDS, Danger, works_on
from tui.completing import Known, markets_like, of_command, of_market, words_of
from tui.keymap import USUAL
from tui.lines import plain
from tui.screens.help import help_lines
from tui.screens.palette import PaletteScreen, entries, found
from tui.tables import Now
from tui.view_model import ViewModel

NOW = Now(1_000 * rows.S, 1_700_000_000_000)


def view() -> ViewModel:
    made = ViewModel()
    made.connected = True
    made.apply(rows.snapshot(NOW, "me"), NOW)
    return made


@pytest.mark.parametrize(
    ("typed", "further"),
    [
        ("fla", "flatten "),
        ("re", "re"),
        ("reco", "reconcile "),
        ("theme high", "theme high-contrast "),
        ("limit day", "limit day_loss_max "),
        ("cancel pm-91", "cancel pm-91c7 "),
        ("pause m", "pause maker "),
        ("feeds t", "feeds test "),
        ("mode s", "mode semi "),
        ("link a", "link add "),
        ("reconcile accept ca", "reconcile accept cash "),
        ("alarms ack al", "alarms ack all "),
        ("alarms sh", "alarms shelve "),
        ("engine stop k", "engine stop keep "),
        ("veto d", "veto data "),
        ("rules 48-49", "rules KXHIGHNYC-26NOV23-B48-49 "),
        ("rules kxhighny", "rules KXHIGHNYC"),
        ("order 48-49", "order KXHIGHNYC-26NOV23-B48-49 "),
        ("order KXHIGHNYC-26NOV23-B48-49 y", "order KXHIGHNYC-26NOV23-B48-49 yes "),
        ("halt be", "halt be"),
        ("zzz", "zzz"),
        ("", ""),
    ],
)
def test_tab_goes_on_as_far_as_there_is_one_way(typed: str, further: str) -> None:
    complete = of_command(Known(view()))
    assert complete(typed).further(typed) == further


def test_every_market_and_order_that_a_usage_names_is_completed() -> None:
    known = Known(view())
    tickers = {static.ticker for static in known.view.statics.values()}
    for spec in COMMANDS:
        for at, word in enumerate(spec.usage.replace("[", "").replace("]", "").split()):
            if "MARKET" in word.split("|"):
                assert {*words_of(spec)[at](known)} & tickers, spec.name
            if "ORDER" in word.split("|"):
                assert "pm-91c7" in words_of(spec)[at](known), spec.name


@given(
    st.lists(st.sampled_from([*"aelmr ", "go", "limit", "order", "nyc", "KX", "é"]), max_size=6).map("".join)
)
def test_whatever_is_typed_every_choice_is_a_command_and_none_leaves_the_text_as_it_is(typed: str) -> None:
    found = of_command(Known(view()))(typed)
    assert found.told and (found.choices or found.further(typed) == typed)
    assert {choice.partition(" ")[0] for choice in found.choices} <= {spec.name for spec in COMMANDS}


def test_a_market_is_meant_by_any_part_of_its_name_and_first_by_the_whole_of_it() -> None:
    known = view()
    label = known.label(2)
    assert markets_like(known, label) == [2] == markets_like(known, known.statics[2].ticker.lower())
    assert markets_like(known, "nyc 48-49") == [2] and len(markets_like(known, "nyc hi")) > 2
    assert markets_like(known, "") == markets_like(known, "no such") == []
    assert of_market(Known(known))("nyc 48-49").further("nyc 48-49") == known.statics[2].ticker + " "


def test_the_markets_that_are_meant_are_told_with_their_venue_where_two_have_the_question() -> None:
    known = view()
    known.apply(Frame(2, NOW.mono_ns, **rows.two_venues(NOW, "me")), NOW)  # type: ignore[arg-type]
    assert sorted(of_market(Known(known))("nyc 48-49").told.split("  ")) == [
        "KAL NYC hi Nov23 48-49", "POLY NYC hi Nov23 48-49",
    ]  # fmt: skip


def test_the_help_is_searched_in_names_and_in_what_they_mean() -> None:
    def found(search: str) -> list[str]:
        return [plain(row).strip() for row in help_lines("desk", 100, USUAL, search)]

    assert found("ceiling") == ["Commands after :", *found("ceiling")[1:]]
    assert len(found("ceiling")) <= 4 and found("ceiling")[1].startswith("limit NAME VALUE")
    assert found("EMERGENCY flatten")[1].startswith("^X")
    assert found("zzz") == ['Nothing here has "zzz" in it.']


async def test_what_was_typed_comes_back_a_market_is_gone_to_and_the_help_is_searched(
    directory: Path,
) -> None:
    async with running(directory, cards=False) as desk:
        await desk.press("colon", *"markets", "enter")
        await desk.until(lambda: desk.app.screen_name == "markets")
        await desk.press("colon", *"halt", "space", *"now", "enter")
        await desk.engine.expect(Halt)
        await desk.press("colon", *"the")
        field = desk.app.focused
        assert isinstance(field, Input)
        for key, value in (("up", "halt now"), ("up", "markets"), ("up", "markets"), ("down", "halt now")):
            await desk.press(key)
            assert field.value == value
        await desk.press("down")
        assert field.value == "the"
        await desk.press("tab")
        await desk.shows("theme: ")
        await desk.press("escape", "g", *"48-49")
        await desk.shows("NYC hi Nov23 48-49")
        await desk.press("enter")
        await desk.until(lambda: desk.app.screen_name == "market")
        await desk.press("g", *"den", "enter")
        await desk.until(lambda: "DEN hi" in desk.text and len(desk.app.screen_stack) == 2)
        await desk.press("colon", *"go", "space", *"nyc", "enter")
        await desk.shows("markets are like 'nyc'")
        await desk.press("question_mark", "slash", *"emergency", "enter")
        await desk.shows('HELP with "emergency"')
        assert "Pause" not in desk.text


def test_the_palette_has_everything_but_what_spends_and_stops() -> None:
    for screen in ("desk", "orders", "help"):
        known = list(entries(view(), USUAL, screen))
        usable = [action for action in ACTIONS if works_on(action, screen)]
        danger = {action.id: action.danger for action in usable}
        keys = {entry.id for entry in known if entry.kind == "key"}
        assert keys <= {*danger} and not {Danger.SPEND, Danger.STOP} & {danger[key] for key in keys}
        assert {entry.id for entry in known if entry.kind == "command"} == {spec.name for spec in COMMANDS}
        assert len([entry for entry in known if entry.kind == "market"]) == len(view().statics)
    names = [entry.name for entry in found(list(entries(view(), USUAL, "desk")), "pause")]
    assert names[0].startswith(":pause") and ":unpause" in names


async def test_the_palette_opens_by_key_and_by_name_and_does_what_is_chosen(directory: Path) -> None:
    async with running(directory, size=(80, 24), paints_per_s=10) as desk:

        async def choose(*keys: str, by: tuple[str, ...] = ("ctrl+p",)) -> None:
            await desk.press(*by)
            await desk.until(lambda: isinstance(desk.app.focused, Input) and "PALETTE" in desk.text)
            await desk.press(*keys)
            await desk.press("enter")
            await desk.until(lambda: desk.app.screen_name != "palette")

        await choose(*"emergency", by=("colon", *"palette", "enter"))
        assert desk.sent(Flatten) == [], "only its key stops"
        await choose("4", "8", "minus", "4", "9")
        assert desk.app.screen_name == "market"
        await choose(*"journal", "down", "up")
        assert desk.app.screen_name == "journal" and len(desk.app.screen_stack) == 1
        await choose(*"halt")
        await desk.engine.expect(Halt)
        await choose(*"exit-at")
        field = desk.app.focused
        assert isinstance(field, Input) and field.value == "exit-at "
        await desk.press("escape")
        await desk.press("ctrl+p")
        await desk.until(lambda: isinstance(desk.app.focused, Input) and "PALETTE" in desk.text)
        await desk.press("escape")
        await desk.until(lambda: desk.app.screen_name == "journal")
        desk.app.push_screen(waiting := PaletteScreen("journal"))
        await desk.until(lambda: not waiting.opening)
        desk.app.conversation.close()
        waiting.opening = True
        await desk.press("H", "P", "1")
        assert desk.app.screen is waiting
        sent = [type(command) for command in desk.engine.commands if not isinstance(command, Query)]
        assert sent == [Halt], "no letter was a key"
