"""Help for one screen, made from the action registry."""

from __future__ import annotations

from collections.abc import Iterator

from tui.actions import COMMANDS, LADDER, CommandSpec
from tui.keymap import Keymap
from tui.lines import Line, flow, line, pad, plain, width_of
from tui.scene import Scene, head, note
from tui.screens.text_screen import TextScreen
from tui.widgets.text_pane import wrapped

_TEXT_AT, _TEXT_MIN = 22, 20
_CLOSING = (
    "Enter never spends. Pasted and held keys never spend. What a command does to the desk, a verb does too."
)
_IN_TMUX = (
    "In tmux's copy mode keys belong to tmux. With the lines of 'pmconsole tmux' in its configuration Ctrl-X "
    "stops the desk there too, and prefix Ctrl-X from every pane. What is copied here passes through it "
    "where that has 'set -g set-clipboard on'."
)
_Entry = tuple[Line, str, str]
"""A name, what it means, and what stands between a riskier command and its effect."""
_DANGER_ROLES = {"spends": "near", "stops": "alarm", "safer": "good"}


def help_lines(screen: str, width: int, keymap: Keymap, search: str = "") -> list[Line]:
    """Keys that work on the screen, the stop ladder's keys, and the commands; of these what has the words
    looked for in it."""
    rows: list[Line] = []
    for title, entries in _sections(screen, keymap):
        found = [entry for entry in entries if _has(entry, search.casefold().split())]
        if found:
            rows += ((), line((title, "title")))
        for name, text, asks in found:
            rows += _entry(name, text, asks, width)
    if not rows:
        return [note(f'Nothing here has "{search}" in it.')]
    for text in () if search else (_IN_TMUX, _CLOSING):
        rows += ((), *wrapped(text, max(_TEXT_MIN, width), "text-muted"))
    return rows[1:]


def _sections(screen: str, keymap: Keymap) -> Iterator[tuple[str, list[_Entry]]]:
    """Titles and what stands below each."""
    keys = []
    for names, text, danger in keymap.help_rows(screen):
        mark = (f"{danger:8}", _DANGER_ROLES.get(danger, "text"))
        keys.append((line((f"  {names:10}", "key"), mark), text, ""))
    yield f" Keys on this screen ({screen})", keys
    yield " While a stop is running", [(line((f"  {key}", "key")), text, "") for key, text in LADDER]
    commands = [(line((f"  {spec.name} {spec.usage}", "key")), spec.help, _asks(spec)) for spec in COMMANDS]
    yield " Commands after :", commands


def _has(entry: _Entry, words: list[str]) -> bool:
    name, text, asks = entry
    whole = f"{plain(name)} {text} {asks}".casefold()
    return all(word in whole for word in words)


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
        self._search = ""

    def search(self, text: str) -> None:
        """Show only what has these words in it; all of it with none."""
        self._search = text.strip()
        self.detail.scroll_text(-(10**6))

    def draw(self, scene: Scene) -> None:
        rows = help_lines(self._about, self.detail.body_size[0], scene.keymap, self._search)
        detail = (
            f'with "{self._search}"'
            if self._search
            else f"{scene.keymap.name('table.filter')} filters, {scene.keymap.name('back')} closes"
        )
        self.detail.show_text(rows, head("HELP", detail))
