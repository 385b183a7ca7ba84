"""What every screen has: status bar, band, body, message line, key hints, and the command line over them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.geometry import NULL_OFFSET, NULL_SPACING, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.screen import Screen
from textual.widget import Widget

from tui.actions import DECIDES
from tui.ordering import Ordering
from tui.scene import Scene
from tui.screens.desk_plan import Plan, Rect
from tui.standing import Standing, standing
from tui.tables import Now
from tui.widgets.band import Band
from tui.widgets.command_line import CommandLine
from tui.widgets.key_hints import STOP, KeyHints
from tui.widgets.line_pane import LinePane, edges_of
from tui.widgets.live_table import Key, LiveTable
from tui.widgets.message_line import MessageLine
from tui.widgets.status_bar import StatusBar
from tui.widgets.takeover import TakeoverPane
from tui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from tui.app import PmConsole


BAND_HEIGHT, CALM_HEIGHT = 6, 36
"""Rows of a terminal from which on the band has one, for what is grave and for the rest."""


class PlanLayout(Layout):
    """Places widgets by id where a plan says; what is not in the plan is not shown."""

    name = "plan"

    def __init__(self, plan: Callable[[Size], Plan]) -> None:
        self._plan = plan

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        plan = self._plan(size)
        return [
            WidgetPlacement(Region(*plan[child.id]), NULL_OFFSET, NULL_SPACING, child)
            for child in children
            if child.id in plan
        ]


class ConsoleScreen(Screen[None], inherit_bindings=False):
    """A screen of the console. Subclasses add panes, their plan and how they draw a scene."""

    AUTO_FOCUS: ClassVar[str | None] = ""
    ESCAPE_TO_MINIMIZE = False
    name_in_registry: ClassVar[str] = ""
    """The screen's name in ``tui.actions``."""
    pages_text: ClassVar[bool] = False
    """Whether the page keys move the text although there is a table."""

    def __init__(self) -> None:
        super().__init__()
        self._layout = PlanLayout(self._whole_plan)
        self.status_bar = StatusBar(id="status")
        self.band = Band(id="band")
        self.message_line = MessageLine(id="message")
        self.key_hints = KeyHints(id="hints")
        self.command_line = CommandLine()
        self.takeover = TakeoverPane(id="takeover")
        self.opening = False
        """Whether keys are dropped: they are text for a field that is not there yet."""

    @property
    def layout(self) -> Layout:
        return self._layout

    @property
    def console(self) -> PmConsole:
        return self.app  # type: ignore[return-value]  # these screens are only ever pushed by PmConsole

    def _post_register(self, app: App[Any]) -> None:
        """A screen is styled as it is registered, and not again, twice, before its mode is shown first."""
        super()._post_register(app)
        self._css_update_count = app._css_update_count

    def compose(self) -> ComposeResult:
        yield self.status_bar
        yield self.band
        yield from self.panes()
        yield self.takeover
        yield self.message_line
        yield self.key_hints
        yield self.command_line

    # --- for subclasses -----------------------------------------------------------------------------

    def panes(self) -> list[LinePane]:
        """The body's widgets, made once."""
        return []

    def plan(self, width: int, height: int) -> Plan:
        """Rectangles of the body's widgets by id, in a terminal without a band of this height."""
        return {}

    def draw(self, scene: Scene) -> None:
        """Show the scene in the body."""

    def home_focus(self) -> Widget | None:
        """What has focus when the screen opens; never a text field."""
        return next((pane for pane in self.panes() if isinstance(pane, LiveTable)), None)

    def open_cursor(self) -> None:
        """Enter: open what is under the cursor."""

    def cursor_moved(self, key: Key, now: Now) -> None:
        """The cursor of the screen's table was moved to a row."""

    @property
    def text_page(self) -> int:
        """Lines the screen's text moves by a page key: what is seen, less two to keep the place."""
        return max((pane.body_size[1] - 2 for pane in self.panes() if isinstance(pane, TextPane)), default=1)

    @property
    def has_more(self) -> bool:
        """Whether a page key shows something else of what was drawn last."""
        table = self.table()
        if table is not None and not self.pages_text:
            return len(table.keys) > table.page
        return any(pane.overflows for pane in self.panes() if isinstance(pane, TextPane))

    def scroll_text(self, step: int) -> None:
        """Move the screen's text by lines, where it has some."""
        for pane in self.panes():
            if isinstance(pane, TextPane):
                pane.scroll_text(step)

    # --- shared -------------------------------------------------------------------------------------

    def paint(self, scene: Scene) -> None:
        """Draw everything on this screen; panes write only what changed."""
        for pane in (*self.panes(), self.takeover):
            pane.edges = edges_of(scene.view.profile)
        self._show_band(scene)
        self.status_bar.show(scene)
        asking = self.command_line.choices if self.command_line.display else ""
        opened = len(self.console.screen_stack) > 1
        self.message_line.show(scene, asking, opened=opened)
        if self.takeover.display is not (scene.takeover is not None):
            self.takeover.display = scene.takeover is not None
            self.relayout()
        self.takeover.show(scene)
        self.draw(scene)
        self.key_hints.show(
            scene, self.name_in_registry, asking=self.command_line.display, more=self.has_more
        )
        if self.name_in_registry not in DECIDES:
            # No card stands here: what is selected meanwhile arms once it is looked at.
            self.console.operator.arming.drawn(whole=False, now_ns=scene.now.mono_ns)

    @property
    def banded(self) -> int:
        """Rows of the body that the band takes."""
        return int(self.band.display)

    def _show_band(self, scene: Scene) -> None:
        """Say what stands. It comes and goes with its cause, at once: the panes are arranged before they are
        drawn, so that no picture shows half of it."""
        stands = self._in_band(scene)
        if self.band.display is not bool(stands):
            self.band.display = bool(stands)
            self.status_bar.refresh(layout=True)
            with self.app.batch_update():
                self._refresh_layout()
        if stands:
            self.band.show(stands)

    def _in_band(self, scene: Scene) -> list[Standing]:
        """What stands, if it is worth a row of this terminal."""
        stands = standing(scene, self.console.options.typed)
        calm = all(found.calm for found in stands)
        return stands if self.app.size.height >= (CALM_HEIGHT if calm else BAND_HEIGHT) else []

    def _whole_plan(self, size: Size) -> Plan:
        width, height = size
        body = height - self.banded
        taken = self.takeover.display
        plan = {"takeover": Rect(0, 1, width, body - 3)} if taken else self.plan(width, body)
        plan = {name: rect._replace(y=rect.y + self.banded) for name, rect in plan.items()}
        if self.banded:
            plan["band"] = Rect(0, 1, width, 1)
        plan["status"] = Rect(0, 0, width, 1)
        plan["message"] = Rect(0, height - 2, width, 1)
        typing = max(0, width - len(STOP)) if self.command_line.display else 0
        plan["hints"] = Rect(typing, height - 1, width - typing, 1)
        if typing:
            plan["command"] = Rect(0, height - 1, typing, 1)
        return plan

    def on_mount(self) -> None:
        self.command_line.display = self.takeover.display = False
        console = self.console
        self.band.display = bool(self._in_band(console.operator.scene(console.clock(), console.size.width)))
        target = self.home_focus()
        if target is not None:
            self.set_focus(target)
        self.opened()

    def opened(self) -> None:
        """The screen stands and takes keys."""

    async def _on_idle(self, event: events.Idle) -> None:
        """The first picture does not wait for a frame, as Textual's do: it is drawn once all panes have told
        the screen that they have theirs."""
        if not (self.console.opens and self.is_current):
            return
        drawn = {pane for pane in (self.status_bar, *self.panes()) if pane.region and pane.text}
        if drawn and drawn <= self._dirty_widgets:
            self.console.opens = False
            self._on_timer_update()

    def relayout(self) -> None:
        """Arrange the panes again: a child that asks makes Textual forget the old arrangement."""
        self.status_bar.refresh(layout=True)
        self.call_after_refresh(self.console.repaint)

    def on_screen_resume(self) -> None:
        self.console.repaint()

    def _screen_resized(self, size: Size) -> None:
        """Take the terminal's size as it is now, whatever size is told: Textual sends a screen each new size
        of its own once more, and of two under way each would bring the other back for ever."""
        super()._screen_resized(self.app.size)

    def on_resize(self) -> None:
        self.call_after_refresh(self.console.repaint)

    @property
    def ordering(self) -> Ordering | None:
        """The order of the rows the keys act on: that of the markets is the same on every screen."""
        table = self.table()
        return self.console.operator.ordering if table is None or table.id == "markets" else table.ordering

    def table(self) -> LiveTable | None:
        """The table the movement keys act on."""
        if isinstance(self.focused, LiveTable):
            return self.focused
        found = self.home_focus()
        return found if isinstance(found, LiveTable) else None
