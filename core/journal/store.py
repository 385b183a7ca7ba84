"""The journal's writing side: one thread owns the only writing connection, the loop never commits.

``append`` numbers and chains a row at once and returns its number; the writer puts whatever waits
into one transaction. ``durable`` answers when a row is on disk, and hurries the writer. A failed
commit is never retried: it poisons the journal, every waiter gets ``False``, and the engine is told
once. ``MemoryJournal`` is the same log without a thread or a file, for a virtual world.
"""

from __future__ import annotations

import asyncio
import enum
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from core.domain.clock import Clock
from core.journal.events import COLUMNS, Chain, Event, Row
from core.journal.files import Identity, Opened, open_for_writing

PENDING_MAX = 50_000
"""Rows waiting for the writer. Beyond it the writer has stopped for all we know: the journal is poisoned,
rows are never dropped silently."""
BATCH_MAX = 1_000
LINGER_S = 0.02
"""How long rows nobody waits for may gather before they are committed."""
TAIL_ROWS = 500
LATENCIES = 512


class Durability(enum.Enum):
    """``FULL`` survives a power cut, ``NORMAL`` a killed process."""

    FULL = "FULL"
    NORMAL = "NORMAL"


class JournalFault(msgspec.Struct, frozen=True):
    """The journal has stopped for good; ``reason`` is a sentence. What is not on disk stays off it."""

    reason: str
    durable_seq: int
    """The last row known to be on disk."""


class EventLog(Protocol):
    """What the engine needs of a journal."""

    tail: deque[Row]
    """The newest rows, for the screen."""
    fault: JournalFault | None
    lost: int
    """Rows that never reached the disk: after a fault, or after the journal was closed."""

    @property
    def head_seq(self) -> int: ...

    def append(self, event: Event) -> int:
        """Record an event; returns its row number. Never blocks, never raises for a fault."""
        ...

    def durable(self, seq: int) -> asyncio.Future[bool]:
        """Resolves when the row is on disk; ``False``: the journal failed and it is not."""
        ...

    def sync_p99_ms(self) -> int:
        """p99 of the last commits, never less than what the running one has taken so far."""
        ...

    async def close(self) -> None: ...


class Journal:
    """The journal on disk. Build with ``open_journal`` inside the running loop."""

    def __init__(
        self,
        opened: Opened,
        clock: Clock,
        identity: Identity,
        on_fault: Callable[[JournalFault], None],
    ) -> None:
        self.path = opened.path
        self.clean = opened.clean
        """Whether the run before this one ended in order."""
        self.tail: deque[Row] = deque(opened.tail, TAIL_ROWS)
        self.fault: JournalFault | None = None
        self.lost = 0
        self._connection = opened.connection
        self._identity = identity
        self._clock = clock
        self._chain = Chain(clock, identity.boot_id, identity.run_id, opened.seq, opened.head)
        self._on_fault = on_fault
        self._loop = asyncio.get_running_loop()
        self._durable_seq = opened.seq
        self._waiting: deque[tuple[int, asyncio.Future[bool]]] = deque()
        self._took_ns: deque[int] = deque(maxlen=LATENCIES)
        # Shared with the writer, under the condition's lock.
        self._wake = threading.Condition()
        self._pending: list[Row] = []
        self._urgent = False
        self._closing = False
        self._committing_since_ns: int | None = None
        self._written = (opened.seq, opened.head)
        self._stopped: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._write, name="journal writer", daemon=True)
        self._thread.start()

    @property
    def head_seq(self) -> int:
        return self._chain.seq

    def append(self, event: Event) -> int:
        row = self._chain.next(event)
        self.tail.append(row)
        if self.fault is not None or self._closing:
            self.lost += 1
            return row.seq
        with self._wake:
            self._pending.append(row)
            overflow = len(self._pending) > PENDING_MAX
            self._wake.notify()
        if overflow:
            self._fail(f"the journal's writer does not keep up: {PENDING_MAX} rows wait")
        return row.seq

    def durable(self, seq: int) -> asyncio.Future[bool]:
        answer: asyncio.Future[bool] = self._loop.create_future()
        if seq <= self._durable_seq:
            answer.set_result(True)
        elif self.fault is not None or self._closing:
            answer.set_result(False)
        else:
            self._waiting.append((seq, answer))
            with self._wake:
                self._urgent = True
                self._wake.notify()
        return answer

    def sync_p99_ms(self) -> int:
        since = self._committing_since_ns
        running = self._clock.mono_ns() - since if since is not None else 0
        ordered = sorted(self._took_ns)
        usual = ordered[len(ordered) * 99 // 100] if ordered else 0
        return -(-max(running, usual) // 1_000_000)

    async def close(self) -> None:
        """Commit what waits, mark the run as ended in order, and end the thread."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await self._stopped
        self._thread.join()

    # --- the writer's thread ---------------------------------------------------------------------

    def _write(self) -> None:
        try:
            while (batch := self._next_batch()) is not None:
                self._commit(batch)
            self._sign_off()
        except (sqlite3.Error, OSError) as error:
            reason = f"the journal cannot be written: {error}"
            self._tell(lambda: self._fail(reason))
        finally:
            self._connection.close()
            self._tell(self._end)

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

    def _commit(self, batch: list[Row]) -> None:
        self._committing_since_ns = started = self._clock.mono_ns()
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(_INSERT, [msgspec.structs.astuple(row) for row in batch])
        self._connection.execute("COMMIT")
        took = self._clock.mono_ns() - started
        self._committing_since_ns = None
        last = batch[-1].seq
        self._written = (last, batch[-1].hash)
        self._tell(lambda: self._committed(last, took))

    def _sign_off(self) -> None:
        self._connection.execute(
            "UPDATE owner SET closed_ms = ?, closed_seq = ?, closed_hash = ? WHERE run_id = ?",
            (self._clock.wall_ms(), *self._written, self._identity.run_id),
        )
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _tell(self, call: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:
            # The loop closed under a running journal: nobody is left to tell, the rows are on disk.
            return

    # --- back in the loop ------------------------------------------------------------------------

    def _committed(self, last: int, took_ns: int) -> None:
        self._durable_seq = last
        self._took_ns.append(took_ns)
        # Waiters may stand out of order; the few there are get looked at in one pass.
        still: deque[tuple[int, asyncio.Future[bool]]] = deque()
        for seq, answer in self._waiting:
            if seq > last:
                still.append((seq, answer))
            elif not answer.done():
                answer.set_result(True)
        self._waiting = still

    def _fail(self, reason: str) -> None:
        if self.fault is not None:
            return
        self.fault = JournalFault(reason, self._durable_seq)
        self.lost = self._chain.seq - self._durable_seq
        self._refuse_waiters()
        self._on_fault(self.fault)

    def _end(self) -> None:
        self._refuse_waiters()
        if not self._stopped.done():
            self._stopped.set_result(None)

    def _refuse_waiters(self) -> None:
        for _, answer in self._waiting:
            if not answer.done():
                answer.set_result(False)
        self._waiting.clear()


_INSERT = f"INSERT INTO event ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"


def open_journal(
    path: Path,
    identity: Identity,
    clock: Clock,
    *,
    durability: Durability,
    on_fault: Callable[[JournalFault], None],
) -> Journal:
    """Open or create a world's journal for its one writer; raises ``JournalError``. Needs a running loop."""
    return Journal(open_for_writing(path, identity, clock, durability.value), clock, identity, on_fault)


class MemoryJournal:
    """The same rows in a list: durable at once, no thread. For virtual worlds and tests."""

    def __init__(self, clock: Clock, boot_id: str = "boot", run_id: str = "run") -> None:
        self._chain = Chain(clock, boot_id, run_id)
        self.rows: list[Row] = []
        self.tail: deque[Row] = deque(maxlen=TAIL_ROWS)
        self.fault: JournalFault | None = None
        self.lost = 0

    @property
    def head_seq(self) -> int:
        return self._chain.seq

    def append(self, event: Event) -> int:
        row = self._chain.next(event)
        self.rows.append(row)
        self.tail.append(row)
        return row.seq

    def durable(self, seq: int) -> asyncio.Future[bool]:
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        answer.set_result(seq <= self._chain.seq)
        return answer

    def sync_p99_ms(self) -> int:
        return 0

    async def close(self) -> None:
        return None
