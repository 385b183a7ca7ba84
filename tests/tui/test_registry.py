"""The registry of actions against the console made of it: nothing in it is dead, doubled or unsaid."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

from textual.widgets import Input

from core.control.protocol import Query
from tests.tui.conftest import Desk, running
from tests.tui.fake_engine import read_clocks
from tests.tui.test_states import ways_to_screens, with_rules
from tui.actions import ACTIONS, OPENED, works_on
from tui.app import PmConsole
from tui.arming import Arming
from tui.dispatch import handled
from tui.keymap import USUAL
from tui.keys import key_name
from tui.widgets.key_hints import KeyHints
from tui.widgets.live_table import LiveTable
from tui.widgets.text_pane import TextPane

SCREENS = (*PmConsole.MODES, "desk", *OPENED)


def test_no_key_means_two_things_on_one_screen() -> None:
    for one, other in combinations(ACTIONS, 2):
        both = [screen for screen in SCREENS if works_on(one, screen) and works_on(other, screen)]
        assert not (both and {*one.keys} & {*other.keys}), (one.id, other.id, both)


def test_every_action_is_handled_documented_and_works_somewhere() -> None:
    ids = [action.id for action in ACTIONS]
    assert len({*ids}) == len(ids)
    modes = {f"screen.{mode}" for mode in PmConsole.MODES} | {"screen.desk"}
    assert {*ids} == handled() | modes
    for action in ACTIONS:
        assert {*action.screens} <= {*SCREENS}, action.id
        for screen in action.screens or SCREENS:
            keys = " ".join(map(key_name, action.keys))
            assert (keys, action.help, action.danger.value) in USUAL.help_rows(screen), (action.id, screen)
            assert all(USUAL.action_for(key, screen) == action for key in action.keys)


async def test_every_hint_does_something_where_it_stands(directory: Path) -> None:
    """Pressed on each screen that shows it: something leaves, opens, moves or is said."""
    async with running(directory, size=(200, 24), paints_per_s=10) as desk:
        with_rules(desk)
        for screen, keys in ways_to_screens().items():
            await opened(desk, screen, keys)
            shown = shown_hints(desk)
            assert ("Esc", "back") in shown or screen not in OPENED
            for name, label in shown:
                action = USUAL.action_for(KEYS[name], screen)
                everywhere = action is not None and not action.screens
                if everywhere and name != "Esc" and screen not in ("desk", "help"):
                    continue  # it does not ask where it is
                if label == "leave":
                    continue  # at the end
                await opened(desk, screen, keys)
                before = footprint(desk)
                await desk.press(KEYS[name])
                await desk.until(lambda before=before: footprint(desk) != before, f"{screen}: {name} {label}")
        await desk.press("1", "q")
        assert desk.app.return_code == 0


KEYS = {key_name(key): key for action in ACTIONS for key in action.keys}


def shown_hints(desk: Desk) -> list[tuple[str, str]]:
    """Key and label of each hint in the last line."""
    pane = desk.app.screen.query_one(KeyHints)
    words = pane.text.split("^X STOP")[0].split("  ")
    return [(key, label) for key, _, label in (word.strip().partition(" ") for word in words) if label]


def footprint(desk: Desk) -> tuple[object, ...]:
    """What a key may change: what was sent, where the console is, and what it says."""
    app = desk.app
    tables = tuple(table.cursor_key for table in app.screen.query(LiveTable))
    message = app.operator.scene(read_clocks(), 80).message
    texts = tuple(pane.text for pane in app.screen.query(TextPane))
    commands = [command for command in desk.engine.commands if not isinstance(command, Query)]
    return len(commands), app.screen_name, isinstance(app.focused, Input), tables, message, texts


async def opened(desk: Desk, screen: str, keys: tuple[str, ...]) -> None:
    """Go to a screen anew: no field open, nothing said, no key held, no question asked."""
    operator = desk.app.operator
    desk.app.conversation.close()
    operator.arming = Arming()
    operator.question.close()
    operator.escape()
    if desk.app.screen_name != screen:
        await desk.press(*keys)
    await desk.until(lambda: desk.app.screen_name == screen, f"opened {screen}")
    await desk.until(lambda: not getattr(desk.app.screen, "opening", False))
    desk.app.conversation.close()
    await desk.until(lambda: shown_hints(desk) and not isinstance(desk.app.focused, Input))
