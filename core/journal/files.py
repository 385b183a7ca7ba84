"""Journal files: opening one for its writer, reading one beside it, and checking one from end to end."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from importlib import resources
from pathlib import Path

import msgspec

from core.domain.clock import Clock
from core.journal.events import COLUMNS, GENESIS, Row, broken

SCHEMA_VERSION = 1
TAIL_CHECKED = 500


class JournalError(Exception):
    """The journal cannot be used; the text is one sentence for the operator."""


class JournalVersionError(JournalError):
    """Written by a newer program."""


class JournalDamagedError(JournalError):
    """Not a journal, or one whose rows do not hold together."""


class Identity(msgspec.Struct, frozen=True):
    """Whose journal it is and which run writes it. Ids come from the process edge."""

    world_id: str
    profile: str
    code_version: str
    boot_id: str
    run_id: str


class Opened(msgspec.Struct, frozen=True):
    """A journal ready for its writer."""

    path: Path
    connection: sqlite3.Connection
    seq: int
    head: str
    tail: tuple[Row, ...]
    clean: bool


def open_for_writing(path: Path, identity: Identity, clock: Clock, synchronous: str) -> Opened:
    """Create or open, check version, owner and tail, and enter this run; raises ``JournalError``."""
    new = _claim(path)
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=2.0)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA mmap_size = 0")
        if new:
            _create(connection, identity, clock)
        else:
            _check_version(connection, path)
            _check_world(connection, path, identity)
        tail = _tail(connection, path)
        clean = _enter_run(connection, identity, clock)
    except (sqlite3.Error, JournalError) as error:
        if connection is not None:
            connection.close()
        raise error if isinstance(error, JournalError) else _sentence(path, error) from None
    seq, head = (tail[-1].seq, tail[-1].hash) if tail else (0, GENESIS)
    return Opened(path, connection, seq, head, tail, clean)


def _claim(path: Path) -> bool:
    """Whether the file is new (then created 0600); refuses one that others may read or own."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        return True
    except FileExistsError:
        pass
    except OSError as error:
        raise JournalError(
            f"The journal {path} cannot be created: {error.strerror}; check the directory and its owner."
        ) from None
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise JournalError(f"The journal {path} is not a plain file; move it aside.")
    if found.st_uid != os.geteuid():
        raise JournalError(f"The journal {path} belongs to another user (uid {found.st_uid}).")
    if found.st_mode & 0o077:
        raise JournalError(f"The journal {path} is open to other users; run: chmod 600 {path}")
    if not os.access(path, os.W_OK):
        raise JournalError(f"The journal {path} is read-only; run: chmod 600 {path}")
    # A crash between creating the file and its first transaction leaves it empty.
    return found.st_size == 0


def _create(connection: sqlite3.Connection, identity: Identity, clock: Clock) -> None:
    schema = resources.files("core.journal").joinpath("schema.sql").read_text(encoding="utf-8")
    now = clock.wall_ms()
    connection.executescript(f"BEGIN IMMEDIATE;\n{schema}")
    connection.execute("INSERT INTO schema_version VALUES (?, ?)", (SCHEMA_VERSION, now))
    connection.executemany(
        "INSERT INTO meta VALUES (?, ?)",
        [
            ("world_id", identity.world_id),
            ("profile", identity.profile),
            ("code_version", identity.code_version),
            ("created_ms", str(now)),
        ],
    )
    connection.execute("COMMIT")


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("SELECT max(version) FROM schema_version").fetchone()[0]
    if version is None or version < SCHEMA_VERSION:
        raise JournalDamagedError(f"The journal {path} has no known format version; move it aside.")
    if version > SCHEMA_VERSION:
        raise JournalVersionError(
            f"The journal {path} was written by a newer pmconsole (format {version}, this program reads "
            f"up to {SCHEMA_VERSION}); install the newer version or move the file aside."
        )


def _check_world(connection: sqlite3.Connection, path: Path, identity: Identity) -> None:
    meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    for name, wanted in (("world_id", identity.world_id), ("profile", identity.profile)):
        if meta.get(name) != wanted:
            raise JournalError(
                f"The journal {path} belongs to {name.replace('_id', '')} {meta.get(name)!r}, not {wanted!r}."
            )


def _tail(connection: sqlite3.Connection, path: Path) -> tuple[Row, ...]:
    """The newest rows, checked to hang together."""
    newest = connection.execute(
        f"SELECT {', '.join(COLUMNS)} FROM event ORDER BY seq DESC LIMIT ?", (TAIL_CHECKED,)
    ).fetchall()
    rows = tuple(Row(*columns) for columns in reversed(newest))
    if rows:
        seq, head = rows[0].seq - 1, rows[0].prev_hash
        for row in rows:
            _require(row, seq, head, path)
            seq, head = row.seq, row.hash
    return rows


def _enter_run(connection: sqlite3.Connection, identity: Identity, clock: Clock) -> bool:
    last = connection.execute("SELECT closed_ms FROM owner ORDER BY opened_ms DESC, rowid DESC LIMIT 1")
    before = last.fetchone()
    connection.execute(
        "INSERT INTO owner (run_id, boot_id, code_version, opened_ms) VALUES (?, ?, ?, ?)",
        (identity.run_id, identity.boot_id, identity.code_version, clock.wall_ms()),
    )
    return before is None or before[0] is not None


def _require(row: Row, seq: int, head: str, path: Path) -> None:
    problem = broken(row, seq, head)
    if problem is not None:
        raise JournalDamagedError(
            f"The journal {path} is damaged: {problem}; `pmconsole journal verify` shows more."
        )


def _sentence(path: Path, error: sqlite3.Error) -> JournalError:
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
            _check_version(connection, path)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise _sentence(path, error) from None
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
                _require(row, seq, head, path)
                seq, head = row.seq, row.hash
                yield row
        except sqlite3.Error as error:
            raise _sentence(path, error) from None


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
    try:
        return connection.execute("SELECT closed_seq, closed_hash FROM owner WHERE closed_seq > 0").fetchall()
    except sqlite3.Error as error:
        raise _sentence(path, error) from None


def _unreadable(row: Row) -> str | None:
    try:
        row.data()
    except msgspec.DecodeError as error:
        return f"row {row.seq} has a payload that is no JSON object ({error})"
    return None
