"""Colour themes: ``themes/*.toml`` read, validated and made into Textual themes.

A theme file names its surfaces and one colour for each role of the Desk. Anything unknown, missing or
not a colour is refused with one sentence that names the file and the key, before Textual sees it.
"""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

from textual.color import Color, ColorParseError
from textual.theme import Theme

from tui.lines import CURSOR, ROLES

SURFACES = ("background", "foreground", "surface", "panel", "primary", "border")
COLOURED = frozenset({*ROLES, CURSOR})
DEFAULT_THEME = "dark"
_PREFIX = "role-"


class ThemeError(Exception):
    """A theme that cannot be used; the text is a sentence for a person."""


def theme_names() -> list[str]:
    """Names of the themes that come with the console."""
    found = (entry.name for entry in files("themes").iterdir())
    return sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml"))


def load_theme(name: str) -> Theme:
    """The named theme; raises ``ThemeError``."""
    if name not in theme_names():
        raise ThemeError(f"there is no theme {name[:40]!r}; use one of: {', '.join(theme_names())}")
    return parse_theme(name, files("themes").joinpath(f"{name}.toml").read_text(encoding="utf-8"))


def parse_theme(name: str, text: str) -> Theme:
    """Theme from the text of a theme file; raises ``ThemeError``."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ThemeError(f"theme {name}: not valid TOML: {error}") from error
    _only(name, "", data, {"dark", "surfaces", "roles"})
    dark = data.get("dark")
    if not isinstance(dark, bool):
        raise ThemeError(f"theme {name}: dark must be true or false")
    surfaces = _colours(name, "surfaces", data.get("surfaces"), set(SURFACES))
    roles = _colours(name, "roles", data.get("roles"), set(COLOURED))
    border = surfaces.pop("border")
    variables = {f"{_PREFIX}{role}": colour for role, colour in roles.items()}
    return Theme(
        name=name,
        dark=dark,
        primary=surfaces["primary"],
        foreground=surfaces["foreground"],
        background=surfaces["background"],
        surface=surfaces["surface"],
        panel=surfaces["panel"],
        variables={**variables, "role-border": border},
    )


def _only(name: str, section: str, data: dict[str, Any], allowed: set[str]) -> None:
    for key in data:
        if key not in allowed:
            place = f"{section}.{key}" if section else key
            raise ThemeError(f"theme {name}: {place} is not a key of a theme file")


def _colours(name: str, section: str, data: Any, wanted: set[str]) -> dict[str, str]:
    if not isinstance(data, dict):
        raise ThemeError(f"theme {name}: the section [{section}] is missing")
    _only(name, section, data, wanted)
    missing = sorted(wanted - data.keys())
    if missing:
        raise ThemeError(f"theme {name}: {section}.{missing[0]} is missing")
    for key, value in data.items():
        try:
            Color.parse(value)
        except (ColorParseError, TypeError, AttributeError) as error:
            raise ThemeError(f"theme {name}: {section}.{key} = {value!r} is not a colour") from error
    return dict(data)
