"""The sources' notes over a restart, in one small file. One that cannot be read is said and begun anew."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import msgspec

from core.config.secrets import write_private
from core.engine.alarms import Alarms
from core.engine.state import AlarmLevel
from core.feeds.memory import NOTE_BYTES_MAX, Memory

WRITE_EVERY_S = 10.0
FILE_BYTES_MAX = 8 << 20
FORGOTTEN = "after a restart hours that are frozen look fresh until the next run"


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    world: str
    """Which simulated world they are of; empty for the real one."""
    notes: dict[str, msgspec.Raw]


def read_memory(path: Path, world_id: str) -> tuple[Memory, str]:
    """The notes of this world, and what is wrong with the file, empty for nothing."""
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        return Memory(), ""
    except OSError as error:
        return Memory(), f"{path} cannot be read ({error.strerror}): what sources noted is begun anew"
    try:
        found = msgspec.json.decode(raw, type=_File) if len(raw) <= FILE_BYTES_MAX else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if found is None:
        return Memory(), f"{path} is damaged: what sources noted is begun anew"
    notes = {key: bytes(note) for key, note in found.notes.items() if len(bytes(note)) <= NOTE_BYTES_MAX}
    return Memory(notes if found.world == world_id else None), ""


def write_memory(path: Path, world_id: str, notes: dict[str, bytes]) -> None:
    """Replace the file as a whole; raises ``OSError``."""
    raw = {key: msgspec.Raw(note) for key, note in notes.items()}
    write_private(path, msgspec.json.encode(_File(world_id, raw)))


async def keep_memory(path: Path, world_id: str, memory: Memory, alarms: Alarms, fault: str) -> None:
    """Write the notes while they change, and once more at the end; ``fault`` is what reading them found."""
    written = 0
    if fault:
        alarms.raise_("memory file", AlarmLevel.CHECK, fault, FORGOTTEN, "acknowledging it")
        alarms.clear("memory file")
    try:
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            if memory.changes == written:
                continue
            changes, notes = memory.changes, dict(memory.notes)
            writing = asyncio.ensure_future(asyncio.to_thread(write_memory, path, world_id, notes))
            try:
                await asyncio.shield(writing)
            except OSError as error:
                what = f"{path} cannot be written: {error.strerror}"
                alarms.raise_("memory", AlarmLevel.CHECK, what, FORGOTTEN, "a write")
            except asyncio.CancelledError:
                with contextlib.suppress(OSError):  # the last write below is tried whatever became of it
                    await writing
                raise
            else:
                written = changes
                alarms.clear("memory")
    finally:
        if memory.changes != written:
            with contextlib.suppress(OSError):  # the alarm has said so, or the disk went at this moment
                await asyncio.to_thread(write_memory, path, world_id, dict(memory.notes))
