"""When the console draws: at once what a hand waits for, a few times a second the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tui.bell import Bell
from tui.pace import LEISURE_NS, Pace
from tui.scene import Scene
from tui.tables import FAIR, Now
from tui.title import title

if TYPE_CHECKING:
    from tui.app import PmConsole

URGENT = frozenset({"orders", "proposals", "alarms", "flatten", "reading"})
"""Tables that are drawn when they change; the rest waits for the next tick. Fair values do at one paint a
second only."""


_TOLERANCE_NS = 20_000_000
"""Timers come a little early at times."""


class Painter:
    """Draws the visible screen of its console, the terminal's title, and rings its bell."""

    def __init__(self, app: PmConsole, pace: Pace, bell: Bell) -> None:
        self._app = app
        self.bell = bell
        self.pace = pace
        self._painted_ns = 0
        self._last_tick: tuple[object, ...] = ()
        self._dirty = self._comes = False
        self._title = ""

    def changed(self, tables: frozenset[str]) -> None:
        """Draw what changed: now, or with the next tick."""
        leisurely = self.pace.every_ns(self._app.clock().mono_ns) >= LEISURE_NS
        if tables & (URGENT if leisurely else URGENT | {FAIR}):
            self.soon()
        else:
            self._dirty = True

    def wait(self) -> None:
        """Draw with the next tick, whatever it finds."""
        self._dirty = True

    def soon(self) -> None:
        """Draw once what has come by now is handled: of keys that wait in a row, only the last is drawn."""
        if not self._comes:
            self._comes = True
            self._app.call_later(self._app.repaint)

    def paint(self) -> None:
        """Draw the visible screen now."""
        self._comes = False
        app = self._app
        screen = app.console_screen
        if screen is None or not screen.is_running:
            return
        # The first picture of the desk comes in an instant: one of an empty desk would only delay it.
        if app.view.status is None and not (self._last_tick or app.view.closed_reason):
            return
        now = app.clock()
        self.observe(now)
        if self.pace.holds(urgent=True):
            self._dirty = True
            return
        self._dirty = False
        self._painted_ns = now.mono_ns
        made, pace = app.operator.scene(now, app.size.width), self.pace.word(now.mono_ns)
        scene = msgspec.structs.replace(made, pace=pace) if pace else made
        if scene.takeover is not None:
            app.conversation.close()
        screen.paint(scene)
        self._tell_outside(scene)
        card = scene.card
        if card is not None and app.operator.arming.arming(card, now.mono_ns):
            wait_ns = app.operator.arming.armed_ns(card) - now.mono_ns
            app.set_timer(wait_ns / 1e9 + 0.005, app.repaint)

    def tick(self) -> None:
        """Up to a few times a second: draw if rows changed, a flash ends, or a clock shows a new second."""
        now = self._app.clock()
        view = self._app.view
        self.observe(now)
        early = now.mono_ns - self._painted_ns < self.pace.every_ns(now.mono_ns) - _TOLERANCE_NS
        if self._last_tick and (early or self.pace.holds(urgent=False)):
            return
        state = (
            now.mono_ns // 1_000_000_000,
            view.lags(now),
            view.engine_down(now),
            self._app.operator.in_ladder(now) and now.mono_ns // 250_000_000,
        )
        if not view.sparing:
            view.trace(now)
        flashing = bool(view.bid_flash_ns or view.ask_flash_ns)
        view.flashing(now)
        if self._dirty or flashing or state != self._last_tick:
            self._last_tick = state
            self._app.repaint()

    def observe(self, now: Now) -> None:
        """Ask the terminal how far it is behind."""
        self.pace.observe(self._app.behind_ns(), now.mono_ns)
        view = self._app.view
        view.unseen, view.sparing = self.pace.holds(urgent=True), self.pace.sparing(now.mono_ns)

    def _tell_outside(self, scene: Scene) -> None:
        """What must be noticed by whoever does not look at the screen: the terminal's title and its bell."""
        app = self._app
        wanted = title(scene, app.options.typed)
        if wanted != self._title:
            self._title = wanted
            app.write_terminal(f"\x1b]0;{wanted}\x07")
        if self.bell.rings(scene):
            app.write_terminal("\x07")
