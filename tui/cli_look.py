"""How the console looks: options of the verbs that open one, and the configuration file's words."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from core.config.paths import Profile
from tui import verbs
from tui.keymap import Keymap, KeymapError, keymap
from tui.theme_files import COLOURLESS_THEME, no_theme, theme_names

if TYPE_CHECKING:
    from core.config.settings import ConsoleSettings
    from tui.front_door import Look

_F = TypeVar("_F", bound=Callable[..., Any])
_THEME_HELP = f"One of {', '.join(theme_names())}, or a file in the profile's themes folder."


def with_look(function: _F) -> _F:
    """How the console looks: the configuration file's word unless the command line has one."""
    for option in (
        click.option("--view-only", is_flag=True, help="Look, halt and flatten; nothing else."),
        click.option(
            "--low-bandwidth", is_flag=True, help="One repaint a second, without flashes and sparks."
        ),
        click.option("--theme", default=None, metavar="NAME", help=_THEME_HELP),
    ):
        function = option(function)
    return function


def look_of(place: Profile, theme: str | None, low_bandwidth: bool, **rest: bool) -> Look:
    """The look of a console; leaves with a usage error for a theme that does not exist."""
    from tui.front_door import Look

    if theme is not None and theme not in theme_names(place.themes):
        verbs.leave(verbs.USAGE, f"pmconsole: {no_theme(theme, place.themes)}")
    console, keys = _console_settings(place)
    theme = theme or (COLOURLESS_THEME if os.environ.get("NO_COLOR") else console.theme)
    sparing = low_bandwidth or console.low_bandwidth
    return Look(
        theme,
        console.repaint_hz,
        sparing,
        console.mouse,
        console.bell,
        console.swap_up_down,
        keymap=keys,
        **rest,
    )


def _console_settings(place: Profile) -> tuple[ConsoleSettings, Keymap]:
    """The file's ``[console]`` and ``[keys]``. A broken file keeps no desk from starting silently and nobody
    from one that runs: whoever holds positions must be able to look at them."""
    from core.config.settings import ConsoleSettings, SettingsError, load, place_of
    from tui import front_door

    try:
        settings = load(place.config)
        console = settings.console
        if console.theme not in theme_names(place.themes):
            where = place_of(place.config, "console", "theme")
            raise SettingsError(f"{where}: {no_theme(console.theme, place.themes)}")
        return console, _keymap(place, settings.keys)
    except SettingsError as error:
        try:
            runs = front_door.engine_pid(place) is not None
        except front_door.StartError as refused:
            verbs.leave(verbs.USAGE, f"pmconsole: {refused}")
        if not runs:
            verbs.leave(verbs.USAGE, f"pmconsole: {error}")
        said = f"{error}; the console opens with its defaults"
        click.echo(f"pmconsole: {said}", err=True)
        return ConsoleSettings(), Keymap(warnings=(said,))  # the console will hide what was said here


def _keymap(place: Profile, table: dict[str, Any]) -> Keymap:
    from core.config.settings import SettingsError, place_of

    try:
        return keymap(table)
    except KeymapError as error:
        raise SettingsError(f"{place_of(place.config, 'keys', error.action)}: {error}") from error
