"""The doctor's last word on a profile, kept in its directory for whoever arms it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from core.config.secrets import write_private
from core.engine.arming import Examination

_SIZE_MAX = 256 * 1024


def read_examination(path: Path) -> Examination | None:
    """The newest examination; ``None`` when there is no readable one, which arms nothing."""
    try:
        return msgspec.json.decode(path.read_bytes()[: _SIZE_MAX + 1], type=Examination)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def write_examination(path: Path, found: Examination) -> None:
    """Raises ``OSError``."""
    write_private(path, msgspec.json.format(msgspec.json.encode(found)) + b"\n")
