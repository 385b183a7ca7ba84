"""The journal's writer: one thread, the only connection that writes and checkpoints.

Whatever waits goes into one transaction. A failed commit is never tried again: the journal is
poisoned, what a restart must know goes to the spill log, and a fresh connection looks at what is on
disk. The one exception is a full disk, of which SQLite says so before anything is committed: then
the reserve is given up once, and the rows go through a fresh connection whose head was checked.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable
from typing import Protocol

import msgspec

from core.domain.clock import Clock
from core.journal.events import Row
from core.journal.files import JournalError, read_rows
from core.journal.opening import Opened, connect
from core.journal.recover import INSERT
from core.journal.reserve import Reserve
from core.journal.spill import SPILLED_KINDS

PENDING_MAX = 50_000
"""Rows waiting for the writer. Beyond it the writer has stopped for all we know: the journal is poisoned,
rows are never dropped silently. What a restart must know may wait in as many places again."""
BATCH_MAX = 1_000
LINGER_S = 0.02
"""How long rows nobody waits for may gather before they are committed."""
ANCHOR_ROWS = 10_000
"""A start checks at most about this many rows: a tenth of a second."""
CHECKPOINT_BYTES = 4 << 20
"""Payload after which the write-ahead log is written back; waiters have been answered before it."""


class Reports(Protocol):
    """Where the thread's news go. Called in the thread: they must hand over to the loop."""

    def committed(self, last: int, took_ns: int) -> None: ...

    def full(self, reason: str) -> None:
        """The disk was full: what waits must not be sent; the journal goes on in its reserve."""
        ...

    def failed(self, reason: str) -> None: ...

    def spilled(self, rows: list[int]) -> None:
        """These rows are synced in the spill log."""
        ...

    def spill_failed(self, reason: str) -> None: ...

    def checked(self, found: str) -> None:
        """After a failure: what a fresh connection finds on disk."""
        ...

    def ended(self) -> None: ...


class Writer:
    """``put`` and ``hurry`` are the loop's; everything else happens in the thread."""

    def __init__(self, opened: Opened, clock: Clock, run_id: str, reserve: Reserve, reports: Reports) -> None:
        self._path = opened.path
        self._connection = opened.connection
        self._synchronous = opened.synchronous
        self._spill = opened.spill
        self._lock = opened.lock
        self._clock = clock
        self._run_id = run_id
        self._reserve = reserve
        self._reports = reports
        self._written = (opened.seq, opened.head)
        self._anchored = opened.seq
        self._unwritten_bytes = 0
        # Shared with the loop, under the condition's lock.
        self._wake = threading.Condition()
        self._pending: list[Row] = []
        self._urgent = False
        self._closing = False
        self.committing_since_ns: int | None = None
        self._thread = threading.Thread(target=self._run, name="journal writer", daemon=True)
        self._thread.start()

    # --- called in the loop ----------------------------------------------------------------------

    def put(self, row: Row, limit: int) -> bool:
        """Queue a row; false when ``limit`` rows wait already and it was not taken."""
        with self._wake:
            if len(self._pending) >= limit:
                return False
            self._pending.append(row)
            self._wake.notify()
        return True

    def hurry(self) -> None:
        """Somebody waits for what is queued."""
        with self._wake:
            self._urgent = True
            self._wake.notify()

    def close(self) -> None:
        """Write what waits and end; ``ended`` is reported then."""
        with self._wake:
            self._closing = True
            self._wake.notify()

    def join(self) -> None:
        self._thread.join()

    # --- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        batch: list[Row] | None = []
        try:
            while (batch := self._next_batch()) is not None:
                self._keep(batch)
            self._or_with_the_reserve(self._sign_off)
        except Exception as error:  # noqa: BLE001 - whatever it is: told, and nothing is written after it
            self._reports.failed(f"the journal cannot be written: {error}")
            self._spill_on(batch or [])
        finally:
            self._spill.close()
            with contextlib.suppress(sqlite3.Error):  # its faults have been told
                self._connection.close()
            os.close(self._lock)
            self._reports.ended()

    def _next_batch(self) -> list[Row] | None:
        with self._wake:
            self._wake.wait_for(lambda: self._pending or self._closing)
            if not self._pending:
                return None
            self._wake.wait_for(
                lambda: self._urgent or self._closing or len(self._pending) >= BATCH_MAX, LINGER_S
            )
            batch, self._pending = self._pending[:BATCH_MAX], self._pending[BATCH_MAX:]
            self._urgent = self._urgent and bool(self._pending)
            return batch

    def _keep(self, batch: list[Row]) -> None:
        self._or_with_the_reserve(lambda: self._commit(batch))
        self._unwritten_bytes += sum(len(row.payload) for row in batch)
        if self._unwritten_bytes >= CHECKPOINT_BYTES:
            self._or_with_the_reserve(lambda: self._checkpoint("PASSIVE"))

    def _commit(self, batch: list[Row]) -> None:
        last = batch[-1]
        self.committing_since_ns = started = self._clock.mono_ns()
        self._connection.execute("BEGIN IMMEDIATE")
        self._require_sole_writer()
        self._connection.executemany(INSERT, [msgspec.structs.astuple(row) for row in batch])
        if last.seq - self._anchored >= ANCHOR_ROWS:
            self._anchor(last.seq, last.hash)
        self._connection.execute("COMMIT")
        took = self._clock.mono_ns() - started
        self.committing_since_ns = None
        self._written = (last.seq, last.hash)
        self._reports.committed(last.seq, took)

    def _require_sole_writer(self) -> None:
        """The newest run is ours and the newest row the one written last; raises ``JournalError``."""
        newest = self._connection.execute("SELECT run_id FROM owner ORDER BY rowid DESC LIMIT 1").fetchone()
        if newest != (self._run_id,):
            raise JournalError(f"run {newest and newest[0]} has entered it beside ours")
        head = self._connection.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
        if (head or (0, self._written[1])) != self._written:
            raise JournalError(f"row {head and head[0]} was written by somebody else")

    def _anchor(self, seq: int, head: str) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO anchor VALUES (?, ?, ?)", (seq, head, self._clock.wall_ms())
        )
        self._anchored = seq

    def _checkpoint(self, mode: str) -> None:
        self._connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        self._unwritten_bytes = 0

    def _sign_off(self) -> None:
        if self._written[0] > self._anchored:
            self._anchor(*self._written)
        self._connection.execute(
            "UPDATE owner SET closed_ms = ?, closed_seq = ?, closed_hash = ? WHERE run_id = ?",
            (self._clock.wall_ms(), *self._written, self._run_id),
        )
        self._checkpoint("TRUNCATE")

    # --- when the disk fails ---------------------------------------------------------------------

    def _or_with_the_reserve(self, step: Callable[[], None]) -> None:
        try:
            step()
        except sqlite3.OperationalError as error:
            if not _disk_full(error) or not self._reserve.release():
                raise
            self._reports.full(f"the disk is full ({self._path.parent}): the journal goes on in its reserve")
            with contextlib.suppress(sqlite3.Error):  # the transaction is given up with the connection
                self._connection.close()
            self._connection = connect(self._path, self._synchronous)
            step()

    def _spill_on(self, batch: list[Row]) -> None:
        """The journal is dead: keep what a restart must know until the end."""
        rows: list[Row] | None = batch
        looked = False
        try:
            while rows is not None:
                kept = [row for row in rows if row.kind in SPILLED_KINDS]
                if kept:
                    self._spill.keep(kept)
                    self._reports.spilled([row.seq for row in kept])
                if not looked:
                    looked = True
                    self._reports.checked(self._look())
                rows = self._next_batch()
        except OSError as error:
            self._reports.spill_failed(f"the spill log cannot be written either: {error}")

    def _look(self) -> str:
        """What a fresh connection finds on disk: whether the rows written last are whole."""
        seq, head = self._written
        try:
            for row in read_rows(self._path, after=max(0, seq - BATCH_MAX)):
                seq, head = row.seq, row.hash
        except JournalError as error:
            return str(error)
        if seq < self._written[0] or (seq, head) == self._written:
            return f"rows up to {seq} are whole on disk"
        return f"rows up to {seq} are whole on disk, {seq - self._written[0]} more than were confirmed"


def _disk_full(error: sqlite3.OperationalError) -> bool:
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF == sqlite3.SQLITE_FULL
