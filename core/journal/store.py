"""The journal's writing side as the engine sees it: the loop appends and never commits.

``append`` numbers and chains a row at once and returns its number; the writer's thread puts whatever
waits into one transaction. ``durable`` answers when a row is on disk, and hurries the writer. A failed
commit poisons the journal: every waiter gets ``False``, the engine is told once, and from then on
``spilled`` answers for what a restart must know. ``MemoryJournal`` is the same log without a thread
or a file, for a virtual world.
"""

from __future__ import annotations

import asyncio
import enum
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from core.domain.clock import Clock
from core.journal import writer
from core.journal.events import Chain, Event, Row
from core.journal.opening import TAIL_ROWS, Identity, Opened, open_for_writing
from core.journal.reserve import Reserve, reserve_path
from core.journal.spill import SPILLED_KINDS
from core.journal.writer import Writer

LATENCIES = 512
CLOSE_S = 5.0
"""An end in order waits this long for the disk."""


class Durability(enum.Enum):
    """``FULL`` survives a power cut, ``NORMAL`` a killed process."""

    FULL = "FULL"
    NORMAL = "NORMAL"


class JournalFault(msgspec.Struct, frozen=True):
    """The journal could not write; ``reason`` is a sentence. What is not on disk stays off it."""

    reason: str
    durable_seq: int
    """The last row known to be on disk."""
    goes_on: bool = False
    """The disk was full and the journal goes on in its reserve; what waited must not be sent."""


class EventLog(Protocol):
    """What the engine needs of a journal."""

    tail: deque[Row]
    """The newest rows, for the screen."""
    fault: JournalFault | None
    """Why the journal has stopped for good; its reason grows by what was found on disk afterwards."""

    @property
    def lost(self) -> int:
        """After a fault or after closing: rows that are neither on disk nor in the spill log."""
        ...

    @property
    def head_seq(self) -> int: ...

    def append(self, event: Event) -> int:
        """Record an event; returns its row number. Never blocks, never raises for a fault."""
        ...

    def durable(self, seq: int) -> asyncio.Future[bool]:
        """Resolves when the row is on disk; ``False``: the journal failed and it is not."""
        ...

    def spilled(self, seq: int) -> asyncio.Future[bool]:
        """After ``durable`` said no: resolves when the row is synced in the spill log, which the next start
        takes up. ``False``: it will not get there. A hanging disk answers late; bound the wait."""
        ...

    def sync_p99_ms(self) -> int:
        """p99 of the last commits, never less than what the running one has taken so far."""
        ...

    async def close(self) -> bool:
        """Whether everything is where it belongs."""
        ...


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
        self._clock = clock
        self._chain = Chain(clock, identity.boot_id, identity.run_id, opened.seq, opened.head)
        self._on_fault = on_fault
        self._loop = asyncio.get_running_loop()
        self._durable_seq = opened.seq
        self._closing = False
        self._waiting: deque[tuple[int, asyncio.Future[bool]]] = deque()
        """Bounded by who waits: one for each order on its way, and the stop file."""
        self._spilled: set[int] = set()
        """Bounded by the size of the spill log."""
        self._spilling = True
        self._waiting_for_spill: list[tuple[int, asyncio.Future[bool]]] = []
        self._took_ns: deque[int] = deque(maxlen=LATENCIES)
        self._stopped: asyncio.Future[None] = self._loop.create_future()
        reserve = Reserve(reserve_path(opened.path))
        self.reserve_ready = reserve.prepare()
        """Whether 64 MiB are kept back for a full disk."""
        self._writer = Writer(opened, clock, identity.run_id, reserve, _InLoop(self, self._loop))

    @property
    def head_seq(self) -> int:
        return self._chain.seq

    @property
    def head(self) -> tuple[int, str]:
        """Number and hash of the newest row."""
        return self._chain.seq, self._chain.hash

    @property
    def lost(self) -> int:
        return self._chain.seq - self._durable_seq - len(self._spilled)

    def append(self, event: Event) -> int:
        row = self._chain.next(event)
        self.tail.append(row)
        if self._closing:
            return row.seq
        if self.fault is None:
            if not self._writer.put(row, writer.PENDING_MAX):
                self.failed(f"the journal's writer does not keep up: {writer.PENDING_MAX} rows wait")
        elif self._spilling and row.kind in SPILLED_KINDS:
            self._writer.put(row, 2 * writer.PENDING_MAX)
        return row.seq

    def durable(self, seq: int) -> asyncio.Future[bool]:
        answer: asyncio.Future[bool] = self._loop.create_future()
        if seq <= self._durable_seq:
            answer.set_result(True)
        elif self.fault is not None or self._closing:
            answer.set_result(False)
        else:
            self._waiting.append((seq, answer))
            self._writer.hurry()
        return answer

    def spilled(self, seq: int) -> asyncio.Future[bool]:
        answer: asyncio.Future[bool] = self._loop.create_future()
        if seq in self._spilled:
            answer.set_result(True)
        elif self.fault is None or not self._spilling or self._closing or not self._bound_for_spill(seq):
            answer.set_result(False)
        else:
            self._waiting_for_spill.append((seq, answer))
            self._writer.hurry()
        return answer

    def _bound_for_spill(self, seq: int) -> bool:
        return any(row.seq == seq and row.kind in SPILLED_KINDS for row in reversed(self.tail))

    def sync_p99_ms(self) -> int:
        since = self._writer.committing_since_ns
        running = self._clock.mono_ns() - since if since is not None else 0
        ordered = sorted(self._took_ns)
        usual = ordered[len(ordered) * 99 // 100] if ordered else 0
        return -(-max(running, usual) // 1_000_000)

    async def close(self) -> bool:
        """Commit what waits, mark the run as ended in order, and end the thread.

        False when the disk did not let it within ``CLOSE_S``: the next start finds an end out of order.
        """
        self._closing = True
        self._writer.close()
        ended, _ = await asyncio.wait({self._stopped}, timeout=CLOSE_S)
        if ended:
            self._writer.join()
        return bool(ended)

    # --- the writer's news, in the loop ----------------------------------------------------------

    def committed(self, last: int, took_ns: int) -> None:
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

    def full(self, reason: str) -> None:
        self._refuse_waiters()
        self._on_fault(JournalFault(reason, self._durable_seq, goes_on=True))

    def failed(self, reason: str) -> None:
        if self.fault is not None:
            return
        self.fault = JournalFault(reason, self._durable_seq)
        self._refuse_waiters()
        self._on_fault(self.fault)

    def spilled_now(self, rows: list[int]) -> None:
        self._spilled.update(seq for seq in rows if seq > self._durable_seq)
        for seq, answer in self._waiting_for_spill:
            if seq in self._spilled and not answer.done():
                answer.set_result(True)
        self._waiting_for_spill = [waits for waits in self._waiting_for_spill if not waits[1].done()]

    def spill_failed(self, reason: str) -> None:
        self._spilling = False
        self.checked(reason)
        self._refuse_spill()

    def checked(self, found: str) -> None:
        if self.fault is not None:
            self.fault = JournalFault(f"{self.fault.reason}; {found}", self.fault.durable_seq)

    def ended(self) -> None:
        self._refuse_waiters()
        self._refuse_spill()
        if not self._stopped.done():
            self._stopped.set_result(None)

    def _refuse_waiters(self) -> None:
        for _, answer in self._waiting:
            if not answer.done():
                answer.set_result(False)
        self._waiting.clear()

    def _refuse_spill(self) -> None:
        for _, answer in self._waiting_for_spill:
            if not answer.done():
                answer.set_result(False)
        self._waiting_for_spill.clear()


class _InLoop:
    """Carries the writer's news from its thread into the loop."""

    def __init__(self, journal: Journal, loop: asyncio.AbstractEventLoop) -> None:
        self._journal = journal
        self._loop = loop

    def _tell(self, call: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:
            # The loop closed under a running journal: nobody is left to tell, the rows are on disk.
            return

    def committed(self, last: int, took_ns: int) -> None:
        self._tell(lambda: self._journal.committed(last, took_ns))

    def full(self, reason: str) -> None:
        self._tell(lambda: self._journal.full(reason))

    def failed(self, reason: str) -> None:
        self._tell(lambda: self._journal.failed(reason))

    def spilled(self, rows: list[int]) -> None:
        self._tell(lambda: self._journal.spilled_now(rows))

    def spill_failed(self, reason: str) -> None:
        self._tell(lambda: self._journal.spill_failed(reason))

    def checked(self, found: str) -> None:
        self._tell(lambda: self._journal.checked(found))

    def ended(self) -> None:
        self._tell(self._journal.ended)


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

    def spilled(self, seq: int) -> asyncio.Future[bool]:
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        answer.set_result(False)
        return answer

    def sync_p99_ms(self) -> int:
        return 0

    async def close(self) -> bool:
        return True
