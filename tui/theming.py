"""Colour themes: ``themes/*.toml`` read, validated and made into Textual themes.

A theme file names its surfaces, one colour for each role of the Desk and, where a role should look other
than usual, its style: ``bold``, ``reverse``, ``underline``, ``italic``, ``dim``, several of them, or
``none``. Anything unknown, missing or not a colour is refused with one sentence that names the file and
the key, before Textual sees it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.style import Style
from textual.color import Color, ColorParseError
from textual.theme import Theme

from core.config.toml import TomlError, read_toml
from tui.lines import CURSOR, REVERSED, ROLES
from tui.theme_files import ThemeError, read_theme, theme_file

SURFACES = ("background", "foreground", "surface", "panel", "primary", "border")
COLOURED = frozenset({*ROLES, CURSOR})
BOLD = frozenset(
    {
        *("strong", "profile-safe", "edge-trade", "price-up", "price-down", "yes", "no", "breach"),
        *("arming", "armed", "blocked", "alarm", "key"),
    }
)
STYLE_WORDS = frozenset({"bold", "reverse", "underline", "italic", "dim", "none"})
SWAPPED = (("price-up", "price-down"), ("gain", "loss"))
"""Roles that change places where rising prices are drawn as falling ones are elsewhere."""
_PREFIX = "role-"
_STYLE = "-style"


def load_theme(name: str, folder: Path | None = None, *, swap: bool = False) -> Theme:
    """The theme of that name, the operator's own in ``folder`` among them; raises ``ThemeError``.

    ``swap`` exchanges the colours of up and down.
    """
    return parse_theme(name, read_theme(theme_file(name, folder)), swap=swap)


def parse_theme(name: str, text: str, *, swap: bool = False) -> Theme:
    """Theme from the text of a theme file; raises ``ThemeError``."""
    try:
        data = read_toml(text)
    except TomlError as error:
        raise ThemeError(f"theme {name}: not valid TOML: {error}") from error
    _only(name, "", data, {"dark", "surfaces", "roles", "styles"})
    dark = data.get("dark")
    if not isinstance(dark, bool):
        raise ThemeError(f"theme {name}: dark must be true or false")
    surfaces = _colours(name, "surfaces", data.get("surfaces"), set(SURFACES))
    roles = _colours(name, "roles", data.get("roles"), set(COLOURED))
    styles = _styles(name, data.get("styles", {}))
    if swap:
        for one, other in SWAPPED:
            roles[one], roles[other] = roles[other], roles[one]
            styles[one], styles[other] = styles[other], styles[one]
    border = surfaces.pop("border")
    variables = {f"{_PREFIX}{role}": colour for role, colour in roles.items()}
    variables |= {f"{_PREFIX}{role}{_STYLE}": style for role, style in styles.items()}
    return Theme(
        name=name,
        dark=dark,
        ansi=Color.parse(surfaces["background"]).ansi is not None,
        primary=surfaces["primary"],
        foreground=surfaces["foreground"],
        background=surfaces["background"],
        surface=surfaces["surface"],
        panel=surfaces["panel"],
        variables={
            **variables,
            "role-border": border,
            "ansi-background": surfaces["background"],
            "ansi-foreground": surfaces["foreground"],
        },
    )


def role_style(theme: Theme, role: str) -> Style:
    """How a theme writes a role, on whatever lies behind it; the cursor's colour is what lies behind."""
    colour = Color.parse(theme.variables[f"{_PREFIX}{role}"])
    words = Style.parse(theme.variables[f"{_PREFIX}{role}{_STYLE}"])
    seen = colour.rich_color if colour.a > 0 else None
    return (Style(bgcolor=seen) if role == CURSOR else Style(color=seen)) + words


def usual_style(role: str) -> str:
    """How a role is written unless a theme file says otherwise."""
    words = [word for word, has in (("bold", BOLD | REVERSED), ("reverse", REVERSED)) if role in has]
    return " ".join(words) or "none"


def _styles(name: str, data: Any) -> dict[str, str]:
    if not isinstance(data, dict):
        raise ThemeError(f"theme {name}: [styles] must be a section")
    _only(name, "styles", data, set(COLOURED))
    for role, style in data.items():
        words = style.split() if isinstance(style, str) else ()
        if not words or not STYLE_WORDS.issuperset(words) or ("none" in words and len(words) > 1):
            known = ", ".join(sorted(STYLE_WORDS - {"none"}))
            raise ThemeError(f"theme {name}: styles.{role} = {style!r}: use words of {known}, or none")
    return {role: data.get(role, usual_style(role)) for role in COLOURED}


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
