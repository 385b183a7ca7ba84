"""``python -m tests.tui.build_frames``: draw every frame anew; ``git diff tests/tui/frames`` then shows what
changed."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from tests.tui.frame_files import FOLDER, kept_svg, svg_path, text_path, written
from tests.tui.frame_scenes import SHAPES, Shape
from tests.tui.frame_walk import walk
from tui.theme_files import DEFAULT_THEME


async def drawn(shape: Shape) -> tuple[dict[str, list[str]], dict[Path, str]]:
    """Lines by picture, and SVGs by file."""
    texts: dict[str, list[str]] = {}
    svgs: dict[Path, str] = {}
    with tempfile.TemporaryDirectory(prefix="frames") as directory:
        async for taken in walk(Path(directory), shape, DEFAULT_THEME):
            name = taken.picture.name
            texts[name] = taken.lines
            svgs |= {svg_path(name, shape, theme): kept_svg(svg) for theme, svg in taken.svgs.items()}
    return texts, svgs


def main() -> None:
    frames: dict[str, dict[Shape, list[str]]] = {}
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for shape in SHAPES:
        texts, svgs = asyncio.run(drawn(shape))
        for name, lines in texts.items():
            frames.setdefault(name, {})[shape] = lines
        for path, svg in svgs.items():
            path.write_text(svg, "utf-8")
    for name, shapes in frames.items():
        text_path(name).write_text(written(shapes), "utf-8")
    print(f"{len(frames)} pictures in {FOLDER}")


if __name__ == "__main__":
    main()
