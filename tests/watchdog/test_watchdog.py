"""The watchdog goes on: neither a fault of its own nor of its client takes the last guard away."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.config.secrets import write_private
from core.control.pulse import Pulse
from core.control.strikes import read_record
from core.domain.clock import REAL_WORLD, Clocks
from core.domain.market import Venue
from core.venues.kalshi.traits import TRAITS
from core.venues.venue import Done, GroupOutcome, Incomplete, OrderReport
from core.watchdog import process
from core.watchdog.process import Watchdog
from tests.virtual import VirtualClock, VirtualLoop, run_virtual


class Account:
    """Nothing rests. Whatever is called breaks as often as ``breaks`` says."""

    traits = TRAITS

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


class Deaf(Account):
    """Answers nothing, for ever."""

    traits = msgspec.structs.replace(TRAITS, venue=Venue.POLYMARKET)

    async def _never(self) -> Any:
        await asyncio.get_running_loop().create_future()

    async def groups(self) -> dict[str, str] | Incomplete:
        return await self._never()  # type: ignore[no-any-return]

    async def resting(self) -> tuple[OrderReport, ...] | Incomplete:
        return await self._never()  # type: ignore[no-any-return]

    async def cancel_everything(self) -> GroupOutcome:
        return await self._never()  # type: ignore[no-any-return]


@contextlib.asynccontextmanager
async def guarding(loop: VirtualLoop, folder: Path, *accounts: Any) -> AsyncIterator[Watchdog]:
    dog = Watchdog(accounts, Clocks(VirtualClock(loop), REAL_WORLD), folder / "record", 10, {})
    work = [step for guard in dog.guards for step in (guard.watch(), guard.probe(), guard.warm())]
    tasks, writing = [loop.create_task(step) for step in work], loop.create_task(dog.write())
    await asyncio.sleep(1.0)
    yield dog
    assert not any(task.done() for task in (*tasks, writing))
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    dog.close()
    while not writing.done():  # noqa: ASYNC110 - no thread wakes a virtual loop
        await asyncio.sleep(0.01)
    await writing
    assert read_record(folder / "record") == dog.record


def test_a_fault_in_a_strike_does_not_end_the_watch(tmp_path: Path) -> None:
    async def main(loop: VirtualLoop) -> None:
        account: Any = Account(breaks=0)
        async with guarding(loop, tmp_path, account) as dog:
            dog.heard(Pulse("r1", 1, 1, 1, live=2))
            account.breaks = 5
            await asyncio.sleep(20.0)
            assert account.cancelled_at, "the strike was tried again"
            assert dog.record.receipt.endswith("nothing rests; 1.0 s")

    run_virtual(main)


def test_what_breaks_is_told_until_that_very_step_goes_well_again(tmp_path: Path) -> None:
    """A probe that can read the account says nothing of a watch that cannot strike."""

    class CannotStrike(Account):
        async def cancel_everything(self) -> GroupOutcome:
            self._may_break()
            return Done()

        async def resting(self) -> tuple[OrderReport, ...] | Incomplete:
            return ()

        async def warm(self, calls: int) -> None: ...

    async def main(loop: VirtualLoop) -> None:
        account: Any = CannotStrike(breaks=0)
        async with guarding(loop, tmp_path, account) as dog:
            assert dog._answer().unfit == ""
            dog.heard(Pulse("r1", 1, 1, 1, live=2))
            account.breaks = 100
            await asyncio.sleep(11.0)
            for _ in range(250):
                assert dog._answer().unfit == "its watch broke and is tried again, see watchdog.log"
                await asyncio.sleep(0.1)
            account.breaks = 0
            await asyncio.sleep(3.0)
            assert dog._answer().unfit == ""

    run_virtual(main)


def test_a_venue_that_answers_nothing_keeps_the_watchdog_from_striking_nowhere_else(tmp_path: Path) -> None:
    async def main(loop: VirtualLoop) -> None:
        account: Any = Account(breaks=0)
        async with guarding(loop, tmp_path, Deaf(breaks=0), account) as dog:
            dog.heard(Pulse("r1", 1, 1, 1, live=2))
            await asyncio.sleep(12.0)
            first = dog.record
            assert len(account.cancelled_at) == 1 and "POLY" in first.receipt
            assert first.receipt.index("KAL the engine") and first.receipt.endswith("nothing rests; 1.0 s")
            dog.heard(Pulse("r2", 2, 1, 1, live=1))
            await asyncio.sleep(12.0)
            assert len(account.cancelled_at) == 2, "free to strike for the next engine"
            assert (dog.record.struck_ms or 0) > (first.struck_ms or 0)

    run_virtual(main)


def test_a_disk_that_hangs_holds_no_strike_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be why the engine fell silent."""
    answers, written = threading.Event(), list[Path]()

    def hang(path: Path, data: bytes) -> None:
        answers.wait(5.0)
        write_private(path, data)
        written.append(path)

    monkeypatch.setattr(process, "write_private", hang)

    async def main(loop: VirtualLoop) -> None:
        account: Any = Account(breaks=0)
        async with guarding(loop, tmp_path, account) as dog:
            dog.heard(Pulse("r1", 1, 1, 1, live=2))
            await asyncio.sleep(12.0)
            assert account.cancelled_at and not written
            assert dog.record.receipt.endswith("nothing rests; 1.0 s")
            answers.set()

    run_virtual(main)


def test_one_silence_is_one_strike_at_every_venue(tmp_path: Path) -> None:
    async def main(loop: VirtualLoop) -> None:
        here: Any = Account(breaks=0)
        there: Any = Account(breaks=0)
        there.traits = Deaf.traits
        async with guarding(loop, tmp_path, here, there) as dog:
            dog.heard(Pulse("r1", 1, 1, 1, live=2))
            await asyncio.sleep(10.5)
            under_way = dog.record.struck_ms
            await asyncio.sleep(10.0)
            assert len(here.cancelled_at) == len(there.cancelled_at) == 1
            assert dog.record.struck_ms == under_way and dog.record.receipt.count("nothing rests") == 2

    run_virtual(main)
