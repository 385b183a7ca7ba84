"""What the operator saw of the desk last, so that a console can tell what happened since."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec

from core.config.secrets import write_private

_SIZE_MAX = 64 * 1024


class Seen(msgspec.Struct, frozen=True):
    """The desk as it stood when it was looked at last."""

    world_id: str
    """Which simulated world, empty on a real venue: each has a journal of its own."""
    seq: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    """Number of the newest journal row."""
    wall_ms: Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_999)]
    """Real time, in a year that a calendar has."""
    who: str = ""
    """The console that looked, as the journal names it."""
    cash: int | None = None
    today_pnl: int | None = None
    open_pnl: int | None = None


def read_seen(path: Path) -> Seen | None:
    """``None`` without a readable record: nobody has looked yet, for all anybody knows."""
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(_SIZE_MAX), type=Seen)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def write_seen(path: Path, seen: Seen) -> None:
    """Atomically, readable by its owner only; raises ``OSError``."""
    write_private(path, msgspec.json.encode(seen) + b"\n")
