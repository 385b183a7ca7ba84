"""Help for one screen, made from the action registry."""

from __future__ import annotations

from tui.actions import COMMANDS, LADDER, CommandSpec
from tui.keymap import Keymap
from tui.lines import Line, flow, line, pad, width_of
from tui.scene import Scene, head
from tui.screens.text_screen import TextScreen
from tui.widgets.text_pane import wrapped

_TEXT_AT, _TEXT_MIN = 22, 20
_CLOSING = (
    "Enter never spends. Pasted and held keys never spend. What a command does to the desk, a verb does too."
)
_IN_TMUX = (
    "In tmux's copy mode keys belong to tmux. With the lines of 'pmconsole tmux' in its configuration Ctrl-X "
    "stops the desk there too, and prefix Ctrl-X from every pane."
)
_DANGER_ROLES = {"spends": "near", "stops": "alarm", "safer": "good"}


def help_lines(screen: str, width: int, keymap: Keymap) -> list[Line]:
    """Keys that work on the screen, the stop ladder's keys, and the commands."""
    rows: list[Line] = [line((f" Keys on this screen ({screen})", "title"))]
    for keys, text, danger in keymap.help_rows(screen):
        mark = (f"{danger:8}", _DANGER_ROLES.get(danger, "text"))
        rows += _entry(line((f"  {keys:10}", "key"), mark), text, "", width)
    rows += ((), line((" While a stop is running", "title")))
    for key, text in LADDER:
        rows += _entry(line((f"  {key}", "key")), text, "", width)
    rows += ((), line((" Commands after :", "title")))
    for spec in COMMANDS:
        rows += _entry(line((f"  {spec.name} {spec.usage}", "key")), spec.help, _asks(spec), width)
    for text in (_IN_TMUX, _CLOSING):
        rows += ((), *wrapped(text, max(_TEXT_MIN, width), "text-muted"))
    return rows


def _asks(spec: CommandSpec) -> str:
    """What stands between a riskier command and its effect."""
    word = f"the word {spec.word}" if spec.word else "the phrase" if spec.name == "arm" else ""
    wants = " and ".join(filter(None, (word, "a reason" if spec.reason else "")))
    return f"asks for {wants}" if wants else ""


def _entry(name: Line, text: str, asks: str, width: int) -> list[Line]:
    """A name and what it means beside it; below it where the name is long."""
    room = max(_TEXT_MIN, width - _TEXT_AT)
    told = flow([*wrapped(text, room, indent=0), *wrapped(asks, room, "text-muted", 0)], room, indent=0)
    beside = width_of(name) < _TEXT_AT
    first = [line(*pad(name, _TEXT_AT), *told.pop(0))] if beside else [name]
    return first + [line(" " * _TEXT_AT, *row) for row in told]


class HelpScreen(TextScreen):
    name_in_registry = "help"

    def __init__(self, about: str) -> None:
        super().__init__()
        self._about = about

    def draw(self, scene: Scene) -> None:
        rows = help_lines(self._about, self.detail.body_size[0], scene.keymap)
        self.detail.show_text(rows, head("HELP", "Esc closes"))
