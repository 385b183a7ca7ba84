"""The one text field of the console: commands, filters and the words a risky step asks for."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.widgets import Input

from tui.actions import complete
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
        self._completes = False
        self._question: Question | None = None

    def ask(self, question: str | Question, *, completes: bool = False, value: str = "") -> None:
        """Show the question and an empty field; ``completes`` makes Tab finish command names."""
        self.prompt = question if isinstance(question, str) else question.prompt
        self._question = None if isinstance(question, str) else question
        self._completes = completes
        self.value = value
        self.cursor_position = len(value)
        self.placeholder = "type here; Enter answers, Esc leaves"

    @property
    def choices(self) -> str:
        """What the typed text can still become, for the message line."""
        if self._question is not None and self.value:
            return self._question.tell(self.value)
        if not self._completes:
            return self.prompt
        specs = complete(self.value)
        if len(specs) == 1:
            return f"{specs[0].name} {specs[0].usage}  {specs[0].help}".replace("  ", " ", 1)
        return "  ".join(spec.name for spec in specs) or "no such command"

    def on_key(self, event: events.Key) -> None:
        match event.key:
            case "enter":
                text = sanitise(self.value, TEXT_MAX)
                self.post_message(self.Answered(text))
            case "escape":
                self.post_message(self.Abandoned())
            case "tab":
                specs = complete(self.value) if self._completes else []
                if len(specs) == 1 and " " not in self.value:
                    self.value = specs[0].name + " "
                    self.cursor_position = len(self.value)
            case key if self._question is not None and key in self._question.keys:
                self.value = self._question.keys[key](self.value)
                self.cursor_position = len(self.value)
            case _:
                return
        event.prevent_default()
        event.stop()
