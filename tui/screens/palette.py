"""The palette: every key of the screen below, every command and every market by its name, one Enter away.

Never what spends or stops: these are keys only, on a card that stands there to be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from textual import events

from core.domain.clock import machine_ns
from tui.actions import COMMANDS, Danger, needed, works_on
from tui.dispatch import perform
from tui.keymap import Keymap
from tui.keys import key_name
from tui.lines import Line, Span
from tui.scene import Scene, head, note
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk_plan import Plan, Rect
from tui.view_model import ViewModel
from tui.widgets.command_line import CommandLine
from tui.widgets.line_pane import LinePane
from tui.widgets.live_table import Column, Key, LiveTable, plan
from tui.widgets.text_pane import wrapped

FOUND_MAX = 200
_ASKS = "type a part of it; Up and Down choose, Enter opens, Esc closes"
_IDLE = ("palette", "back", "open", "setting.change", "command")
"""Actions that mean nothing here: they would open or close what is open already."""
_MOVES = {"up": -1, "down": 1, "pageup": -1, "pagedown": 1}


class Entry(NamedTuple):
    """Something that can be had by name. ``kind`` is ``key``, ``command`` or ``market``."""

    kind: str
    id: str
    """The action's id, the command's name, or the market's key."""
    name: str
    does: str


def entries(view: ViewModel, keymap: Keymap, screen: str) -> Iterator[Entry]:
    """All there is on that screen, in the order in which it is shown."""
    for action in keymap.actions:
        idle = action.id in _IDLE or action.id.startswith(("move.", "pane."))
        if works_on(action, screen) and not idle and action.danger not in (Danger.SPEND, Danger.STOP):
            yield Entry("key", action.id, key_name(action.keys[0]), action.help)
    for spec in COMMANDS:
        yield Entry("command", spec.name, f":{spec.name}", f"{spec.usage}  {spec.help}".lstrip())
    for key, static in view.statics.items():
        yield Entry("market", str(key), view.named(key), static.ticker)


def found(known: list[Entry], text: str) -> list[Entry]:
    """What has each of the typed words in its name or in what it does; names that start so come first."""
    words = text.casefold().split()
    hits = [
        entry
        for entry in known
        if all(word in entry.name.casefold() or word in entry.does.casefold() for word in words)
    ]
    first = words[0] if words else ""
    return sorted(hits, key=lambda entry: not entry.name.casefold().lstrip(":").startswith(first))[:FOUND_MAX]


def _name(scene: Scene, key: Key) -> Span:
    return Span("  " + key.name if isinstance(key, Entry) else "", "strong")


def _does(scene: Scene, key: Key) -> Span:
    return Span("  " + key.does if isinstance(key, Entry) else "", "text")


def _kind(scene: Scene, key: Key) -> Span:
    return Span("  " + key.kind if isinstance(key, Entry) else "", "text-muted")


_NAME_LEAST, _NAME_MOST = 8, 26
_WHOLE_ROWS = 3
COLUMNS = (
    Column("name", "  name", _NAME_MOST, 1, _name, left=True, ends=True),
    Column("kind", "  is a", 9, 2, _kind, left=True),
    Column("does", "  what it does", 30, 1, _does, left=True, grow=True, width_max=200),
)


class PaletteTable(LiveTable):
    """Its cursor is moved from the text field, which has the focus."""

    keeps_cursor = True

    def show(self, scene: Scene, hits: Sequence[Entry], title: Line) -> None:
        """Names have as much room as these need; below them the whole of the chosen one where it is cut."""
        width = max((len(entry.name) for entry in hits), default=0) + 2
        name = COLUMNS[0]._replace(width=min(_NAME_MOST, max(_NAME_LEAST, width)))
        self.columns = (name, *COLUMNS[1:])
        chosen, cells = self.cursor_key, self.body_size[0]
        does = plan(self.columns, cells)[-1]
        foot: list[Line] = []
        if isinstance(chosen, Entry) and len(_does(scene, chosen).text) > does.width:
            foot = [(), *wrapped(chosen.does, cells, "text-muted")[:_WHOLE_ROWS]]
        self.paint_rows(scene, hits, title, empty=[note("Nothing has that in its name.")], foot=foot)


class PaletteScreen(ConsoleScreen):
    """The list under its text field. ``about`` is the screen it was opened on."""

    name_in_registry = "palette"

    def __init__(self, about: str) -> None:
        super().__init__()
        self._about = about
        self._known: list[Entry] = []
        self._text = ""
        self.opening = True
        self.found = PaletteTable(COLUMNS, id="palette")

    def panes(self) -> list[LinePane]:
        return [self.found]

    def plan(self, width: int, height: int) -> Plan:
        return {"palette": Rect(0, 1, width, height - 3)}

    def opened(self) -> None:
        self._known = list(entries(self.console.view, self.console.options.keymap, self._about))
        self.console.conversation.ask(_ASKS, self._take)
        self.opening = False

    def draw(self, scene: Scene) -> None:
        hits = self._narrow(self.command_line.value if self.command_line.display else "")
        title = head("PALETTE", f"{len(hits)} of {len(self._known)}")
        self.found.show(scene, hits, title)

    def _narrow(self, text: str) -> list[Entry]:
        """What is shown for a text; with another text the cursor is on the first of it again."""
        hits = found(self._known, text)
        if text != self._text or self.found.cursor_key not in hits:
            self._text = text
            self.found.point_at(hits[0] if hits else None)
        return hits

    def on_key(self, event: events.Key) -> None:
        """The keys that the open text field leaves alone."""
        if event.key in _MOVES:
            self.found.move(_MOVES[event.key] * (self.found.page if event.key.startswith("page") else 1))
            event.stop()
            self.console.repaint()

    def on_command_line_abandoned(self, message: CommandLine.Abandoned) -> None:
        message.stop()
        self.console.conversation.close()
        self.console.pop_screen()

    def open_cursor(self) -> None:
        self._take(self._text)

    def _take(self, text: str) -> None:
        """Close, then do what the chosen row says."""
        self._narrow(text)  # the last letters may have come with the Enter
        entry, console = self.found.cursor_key, self.console
        console.conversation.close()
        console.pop_screen()
        if not isinstance(entry, Entry):
            return
        if entry.kind == "market":
            console.show_market(int(entry.id))
        elif entry.kind == "key":
            action = next(action for action in console.options.keymap.actions if action.id == entry.id)
            perform(console, action, action.keys[0], machine_ns(), console.clock())
        elif needed(entry.id):
            console.conversation.ask_command(f"{entry.id} ")
        else:
            console.conversation.run_line(entry.id)
