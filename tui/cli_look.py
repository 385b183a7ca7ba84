"""How the console looks: options of the verbs that open one, and the configuration file's words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from core.config.paths import Profile
from tui import verbs

if TYPE_CHECKING:
    from core.config.settings import ConsoleSettings
    from tui.front_door import Look

_F = TypeVar("_F", bound=Callable[..., Any])


def with_look(function: _F) -> _F:
    """How the console looks: the configuration file's word unless the command line has one."""
    for option in (
        click.option("--view-only", is_flag=True, help="Look, halt and flatten; nothing else."),
        click.option("--low-bandwidth", is_flag=True, help="One repaint a second."),
        click.option("--theme", default=None, metavar="NAME", help="A file in themes/: dark, light."),
    ):
        function = option(function)
    return function


def look_of(place: Profile, theme: str | None, low_bandwidth: bool, **rest: bool) -> Look:
    """The look of a console; leaves with a usage error for a theme that does not exist."""
    from tui.front_door import Look

    if theme is not None and theme not in _themes():
        verbs.leave(verbs.USAGE, f"pmconsole: {_no_theme(theme)}")
    console = _console_settings(place)
    paints_per_s = 1 if low_bandwidth or console.low_bandwidth else console.repaint_hz
    return Look(theme or console.theme, paints_per_s, console.mouse, console.bell, **rest)


def _console_settings(place: Profile) -> ConsoleSettings:
    """The file's ``[console]``. A broken file keeps no desk from starting silently and nobody from one
    that runs: whoever holds positions must be able to look at them."""
    from core.config.settings import ConsoleSettings, SettingsError, load, place_of
    from tui import front_door

    try:
        console = load(place.config).console
        if console.theme not in _themes():
            raise SettingsError(f"{place_of(place.config, 'console', 'theme')}: {_no_theme(console.theme)}")
    except SettingsError as error:
        try:
            runs = front_door.engine_pid(place) is not None
        except front_door.StartError as refused:
            verbs.leave(verbs.USAGE, f"pmconsole: {refused}")
        if not runs:
            verbs.leave(verbs.USAGE, f"pmconsole: {error}")
        click.echo(f"pmconsole: {error}; the console opens with its defaults", err=True)
        return ConsoleSettings()
    return console


def _themes() -> list[str]:
    from importlib.resources import files

    found = (entry.name for entry in files("themes").iterdir())
    return sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml"))


def _no_theme(name: str) -> str:
    return f"theme {name[:40]!r} does not exist: use {' or '.join(_themes())}"
