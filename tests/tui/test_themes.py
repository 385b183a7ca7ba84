"""Themes: every one readable, the safe ones safe, and no meaning by colour alone."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest
from rich.color import Color as RichColor
from rich.color import ColorSystem
from rich.console import Console
from textual._compositor import CompositorUpdate
from textual.color import Color
from textual.theme import Theme

from tests.tui.conftest import running
from tui.lines import CURSOR, ROLES
from tui.theme_files import DEFAULT_THEME, ThemeError, theme_file, theme_names
from tui.theming import load_theme, parse_theme, usual_style
from tui.widgets.line_pane import LinePane

Rgb = tuple[float, float, float]

# The sixteen colours of xterm's defaults, which most terminals keep close to.
_XTERM = [
    "#000000",
    "#cd0000",
    "#00cd00",
    "#cdcd00",
    "#0000ee",
    "#cd00cd",
    "#00cdcd",
    "#e5e5e5",
    "#7f7f7f",
    "#ff0000",
    "#00ff00",
    "#ffff00",
    "#5c5cff",
    "#ff00ff",
    "#00ffff",
    "#ffffff",
]
_DECOR = frozenset({"rule", "watermark", CURSOR})
"""Roles nobody reads a text in."""
_OPPOSITE = (
    ("price-up", "price-down"),
    ("gain", "loss"),
    ("yes", "no"),
    ("armed", "blocked"),
    ("good", "alarm"),
)
# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency",
# IEEE TVCG 15(6), 2009, severity 1.0; on linear RGB.
_BLIND: dict[str, tuple[Rgb, Rgb, Rgb]] = {
    "protan": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deutan": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritan": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def rgb(colour: str, ground: str, *, text: bool, rounded: bool = False) -> Rgb:
    """Linear RGB of a theme's colour; ``ground`` is what the terminal's own background is, ``rounded``
    whether the terminal has 256 colours only."""
    parsed = Color.parse(colour)
    if parsed.ansi == -1:
        parsed = Color.parse(("#ffffff" if ground == "#000000" else "#000000") if text else ground)
    elif parsed.ansi is not None:
        parsed = Color.parse(_XTERM[parsed.ansi])
    elif rounded:
        parsed = Color(*RichColor.from_rgb(*parsed.rgb).downgrade(ColorSystem.EIGHT_BIT).get_truecolor())
    parts = [part / 255 for part in parsed.rgb]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return r, g, b


def contrast(one: Rgb, two: Rgb) -> float:
    high, low = sorted((0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (one, two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def lab(colour: Rgb) -> Rgb:
    """CIE L*a*b*, D65."""
    r, g, b = (min(1.0, max(0.0, part)) for part in colour)
    xyz = (
        (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505,
        0.2126 * r + 0.7152 * g + 0.0722 * b,
        (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089,
    )
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def apart(one: Rgb, two: Rgb) -> float:
    return float(sum((a - b) ** 2 for a, b in zip(lab(one), lab(two), strict=True)) ** 0.5)


def seen(colour: Rgb, blind: str) -> Rgb:
    r, g, b = (sum(m * c for m, c in zip(row, colour, strict=True)) for row in _BLIND[blind])
    return r, g, b


def grounds(theme: Theme, *, rounded: bool) -> list[Rgb]:
    """Everything a text is drawn on. The selected row of a theme without surfaces is reverse."""
    own = "#000000" if theme.dark else "#ffffff"
    found = [theme.background, theme.panel, *([] if theme.ansi else [theme.variables["role-cursor"]])]
    return [rgb(colour or "", own, text=False, rounded=rounded) for colour in found]


@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize("name", theme_names())
def test_every_text_of_every_theme_can_be_read_with_256_colours_too(name: str, rounded: bool) -> None:
    theme = load_theme(name)
    wanted = 7.0 if name == "high-contrast" else 4.5
    own = "#000000" if theme.dark else "#ffffff"
    for role, ground in product(ROLES, grounds(theme, rounded=rounded)):
        if role not in _DECOR:
            colour = rgb(theme.variables[f"role-{role}"], own, text=True, rounded=rounded)
            assert contrast(colour, ground) >= wanted, (name, role, contrast(colour, ground))


@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize(
    ("name", "blind"),
    [("red-green-safe", "protan"), ("red-green-safe", "deutan"), ("tritan-safe", "tritan")],
)
def test_opposites_stay_apart_for_whom_a_theme_is_made(name: str, blind: str, rounded: bool) -> None:
    theme = load_theme(name)
    for pair in _OPPOSITE:
        one, other = (
            seen(rgb(theme.variables[f"role-{role}"], "#000000", text=True, rounded=rounded), blind)
            for role in pair
        )
        assert apart(one, other) >= 40, (pair, apart(one, other))


def test_without_colours_what_must_not_be_missed_is_bold_or_reverse() -> None:
    theme = load_theme("mono")
    assert {theme.variables[f"role-{role}"] for role in (*ROLES, CURSOR)} == {"ansi_default"}
    styles = {role: theme.variables[f"role-{role}-style"] for role in (*ROLES, CURSOR)}
    assert set(styles.values()) <= {"none", "bold", "reverse", "bold reverse"}
    for role in ("profile-live", "unknown", "band", "stop", CURSOR):
        assert "reverse" in styles[role]
    for role in ("alarm", "breach", "armed", "blocked", "strong"):
        assert styles[role] == "bold"


def test_rising_and_falling_can_change_places() -> None:
    usual, swapped = load_theme("dark"), load_theme("dark", swap=True)
    for up, down in (("price-up", "price-down"), ("gain", "loss")):
        assert swapped.variables[f"role-{up}"] == usual.variables[f"role-{down}"]
        assert swapped.variables[f"role-{down}"] == usual.variables[f"role-{up}"]
    assert swapped.variables["role-yes"] == usual.variables["role-yes"]


def test_a_wrong_theme_gets_one_sentence_naming_file_and_key() -> None:
    good = theme_file("dark").read_text()
    for bad, word in (
        (good.replace('fair = "', 'fare = "'), "roles.fare"),
        (good.replace('#7ee0d0"\nedge', 'greenish"\nedge'), "roles.fair"),
        (good.replace("dark = true", "dark = 1"), "dark"),
        (good.replace("[roles]", "[rolls]"), "rolls"),
        ("= = =", "TOML"),
        (good + '[styles]\nfair = "blinking"\n', r"styles.fair = 'blinking': use words of bold, dim"),
        (good + '[styles]\nfair = "none bold"\n', "styles.fair"),
        (good + "[styles]\nfair = 3\n", "styles.fair"),
        (good + '[styles]\nfare = "bold"\n', "styles.fare is not a key"),
    ):
        with pytest.raises(ThemeError, match=word):
            parse_theme("mine", bad)
    with pytest.raises(ThemeError, match="there is no theme"):
        load_theme("../../etc/passwd")


def test_a_style_a_file_names_is_used_and_the_others_are_as_usual() -> None:
    theme = parse_theme("mine", theme_file("dark").read_text() + '[styles]\nfair = "bold underline"\n')
    assert theme.variables["role-fair-style"] == "bold underline"
    assert all(theme.variables[f"role-{role}-style"] == usual_style(role) for role in ROLES if role != "fair")


def test_the_operators_own_themes_join_the_others(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(theme_file("light").read_bytes())
    assert "mine" in theme_names(tmp_path) and "mine" not in theme_names()
    assert load_theme("mine", tmp_path).dark is False
    (tmp_path / "dark.toml").write_text("")
    with pytest.raises(ThemeError, match=f"{re.escape(str(tmp_path))}.*dark comes with pmconsole; give your"):
        load_theme("dark", tmp_path)
    (tmp_path / "odd.toml").write_bytes(b"\xff")
    with pytest.raises(ThemeError, match=r"odd\.toml: not UTF-8"):
        load_theme("odd", tmp_path)
    (tmp_path / "vast.toml").write_bytes(b"#" * 100_000)
    with pytest.raises(ThemeError, match=r"vast\.toml: 100000 bytes are no theme file"):
        load_theme("vast", tmp_path)


async def test_themes_change_what_is_drawn_but_never_a_character(directory: Path, tmp_path: Path) -> None:
    own = tmp_path / "mine.toml"
    own.write_bytes(theme_file("light").read_bytes())
    async with running(directory, cards=False, size=(160, 45), themes=tmp_path) as desk:
        await desk.press("colon", *"theme pink", "enter")
        await desk.shows("there is no theme 'pink'; use one of: ansi-16, ")
        await desk.press("colon", *"theme light", "enter")
        await desk.shows("theme light until you leave; :settings keeps one")
        table = desk.app.screen.query_one("#orders", LinePane)
        table.focus()
        await desk.until(lambda: table.text.count("│> ") == 1, "marked the row under the cursor")
        at = next(y for y, row in enumerate(table.text.split("\n")) if row.startswith("│> "))
        texts, cursors = set(), {}
        for name in theme_names(tmp_path):
            assert desk.app.looks.change(name)
            await desk.pilot.pause()
            texts.add(re.sub(r"[\d:]+", "0", table.text))  # ages go on
            mark = next(segment for segment in table.render_line(at) if ">" in segment.text)
            cursors[name] = mark.style
        assert len(texts) == 1
        assert cursors["mono"] is not None and cursors["mono"].reverse
        assert cursors["mono"].color is None or cursors["mono"].color.is_default
        assert len({str(style) for style in cursors.values()}) > 4
        for name in ("red-green-safe", "tritan-safe"):  # alike but for the roles
            assert desk.app.looks.change(name)
            await desk.pilot.pause()
            assert load_theme(name).variables["role-good"] in desk.app.export_screenshot(), name

        assert desk.app.looks.change("mine")
        own.write_text(own.read_text().replace("#0757ba", "#000080"))
        desk.app.looks.watch()
        assert desk.app.theme == "mine" and desk.app.current_theme.primary == "#000080"
        own.write_text(own.read_text() + "[styles]\nfair = 'wobbly'\n")
        desk.app.looks.watch()
        await desk.shows("theme mine: styles.fair = 'wobbly': use words of bold")
        assert desk.app.current_theme.primary == "#000080", "what was read last stays"
        assert desk.app.looks.change("light") and not desk.app.looks.change("mine")
        assert not desk.app.looks.change("none of that name")
        own.write_bytes(theme_file("light").read_bytes())
        assert desk.app.theme == "light"
        desk.app.looks.watch()
        assert desk.app.theme == "mine", "the one that was asked for, once it is mended"


async def test_a_theme_that_cannot_be_read_opens_with_the_usual_one_and_the_first_picture_says_so(
    directory: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text("dark = yes\n")
    async with running(directory, size=(80, 24), themes=tmp_path, theme="mine") as desk:
        assert desk.app.theme == DEFAULT_THEME
        said = " dark for now; theme mine: not valid TOML: Invalid value (at line 1, column 8)"
        assert said in desk.text
        (tmp_path / "mine.toml").write_bytes(theme_file("light").read_bytes())
        desk.app.looks.watch()
        assert desk.app.theme == "mine"


async def test_a_change_of_theme_is_written_at_once_and_reaches_screens_opened_before_and_after(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "mine.toml"
    own.write_bytes(theme_file("light").read_bytes())
    updates: list[CompositorUpdate] = []
    async with running(directory, cards=False, themes=tmp_path) as desk:
        await desk.press("3", "1")
        assert desk.app.looks.change("mine")
        await desk.pilot.pause()
        theme = load_theme("mine", tmp_path)
        own.write_text(own.read_text().replace(theme.variables["role-fair"], "#123456"))
        monkeypatch.setattr(desk.app, "_display", lambda _, update: updates.append(update))
        desk.app.looks.watch()
        await desk.pilot.pause()
        terminal = Console(color_system="truecolor", force_terminal=True)
        written = "".join(update.render_segments(terminal) for update in filter(None, updates))
        assert "38;2;18;52;86" in written, "though nothing but the colour of a role is new"

        for key, title in (("", "ORDERS"), ("3", "ORDERS"), ("4", "POSITIONS")):
            await desk.press(*key)
            strips = desk.app.screen._compositor.render_strips()
            drawn = next(segment for strip in strips for segment in strip if title in segment.text)
            assert drawn.style.bgcolor.name == theme.background
            assert drawn.style.color.name in (theme.variables["role-title"], theme.variables["role-strong"])
