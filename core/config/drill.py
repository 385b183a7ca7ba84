"""The record of the last drill of the stop ladder, one for a machine."""

from __future__ import annotations

from pathlib import Path

import msgspec

from core.config.secrets import write_private

_SIZE_MAX = 64 * 1024


class Drill(msgspec.Struct, frozen=True):
    """One pass of the stop ladder in the simulator."""

    at_ms: int
    """Real wall time."""
    code_version: str
    passed: bool
    said: str
    """What was seen at each step, or what failed."""


def read_drill(path: Path) -> Drill | None:
    """``None`` without a readable record: never drilled, for all anybody knows."""
    try:
        return msgspec.json.decode(path.read_bytes()[: _SIZE_MAX + 1], type=Drill)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def write_drill(path: Path, drill: Drill) -> None:
    """Raises ``OSError``."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(path, msgspec.json.format(msgspec.json.encode(drill)) + b"\n")
