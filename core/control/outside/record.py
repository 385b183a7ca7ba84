"""What became of the messages outside, kept for the next engine and for an examination. No address in it."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import msgspec

from core.config.secrets import write_private

_log = logging.getLogger(__name__)
_SIZE_MAX = 4 * 1024


class Record(msgspec.Struct, frozen=True):
    """Real wall times; ``None``: never."""

    worked_ms: int | None = None
    """When a receiver last took a message."""
    alive_ms: int | None = None
    """When it last took the daily one."""
    fault: str = ""
    """Why it did not take the newest one; empty when it did."""


def read_record(path: Path) -> Record:
    """An unreadable record counts as none: the next message makes a new one."""
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(_SIZE_MAX), type=Record)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return Record()


async def keep_record(path: Path, record: Record) -> None:
    """Write it down, in a thread; a disk that refuses is logged and nothing more."""
    data = msgspec.json.format(msgspec.json.encode(record)) + b"\n"
    try:
        await asyncio.to_thread(write_private, path, data)
    except OSError as error:
        _log.error("cannot write %s: %s", path, error.strerror)
