"""What is kept beside the engine of its sources: counts of quotas, and one alarm where a disk refuses."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.control import budgets, tape
from core.control.budgets import Part, keep_budgets, read_kept, write_kept
from core.control.tape import watch_tape
from core.domain.clock import REAL_WORLD, Clocks, SystemClock
from core.feeds.budget import Budget, Kept, Left
from core.feeds.declaration import Per, Quota
from core.feeds.feed import FeedHealth, FeedState

from .alongside import Alarms, while_running

WORLD_MS = 1_795_900_000_000


class Desk:
    """As much of an engine as they look at."""

    def __init__(self) -> None:
        self.alarms = Alarms()
        self.state = SimpleNamespace(feeds={})
        self.desk = SimpleNamespace(alarms=self.alarms, clocks=SimpleNamespace(world_ms=lambda: WORLD_MS))

    def spends(self, left: int) -> None:
        quota = Left(Quota(500, Per.MONTH, "credits"), left, WORLD_MS)
        self.state.feeds["ODDS"] = FeedHealth(
            "ODDS", FeedState.OK, None, None, 60, source="odds-api", budget=(quota,)
        )


async def test_counts_are_written_while_they_change_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "WRITE_EVERY_S", 0.01)
    path, desk = tmp_path / "quotas.json", Desk()
    desk.spends(480)

    def spent() -> int:
        kept = read_kept(path, "w1")[0].get("odds-api", ())
        return kept[0].spent if kept else 0

    off = {"tomorrow-io": (Kept(Per.DAY, "2026-11-29", 7),)}

    def last() -> bool:
        assert read_kept(path, "w1")[0]["tomorrow-io"] == off["tomorrow-io"], "what if it ends without a stop"
        desk.spends(470)
        return True

    await while_running(
        keep_budgets(path, "w1", desk, off, "it was damaged", {}), lambda: spent() == 20, last  # type: ignore[arg-type]
    )  # fmt: skip
    assert spent() == 30 and [said.key for said in desk.alarms.said] == ["quota file"]
    assert read_kept(path, "w1")[0]["tomorrow-io"] == off["tomorrow-io"], "off in this run, and not forgotten"


async def test_the_end_does_not_write_into_what_is_being_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "WRITE_EVERY_S", 0.01)
    path, desk, order = tmp_path / "quotas.json", Desk(), list[str]()
    began, goes_on = threading.Event(), threading.Event()
    write = budgets.write_kept

    def slow(*what: Any) -> None:
        order.append("begins")
        if not began.is_set():
            began.set()
            assert goes_on.wait(10)
        write(*what)
        order.append("ends")

    monkeypatch.setattr(budgets, "write_kept", slow)
    desk.spends(480)
    task = asyncio.ensure_future(keep_budgets(path, "", desk, {}, "", {}))  # type: ignore[arg-type]
    async with asyncio.timeout(10):
        await asyncio.to_thread(began.wait)
        task.cancel()
        await asyncio.sleep(0)
        goes_on.set()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert order == ["begins", "ends"] * 2
    assert read_kept(path, "")[0]["odds-api"][0].spent == 20


async def test_a_write_that_fails_while_the_engine_ends_is_no_error_that_nobody_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "WRITE_EVERY_S", 0.01)
    path, desk, untaken = tmp_path / "quotas.json", Desk(), list[dict[str, Any]]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: untaken.append(context))
    began, goes_on = threading.Event(), threading.Event()
    write = budgets.write_kept

    def failing(*what: Any) -> None:
        if began.is_set():
            write(*what)
            return
        began.set()
        assert goes_on.wait(10)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(budgets, "write_kept", failing)
    desk.spends(480)
    task = asyncio.ensure_future(keep_budgets(path, "", desk, {}, "", {}))  # type: ignore[arg-type]
    async with asyncio.timeout(10):
        await asyncio.to_thread(began.wait)
        task.cancel()
        await asyncio.sleep(0)
        goes_on.set()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    del task
    gc.collect()
    await asyncio.sleep(0)
    assert untaken == []
    assert read_kept(path, "")[0]["odds-api"][0].spent == 20, "and the last one is tried all the same"


async def test_a_disk_that_refuses_the_counts_rings_until_it_takes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "WRITE_EVERY_S", 0.01)
    path, desk = tmp_path / "not yet" / "quotas.json", Desk()
    desk.spends(480)

    def comes() -> bool:
        path.parent.mkdir()
        return True

    await while_running(
        keep_budgets(path, "", desk, {}, "", {}),  # type: ignore[arg-type]
        lambda: "cannot be written" in desk.alarms.rung.get("quotas", ""), comes,
        lambda: not desk.alarms.rung, path.exists,
    )  # fmt: skip


async def test_a_tape_that_cannot_be_written_rings_once_and_stops_ringing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tape, "LOOK_EVERY_S", 0.01)
    desk, of = Desk(), SimpleNamespace(fault="No space left on device", dropped=3)

    def better() -> bool:
        of.fault = ""
        return True

    await while_running(
        watch_tape(of, desk),  # type: ignore[arg-type]
        lambda: "3 answers are missing" in desk.alarms.rung.get("feed tape", ""), better,
        lambda: not desk.alarms.rung,
    )  # fmt: skip


async def test_what_a_command_spends_beside_the_engine_counts_in_its_budgets_and_stays_the_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "WRITE_EVERY_S", 0.01)
    path, desk, beside = tmp_path / "quotas.json", Desk(), dict[str, tuple[Kept, ...]]()
    clocks, quota = Clocks(SystemClock(), REAL_WORLD), Quota(500, Per.MONTH, "credits")
    period = datetime.fromtimestamp(clocks.world_ms() / 1000, UTC).strftime("%Y-%m")
    budget = Budget([quota], clocks, (), lambda: beside.get("odds-api", ()))
    budget.spend(20)

    def shows() -> bool:
        desk.state.feeds["ODDS"] = FeedHealth(
            "ODDS", FeedState.OK, None, None, 60, source="odds-api", budget=budget.left()
        )
        return True

    def spent(part: Part) -> int:
        kept = read_kept(path, "", part)[0].get("odds-api", ())
        return kept[0].spent if kept else 0

    shows()
    write_kept(path, "", {"odds-api": (Kept(Per.MONTH, period, 300),)}, Part.BESIDE)
    await while_running(
        keep_budgets(path, "", desk, {}, "", beside),  # type: ignore[arg-type]
        lambda: budget.left()[0].left == 180, shows, path.exists,
    )  # fmt: skip
    assert (spent(Part.ENGINE), spent(Part.BESIDE)) == (20, 300), "each keeps its own, neither is lost"
