"""Rows of a journal a page at a time, from the newest back, and one row with what led to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec

from core.journal.events import COLUMNS, Row
from core.journal.files import JournalError, connect_read_only, sentence

PAGE_ROWS = 200
SCAN_ROWS = 20_000
"""Rows one call looks at for a page: what fits nowhere near is looked for in the next call."""

_SELECT = f"SELECT {', '.join(COLUMNS)} FROM event"


class Page(msgspec.Struct, frozen=True):
    rows: tuple[Row, ...]
    """The newest that fit, oldest first."""
    reached: int
    """The oldest number that was looked at; 1 and less: there is nothing before."""


def page(path: Path, before: int, fits: Callable[[Row], bool]) -> Page:
    """The rows before a number that fit; raises ``JournalError``."""
    found: list[Row] = []
    reached = before
    with closing(connect_read_only(path)) as connection:
        try:
            for columns in connection.execute(
                f"{_SELECT} WHERE seq < ? ORDER BY seq DESC LIMIT ?", (before, SCAN_ROWS)
            ):
                row = Row(*columns)
                reached = row.seq
                if fits(row):
                    found.append(row)
                    if len(found) == PAGE_ROWS:
                        break
        except sqlite3.Error as error:
            raise sentence(path, error) from None
    return Page(tuple(reversed(found)), 0 if reached == before else reached)


def entry(path: Path, seq: int) -> tuple[Row, Row | None]:
    """A row and the one that led to it; raises ``JournalError``, also where there is no such row."""
    with closing(connect_read_only(path)) as connection:
        try:
            row = _row(connection, seq)
            if row is None:
                raise JournalError(f"There is no row {seq} in {path}.")
            return row, _row(connection, row.cause_seq) if row.cause_seq is not None else None
        except sqlite3.Error as error:
            raise sentence(path, error) from None


def _row(connection: sqlite3.Connection, seq: int) -> Row | None:
    columns = connection.execute(f"{_SELECT} WHERE seq = ?", (seq,)).fetchone()
    return Row(*columns) if columns is not None else None
