"""From a key to what it does: the stop first, then whoever has the keys, then the registry of actions.

Keys do not go through Textual's bindings: each press is looked up in ``tui.actions`` with the time it
arrived in the input thread, because what a money key may do depends on when it was pressed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.widgets import Input

from core.domain.clock import machine_ns
from tui.actions import Action, Danger
from tui.arming import BUFFERED_NS
from tui.handlers import HANDLERS
from tui.tables import Now

if TYPE_CHECKING:
    from tui.app import PmConsole

_APPROVES = {"card.approve": "a", "card.yes": "y", "card.no": "n"}
"""What each says of a card, whatever its key here."""
_PAGE = {"move.page_down": 1, "move.page_up": -1}
_STEP = {"move.down": 1, "move.up": -1, "move.home": -(10**6), "move.end": 10**6}


def press(app: PmConsole, event: events.Key) -> bool:
    """Act on a key; false leaves it to the text field that has the focus."""
    now = app.clock()
    app.painter.observe(now)
    key, arrived_ns = event.key, int(event.time * 1e9)
    action = app.options.keymap.action_for(key, app.screen_name)
    if action is not None and action.danger is Danger.STOP:
        app.operator.stop(now, arrived_ns, app.link.seen_press())
        app.conversation.close()
    elif app.operator.in_ladder(now) and not (app.view.exiting and isinstance(app.focused, Input)):
        if app.operator.ladder_key(key, arrived_ns, now):
            HANDLERS["command"](app, now)
    elif (alarm := app.operator.taken_over(now)) is not None and not _leaves(action, key):
        app.operator.takeover_key(key, arrived_ns, alarm, now)
    elif isinstance(app.focused, Input):
        return False
    elif app.console_screen is not None and app.console_screen.opening:
        return True
    elif not app.operator.reason_by_key(key, arrived_ns, now):
        if action is None:
            return True
        if action.card and machine_ns() - arrived_ns > BUFFERED_NS:
            app.operator.say(f"{key} ignored: typed while the screen stood still", "near", now)
        else:
            perform(app, action, key, arrived_ns, now)
    app.painter.soon()
    return True


def _leaves(action: Action | None, key: str) -> bool:
    """Whether a key leaves the console whatever stands on it: one that is typed in no text."""
    return action is not None and action.id == "leave" and len(key) > 1


def handled() -> frozenset[str]:
    """Ids of the actions that do something, but for those that switch screens."""
    return frozenset({"stop", "card.veto", *_APPROVES, *_STEP, *_PAGE, *HANDLERS})


def perform(app: PmConsole, action: Action, key: str, arrived_ns: int, now: Now) -> None:
    """One action of the registry."""
    if action.id.startswith("screen."):
        app.show_mode(action.id.partition(".")[2])
    elif action.id in _APPROVES:
        app.operator.approve(_APPROVES[action.id], arrived_ns, now)
    elif action.id == "card.veto":
        app.operator.veto_by_key(key, arrived_ns, now)
    elif action.id in _STEP or action.id in _PAGE:
        _move(app, action.id, now)
    else:
        HANDLERS[action.id](app, now)


def _move(app: PmConsole, action_id: str, now: Now) -> None:
    screen = app.console_screen
    if screen is None:
        return
    table = screen.table()
    if table is None or (screen.pages_text and action_id in _PAGE):
        screen.scroll_text(_STEP.get(action_id) or _PAGE[action_id] * screen.text_page)
        return
    step = _STEP.get(action_id) or _PAGE[action_id] * table.page
    selected = table.move(step)
    if table.id == "markets" and isinstance(selected, int):
        app.operator.ordering.moved_cursor(selected, now)
    elif selected is not None:
        if table.ordering is not None:
            table.ordering.touched(now)
        screen.cursor_moved(selected, now)
