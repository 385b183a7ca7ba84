"""The text field in use: who asked for the text, and the talk of questions that may follow.

A talk (``tui.commands``) asks one question after another; each answer of the field goes to it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tui.completing import Completer, Known, of_command, of_market
from tui.talks import Question, Talk
from tui.theme_files import theme_names

if TYPE_CHECKING:
    from textual.widget import Widget

    from tui.app import PmConsole
    from tui.screens.console_screen import ConsoleScreen


HISTORY_MAX = 100


class Conversation:
    """Opens the command line of the visible screen, and hands on what is typed there."""

    def __init__(self, app: PmConsole) -> None:
        self._app = app
        self._talk: Talk | None = None
        self._on_text: Callable[[str], None] | None = None
        self._history: deque[str] = deque(maxlen=HISTORY_MAX)
        """Lines of the command line, the newest last, each once."""
        self._asked_on: ConsoleScreen | None = None
        """The screen whose field is open: what was typed may have opened another one over it."""
        self._asked_from: Widget | None = None
        """What had the keys there."""

    def ask(
        self,
        question: str | Question,
        on_text: Callable[[str], None],
        *,
        completer: Completer | None = None,
        history: Sequence[str] = (),
        value: str = "",
    ) -> None:
        """Open the field; what is typed there goes to ``on_text``."""
        screen = self._app.console_screen
        if screen is None:
            return
        self._on_text = on_text
        self._asked_on = screen
        field = screen.command_line
        if not field.display:
            self._asked_from = screen.focused
        field.ask(question, completer=completer, history=history, value=value)
        field.display = True
        screen.set_focus(field)

    def ask_command(self, begun: str = "") -> None:
        """Open the command line, with what is typed there already."""
        known = self._known()
        self.ask("command", self._command, completer=of_command(known), history=[*self._history], value=begun)

    def ask_market(self) -> None:
        """Open the field for the market to go to."""
        self.ask("go to market", self._app.go, completer=of_market(self._known()))

    def _known(self) -> Known:
        app = self._app
        return Known(app.view, lambda: theme_names(app.looks.folder), lambda: app.watching.names)

    def _command(self, text: str) -> None:
        line = text.strip()
        if line:
            if line in self._history:
                self._history.remove(line)
            self._history.append(line)
        self.run_line(text)

    def close(self) -> None:
        """Give the keys back; a talk under way ends without sending anything."""
        self._on_text = None
        if self._talk is not None:
            self._talk.close()
            self._talk = None
        screen, self._asked_on = self._asked_on, None
        if screen is not None:
            screen.command_line.display = False
            back = self._asked_from
            screen.set_focus(back if back is not None and back.focusable else screen.home_focus())
            screen.call_after_refresh(self._app.repaint)

    def answered(self, text: str) -> None:
        """Enter in the field; it stays open when its answer led to a question."""
        on_text, self._on_text = self._on_text, None
        if on_text is not None:
            on_text(text)
        if self._on_text is None:
            self.close()

    def begin(self, talk: Talk) -> None:
        """Run a talk: its questions appear on the command line."""
        self._talk = talk
        self._answer(None)

    def _answer(self, text: str | None) -> None:
        talk = self._talk
        if talk is None:
            return
        try:
            question = next(talk) if text is None else talk.send(text)
        except StopIteration as end:
            self._talk = None
            if end.value:
                self._app.operator.say(str(end.value), "near", self._app.clock())
            return
        value = question.value if isinstance(question, Question) else ""
        self.ask(question, self._answer, value=value)

    def run_line(self, text: str) -> None:
        """Carry out one line of the command line."""
        from tui import commands
        from tui.screens.digest import DigestScreen
        from tui.screens.help import HelpScreen
        from tui.screens.vetoes import VetoesScreen

        app = self._app
        parsed = commands.parse(text)
        if isinstance(parsed, str):
            if parsed:
                app.operator.say(parsed, "near", app.clock())
            return
        match parsed.spec.name:
            case name if not parsed.rest and name in (*app.MODES, app.DEFAULT_MODE):
                app.show_mode(name)
            case "quit":
                app.leave()
            case "help" if app.screen_name != HelpScreen.name_in_registry:
                app.push_screen(HelpScreen(app.screen_name))
            case "filter":
                screen = app.console_screen
                if screen is not None and screen.ordering is not None:
                    screen.ordering.narrow(parsed.rest)
            case "watch":
                app.watching.choose(parsed.rest)
            case "copy":
                app.copy()
            case "screenshot":
                app.take_picture()
            case "settings":
                app.show_settings()
            case "palette":
                app.show_palette()
            case "go":
                app.go(parsed.rest)
            case "score":
                app.show_score()
            case "vetoes" if app.screen_name != VetoesScreen.name_in_registry:
                app.push_screen(VetoesScreen())
            case "since" if app.screen_name != DigestScreen.name_in_registry:
                app.push_screen(DigestScreen())
            case "links":
                app.show_links()
            case "rules":
                app.show_rules(parsed.rest)
            case "low-bandwidth" if parsed.rest in ("on", "off"):
                app.painter.pace.low_bandwidth = parsed.rest == "on"
            case "low-bandwidth":
                app.operator.say("low-bandwidth: on or off?", "near", app.clock())
            case "theme":
                if app.looks.change(parsed.rest):
                    kept = f"theme {parsed.rest} until you leave; :settings keeps one"
                    app.operator.say(kept, "text-muted", app.clock())
            case _:
                talk = commands.talk(parsed, app.operator, app.clock)
                if talk is not None:
                    self.begin(talk)
