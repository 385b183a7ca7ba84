"""The one text field of the console: commands, filters and the words a risky step asks for."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.message import Message
from textual.widgets import Input

from tui.completing import Completer
from tui.format import sanitise
from tui.talks import Question

TEXT_MAX = 200


class CommandLine(Input):
    """Opened with a prompt, closed by Enter or Esc. Enter here never spends by itself."""

    class Answered(Message):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Abandoned(Message):
        pass

    def __init__(self) -> None:
        super().__init__(id="command", compact=True, max_length=TEXT_MAX, select_on_focus=False)
        self.cursor_blink = False
        self.prompt = ""
        self._completer: Completer | None = None
        self._history: Sequence[str] = ()
        self._back = 0
        """How far back in the history the field is; 0 is what is being typed."""
        self._typed = ""
        self._question: Question | None = None

    def ask(
        self,
        question: str | Question,
        *,
        completer: Completer | None = None,
        history: Sequence[str] = (),
        value: str = "",
    ) -> None:
        """Show the question and a field: Tab finishes what is typed by ``completer``, Up and Down go through
        ``history``, whose last is the newest."""
        self.prompt = question if isinstance(question, str) else question.prompt
        self._question = None if isinstance(question, str) else question
        self._completer = completer
        self._history, self._back = history, 0
        self.value = value
        self.cursor_position = len(value)
        self.placeholder = "type here; Enter answers, Esc leaves"

    @property
    def choices(self) -> str:
        """What the typed text can still become, for the message line."""
        if self._question is not None and self.value:
            return self._question.tell(self.value)
        return self._completer(self.value).told if self._completer is not None else self.prompt

    def _put(self, text: str) -> None:
        self.value = text
        self.cursor_position = len(text)

    def _step(self, back: int) -> None:
        """Go through what was typed before, and on to what is being typed."""
        if self._back == 0:
            self._typed = self.value
        self._back = min(len(self._history), max(0, self._back + back))
        self._put(self._history[-self._back] if self._back else self._typed)

    def on_key(self, event: events.Key) -> None:
        match event.key:
            case "enter":
                text = sanitise(self.value, TEXT_MAX)
                self.post_message(self.Answered(text))
            case "escape":
                self.post_message(self.Abandoned())
            case key if self._question is not None and key in self._question.keys:
                self._put(self._question.keys[key](self.value))
            case "tab":
                if self._completer is not None:
                    self._put(self._completer(self.value).further(self.value))
            case "up" | "down" if self._history:
                self._step(1 if event.key == "up" else -1)
            case _:
                return
        event.prevent_default()
        event.stop()
