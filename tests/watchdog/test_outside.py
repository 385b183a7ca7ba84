"""The watchdog says outside that the engine is gone, once a silence, and that it is back."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from core.control.outside.webhook import Webhook
from core.control.pulse import Pulse
from core.control.strikes import Record
from core.domain.clock import REAL_WORLD, Clocks
from core.watchdog.outside import Caller, Way
from core.watchdog.watch import Watch
from tests.virtual import VirtualClock, VirtualLoop, run_virtual

URL = "https://hooks.example.com/services/xq7Zk9planted"


class Receiver(httpx.AsyncBaseTransport):
    def __init__(self) -> None:
        self.status, self.asked = 200, 0
        self.took: list[dict[str, str]] = []
        self.closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.status == 0:
            raise RuntimeError(f"breaks on {request.url}")
        if self.status == 200:
            self.took.append(json.loads(request.content))
        return httpx.Response(self.status)

    async def aclose(self) -> None:
        self.closed = True


class Scene:
    """A watch that hears pulses as a test says, and who calls for it."""

    def __init__(self, loop: VirtualLoop) -> None:
        clocks = Clocks(VirtualClock(loop), REAL_WORLD)
        self.clocks, self.receiver, self.record = clocks, Receiver(), Record()
        self.watch = Watch(clocks.mono_ns(), 10_000_000_000)
        way = Way(Webhook(URL), self.receiver, 15)
        self.caller = Caller(way, clocks, self.watch, 10, "live", lambda: self.record)
        self.task = loop.create_task(self.caller.run())
        self._counter = 0

    def beats(self, **changes: object) -> None:
        self._counter += 1
        pulse = Pulse("r1", 41, self._counter, 1, **({"live": 2} | changes))  # type: ignore[arg-type]
        self.watch.heard(pulse, self.clocks.mono_ns())

    async def ends(self) -> None:
        assert not self.task.done()
        self.task.cancel()
        await asyncio.wait([self.task])
        assert self.receiver.closed


def test_a_silence_is_told_with_what_the_guards_did_again_while_it_lasts_and_its_end() -> None:
    async def main(loop: VirtualLoop) -> None:
        scene = Scene(loop)
        scene.record = Record(1, "an older strike")
        scene.beats()
        await asyncio.sleep(14)
        assert not scene.receiver.took, "the guards strike first"
        scene.record = Record(scene.clocks.wall_ms(), "2 orders cancelled; nothing rests; 1.0 s")
        await asyncio.sleep(3)
        (said,) = scene.receiver.took
        assert said["text"] == (
            "pmconsole live ACT: the engine has proved no life for 15 s; 2 orders cancelled; nothing rests; "
            "1.0 s"
        )
        assert (said["level"], said["id"], said["mode"]) == ("ACT", "watchdog-engine", "")
        await asyncio.sleep(15 * 60)
        assert len(scene.receiver.took) == 2
        scene.beats()
        await asyncio.sleep(2)
        assert [said["level"] for said in scene.receiver.took] == ["ACT", "ACT", "OVER"]
        scene.record = Record(1, "an older strike")
        scene.beats(live=0)
        await asyncio.sleep(20)
        assert scene.receiver.took[-1]["effect"] == "it had no live orders"
        await scene.ends()

    run_virtual(main)


@pytest.mark.parametrize("last", [{"leaving": True}, {"drill": True}, None], ids=str)
def test_idle_hours_are_silent(last: dict[str, bool] | None) -> None:
    async def main(loop: VirtualLoop) -> None:
        scene = Scene(loop)
        if last is not None:
            scene.beats()
            scene.beats(**last)
        await asyncio.sleep(3_600)
        assert scene.receiver.asked == 0
        await scene.ends()

    run_virtual(main)


@pytest.mark.parametrize("status", [500, 0])
def test_a_receiver_that_fails_is_asked_once_a_minute_and_ends_nothing(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def main(loop: VirtualLoop) -> None:
        scene = Scene(loop)
        scene.receiver.status = status
        scene.beats()
        await asyncio.sleep(315)
        assert 4 <= scene.receiver.asked <= 6
        scene.receiver.status = 200
        await asyncio.sleep(61)
        assert len(scene.receiver.took) == 1
        await scene.ends()

    run_virtual(main)
    assert "planted" not in caplog.text and "nobody outside was told" in caplog.text
