"""Opening a journal for its one writer: lock, version, owner, tail, and what the run before had to spill."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections import deque
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import msgspec

from core.domain.clock import Clock
from core.journal.events import COLUMNS, GENESIS, Chain, Row
from core.journal.files import (
    SCHEMA_VERSION,
    JournalDamagedError,
    JournalError,
    JournalHeldError,
    connect_read_only,
    require,
    sentence,
    version_of,
)
from core.journal.lock import HeldError, hold
from core.journal.migrate import migrate
from core.journal.recover import take_up
from core.journal.spill import Spill, read_spill, spill_path

TAIL_ROWS = 500
BUSY_S = 2.0
"""How long somebody else's lock on the database is waited for."""


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
    synchronous: str
    seq: int
    head: str
    tail: tuple[Row, ...]
    clean: bool
    spill: Spill
    lock: int
    """Descriptor of the lock file, to be closed last."""


def connect(path: Path, synchronous: str) -> sqlite3.Connection:
    """The connection that writes, for one thread; raises ``sqlite3.Error``.

    Checkpoints are the writer's own business: one made by SQLite after a commit would hide its errors.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_S)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA mmap_size = 0")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def open_for_writing(path: Path, identity: Identity, clock: Clock, synchronous: str) -> Opened:
    """Create or open, check everything, enter this run, take up a spill log; raises ``JournalError``."""
    with contextlib.ExitStack() as undo:
        new = _claim(path)
        lock = _locked(path)
        undo.callback(os.close, lock)
        with _in_a_sentence(path):
            if not new:
                _bring_up_to_date(path, identity, clock)
            connection = connect(path, synchronous)
            undo.callback(connection.close)
            if new:
                _create(connection, identity, clock)
            tail = _tail(connection, path)
            clean = _enter_run(connection, identity, clock)
            seq, head = (tail[-1].seq, tail[-1].hash) if tail else (0, GENESIS)
            chain = Chain(clock, identity.boot_id, identity.run_id, seq, head)
            tail += take_up(connection, read_spill(spill_path(path)), chain)
            spill = Spill(spill_path(path))
        undo.pop_all()
    return Opened(path, connection, synchronous, chain.seq, chain.hash, tail[-TAIL_ROWS:], clean, spill, lock)


@contextlib.contextmanager
def _in_a_sentence(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise sentence(path, error) from None
    except msgspec.MsgspecError as error:
        raise JournalDamagedError(f"The journal {path} holds a row that cannot be read: {error}.") from None
    except OSError as error:
        raise JournalError(f"{error.filename or path} cannot be used: {error.strerror}.") from None


def _locked(path: Path) -> int:
    lock = path.with_suffix(".lock")
    try:
        return hold(lock)
    except HeldError as error:
        raise JournalHeldError(
            f"The journal {path} is being written by process {error.holder}; two engines may not share one."
        ) from None
    except OSError as error:
        raise JournalError(f"The journal's lock {lock} cannot be used: {error.strerror}.") from None


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


def _bring_up_to_date(path: Path, identity: Identity, clock: Clock) -> None:
    with contextlib.closing(connect_read_only(path)) as connection:
        version = version_of(connection, path)
        _check_world(connection, path, identity)
    if version < SCHEMA_VERSION:
        migrate(path, version, clock)


def _check_world(connection: sqlite3.Connection, path: Path, identity: Identity) -> None:
    meta = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    for name, wanted in (("world_id", identity.world_id), ("profile", identity.profile)):
        if meta.get(name) != wanted:
            raise JournalError(
                f"The journal {path} belongs to {name.replace('_id', '')} {meta.get(name)!r}, not {wanted!r}."
            )


def _tail(connection: sqlite3.Connection, path: Path) -> tuple[Row, ...]:
    """The newest rows; everything from the newest anchor on is checked to hang together."""
    anchor = connection.execute("SELECT seq, hash FROM anchor ORDER BY seq DESC LIMIT 1").fetchone()
    newest = connection.execute("SELECT max(seq) FROM event").fetchone()[0] or 0
    if anchor is not None and anchor[0] > newest:
        raise JournalDamagedError(
            f"The journal {path} is damaged: rows up to {anchor[0]} were written and are gone after {newest}."
        )
    seq = max(0, min(newest - TAIL_ROWS, anchor[0] if anchor is not None else 0))
    before = connection.execute("SELECT hash FROM event WHERE seq = ?", (seq,)).fetchone()
    head = before[0] if before is not None else GENESIS
    tail: deque[Row] = deque(maxlen=TAIL_ROWS)
    for columns in connection.execute(
        f"SELECT {', '.join(COLUMNS)} FROM event WHERE seq > ? ORDER BY seq", (seq,)
    ):
        row = Row(*columns)
        require(row, seq, head, path)
        if anchor is not None and row.seq == anchor[0] and row.hash != anchor[1]:
            raise JournalDamagedError(
                f"The journal {path} is damaged: row {row.seq} is not the row that was written."
            )
        seq, head = row.seq, row.hash
        tail.append(row)
    return tuple(tail)


def _enter_run(connection: sqlite3.Connection, identity: Identity, clock: Clock) -> bool:
    last = connection.execute("SELECT closed_ms FROM owner ORDER BY rowid DESC LIMIT 1")
    before = last.fetchone()
    connection.execute(
        "INSERT INTO owner (run_id, boot_id, code_version, opened_ms) VALUES (?, ?, ?, ?)",
        (identity.run_id, identity.boot_id, identity.code_version, clock.wall_ms()),
    )
    return before is None or before[0] is not None
