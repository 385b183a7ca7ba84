"""What is spent of the providers' daily and monthly quotas, kept over a restart in one small file.

The engine and a command that asks beside it (``pmconsole models update``) have a part of the file each, and
each counts the other's with its own: together they stay within what a provider grants. A file that cannot
be read is said and ignored: the counts begin anew, and the provider's own word corrects them where it gives
one.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import fcntl
import logging
import os
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path

import msgspec

from core.config.secrets import write_private
from core.engine.engine import Engine
from core.engine.state import AlarmLevel
from core.feeds.budget import Kept, kept_of

WRITE_EVERY_S = 10.0
FILE_BYTES_MAX = 256 * 1024

_log = logging.getLogger(__name__)


Counts = Mapping[str, tuple[Kept, ...]]
"""By source."""


class Part(enum.Enum):
    """Who spent it."""

    ENGINE = "sources"
    """The engine, and tests of a source while none runs."""
    BESIDE = "beside"
    """Commands that ask beside it."""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    world: str
    """Which simulated world the counts are of: its clock is its own. Empty for the real one."""
    sources: dict[str, tuple[Kept, ...]] = {}
    beside: dict[str, tuple[Kept, ...]] = {}


def read_kept(path: Path, world_id: str, part: Part = Part.ENGINE) -> tuple[Counts, str]:
    """One part's counts of this world, and what is wrong with the file, empty for nothing."""
    found, fault = _read(path, world_id)
    return (found.sources if part is Part.ENGINE else found.beside), fault


def write_kept(path: Path, world_id: str, kept: Counts, part: Part = Part.ENGINE) -> None:
    """Replace one part; the file is written as a whole. Raises ``OSError``."""
    with _alone(path.parent):
        held, _ = _read(path, world_id)
        changed = msgspec.structs.replace(held, **{part.value: dict(kept)})
        write_private(path, msgspec.json.encode(changed))


def _read(path: Path, world_id: str) -> tuple[_File, str]:
    none = _File(world_id)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return none, ""
    except OSError as error:
        return none, f"{path} cannot be read ({error.strerror}): what was spent before counts anew"
    if len(raw) > FILE_BYTES_MAX:
        return none, f"{path} is too long to be the counts of quotas: what was spent before counts anew"
    try:
        found = msgspec.json.decode(raw, type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return none, f"{path} is damaged: what was spent before counts anew"
    return (found, "") if found.world == world_id else (none, "")


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """One writer at a time: no part is lost where two processes write theirs."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _spent(engine: Engine, beside: Counts) -> Counts:
    counts = {
        feed.source: kept_of(feed.budget, beside.get(feed.source, ())) for feed in engine.state.feeds.values()
    }
    return {source: kept for source, kept in counts.items() if kept}


async def keep_budgets(
    path: Path,
    world_id: str,
    engine: Engine,
    before: Counts,
    fault: str,
    beside: MutableMapping[str, tuple[Kept, ...]],
) -> None:
    """Write the counts while they change, and once more at the end. ``before`` and ``fault`` are what reading
    them found: a source that is off in this run keeps its own. ``beside`` is what commands spend meanwhile;
    the budgets read it, and it is brought up to date here."""
    alarms, written = engine.desk.alarms, None
    writing: asyncio.Future[None] | None = None
    if fault:
        effect = "a quota may be spent sooner than it shows"
        alarms.raise_("quota file", AlarmLevel.CHECK, fault, effect, "acknowledging it")
        alarms.clear("quota file")
    try:
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            counts = {**before, **_spent(engine, beside)}
            # Only now: the engine's figures were taken with what was known of it before.
            beside.update((await asyncio.to_thread(read_kept, path, world_id, Part.BESIDE))[0])
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
            with contextlib.suppress(OSError):  # the last write below is tried whatever became of it
                writing.result()
        with contextlib.suppress(OSError):  # the alarm has said so, or the disk went at this moment
            write_kept(path, world_id, {**before, **_spent(engine, beside)})
