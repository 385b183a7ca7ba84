"""What a watchdog did, kept where the next engine finds it at its start."""

from __future__ import annotations

from pathlib import Path

import msgspec

_SIZE_MAX = 64 * 1024


class Record(msgspec.Struct, frozen=True):
    """The newest strike; ``struck_ms`` (real wall time) is ``None`` when there never was one."""

    struck_ms: int | None = None
    receipt: str = ""


def read_record(path: Path) -> Record:
    """An unreadable record counts as none: the venue's own list is the truth about orders."""
    try:
        return msgspec.json.decode(path.read_bytes()[: _SIZE_MAX + 1], type=Record)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return Record()


def record_bytes(record: Record) -> bytes:
    return msgspec.json.format(msgspec.json.encode(record)) + b"\n"
