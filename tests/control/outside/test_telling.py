"""A whole desk tells a receiver, on virtual time; nothing in the desk waits for it or ends with it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from core.config.settings import AlarmSettings
from core.control.log import to_file
from core.control.outside import telling as telling_module
from core.control.outside.record import Record, keep_record, read_record
from core.control.outside.telling import BACKOFF_S_MAX, KEY, Channel, Outside
from core.control.outside.webhook import Webhook
from core.control.protocol import Query, TellOutside
from core.control.served import Served
from core.domain.clock import REAL_WORLD, Clocks
from core.engine.alarms import Alarms
from core.engine.record import Scribe
from core.engine.state import Alarm, AlarmLevel, DeskState
from core.journal.store import MemoryJournal
from core.risk.limits import DEFAULTS, LiveLimits
from tests.execution.bench import TRADER, VIEWER, running
from tests.virtual import START_WALL_MS, VirtualClock, VirtualLoop, run_virtual

PLANTED = "xq7Zk9planted"
URL = f"https://hooks.example.com/services/{PLANTED}"
SETTINGS = AlarmSettings(webhook="file", alive_at="21:00")
"""An hour after a virtual desk begins."""


class Receiver(httpx.AsyncBaseTransport):
    """Takes messages, or does what is wrong with it."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop
        self.status = 200
        self.hangs = False
        self.asked: list[float] = []
        """When somebody posted."""
        self.took: list[dict[str, str]] = []
        self.closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert str(request.url) == URL
        self.asked.append(self._loop.time())
        if self.hangs:
            await self._loop.create_future()
        if self.status == 0:
            raise httpx.ConnectError(f"no route to {request.url}")
        if self.status == 200:
            self.took.append(json.loads(request.content))
        return httpx.Response(self.status, headers={"location": "https://evil.example.com"})

    async def aclose(self) -> None:
        self.closed = True

    def texts(self, level: str) -> list[str]:
        return [said["text"] for said in self.took if said["level"] == level]


class Clock(VirtualClock):
    """Its wall clock goes on by itself when a test says so."""

    ahead_ms = 0

    def wall_ms(self) -> int:
        return super().wall_ms() + self.ahead_ms


class Desk:
    """As much of a desk as is told of."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.clock = Clock(loop)
        self.clocks = Clocks(self.clock, REAL_WORLD)
        self.journal = MemoryJournal(self.clock, "r1")
        self.scribe = Scribe(self.journal)
        self.state = DeskState("live", "", LiveLimits(DEFAULTS, DEFAULTS))
        self.alarms = Alarms(self.state, self.scribe, self.clocks)

    def of(self, key: str) -> list[Alarm]:
        return [alarm for alarm in self.state.alarms.values() if alarm.key == key and alarm.active]


class Told:
    """The task at its desk."""

    def __init__(self, desk: Any, loop: VirtualLoop, record: Record = Record()) -> None:
        self.receiver = Receiver(loop)
        self.kept: list[Record] = []

        async def keep(record: Record) -> None:
            self.kept.append(record)

        channel = Channel(Webhook(URL), self.receiver, random.Random(1), record, keep)
        self.outside = Outside(desk, SETTINGS, "r1", channel)
        self.task = loop.create_task(self.outside.run())

    async def ends(self) -> None:
        assert not self.task.done(), "whatever happened, it goes on"
        self.task.cancel()
        await asyncio.wait([self.task])
        assert self.receiver.closed


@contextlib.asynccontextmanager
async def telling(loop: VirtualLoop, record: Record = Record()) -> AsyncIterator[tuple[Desk, Told]]:
    desk = Desk(loop)
    told = Told(desk, loop, record)
    yield desk, told
    await told.ends()


def test_what_must_be_acted_on_is_told_and_what_needs_only_a_look_is_not() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with telling(loop) as (desk, told):
            alarms = desk.alarms
            alarms.raise_("chatty", AlarmLevel.CHECK, "it comes and goes")
            alarms.raise_("loss", AlarmLevel.ACT, "lost <60 %>", "the desk is halted", "resume")
            await asyncio.sleep(2)
            (said,) = told.receiver.took
            assert said.pop("since").startswith("2026-11-22T20:0")
            assert said == {
                "text": "pmconsole live ACT: lost ‹60 %›; the desk is halted; clears: resume",
                "level": "ACT", "what": "lost ‹60 %›", "effect": "the desk is halted", "clears": "resume",
                "profile": "live", "mode": "semi", "id": "r1-2",
            }  # fmt: skip
            await asyncio.sleep(15 * 60)
            assert len(told.receiver.texts("ACT")) == 2 and "not seen yet" in told.receiver.texts("ACT")[1]
            assert alarms.acknowledge(2, "her")
            alarms.clear("loss")
            await asyncio.sleep(70)
            assert told.receiver.texts("OVER")[0].endswith("OVER: lost ‹60 %›")
            assert {said["id"] for said in told.receiver.took[1:]} == {"r1-2"}

    run_virtual(main)


@pytest.mark.parametrize("wrong", ["refuses", "hangs", "gone", "moved"])
def test_a_receiver_that_does_not_take_it_is_a_look_worth_and_is_tried_ever_more_rarely(wrong: str) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with telling(loop) as (desk, told):
            receiver, alarms = told.receiver, desk.alarms
            receiver.status = {"refuses": 500, "gone": 0, "moved": 302}.get(wrong, 200)
            receiver.hangs = wrong == "hangs"
            alarms.raise_("loss", AlarmLevel.ACT, "lost 60 %")
            await asyncio.sleep(60)
            (standing,) = desk.of(KEY)
            assert standing.level is AlarmLevel.CHECK and standing.what.startswith("nobody outside is told: ")
            assert PLANTED not in standing.what
            await asyncio.sleep(3_000)
            gaps = [later - first for first, later in zip(receiver.asked, receiver.asked[1:], strict=False)]
            assert 10 <= len(receiver.asked) <= 30 and max(gaps) <= BACKOFF_S_MAX + 15 and gaps[-1] > 100
            assert len(desk.journal.rows) == 2, "it writes no row for each try"
            receiver.status, receiver.hangs = 200, False
            await asyncio.sleep(BACKOFF_S_MAX + 15)
            assert receiver.texts("ACT") and not desk.of(KEY), "told late, and not given up"
            assert told.kept[-1].fault == "" and told.kept[-1].worked_ms is not None

    run_virtual(main)


def test_a_fault_of_its_own_is_an_alarm_and_ends_no_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(loop: VirtualLoop) -> None:
        async with telling(loop) as (desk, told):
            with monkeypatch.context() as broken:
                broken.setattr(telling_module, "message", lambda *_, **__: 1 / 0)
                desk.alarms.raise_("loss", AlarmLevel.ACT, "lost 60 %")
                assert told.outside.test(TRADER).accepted
                await asyncio.sleep(3)
                (standing,) = desk.of(KEY)
                assert "the part that tells broke" in standing.what and standing.level is AlarmLevel.CHECK
            await asyncio.sleep(BACKOFF_S_MAX + 2)
            assert told.receiver.texts("ACT") and not desk.of(KEY)

    run_virtual(main)


def test_once_a_day_it_says_that_it_is_there_also_after_a_restart_that_missed_it() -> None:
    hour_ms = 3_600_000

    async def main(loop: VirtualLoop) -> None:
        async with telling(loop) as (desk, told):
            for ahead_ms, said in (
                (hour_ms - 30_000, 0), (hour_ms + 1_000, 1), (25 * hour_ms - 30_000, 1), (25 * hour_ms, 2)
            ):  # fmt: skip
                desk.clock.ahead_ms = ahead_ms
                await asyncio.sleep(4)
                assert len(told.receiver.texts("ALIVE")) == said, ahead_ms
            assert told.receiver.took[0]["text"] == (
                "pmconsole live ALIVE: the desk is there; level NORMAL, alarms nobody has seen: 0"
            )
            assert told.receiver.took[0]["since"] == "2026-11-22T21:00:00Z"
        for hours, missed in ((10, 0), (40, 1)):
            async with telling(loop, Record(alive_ms=START_WALL_MS - hours * hour_ms)) as (_, told):
                await asyncio.sleep(5)
                assert len(told.receiver.texts("ALIVE")) == missed

    run_virtual(main)


def test_a_test_goes_at_once_past_what_waits_and_says_what_came_of_it() -> None:
    async def main(loop: VirtualLoop) -> None:
        async with running(loop) as bench:
            told = Told(bench.engine.desk, loop)
            served = Served(bench.engine, outside=told.outside)

            def ended() -> tuple[int, str, str]:
                row = json.loads(served.command(Query("1", "system"), TRADER).data)["outside"]
                return row["tests"], row["tested"], row["state"]

            assert ended() == (0, "", "untried")
            assert not served.command(TellOutside("2"), VIEWER).accepted
            assert served.command(TellOutside("3"), TRADER).accepted
            assert served.command(TellOutside("4"), TRADER).text == "A test is under way."
            await asyncio.sleep(2)
            assert ended() == (1, "has arrived", "works")
            told.receiver.status = 404
            bench.engine.desk.alarms.raise_("loss", AlarmLevel.ACT, "lost 60 %")
            await asyncio.sleep(40)
            tried = len(told.receiver.asked)
            assert served.command(TellOutside("5"), TRADER).accepted
            await asyncio.sleep(2)
            assert len(told.receiver.asked) == tried + 1, "it did not wait for the next try"
            assert ended()[1:] == (
                "did not arrive: HTTP 404: it does not know this address any more",
                "fails",
            )
            (row,) = {row.actor for row in bench.journal.rows if "alarms test" in row.payload}
            assert row == TRADER.name
            await told.ends()

    run_virtual(main)


def test_one_that_should_be_told_and_cannot_be_is_said_and_off_is_quiet() -> None:
    async def main(loop: VirtualLoop) -> None:
        desk: Any = Desk(loop)
        off, lost = Outside(desk), Outside(desk, unusable="it is not there")
        await off.run()
        assert not desk.of(KEY) and off.row().state == "off"
        assert off.test(TRADER).text == "Nobody outside is told: alarms.webhook is off."
        await lost.run()
        (alarm,) = desk.of(KEY)
        assert alarm.level is AlarmLevel.CHECK and alarm.what == "nobody outside is told: it is not there"
        assert lost.row().state == "unusable" and not lost.test(TRADER).accepted

    run_virtual(main)


def test_the_address_is_in_no_log_no_row_and_no_file(tmp_path: Path) -> None:
    root, log = logging.getLogger(), tmp_path / "engine.log"
    held, level = root.handlers[:], root.level

    async def main(loop: VirtualLoop) -> None:
        async with telling(loop) as (desk, told):
            for status, hangs in ((0, False), (500, False), (302, False), (200, True), (200, False)):
                told.receiver.status, told.receiver.hangs = status, hangs
                desk.alarms.raise_(f"loss {status}", AlarmLevel.ACT, "lost 60 %")
                told.outside.test(TRADER)
                await asyncio.sleep(40)
            seen = [repr(told.outside.row()), repr(told.kept), repr(told.outside._channel)]
            seen += [alarm.what + alarm.effect for alarm in desk.state.alarms.values()]
            seen += [row.payload for row in desk.journal.rows]
            assert len(told.receiver.asked) > 5 and told.receiver.took
            assert PLANTED not in "".join(seen)

    to_file(log)
    (own,) = root.handlers
    assert isinstance(own, logging.StreamHandler)
    try:
        root.setLevel(logging.DEBUG)
        run_virtual(main)
    finally:
        own.stream.close()
        root.handlers[:] = held
        root.setLevel(level)
    assert PLANTED not in log.read_text()


async def test_the_record_is_whole_or_counts_as_none_and_a_disk_that_refuses_ends_nothing(
    tmp_path: Path,
) -> None:
    path = tmp_path / "outside.json"
    assert read_record(path) == Record()
    record = Record(1_795_377_600_000, 1_795_377_600_000, "HTTP 500")
    await keep_record(path, record)
    assert read_record(path) == record and path.stat().st_mode & 0o777 == 0o600
    path.write_bytes(msgspec.json.encode(record)[:-3])
    assert read_record(path) == Record()
    await keep_record(tmp_path / "nowhere" / "outside.json", record)
