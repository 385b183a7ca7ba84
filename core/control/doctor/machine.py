"""What an examination measures on this machine: the journal's disk, its chain, free space."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from core.config.paths import Profile
from core.journal.files import JournalError, verify

COMMITS = 100


def timed_commits(directory: Path, mono_ns: Callable[[], int]) -> list[float]:
    """Milliseconds of synced commits beside the journal; empty when the disk refuses one."""
    path = directory / "doctor.db"
    took: list[float] = []
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("CREATE TABLE IF NOT EXISTS probe (text TEXT)")
            for _ in range(COMMITS):
                began = mono_ns()
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("INSERT INTO probe VALUES (?)", ("x" * 400,))
                connection.execute("COMMIT")
                took.append((mono_ns() - began) / 1e6)
    except (sqlite3.Error, OSError):
        return []
    finally:
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    return took


def free_mb(directory: Path) -> int | None:
    try:
        return shutil.disk_usage(directory).free >> 20
    except OSError:
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
