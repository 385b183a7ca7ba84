"""PmConsole: screens, connection and signals. No rules, no formatting.

What a key does is in ``tui.dispatch``, when the console draws in ``tui.painting``.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import time
import uuid
from collections.abc import Callable
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from textual import events
from textual.app import App, ScreenStackError
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widgets import Input
from textual.worker import WorkerFailed

from core.config.paths import ProfileError
from core.control.protocol import Frame, Query, Reply, Welcome
from core.domain.clock import machine_ns
from tui.actions import DECIDES
from tui.bell import Bell
from tui.clipboard import osc52, under_cursor
from tui.completing import markets_like
from tui.conversation import Conversation
from tui.crash import record
from tui.dispatch import press
from tui.format import sanitise
from tui.keymap import USUAL, Keymap
from tui.link import Identity, Link, Listener
from tui.looks import LOOK_EVERY_S, Looks
from tui.market_names import not_one
from tui.operator import Operator
from tui.pace import Pace
from tui.painting import Painter
from tui.returning import Record, Returning
from tui.scene import Typed
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk import DeskScreen
from tui.screenshot import keep
from tui.tables import Now
from tui.terminal import StopDriver
from tui.theme_files import DEFAULT_THEME
from tui.view_model import ViewModel
from tui.watching import Watching
from tui.widgets.command_line import CommandLine
from tui.widgets.live_table import LiveTable

SETTLE_S = 1.0
GO_NS = 8_000_000_000
"""How long it is told that a name means several markets."""
WARNED_NS = 10_000_000_000
LEFT_OPEN = 0
"""Return code of ``q``; a signal returns 128 and its number."""


class ConsoleOptions(msgspec.Struct, frozen=True):
    """How a console is started."""

    socket: Path
    typed: Typed
    theme: str = DEFAULT_THEME
    coach: bool = True
    view_only: bool = False
    take: bool = False
    paints_per_s: int = 4
    low_bandwidth: bool = False
    mouse: bool = False
    bell: str = "act"
    themes: Path | None = None
    """Folder of the operator's own themes."""
    screenshots: Path | None = None
    """Folder that pictures of the console go to; without one none is taken."""
    config: Path | None = None
    """The profile's configuration file; without one no setting is shown."""
    watchlist: Path | None = None
    """File of the markets that are watched; without one none can be."""
    swap_up_down: bool = False
    keymap: Keymap = USUAL
    record: Record | None = None
    """The desk's past; without it nothing is told of it."""


def read_clocks() -> Now:
    return Now(machine_ns(), time.time_ns() // 1_000_000)


def _opened_first(module: str, name: str) -> Callable[[], Screen[Any]]:
    """A screen whose module is imported when it is first opened: the first picture waits for none of them."""
    return lambda: getattr(import_module(f"tui.screens.{module}"), name)()


class PmConsole(App[int], inherit_bindings=False):
    """The console. Everything it knows is in ``view``, everything the operator did in ``operator``."""

    CSS_PATH: ClassVar[list[str]] = ["styles/console.tcss"]  # type: ignore[assignment]  # wider in Textual
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = ""
    MODES: ClassVar[dict[str, Callable[[], Screen[Any]]]] = {  # type: ignore[assignment]
        "desk": DeskScreen,
        "markets": _opened_first("markets", "MarketsScreen"),
        "orders": _opened_first("orders", "OrdersScreen"),
        "positions": _opened_first("positions", "PositionsScreen"),
        "models": _opened_first("models", "ModelsScreen"),
        "feeds": _opened_first("feeds", "FeedsScreen"),
        "funnel": _opened_first("funnel", "FunnelScreen"),
        "journal": _opened_first("journal", "JournalScreen"),
        "system": _opened_first("system", "SystemScreen"),
        "alarms": _opened_first("alarms", "AlarmsScreen"),
    }
    DEFAULT_MODE = "desk"

    def __init__(self, options: ConsoleOptions, *, clock: Callable[[], Now] = read_clocks) -> None:
        super().__init__(driver_class=StopDriver)
        self.options = options
        self.clock: Callable[[], Now] = clock
        self.view: ViewModel = ViewModel()
        identity = Identity(os.getpid(), uuid.uuid4().hex[:12], options.view_only, options.take)
        self.link = Link(options.socket, identity, Listener(self._up, self._down, self._frame, self._reply))
        self.operator: Operator = Operator(
            self.view,
            identity.session,
            self.link.send,
            coach=options.coach,
            view_only=options.view_only,
            keymap=options.keymap,
        )
        self.animation_level = "none"
        self.conversation: Conversation = Conversation(self)
        self.operator.on_asked = lambda: self.call_later(self._show_asked)
        pace = Pace(options.paints_per_s, low_bandwidth=options.low_bandwidth)
        self.painter: Painter = Painter(self, pace, Bell(options.bell))
        self.returning: Returning = Returning(self, options.record)
        self.watching: Watching = Watching(self, options.watchlist)
        self.failure: BaseException | None = None
        """What ended the console, if that was not the operator."""
        self.looks: Looks = Looks(self, options.themes, swap=options.swap_up_down)
        self.opens = False
        """Whether the first picture of the desk is still to come: it waits for no frame."""
        self.looks.open(options.theme)

    # --- life ---------------------------------------------------------------------------------------

    @property
    def console_screen(self) -> ConsoleScreen | None:
        """The screen on top; none for an instant while screens are switched and at the end."""
        try:
            screen = self.screen
        except ScreenStackError:
            return None
        return screen if isinstance(screen, ConsoleScreen) else None

    def on_load(self) -> None:
        """Before there is a screen: the desk's first picture comes while it is made."""
        self.run_worker(self.link.run(), name="link", group="link", exit_on_error=True)

    async def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            loop.add_signal_handler(number, self._signalled, number)
        self.set_interval(1 / self.options.paints_per_s, self.painter.tick)
        self.set_interval(LOOK_EVERY_S, self.looks.watch)
        self.set_timer(SETTLE_S, self._settle)

    async def _settle(self) -> None:
        """Once the first picture stands: have ready what the next keys open, and let the collector rest."""
        await asyncio.to_thread(preload)
        await self.watching.load()
        gc.collect()
        gc.freeze()
        gc.enable()

    async def on_unmount(self) -> None:
        await self.returning.save()
        await self.link.close()

    def _signalled(self, number: int) -> None:
        self.exit(return_code=128 + number)

    def stop_pressed(self) -> bool:
        """Called in the driver's input thread: the stop leaves on its own connection."""
        return self.link.press_stop()

    @property
    def stop_bytes(self) -> frozenset[int]:
        """What the driver's input thread takes for the stop."""
        return self.options.keymap.stops

    def terminal_gone(self) -> None:
        self.exit(return_code=128 + signal.SIGHUP)

    def failed(self, error: Exception) -> None:
        """End: something went wrong that nobody foresaw."""
        self._handle_exception(error)

    def _handle_exception(self, error: Exception) -> None:
        cause = error.error if isinstance(error, WorkerFailed) else error
        self.failure = self.failure or cause
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Without Textual's drawing of the stack, which would stand on the operator's screen."""
        self._close_messages_no_wait()

    def _print_error_renderables(self) -> None:
        self._exit_renderables.clear()

    def _set_pointer_shape(self, shape: str) -> None:
        if self.options.mouse:
            super()._set_pointer_shape(shape)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Textual's notification, never with markup: the text may come from outside."""
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=False)

    # --- from the engine ------------------------------------------------------------------------------

    def _up(self, welcome: Welcome) -> None:
        self.view.connected = True
        self.painter.wait()

    def _down(self, reason: str) -> None:
        self.view.connected = False
        self.view.closed_reason = sanitise(reason)
        self.returning.lost()
        self.repaint()

    def _frame(self, frame: Frame) -> None:
        now = self.clock()
        changed = self.view.apply(frame, now)
        if not changed:
            return
        first = not self.returning.was_here
        if self.returning.saw(now):
            warnings = [word for word in (self.looks.fault, *self.options.keymap.warnings) if word]
            if first and warnings:
                self.operator.say("   ".join(warnings), "near", now, WARNED_NS)
            self.opens = first
        self.painter.changed(changed)

    def _reply(self, reply: Reply) -> None:
        self.operator.replied(reply, self.clock())
        self.repaint()

    # --- keys -----------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and not event.is_forwarded and press(self, event):
            return
        await super().on_event(event)

    def repaint(self) -> None:
        """Draw the visible screen now."""
        self.painter.paint()

    def behind_ns(self) -> int:
        """For how long the terminal has not shown something that was written; there is none behind a test."""
        driver = self._driver
        return driver.outflow.behind_ns() if isinstance(driver, StopDriver) else 0

    def on_app_blur(self) -> None:
        self.painter.pace.blurred = True

    def on_app_focus(self) -> None:
        self.painter.pace.blurred = False

    def write_terminal(self, sequence: str) -> None:
        """An escape sequence that draws nothing; there is no terminal behind a test."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(sequence)

    def draw_again(self) -> None:
        """Draw all of it: another program had the terminal."""
        self.refresh()

    def draw_theme_again(self) -> None:
        """Draw with the theme in use as it is registered now: Textual looks only at its name."""
        self._invalidate_css()
        self.call_next(self.refresh_css, animate=False)

    def refresh_css(self, animate: bool = True) -> None:
        """Style what there is by the theme in use; before the first screen only its variables are news."""
        if not self.screen_stack:
            self.stylesheet.set_variables(self.get_css_variables())
            return
        super().refresh_css(animate=animate)
        self.screen.refresh()

    def show_mode(self, mode: str) -> None:
        """A screen by its digit, without what was opened over it; not before what happened was read."""
        if self.returning.unread:
            back = self.options.keymap.name("back")
            self.operator.say(f"{back} leaves this page first; no card arms before", "near", self.clock())
            return
        self.switch_mode(mode)
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def selected(self, table_id: str) -> Any:
        """Key under the cursor of a table of this screen, ``None`` without one."""
        screen = self.console_screen
        tables = screen.query(LiveTable) if screen is not None else ()
        return next((table.cursor_key for table in tables if table.id == table_id), None)

    def on_input_changed(self) -> None:
        """What a typed text can become, or would do, is told with each key."""
        self.painter.soon()

    def on_command_line_answered(self, message: CommandLine.Answered) -> None:
        self.conversation.answered(message.text)
        self.repaint()

    def on_command_line_abandoned(self) -> None:
        self.conversation.close()

    # --- actions --------------------------------------------------------------------------------------

    @property
    def screen_name(self) -> str:
        screen = self.console_screen
        return screen.name_in_registry if screen is not None else ""

    def leave(self) -> None:
        """Leave; engine and orders go on."""
        self.exit(LEFT_OPEN, return_code=LEFT_OPEN)

    def _show_asked(self) -> None:
        """A card that was asked for has come: it is decided on where it stands whole."""
        if self.screen_name not in DECIDES and not isinstance(self.focused, Input):
            self.show_mode(self.DEFAULT_MODE)

    def show_links(self, key: int | None = None) -> None:
        """Linked pairs, the cursor on one with that market."""
        from tui.screens.links import LinksScreen

        if self.screen_name != LinksScreen.name_in_registry:
            self.push_screen(LinksScreen(key))

    def show_score(self, series: str = "", station: str = "") -> None:
        """What the models were worth, the cursor on a series, or on a station where it has none by name."""
        from tui.screens.score import ScoreScreen

        if self.screen_name != ScoreScreen.name_in_registry:
            self.push_screen(ScoreScreen(series, station))

    def show_rules(self, name: str) -> None:
        """What settles a market, asked for: the text is too long for a frame."""
        query = Query(self.operator.next_id(), "rules", self.view.ticker_of(name) or name)
        self.operator.ask(query, "rules", self._open_rules, self.clock())

    def _open_rules(self, answer: bytes) -> None:
        from tui.screens.rules import RulesScreen, read_rules

        if self.screen_name == RulesScreen.name_in_registry:
            self.pop_screen()
        self.push_screen(RulesScreen(read_rules(answer)))

    def copy(self) -> None:
        """The name of what is under the cursor, to the terminal's clipboard. Who meant to leave by the same
        key is told how."""
        found, keymap = under_cursor(self), self.options.keymap
        leave = f"{keymap.name('leave')} leaves the console, ^X stops the desk"
        said = "nothing to copy here"
        if found is not None:
            try:
                self.write_terminal(osc52(found.text))
                said = f"{found.what} {found.text} to the clipboard"
            except ValueError as error:
                said = f"not copied: {error}"
        self.operator.say(f"{said}   {leave}", "text", self.clock())

    def take_picture(self) -> None:
        """This screen as an SVG file."""
        now, folder = self.clock(), self.options.screenshots
        if folder is None:
            self.operator.say("no picture: this console has no folder for it", "near", now)
            return
        try:
            path = keep(self.export_screenshot(), folder, self.screen_name, now.wall_ms)
        except (OSError, ProfileError) as error:
            self.operator.say(f"no picture: {error}", "near", now, 8 * 10**9)
        else:
            self.operator.say(f"picture: {path}", "text", now, 8 * 10**9)

    def show_settings(self) -> None:
        """The console's part of the configuration file."""
        from tui.screens.settings import SettingsScreen

        if self.options.config is not None and self.screen_name != SettingsScreen.name_in_registry:
            self.push_screen(SettingsScreen(self.options.config))

    def show_palette(self) -> None:
        """Everything by its name, for the screen that is open."""
        from tui.screens.palette import PaletteScreen

        if self.screen_name != PaletteScreen.name_in_registry:
            self.push_screen(PaletteScreen(self.screen_name))

    def go(self, name: str) -> None:
        """Open the market of that name."""
        key = self._only_market(name)
        if key is not None:
            if self.screen_name == "market":
                self.pop_screen()
            self.show_market(key)

    def _only_market(self, name: str) -> int | None:
        """The market of that name; says which there are when it is not the only one."""
        keys = markets_like(self.view, name)
        if len(keys) == 1:
            return keys[0]
        if name.strip():
            said = not_one(name, list(map(self.view.named, keys)))
            self.operator.say(said, "near", self.clock(), GO_NS)
        return None

    def show_market(self, key: int) -> None:
        from tui.screens.market import MarketScreen

        self.push_screen(MarketScreen(key))


def preload() -> None:
    """Import what no first picture needs."""
    for entry in files("tui.screens").iterdir():
        if entry.name.endswith(".py"):
            import_module(f"tui.screens.{entry.name.removesuffix('.py')}")
    import_module("tui.commands")


def run(options: ConsoleOptions, log: Path) -> int:
    """Run the console until it is left; returns 0 after ``q``, 128 and the signal after a signal, 1 after a
    failure, which is written to ``log``."""
    app = PmConsole(options)
    app.run(mouse=options.mouse)
    if app.failure is not None:
        sys.stderr.write(record(app.failure, log) + "\n")
    return app.return_code or LEFT_OPEN
