"""A journal that loses what it has not committed: rows in memory, commits that take time, power cuts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

from core.domain.clock import Clock
from core.execution.points import Point, Reach
from core.journal.events import Chain, Event, Kind, Row
from core.journal.projections import ORDER_KINDS
from core.journal.store import MemoryJournal

LINGER_S = 0.02
"""How long rows nobody waits for gather before they are committed, as on disk."""


class PowerCutLog(MemoryJournal):
    """One commit at a time, each covering what was appended before it began.

    After ``cut`` nothing is recorded or confirmed any more; ``rows`` then holds what a disk would.
    """

    def __init__(
        self,
        clock: Clock,
        run_id: str,
        kept: Sequence[Row],
        rng: random.Random,
        commit_s: Callable[[], float],
        on_durable: Callable[[Row], None],
        on_row: Callable[[Row], None],
        reach: Reach,
    ) -> None:
        super().__init__(clock, "boot", run_id)
        if kept:
            self._chain = Chain(clock, "boot", run_id, kept[-1].seq, kept[-1].hash)
        self.rows = list(kept)
        self.tail.extend(kept[-500:])
        self._durable_seq = kept[-1].seq if kept else 0
        self._committing = 0
        """Last row of the commit under way, 0 without one."""
        self._due: asyncio.TimerHandle | None = None
        self._waiting: list[tuple[int, asyncio.Future[bool]]] = []
        self._rng, self._commit_s = rng, commit_s
        self._on_durable, self._on_row, self._reach = on_durable, on_row, reach
        self.dead = False

    def append(self, event: Event) -> int:
        if self.dead:
            return self._chain.seq
        seq = super().append(event)
        self._on_row(self.rows[-1])
        if not self._committing and self._due is None:
            self._due = asyncio.get_running_loop().call_later(LINGER_S, self._begin)
        if event.kind.value in ORDER_KINDS or event.kind is Kind.HALT:
            self._reach(Point.ROW_WRITTEN)
        return seq

    def durable(self, seq: int) -> asyncio.Future[bool]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bool] = loop.create_future()
        if self.dead:
            return answer  # whoever waits dies with the process
        if seq <= self._durable_seq:
            answer.set_result(True)
            return answer
        self._waiting.append((seq, answer))
        if not self._committing:
            self._begin()
        return answer

    def _begin(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None
        self._committing = self._chain.seq
        asyncio.get_running_loop().call_later(self._commit_s(), self._committed)

    def _committed(self) -> None:
        if self.dead:
            return
        before, self._durable_seq, self._committing = self._durable_seq, self._committing, 0
        done = self.rows[before : self._durable_seq]
        for row in done:
            self._on_durable(row)
        if any(row.kind in ORDER_KINDS or row.kind == Kind.HALT.value for row in done):
            self._reach(Point.ROW_DURABLE)
        self._tell_waiters()

    def _tell_waiters(self) -> None:
        if self.dead:  # the process may have died just before
            return
        ready = [answer for seq, answer in self._waiting if seq <= self._durable_seq]
        self._waiting = [w for w in self._waiting if w[0] > self._durable_seq]
        for answer in ready:
            if not answer.done():
                answer.set_result(True)
        if self._waiting:
            self._begin()
        elif self._chain.seq > self._durable_seq and self._due is None:
            self._due = asyncio.get_running_loop().call_later(LINGER_S, self._begin)

    def close(self) -> None:
        """The process ends in order: what it has said reaches the disk."""
        self._committing = self._chain.seq
        self._committed()

    def cut(self) -> None:
        """The process ends now. A commit under way may have reached the disk or not."""
        self.dead = True
        if self._due is not None:
            self._due.cancel()
        if self._committing and self._rng.random() < 0.5:
            for row in self.rows[self._durable_seq : self._committing]:
                self._on_durable(row)
            self._durable_seq = self._committing
        del self.rows[self._durable_seq :]
