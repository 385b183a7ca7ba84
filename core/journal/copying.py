"""Copies of a journal through SQLite's online backup: whole and consistent, also while it is written."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from core.journal.files import (
    JournalDamagedError,
    JournalError,
    VerifyReport,
    connect_read_only,
    sentence,
    verify,
)

PAGES_A_STEP = 1_000
"""The writer gets in between two steps."""


def backup(path: Path, target: Path) -> VerifyReport:
    """Copy a journal to a new file, 0600, and check the copy from end to end; raises ``JournalError``."""
    if target.exists():
        raise JournalError(f"{target} is there already; name a new file.")
    unchecked = target.with_name(f"{target.name}.part")
    try:
        unchecked.unlink(missing_ok=True)
        copy_to(path, unchecked)
        report = verify(unchecked)
        if not report.sound:
            unchecked.unlink()
            raise JournalDamagedError(
                f"The journal {path} is damaged: {report.problems[0]}; nothing was saved."
            )
        unchecked.rename(target)
    except sqlite3.Error as error:
        raise sentence(path, error) from None
    except OSError as error:
        raise JournalError(f"{error.filename or target} cannot be written: {error.strerror}.") from None
    return msgspec.structs.replace(report, path=target)


def copy_to(path: Path, target: Path) -> None:
    """Every page into a new, private file, synced.

    Raises ``JournalError``, ``sqlite3.Error``, ``OSError``.
    """
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with closing(connect_read_only(path)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy, pages=PAGES_A_STEP)
        # The copy is one file, whatever the journal's own mode.
        copy.execute("PRAGMA journal_mode = DELETE")
    descriptor = os.open(target, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
