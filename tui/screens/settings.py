"""Settings of the console, changed where they are seen: Enter writes the one that changed, and only that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from core.config.settings import ConsoleSettings, SettingsError, load, place_of
from core.config.writing import write_value
from tui.completing import Completion
from tui.format import sanitise
from tui.lines import Span
from tui.scene import Scene, head
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk_plan import Plan, Rect
from tui.theme_files import theme_names
from tui.widgets.line_pane import LinePane
from tui.widgets.live_table import Column, Key, LiveTable
from tui.widgets.text_pane import wrapped

if TYPE_CHECKING:
    from tui.app import PmConsole

Value = bool | int | str


class Setting(NamedTuple):
    """A key of ``[console]``."""

    key: str
    does: str
    choices: tuple[Value, ...] = ()
    """Enter goes to the next of them; without any it asks."""
    apply: Callable[[PmConsole, Value], bool] | None = None
    """Uses it at once and says whether that could be done; without it the next start does."""


def _theme(app: PmConsole, value: Value) -> bool:
    return app.looks.change(str(value))


def _swap(app: PmConsole, value: Value) -> bool:
    return app.looks.swap(bool(value))


def _low_bandwidth(app: PmConsole, value: Value) -> bool:
    app.painter.pace.low_bandwidth = bool(value)
    return True


def _bell(app: PmConsole, value: Value) -> bool:
    app.painter.bell.policy = str(value)
    return True


SETTINGS = (
    Setting("theme", "colours; yours are in themes/", (), _theme),
    Setting("swap_up_down", "rising and falling trade places", (False, True), _swap),
    Setting("low_bandwidth", "one paint a second, no flashes", (False, True), _low_bandwidth),
    Setting("bell", "act, card (for those too), or off", ("act", "card", "off"), _bell),
    Setting("repaint_hz", "paints a second, 1 to 10"),
    Setting("mouse", "chooses rows, never approves", (False, True)),
)
_BY_KEY = {setting.key: setting for setting in SETTINGS}


def shown(value: Value) -> str:
    """A value as the file has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


class SettingsTable(LiveTable):
    """The settings with what the file says of them."""

    def __init__(self) -> None:
        super().__init__(
            (
                Column("key", "  setting", 16, 1, self._key, left=True),
                Column("value", "  is", 18, 1, self._value, left=True),
                Column("from", "  by", 10, 3, self._from, left=True),
                Column("when", "  counts", 12, 2, self._when, left=True),
                Column("does", "  what it does", 28, 1, self._does, left=True, grow=True, width_max=90),
            ),
            id="settings",
        )
        self.values = ConsoleSettings()
        self.written: frozenset[str] = frozenset()
        """Keys that the file has."""

    def _key(self, scene: Scene, key: Key) -> Span:
        return Span(f"  {key}", "strong")

    def _value(self, scene: Scene, key: Key) -> Span:
        return Span("  " + sanitise(shown(getattr(self.values, str(key))), 60))

    def _from(self, scene: Scene, key: Key) -> Span:
        return Span("  file" if key in self.written else "  default", "text-muted")

    def _when(self, scene: Scene, key: Key) -> Span:
        return Span("  at once" if _BY_KEY[str(key)].apply else "  next start", "text-muted")

    def _does(self, scene: Scene, key: Key) -> Span:
        return Span("  " + _BY_KEY[str(key)].does)


class SettingsScreen(ConsoleScreen):
    name_in_registry = "settings"

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._refusal = ""
        self._writing = False
        self.settings = SettingsTable()

    def panes(self) -> list[LinePane]:
        return [self.settings]

    def plan(self, width: int, height: int) -> Plan:
        return {"settings": Rect(0, 1, width, height - 3)}

    def opened(self) -> None:
        self._read()

    def _read(self) -> None:
        """What the file says now."""
        try:
            self.settings.values = load(self._path).console
        except SettingsError as error:
            self._refusal = sanitise(str(error), 300)
            return
        self._refusal = ""
        has = {key for key in _BY_KEY if place_of(self._path, "console", key) != str(self._path)}
        self.settings.written = frozenset(has)

    def draw(self, scene: Scene) -> None:
        rows = [] if self._refusal else [*_BY_KEY]
        title = head(
            "SETTINGS", f"{scene.keymap.name('setting.change')} changes one   [console] of {self._path}"
        )
        refusal = wrapped(self._refusal, self.settings.body_size[0] - 1, "near")
        self.settings.paint_rows(scene, rows, title, empty=refusal)

    def open_cursor(self) -> None:
        """Go to the next value, or ask for one."""
        setting = _BY_KEY.get(str(self.settings.cursor_key))
        if setting is None or self._refusal:
            return
        old: Value = getattr(self.settings.values, setting.key)
        if setting.choices:
            at = setting.choices.index(old)
            self._change(setting, setting.choices[(at + 1) % len(setting.choices)])
        else:
            completer = self._themes if setting.key == "theme" else None
            self.console.conversation.ask(
                f"{setting.key} is {shown(old)}: {setting.does}",
                lambda text: self._typed(setting, text.strip()),
                completer=completer,
            )

    def _themes(self, text: str) -> Completion:
        names = [name for name in theme_names(self.console.looks.folder) if name.startswith(text)]
        return Completion(names, "  ".join(names) or "there is no such theme")

    def _typed(self, setting: Setting, text: str) -> None:
        if setting.key == "repaint_hz" and not (text.isascii() and text.isdigit()):
            self.console.operator.say(f"{setting.key} must be a whole number", "near", self.console.clock())
        elif text:
            self._change(setting, int(text) if setting.key == "repaint_hz" else text)

    def _change(self, setting: Setting, value: Value) -> None:
        """Use the value and write it; one that cannot be used is told by whoever could not."""
        if self._writing or (setting.apply is not None and not setting.apply(self.console, value)):
            return
        self._writing = True
        self.console.run_worker(self._write(setting.key, value), group="settings")

    async def _write(self, key: str, value: Value) -> None:
        say, clock = self.console.operator.say, self.console.clock
        try:
            await asyncio.to_thread(write_value, self._path, "console", key, value)
        except (SettingsError, OSError) as error:
            say(f"not written: {sanitise(str(error), 300)}", "near", clock(), 8 * 10**9)
        else:
            say(f"{key} = {shown(value)} is written", "text", clock())
        self._writing = False
        self._read()
        self.console.repaint()
