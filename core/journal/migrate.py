"""Bringing an older journal up to date: on a copy, checked before and after, the old one kept."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from importlib import resources
from pathlib import Path

from core.config.secrets import sync_folder
from core.domain.clock import Clock
from core.journal.copying import copy_to
from core.journal.files import (
    SCHEMA_VERSION,
    JournalDamagedError,
    JournalError,
    VerifyReport,
    sentence,
    verify,
)


def migrate(path: Path, version: int, clock: Clock) -> None:
    """Put a copy of the present format in the journal's place; untouched when it raises ``JournalError``.

    The caller holds the journal's lock. The old file stays beside it as ``….v1-<time>``.
    """
    _sound(verify(path))
    now, copy = clock.wall_ms(), path.with_suffix(".migrating")
    try:
        _put_away_log(path)
        copy.unlink(missing_ok=True)
        copy_to(path, copy)
        with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
            for step in range(version + 1, SCHEMA_VERSION + 1):
                sql = resources.files("core.journal").joinpath(f"migrations/{step}.sql").read_text()
                connection.executescript(f"BEGIN IMMEDIATE;\n{sql}")
                connection.execute("INSERT INTO schema_version VALUES (?, ?)", (step, now))
                connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        _sound(verify(copy))
        _replace(copy, path, path.with_suffix(f".v{version}-{now}"))
    except sqlite3.Error as error:
        raise sentence(path, error) from None
    except OSError as error:
        raise JournalError(f"The journal {path} cannot be brought up to date: {error.strerror}.") from None


def _sound(report: VerifyReport) -> None:
    if not report.sound:
        raise JournalDamagedError(
            f"The journal {report.path} is damaged: {report.problems[0]}; it is left as it is, "
            "`pmconsole journal verify` shows more."
        )


def _put_away_log(path: Path) -> None:
    """Everything into the main file: a log left behind would be read into the copy that takes its place."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    log = Path(f"{path}-wal")
    if busy or (log.exists() and log.stat().st_size):
        raise JournalError(f"The journal {path} is being read by another process; end it and start again.")


def _replace(copy: Path, path: Path, kept: Path) -> None:
    """There is a whole journal under the name at every moment, and the old one under its own."""
    os.link(path, kept)
    copy.replace(path)
    for left in (f"{copy}-wal", f"{copy}-shm"):
        Path(left).unlink(missing_ok=True)
    sync_folder(path.parent)
