"""Help for one screen, made from the action registry."""

from __future__ import annotations

from tui.actions import COMMANDS, LADDER, help_rows
from tui.lines import Line, line
from tui.scene import Scene, head
from tui.screens.console_screen import ConsoleScreen
from tui.screens.desk_plan import Plan, Rect
from tui.widgets.line_pane import LinePane
from tui.widgets.text_pane import TextPane

_DANGER_ROLES = {"spends": "near", "stops": "alarm", "safer": "good"}


def help_lines(screen: str) -> list[Line]:
    """Keys that work on the screen, the stop ladder's keys, and the commands."""
    rows: list[Line] = [line((f" Keys on this screen ({screen})", "title"))]
    for keys, text, danger in help_rows(screen):
        rows.append(line((f"  {keys:10}", "key"), (f"{danger:8}", _DANGER_ROLES.get(danger, "text")), text))
    rows += ((), line((" While a stop is running", "title")))
    rows += [line((f"  {key:10}", "key"), " " * 8, text) for key, text in LADDER]
    rows += ((), line((" Commands after :", "title")))
    for spec in COMMANDS:
        word = f"   asks for the word {spec.word}" if spec.word else ""
        word += " and a reason" if spec.reason else ""
        rows.append(line((f"  {(spec.name + ' ' + spec.usage):20}", "key"), spec.help, (word, "text-muted")))
    rows += (
        (),
        line(
            (
                " Enter never spends. Pasted and held keys never spend. Every command has a CLI twin.",
                "text-muted",
            )
        ),
    )
    return rows


class HelpScreen(ConsoleScreen):
    name_in_registry = "help"

    def __init__(self, about: str) -> None:
        super().__init__()
        self._about = about
        self.text = TextPane(id="detail")

    def panes(self) -> list[LinePane]:
        return [self.text]

    def plan(self, width: int, height: int) -> Plan:
        return {"detail": Rect(0, 1, width, height - 3)}

    def draw(self, scene: Scene) -> None:
        self.text.show_text(help_lines(self._about), head("HELP", "Esc closes"))
