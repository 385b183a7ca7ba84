"""The watchdog goes on: neither a fault of its own nor of its client takes the last guard away."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from core.control.pulse import Pulse
from core.domain.clock import REAL_WORLD, Clocks
from core.venues.venue import Done, GroupOutcome, Incomplete, OrderReport
from core.watchdog.process import Watchdog
from tests.virtual import VirtualClock, VirtualLoop, run_virtual


class Account:
    """Nothing rests. Whatever is called breaks as often as ``breaks`` says."""

    def __init__(self, breaks: int) -> None:
        self.breaks = breaks
        self.cancelled_at: list[float] = []

    def _may_break(self) -> None:
        if self.breaks:
            self.breaks -= 1
            raise RuntimeError("the transport is in a state nobody thought of")

    async def groups(self) -> dict[str, str] | Incomplete:
        return {}

    async def resting(self) -> tuple[OrderReport, ...] | Incomplete:
        self._may_break()
        await asyncio.sleep(0.02)
        return ()

    async def trigger(self, group_id: str, part: str) -> GroupOutcome:
        return Done()

    async def cancel_everything(self) -> GroupOutcome:
        self._may_break()
        self.cancelled_at.append(asyncio.get_running_loop().time())
        return Done()

    async def warm(self, calls: int) -> None:
        self._may_break()


def test_a_fault_in_a_strike_does_not_end_the_watch(tmp_path: Path) -> None:
    async def main(loop: VirtualLoop) -> None:
        clock = VirtualClock(loop)
        account: Any = Account(breaks=0)
        dog = Watchdog(account, Clocks(clock, REAL_WORLD), tmp_path / "record", 10)
        tasks = [loop.create_task(work) for work in (dog.watch(), dog.probe(), dog.warm())]
        await asyncio.sleep(1.0)
        dog._watch.heard(Pulse("r1", 1, 1, 1, live=2), clock.mono_ns())
        account.breaks = 5
        await asyncio.sleep(20.0)
        assert not any(task.done() for task in tasks)
        assert account.cancelled_at, "the strike was tried again"
        assert dog._record.receipt.endswith("nothing rests; 1.0 s")
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    run_virtual(main)
