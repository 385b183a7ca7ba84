"""The frames as they are kept: a text file a picture with its four shapes, and some pictures as SVG.

``python -m tests.tui.build_frames`` writes them; a change of them is read in ``git diff`` before it is
committed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from tests.tui.frame_scenes import Shape

FOLDER = Path(__file__).parent / "frames"
HOW = "If it is meant: python -m tests.tui.build_frames, then read git diff tests/tui/frames."
_HEAD = re.compile(r"^=== (\d+)x(\d+)$")
_SVG = "{http://www.w3.org/2000/svg}"
_LINE = 24.6
"""Height of a line of the screen, as Rich draws it."""
_BACKDROP = "#292929"
"""What Rich takes for the terminal's own background, on which a theme without colours is drawn."""
_FONT = 'font-family="Fira Code, monospace" font-size="20"'
_TOLD_MAX = 40


class _Ground(NamedTuple):
    """What a run of cells is drawn on."""

    y: float
    x: float
    end: float
    fill: str


def text_path(name: str) -> Path:
    return FOLDER / f"{name}.txt"


def svg_path(name: str, shape: Shape, theme: str) -> Path:
    return FOLDER / f"{name}.{shape[0]}x{shape[1]}.{theme}.svg"


def written(frames: Mapping[Shape, list[str]]) -> str:
    """The text of a picture's file."""
    return "".join("\n".join((f"=== {w}x{h}", *lines)) + "\n" for (w, h), lines in frames.items())


def read(name: str) -> dict[Shape, list[str]]:
    """The shapes of a picture; none where it has no file."""
    found: dict[Shape, list[str]] = {}
    path = text_path(name)
    lines: list[str] = []
    for text in path.read_text("utf-8").splitlines() if path.exists() else ():
        head = _HEAD.match(text)
        if head:
            lines = found.setdefault((int(head[1]), int(head[2])), [])
        else:
            lines.append(text)
    return found


def difference(what: str, kept: list[str], drawn: list[str]) -> str:
    """The lines that are not as they were kept; empty where all are."""
    told = list(difflib.unified_diff(kept, drawn, f"{what}, kept", f"{what}, drawn now", n=0, lineterm=""))
    cut = [f"and {len(told) - _TOLD_MAX} lines more"] if len(told) > _TOLD_MAX else []
    return "\n".join(told[:_TOLD_MAX] + cut)


def kept_svg(svg: str) -> str:
    """A picture by Rich with nothing left but what is seen, an element a line in the order of the screen: of
    two, the lines that differ say what is painted otherwise."""
    root = ElementTree.fromstring(svg)
    sheet = "".join(style.text or "" for style in root.iter(f"{_SVG}style"))
    styles = dict(re.findall(r"\.terminal-\d+-(r\d+) { (.*?);? }", sheet))
    grounds: list[_Ground] = []
    texts = []
    for piece in root.iter():
        x, y = float(piece.get("x", 0)), float(piece.get("y", 0))
        if piece.tag == f"{_SVG}rect" and "shape-rendering" in piece.attrib:
            ground = _Ground(y, x, x + float(piece.attrib["width"]), piece.attrib["fill"])
            before = grounds[-1] if grounds else None
            if before is not None and (before.y, before.fill) == (y, ground.fill) and abs(before.end - x) < 1:
                grounds[-1] = before._replace(end=ground.end)
            else:
                grounds.append(ground)
        elif piece.tag == f"{_SVG}text" and (piece.text or "").strip():
            style = styles.get(piece.get("class", "").rpartition("-")[2])
            if style is not None:
                length = float(piece.attrib["textLength"])
                at = f'x="{x:.1f}" y="{y:.1f}" textLength="{length:.1f}"'
                texts.append(f'<text {at} style="{style}">{escape(piece.text or "")}</text>')
    height = max(ground.y for ground in grounds) + _LINE
    width = max(ground.end for ground in grounds)
    drawn = [
        f'<rect x="{g.x:.1f}" y="{g.y:.1f}" width="{g.end - g.x:.1f}" height="{_LINE}" fill="{g.fill}"/>'
        for g in grounds
    ]
    backdrop = f'<rect width="100%" height="100%" fill="{_BACKDROP}"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.1f} {height:.1f}" {_FONT}>'
    return "\n".join((head, backdrop, *drawn, *texts, "</svg>")) + "\n"
