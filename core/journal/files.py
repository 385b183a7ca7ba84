"""Journal files: reading one beside its writer, and checking one from end to end."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from core.journal.events import COLUMNS, GENESIS, Row, broken
from core.journal.projections import NEWEST, PASSED_OVER

SCHEMA_VERSION = 2
OLDEST_VERSION = 1
"""Formats from here on have the same ``event`` table and can be read as they are."""


class JournalError(Exception):
    """The journal cannot be used; the text is one sentence for the operator."""


class JournalHeldError(JournalError):
    """Another process writes it."""


class JournalVersionError(JournalError):
    """Written by a newer program."""


class JournalDamagedError(JournalError):
    """Not a journal, or one whose rows do not hold together."""


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """The journal's format, one this program knows; raises ``JournalError``, ``sqlite3.Error``."""
    version = connection.execute("SELECT max(version) FROM schema_version").fetchone()[0]
    if not isinstance(version, int) or version < OLDEST_VERSION:
        raise JournalDamagedError(f"The journal {path} has no known format version; move it aside.")
    if version > SCHEMA_VERSION:
        raise JournalVersionError(
            f"The journal {path} was written by a newer pmconsole (format {version}, this program reads "
            f"up to {SCHEMA_VERSION}); install the newer version or move the file aside."
        )
    return version


def require(row: Row, seq: int, head: str, path: Path) -> None:
    """The row follows the row ``seq`` with hash ``head``; raises ``JournalDamagedError``."""
    problem = broken(row, seq, head)
    if problem is not None:
        raise JournalDamagedError(
            f"The journal {path} is damaged: {problem}; `pmconsole journal verify` shows more."
        )


def sentence(path: Path, error: sqlite3.Error) -> JournalError:
    """What SQLite had to say, for the operator."""
    if isinstance(error, sqlite3.OperationalError):
        return JournalError(f"The journal {path} cannot be used: {error}.")
    return JournalDamagedError(f"The journal {path} is damaged or not a journal ({error}); move it aside.")


# --- reading ------------------------------------------------------------------------------------


def connect_read_only(path: Path) -> sqlite3.Connection:
    """A reading connection beside a running writer; raises ``JournalError``."""
    if not path.is_file():
        raise JournalError(f"There is no journal {path}.")
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=2.0)
        try:
            version_of(connection, path)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise sentence(path, error) from None
    return connection


def read_rows(path: Path, *, after: int = 0) -> Iterator[Row]:
    """Every row with a number above ``after``, in order, its chain checked; raises ``JournalError``."""
    with closing(connect_read_only(path)) as connection:
        try:
            seq, head = after, GENESIS
            if after:
                found = connection.execute("SELECT hash FROM event WHERE seq = ?", (after,)).fetchone()
                if found is None:
                    return
                head = found[0]
            for columns in connection.execute(
                f"SELECT {', '.join(COLUMNS)} FROM event WHERE seq > ? ORDER BY seq", (after,)
            ):
                row = Row(*columns)
                require(row, seq, head, path)
                seq, head = row.seq, row.hash
                yield row
        except sqlite3.Error as error:
            raise sentence(path, error) from None


def read_history(path: Path) -> Iterator[Row]:
    """The rows a restart folds, in order, each row's own hash checked; raises ``JournalError``.

    Market data, links and the like are passed over: that the rows hang together is checked by
    whoever opens the journal, from its newest anchor on, and by ``verify`` from the beginning.
    """
    kinds = sorted(PASSED_OVER)
    wanted = f"SELECT seq FROM event WHERE kind NOT IN ({', '.join('?' * len(kinds))})"
    parameters = list[object](kinds)
    for kind, field in NEWEST.items():
        wanted += (
            " UNION ALL SELECT * FROM (SELECT seq FROM event WHERE kind = ?"
            " AND json_extract(payload, ?) IS NOT NULL ORDER BY seq DESC LIMIT 1)"
        )
        parameters += [kind.value, field]
    query = f"SELECT {', '.join(COLUMNS)} FROM event WHERE seq IN ({wanted}) ORDER BY seq"
    with closing(connect_read_only(path)) as connection:
        try:
            for columns in connection.execute(query, parameters):
                row = Row(*columns)
                require(row, row.seq - 1, row.prev_hash, path)
                yield row
        except sqlite3.Error as error:
            raise sentence(path, error) from None


# --- checking -----------------------------------------------------------------------------------

PROBLEMS_MAX = 20


class VerifyReport(msgspec.Struct, frozen=True):
    """The state of a journal from end to end. ``head`` is worth noting elsewhere."""

    path: Path
    rows: int
    head: str
    runs: int
    unclean_runs: int
    """Runs that ended without signing off: a kill or power cut, or the run that writes now."""
    problems: tuple[str, ...]

    @property
    def sound(self) -> bool:
        return not self.problems

    def lines(self) -> tuple[str, ...]:
        verdict = "sound" if self.sound else "DAMAGED"
        runs = f"{self.runs} runs ({self.unclean_runs} not signed off)"
        return (
            f"{self.path}: {verdict}, {self.rows} rows, {runs}",
            f"head {self.head}",
            *(f"problem: {problem}" for problem in self.problems),
        )


def verify(path: Path) -> VerifyReport:
    """Check pages, numbering, hashes, payloads and the ends of earlier runs; raises ``JournalError`` only
    when the file cannot be read as a journal at all."""
    with closing(connect_read_only(path)) as connection:
        problems: list[str] = []
        count, seq, head = 0, 0, GENESIS
        anchors = dict(_anchors(connection, path))
        owners = connection.execute("SELECT count(*), count(closed_ms) FROM owner").fetchone()
        try:
            pages = [str(line[0]) for line in connection.execute("PRAGMA quick_check(5)")]
            problems += [f"database pages: {line}" for line in pages if line != "ok"]
            for columns in connection.execute(f"SELECT {', '.join(COLUMNS)} FROM event ORDER BY seq"):
                row = Row(*columns)
                problem = broken(row, seq, head) or _unreadable(row)
                expected = anchors.pop(row.seq, None)
                if problem is None and expected is not None and expected != row.hash:
                    problem = f"row {row.seq} is not the row an earlier run ended with"
                if problem is not None:
                    problems.append(problem)
                    if len(problems) >= PROBLEMS_MAX:
                        problems.append("more problems follow")
                        break
                count, seq, head = count + 1, row.seq, row.hash
        except sqlite3.Error as error:
            problems.append(f"reading stopped after row {seq}: {error}")
        for missing in sorted(s for s in anchors if s > seq):
            problems.append(f"rows up to {missing} were written by an earlier run and are gone")
    return VerifyReport(path, count, head, owners[0], owners[0] - owners[1], tuple(problems))


def _anchors(connection: sqlite3.Connection, path: Path) -> list[tuple[int, str]]:
    """Heads written down by the runs: where each ended, and on the way."""
    ends = "SELECT closed_seq, closed_hash FROM owner WHERE closed_seq > 0"
    try:
        if version_of(connection, path) > 1:
            ends += " UNION SELECT seq, hash FROM anchor"
        return connection.execute(ends).fetchall()
    except sqlite3.Error as error:
        raise sentence(path, error) from None


def _unreadable(row: Row) -> str | None:
    try:
        row.data()
    except msgspec.DecodeError as error:
        return f"row {row.seq} has a payload that is no JSON object ({error})"
    return None
