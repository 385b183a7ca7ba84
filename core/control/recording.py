"""Opening the journal of a desk, and carrying its fault to an engine that is built after it."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from core.config.paths import Environment, Profile
from core.control.site import World
from core.domain.clock import Clock, Clocks
from core.engine.engine import Engine
from core.journal.device import (
    COMMIT_US_MAX,
    NETWORK,
    VOLATILE,
    file_system,
    measure_commits,
    sqlite_remark,
)
from core.journal.files import JournalError
from core.journal.opening import Identity
from core.journal.store import Durability, Journal, JournalFault, open_journal

_log = logging.getLogger(__name__)


class Faults:
    """Hands a journal's fault to the engine, which is built after the journal."""

    engine: Engine | None = None

    def __call__(self, fault: JournalFault) -> None:
        _log.error("%s", fault.reason)
        if self.engine is not None:
            self.engine.journal_failed(fault)


def open_for(
    place: Profile, world: World, clocks: Clocks, run: str, on_fault: Callable[[JournalFault], None]
) -> Journal:
    """The desk's journal on a disk it can trust; raises ``JournalError``."""
    _log.info(sqlite_remark())
    if not place.simulated:
        check_disk(place, clocks.real)
    journal = open_journal(
        place.journal(world.world_id),
        Identity(world.world_id, place.name, version("pmconsole"), _boot_id(), run),
        clocks.real,
        # Where money is simulated a power cut costs nothing; everywhere else every commit is synced.
        durability=Durability.NORMAL if place.simulated else Durability.FULL,
        on_fault=on_fault,
    )
    if not journal.reserve_ready:
        _log.warning("no 64 MiB are kept back for a full disk: %s has no room", place.directory)
    return journal


def check_disk(place: Profile, clock: Clock) -> None:
    """Refuse a disk on which a send waits too long or its intent could be lost; raises ``JournalError``."""
    kind = file_system(place.directory)
    if kind in NETWORK:
        raise JournalError(
            f"{place.directory} lies on a network file system ({kind}), where a journal can break: "
            "set PMCONSOLE_HOME to a local disk"
        )
    if kind in VOLATILE:
        _log.warning("%s lies in memory (%s): a power cut loses the journal", place.directory, kind)
    try:
        commits = measure_commits(place.directory, clock)
    except (OSError, sqlite3.Error) as error:
        raise JournalError(f"the disk under {place.directory} cannot be measured: {error}") from None
    _log.info("journal disk %s", commits.text())
    if commits.unsynced:
        _log.warning("the disk under %s answers faster than any disk can sync", place.directory)
    if commits.slow:
        slow = f"the disk under {place.directory} takes too long to sync ({commits.text()})"
        if place.environment is Environment.PRODUCTION:
            raise JournalError(
                f"{slow}; live needs {COMMIT_US_MAX // 1000} ms: set PMCONSOLE_HOME to a faster disk"
            )
        _log.warning(slow)


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
