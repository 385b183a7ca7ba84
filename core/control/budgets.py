"""What is spent of the providers' daily and monthly quotas, kept over a restart in one small file.

A file that cannot be read is said and ignored: the counts begin anew, and the provider's own word
corrects them where it gives one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from core.engine.engine import Engine
from core.engine.state import AlarmLevel
from core.feeds.budget import Kept, kept_of

WRITE_EVERY_S = 10.0
FILE_BYTES_MAX = 256 * 1024

_log = logging.getLogger(__name__)


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    world: str
    """Which simulated world the counts are of: its clock is its own. Empty for the real one."""
    sources: dict[str, tuple[Kept, ...]]


def read_kept(path: Path, world_id: str) -> tuple[Mapping[str, tuple[Kept, ...]], str]:
    """The counts of this world by source, and what is wrong with the file, empty for nothing."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return {}, ""
    except OSError as error:
        return {}, f"{path} cannot be read ({error.strerror}): what was spent before counts anew"
    if len(raw) > FILE_BYTES_MAX:
        return {}, f"{path} is too long to be the counts of quotas: what was spent before counts anew"
    try:
        found = msgspec.json.decode(raw, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}, f"{path} is damaged: what was spent before counts anew"
    return (found.sources, "") if found.world == world_id else ({}, "")


def write_kept(path: Path, world_id: str, kept: Mapping[str, tuple[Kept, ...]]) -> None:
    """Replace the file as a whole; raises ``OSError``."""
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(_File(world_id, dict(kept))))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _spent(engine: Engine) -> Mapping[str, tuple[Kept, ...]]:
    counts = {feed.source: kept_of(feed.budget) for feed in engine.state.feeds.values()}
    return {source: kept for source, kept in counts.items() if kept}


async def keep_budgets(
    path: Path, world_id: str, engine: Engine, before: Mapping[str, tuple[Kept, ...]], fault: str
) -> None:
    """Write the counts while they change, and once more at the end. ``before`` and ``fault`` are what reading
    them found: a source that is off in this run keeps its own."""
    alarms, written = engine.desk.alarms, None
    writing: asyncio.Future[None] | None = None
    if fault:
        effect = "a quota may be spent sooner than it shows"
        alarms.raise_("quota file", AlarmLevel.CHECK, fault, effect, "acknowledging it")
        alarms.clear("quota file")
    try:
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            counts = {**before, **_spent(engine)}
            if counts == written:
                continue
            writing = asyncio.ensure_future(asyncio.to_thread(write_kept, path, world_id, counts))
            try:
                await asyncio.shield(writing)
            except OSError as error:
                what = f"{path} cannot be written: {error.strerror}"
                alarms.raise_("quotas", AlarmLevel.CHECK, what, "a restart forgets what is spent", "a write")
            else:
                written = counts
                alarms.clear("quotas")
    finally:
        if writing is not None:
            await asyncio.wait([writing])  # no stop reaches its thread: two at once would mix their bytes
        with contextlib.suppress(OSError):  # the alarm has said so, or the disk went at this moment
            write_kept(path, world_id, {**before, **_spent(engine)})
