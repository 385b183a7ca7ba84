"""PmConsole: screens, theme, key dispatch, connection and signals. No rules and no formatting.

Keys do not go through Textual's bindings: each press is looked up in ``tui.actions`` with the time it
arrived in the input thread, because what a money key may do depends on when it was pressed.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from textual import events
from textual.app import App, ScreenStackError
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widgets import Input

from core.control.protocol import Frame, Query, Reply, Welcome
from core.domain.clock import machine_ns
from tui.actions import Action, action_for
from tui.arming import BUFFERED_NS
from tui.conversation import Conversation
from tui.handlers import HANDLERS
from tui.link import Identity, Link, Listener
from tui.operator import Operator
from tui.scene import Scene, Typed
from tui.screens.alarms import AlarmsScreen
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk import DeskScreen
from tui.screens.feeds import FeedsScreen
from tui.screens.funnel import FunnelScreen
from tui.screens.journal import JournalScreen
from tui.screens.links import LinksScreen
from tui.screens.market import MarketScreen
from tui.screens.markets import MarketsScreen
from tui.screens.models import ModelsScreen
from tui.screens.orders import OrdersScreen
from tui.screens.positions import PositionsScreen
from tui.screens.rules import RulesScreen, read_rules
from tui.screens.score import ScoreScreen
from tui.terminal import StopDriver
from tui.theming import DEFAULT_THEME, ThemeError, load_theme, theme_names
from tui.view_model import FAIR, Now, ViewModel
from tui.widgets.command_line import CommandLine
from tui.widgets.live_table import LiveTable

URGENT = frozenset({"orders", "proposals", "alarms", "flatten", "reading"})
"""Tables that are drawn when they change; the rest waits for the next tick. Fair values do at one paint a
second only."""
LEFT_OPEN = 0
"""Return code of ``q``; a signal returns 128 and its number."""
_PAGE = {"move.page_down": 1, "move.page_up": -1}
_STEP = {"move.down": 1, "move.up": -1, "move.home": -(10**6), "move.end": 10**6}


@dataclass(frozen=True, slots=True)
class ConsoleOptions:
    """How a console is started."""

    socket: Path
    typed: Typed
    theme: str = DEFAULT_THEME
    coach: bool = True
    view_only: bool = False
    take: bool = False
    paints_per_s: int = 4
    mouse: bool = False


def read_clocks() -> Now:
    return Now(machine_ns(), time.time_ns() // 1_000_000)


class PmConsole(App[int], inherit_bindings=False):
    """The console. Everything it knows is in ``view``, everything the operator did in ``operator``."""

    CSS_PATH: ClassVar[list[str]] = ["styles/console.tcss"]  # type: ignore[assignment]  # wider in Textual
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = ""
    MODES: ClassVar[dict[str, Callable[[], Screen[Any]]]] = {  # type: ignore[assignment]
        "desk": DeskScreen,
        "markets": MarketsScreen,
        "orders": OrdersScreen,
        "positions": PositionsScreen,
        "models": ModelsScreen,
        "feeds": FeedsScreen,
        "funnel": FunnelScreen,
        "journal": JournalScreen,
        "alarms": AlarmsScreen,
    }
    DEFAULT_MODE = "desk"

    def __init__(self, options: ConsoleOptions, *, clock: Callable[[], Now] = read_clocks) -> None:
        super().__init__(driver_class=StopDriver)
        self.options = options
        self.clock: Callable[[], Now] = clock
        self.view: ViewModel = ViewModel()
        identity = Identity(os.getpid(), uuid.uuid4().hex[:12], options.view_only, options.take)
        self.link = Link(options.socket, identity, Listener(self._up, self._down, self._frame, self._reply))
        self.operator: Operator = Operator(self.view, identity.session, self.link.send, coach=options.coach)
        self.animation_level = "none"
        self.conversation: Conversation = Conversation(self)
        self._at_once = URGENT | {FAIR} if options.paints_per_s > 1 else URGENT
        self._last_tick: tuple[object, ...] = ()
        self._dirty = False
        self._title = ""
        self._seen_seq = -1
        self._attached = False
        for name in theme_names():
            self.register_theme(load_theme(name))
        self.theme = options.theme

    # --- life ---------------------------------------------------------------------------------------

    @property
    def console_screen(self) -> ConsoleScreen | None:
        """The screen on top; none for an instant while screens are switched and at the end."""
        try:
            screen = self.screen
        except ScreenStackError:
            return None
        return screen if isinstance(screen, ConsoleScreen) else None

    async def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            loop.add_signal_handler(number, self._signalled, number)
        self.run_worker(self.link.run(), name="link", group="link", exit_on_error=True)
        self.set_interval(1 / self.options.paints_per_s, self._tick)
        gc.collect()
        gc.freeze()

    async def on_unmount(self) -> None:
        await self.link.close()

    def _signalled(self, number: int) -> None:
        self.exit(return_code=128 + number)

    def stop_pressed(self) -> bool:
        """Called in the driver's input thread: the stop leaves on its own connection."""
        return self.link.press_stop()

    def terminal_gone(self) -> None:
        self.exit(return_code=128 + signal.SIGHUP)

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
        self._dirty = True

    def _down(self, reason: str) -> None:
        self.view.connected = False
        self.view.closed_reason = reason
        self._attached = False
        self.repaint()

    def _frame(self, frame: Frame) -> None:
        now = self.clock()
        changed = self.view.apply(frame, now)
        if not changed:
            return
        if not self._attached:
            self._attached = True
            self._greet(now)
        if self.view.journal:
            self._seen_seq = max(self._seen_seq, self.view.journal[-1].seq)
        if changed & self._at_once:
            self.call_later(self.repaint)
        else:
            self._dirty = True

    def _greet(self, now: Now) -> None:
        """Say that a running desk was found, and what happened since this console last saw it."""
        view = self.view
        news = [row for row in view.journal if row.seq > self._seen_seq] if self._seen_seq >= 0 else []
        if self._seen_seq >= 0:
            last = f", last: {news[-1].kind} {news[-1].text}" if news else ""
            self.operator.say(
                f"Attached again. {len(news)} events since you left{last}", "coach", now, 10**10
            )
        elif view.working() or view.held():
            text = f"Attached to a running desk: {len(view.working())} orders, {len(view.held())} positions."
            self.operator.say(text, "coach", now, 8 * 10**9)

    def _reply(self, reply: Reply) -> None:
        self.operator.replied(reply, self.clock())
        self.repaint()

    # --- painting -------------------------------------------------------------------------------------

    def repaint(self) -> None:
        """Draw the visible screen now."""
        screen = self.console_screen
        if screen is None or not screen.is_running:
            return
        self._dirty = False
        now = self.clock()
        scene = self.operator.scene(now, self.size.width)
        if scene.takeover is not None:
            self.conversation.close()
        screen.paint(scene)
        self._retitle(scene)
        card = scene.card
        if card is not None and self.operator.arming.arming(card, now.mono_ns):
            wait_ns = self.operator.arming.armed_ns(card) - now.mono_ns
            self.set_timer(wait_ns / 1e9 + 0.005, self.repaint)

    def _tick(self) -> None:
        """Up to a few times a second: draw if rows changed, a flash ends, or a clock shows a new second."""
        now = self.clock()
        view = self.view
        state = (
            now.mono_ns // 1_000_000_000,
            view.lags(now),
            view.engine_down(now),
            self.operator.in_ladder(now) and now.mono_ns // 250_000_000,
        )
        view.trace(now)
        flashing = bool(view.bid_flash_ns or view.ask_flash_ns)
        view.flashing(now)
        if self._dirty or flashing or state != self._last_tick:
            self._last_tick = state
            self.repaint()

    def _retitle(self, scene: Scene) -> None:
        """Profile, halt state and the sign of the day in the terminal's title."""
        status = self.view.status
        if status is None:
            title = "pmconsole"
        else:
            day = "" if not status.today_pnl else "+" if status.today_pnl > 0 else "-"
            level = "" if status.level == "NORMAL" else f" {status.level}"
            title = f"{status.profile.upper()}{level} {status.mode}{' ' + day if day else ''} pmconsole"
        if title != self._title and self._driver is not None and not self.is_headless:
            self._title = title
            self._driver.write(f"\x1b]0;{title}\x07")

    # --- keys -----------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and not event.is_forwarded and self._key(event):
            return
        await super().on_event(event)

    def _key(self, event: events.Key) -> bool:
        """Act on a key; false leaves it to the text field that has the focus."""
        now = self.clock()
        key, arrived_ns = event.key, int(event.time * 1e9)
        if key == "ctrl+x":
            self.operator.stop(now, arrived_ns, self.link.seen_press())
            self.conversation.close()
        elif self.operator.in_ladder(now) and not (self.view.exiting and isinstance(self.focused, Input)):
            if self.operator.ladder_key(key, arrived_ns, now):
                HANDLERS["command"](self, now)
        elif (alarm := self.operator.taken_over(now)) is not None and key != "ctrl+q":
            self.operator.takeover_key(key, arrived_ns, alarm, now)
        elif isinstance(self.focused, Input):
            return False
        else:
            action = action_for(key, self.screen_name)
            if action is not None and action.card and machine_ns() - arrived_ns > BUFFERED_NS:
                self.operator.say(f"{key} ignored: typed while the screen stood still", "near", now)
            elif action is not None:
                self._perform(action, key, arrived_ns, now)
        self.repaint()
        return True

    def _perform(self, action: Action, key: str, arrived_ns: int, now: Now) -> None:
        """One action of the registry."""
        if action.id.startswith("screen."):
            self.show_mode(action.id.partition(".")[2])
        elif action.id in ("card.approve", "card.yes", "card.no"):
            self.operator.approve(key, arrived_ns, now)
        elif action.id in _STEP or action.id in _PAGE:
            self._move(action.id, now)
        else:
            HANDLERS[action.id](self, now)

    def show_mode(self, mode: str) -> None:
        """A screen by its digit, without what was opened over it."""
        self.switch_mode(mode)
        while len(self.screen_stack) > 1:
            self.pop_screen()

    def _move(self, action_id: str, now: Now) -> None:
        screen = self.console_screen
        if screen is None:
            return
        table = screen.table()
        if table is None or (screen.pages_text and action_id in _PAGE):
            screen.scroll_text(_STEP.get(action_id) or _PAGE[action_id] * screen.text_page)
            return
        step = _STEP.get(action_id) or _PAGE[action_id] * table.page
        selected = table.move(step)
        if table.id == "markets" and isinstance(selected, int):
            self.operator.moved_cursor(selected, now)

    def selected(self, table_id: str) -> Any:
        """Key under the cursor of a table of this screen, ``None`` without one."""
        screen = self.console_screen
        tables = screen.query(LiveTable) if screen is not None else ()
        return next((table.cursor_key for table in tables if table.id == table_id), None)

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

    def filter(self, text: str) -> None:
        self.operator.filter = text
        self.operator.resort()

    def change_theme(self, name: str) -> None:
        try:
            load_theme(name)
        except ThemeError as error:
            self.operator.say(str(error), "near", self.clock())
            return
        self.theme = name

    def leave(self) -> None:
        """Leave; engine and orders go on."""
        self.exit(LEFT_OPEN, return_code=LEFT_OPEN)

    def show_links(self, key: int | None = None) -> None:
        """Linked pairs, the cursor on one with that market."""
        if self.screen_name != LinksScreen.name_in_registry:
            self.push_screen(LinksScreen(key))

    def show_score(self, series: str = "", station: str = "") -> None:
        """What the models were worth, the cursor on a series, or on a station where it has none by name."""
        if self.screen_name != ScoreScreen.name_in_registry:
            self.push_screen(ScoreScreen(series, station))

    def show_rules(self, name: str) -> None:
        """What settles a market, asked for: the text is too long for a frame."""
        query = Query(self.operator.next_id(), "rules", self.view.ticker_of(name) or name)
        self.operator.ask(query, "rules", self._open_rules, self.clock())

    def _open_rules(self, answer: bytes) -> None:
        if self.screen_name == RulesScreen.name_in_registry:
            self.pop_screen()
        self.push_screen(RulesScreen(read_rules(answer)))

    def show_market(self, key: int) -> None:
        self.push_screen(MarketScreen(key))


def run(options: ConsoleOptions) -> int:
    """Run the console until it is left; returns 0 after ``q``, 128 and the signal after a signal."""
    app = PmConsole(options)
    app.run(mouse=options.mouse)
    return app.return_code or LEFT_OPEN
