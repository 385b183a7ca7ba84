"""What the console looks like: its themes, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.theming import ThemeError, load_theme

if TYPE_CHECKING:
    from tui.app import PmConsole


def put_on(app: PmConsole, name: str) -> None:
    """Draw with this theme; raises ``ThemeError``. No other is read before it is asked for."""
    app.register_theme(load_theme(name))
    app.theme = name


def change_theme(app: PmConsole, name: str) -> None:
    """Draw with another theme; one that cannot be read is told and leaves the old."""
    try:
        put_on(app, name)
    except ThemeError as error:
        app.operator.say(str(error), "near", app.clock())
