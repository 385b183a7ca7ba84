"""Every screen as it is drawn, line by line, at four sizes; and the same text whatever the colours.

``python -m tests.tui.build_frames`` draws the frames in the usual theme. Here each size is drawn in another
one, so that a character that hangs on a colour is a difference too.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.frame_files import (
    FOLDER,
    HOW,
    difference,
    kept_svg,
    read,
    svg_path,
    text_path,
)
from tests.tui.frame_scenes import PAINTED_IN, PICTURES, SHAPES, Shape
from tests.tui.frame_walk import walk
from tui.actions import OPENED
from tui.app import PmConsole

THEMES = ("mono", "high-contrast", "light", "ansi-16")
SVGS_MAX, SVG_BYTES_MAX = 20, 100_000
SHOWN_MAX = 4
"""Pictures whose lines a failure shows; it names the others."""


@pytest.mark.parametrize(("shape", "theme"), [*zip(SHAPES, THEMES, strict=True)])
async def test_every_screen_stands_as_it_was_kept(directory: Path, shape: Shape, theme: str) -> None:
    differ: dict[str, str] = {}
    async for picture, lines, svgs in walk(directory, shape, theme):
        name = f"{picture.name} {shape[0]}x{shape[1]}"
        differ[name] = difference(name, read(picture.name).get(shape, []), lines)
        for painted_in, svg in svgs.items():
            path = svg_path(picture.name, shape, painted_in)
            kept = path.read_text("utf-8").splitlines() if path.exists() else []
            differ[path.name] = difference(path.name, kept, kept_svg(svg).splitlines())
    told = [name for name, text in differ.items() if text]
    shown = "\n".join(differ[name] for name in told[:SHOWN_MAX])
    assert not told, f"{shown}\n{len(told)} differ: {', '.join(told)}\n{HOW}"


def test_every_screen_has_its_frames_and_no_file_is_of_something_else() -> None:
    screens = {picture.screen for picture in PICTURES if picture.shapes == SHAPES and not picture.pane}
    assert screens == {*PmConsole.MODES, PmConsole.DEFAULT_MODE, *OPENED}
    names = [picture.name for picture in PICTURES]
    assert len({*names}) == len(names)
    svgs = {svg_path(p.name, shape, theme) for p in PICTURES for shape in p.painted for theme in PAINTED_IN}
    assert {*FOLDER.iterdir()} == svgs | {text_path(name) for name in names}, HOW
    assert len(svgs) <= SVGS_MAX and max(path.stat().st_size for path in svgs) < SVG_BYTES_MAX
