"""What the console looks like: its themes, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.theming import ThemeError, load_theme, theme_names

if TYPE_CHECKING:
    from tui.app import PmConsole


def register_themes(app: PmConsole) -> None:
    """Every theme that comes with the console."""
    for name in theme_names():
        app.register_theme(load_theme(name))


def change_theme(app: PmConsole, name: str) -> None:
    """Draw with another theme; one that cannot be read is told and leaves the old."""
    try:
        load_theme(name)
    except ThemeError as error:
        app.operator.say(str(error), "near", app.clock())
        return
    app.theme = name
