"""What the console looks like: its theme by name, and a theme of the operator's own as its file changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.format import sanitise
from tui.theme_files import DEFAULT_THEME, ThemeError, theme_file
from tui.theming import load_theme

if TYPE_CHECKING:
    from pathlib import Path

    from tui.app import PmConsole

LOOK_EVERY_S = 1.0


class Looks:
    """The theme in use, read when it is asked for and again when the operator's file changes: the one that
    was asked for last, so that one which could not be read is drawn once it is mended."""

    def __init__(self, app: PmConsole, folder: Path | None, *, swap: bool) -> None:
        self._app = app
        self.folder = folder
        self._swap = swap
        self._watched = DEFAULT_THEME
        self._mark: tuple[int, int] | None = None
        """State of its file when it was read last."""
        self.fault = ""
        """What was wrong with the theme the console was opened with: told once there is a picture."""

    def open(self, name: str) -> None:
        """Draw with a theme from the first frame on; with the usual one where it cannot be read."""
        fault = self._use(name)
        if fault:
            watched = self._watched, self._mark
            self._use(DEFAULT_THEME)
            self._watched, self._mark = watched
            self.fault = f"{DEFAULT_THEME} for now; {fault}"

    def change(self, name: str) -> bool:
        """Draw with another theme; one that cannot be read is told and leaves the old."""
        fault = self._use(name)
        if fault:
            self._app.operator.say(fault, "near", self._app.clock())
        return not fault

    def _use(self, name: str) -> str:
        """Draw with a theme; the sentence that says why not, where it cannot be read."""
        mark = self._look(name)
        try:
            theme = load_theme(name, self.folder, swap=self._swap)
        except ThemeError as error:
            if mark is not None:
                self._watched, self._mark = name, mark
            return sanitise(str(error))
        self._watched, self._mark = name, mark
        self._app.register_theme(theme)
        if self._app.theme == name:
            self._app.draw_theme_again()
        else:
            self._app.theme = name
        return ""

    def swap(self, on: bool) -> bool:
        """Draw what rises as what falls was drawn, or as usual again."""
        self._swap = on
        return self.change(self._app.theme)

    def watch(self) -> None:
        """Read the file again if it is another than the one read last."""
        name = self._watched
        mark = self._look(name)
        if mark is None or mark == self._mark:
            return
        if self.change(name):
            self._app.operator.say(f"theme {name} read again", "text-muted", self._app.clock())
        self._app.repaint()

    def _look(self, name: str) -> tuple[int, int] | None:
        """What tells one state of an operator's own file from another; ``None`` for what comes packaged."""
        if self.folder is None:
            return None
        try:
            read = (self.folder / theme_file(name, self.folder).name).stat()
        except (OSError, ThemeError):
            return None
        return read.st_mtime_ns, read.st_size
