"""What an examination measures on this machine: the journal's disk, its chain, free space."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from core.config.paths import Profile, watchdog_socket
from core.control.pulse import Ask, Line, PulseError
from core.domain.clock import Clock
from core.journal.device import Commits, measure_commits
from core.journal.files import JournalError, verify


def commits(directory: Path, clock: Clock) -> Commits | None:
    """Synced commits beside the journal; ``None`` when the disk refuses one."""
    try:
        return measure_commits(directory, clock)
    except (OSError, sqlite3.Error):
        return None


def journal_chain(place: Profile) -> tuple[str, str, int]:
    """Path, problem and row count of the profile's newest journal; no path: there is none."""
    found = place.journals()
    if not found:
        return "", "", 0
    try:
        report = verify(found[0])
    except JournalError as error:
        return str(found[0]), str(error), 0
    return str(found[0]), "" if report.sound else report.lines()[-1], report.rows


async def watchdog(place: Profile) -> str | None:
    """Why the profile's watchdog could not cancel now, empty when it could; ``None``: none answers."""
    try:
        line = await Line.open(watchdog_socket(place))
    except PulseError:
        return None
    try:
        return (await line.exchange(Ask())).unfit
    except PulseError:
        return None
    finally:
        line.close()
