"""Opening the journal of a desk, and carrying its fault to an engine that is built after it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from core.config.paths import Profile
from core.control.site import Site
from core.domain.clock import Clocks
from core.engine.engine import Engine
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
    place: Profile, site: Site, clocks: Clocks, run: str, on_fault: Callable[[JournalFault], None]
) -> Journal:
    return open_journal(
        place.journal(site.world_id),
        Identity(site.world_id, place.name, version("pmconsole"), _boot_id(), run),
        clocks.real,
        # Where money is simulated a power cut costs nothing; everywhere else every commit is synced.
        durability=Durability.NORMAL if place.simulated else Durability.FULL,
        on_fault=on_fault,
    )


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
