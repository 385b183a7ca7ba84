"""A picture of the console as an SVG file in the profile's own folder."""

from __future__ import annotations

import os
from pathlib import Path

from core.config.paths import make_private
from tui.format import utc


def keep(svg: str, folder: Path, screen: str, wall_ms: int) -> Path:
    """Write a picture that only its owner can read, named after what it shows and when (UTC); none is ever
    overwritten. Raises ``ProfileError`` and ``OSError``."""
    make_private(folder)
    path = folder / f"{screen}-{utc(wall_ms, '%Y%m%d-%H%M%S')}-{wall_ms % 1000:03}.svg"
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as out:
        out.write(svg)
    return path
