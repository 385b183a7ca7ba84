"""What a network and its edges do to a source, against the real clients: held, named, not hammered, over."""

import asyncio
import json
import random
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.feeds.declaration import Declaration, Family
from core.feeds.feed import FeedState
from core.feeds.fetch import TOTAL_TIMEOUT_S
from core.feeds.quotes import Quote
from core.feeds.streaming import Arrival, Heard, StreamedFeed
from core.sim.feeds.switchboard import Fault, Switchboard, Switches
from tests.feeds.simulated import World
from tests.feeds.sockets import into

POLLED = ("nws-observations", "open-meteo")


@pytest.mark.parametrize(
    ("fault", "number", "word", "after_s"),
    [
        (Fault.PAGE, 0.0, "answer is text/html", 8),
        (Fault.BUSY, 0.0, "HTTP 429", 8),
        (Fault.BUSY, 30.0, "HTTP 429", 8),
        (Fault.HANG, 0.0, f"no answer within {TOTAL_TIMEOUT_S:g} s", 100),
        (Fault.HALF_OPEN, 0.0, f"no answer within {TOTAL_TIMEOUT_S:g} s", 100),
    ],
)
def test_a_polled_source_holds_what_it_has_says_what_is_wrong_and_comes_back(
    virtual: Any, fault: Fault, number: float, word: str, after_s: float
) -> None:
    world = World(virtual, only=POLLED)

    async def script() -> None:
        await asyncio.sleep(5)
        assert {world.states()[label] for label in ("OBS", "METEO")} == {FeedState.OK}
        for provider in ("nws", "open-meteo"):
            world.switches.flip(provider, fault, number)
        begins = {provider: len(asked) for provider, asked in world.asked.items()}
        await asyncio.sleep(1)
        held = len(world.got)
        await asyncio.sleep(after_s)
        assert len(world.got) == held, "nothing of a failed answer is taken"
        for label in ("OBS", "METEO"):
            health = world.health(label)
            if number:
                assert health.retry_at_ns is not None
                assert health.retry_at_ns > world.clocks.mono_ns() + 20e9
            else:
                assert health.state is FeedState.DOWN
            assert word in health.detail
            assert health.newest_event_ms is not None, "the last good value is kept"
        for provider, asked in world.asked.items():
            during = asked[begins[provider] :]
            assert len(during) <= 5 * (after_s + 1), "five stations, none asked more than once a second"
            if number:
                assert len(during) <= 5, "each station was told when to ask again"
        world.switches.on.clear()
        await asyncio.sleep(max(number, TOTAL_TIMEOUT_S if after_s > 8 else 0) + 15)
        assert {world.states()[label] for label in ("OBS", "METEO")} == {FeedState.OK}

    world.run(script)


def test_a_wave_of_refusals_halves_the_pace_of_a_source_for_ten_minutes(virtual: Any) -> None:
    world = World(virtual, only=("nws-observations",))

    async def script() -> None:
        await asyncio.sleep(20)
        before = world.asked["nws"][:]
        world.switches.flip("nws", Fault.BUSY)
        await asyncio.sleep(3)
        world.switches.on.clear()
        await asyncio.sleep(30)
        after = [at for at in world.asked["nws"] if at > before[-1] + 5]
        assert len(before) / 20 == pytest.approx(2 * len(after) / 31, rel=0.3)

    world.run(script)


def test_a_lying_clock_is_nobodys_time(virtual: Any) -> None:
    world = World(virtual, only=POLLED)

    async def script() -> None:
        for provider in ("nws", "open-meteo"):
            world.switches.flip(provider, Fault.CLOCK, 7_200.0)
        await asyncio.sleep(5)
        assert {world.states()[label] for label in ("OBS", "METEO")} == {FeedState.OK}
        assert world.got
        for value in world.got:
            assert value.stamp.event_ms <= world.clocks.world_ms()
            assert value.stamp.received_wall_ms <= world.clocks.wall_ms()

    world.run(script)


TICKS = Declaration(
    "ticks", "TICKS", Family.MARKETS, "ticks", {"ws": "ws://sim/ticks"}, every_s=0, stale_after_s=5
)


class Ticking:
    """A dialogue of numbers."""

    names = ("BTC/USD",)
    silent_s = 10.0
    beat_s = 0.0

    def address(self) -> tuple[str, Mapping[str, str]]:
        return "ws://sim/ticks", {}

    def greet(self) -> tuple[bytes, ...]:
        return (b"hello",)

    def over(self, name: str, world_ms: int) -> bool:
        return False

    def beat(self) -> bytes:
        return b""

    def hear(self, data: bytes, at: Arrival) -> Heard:
        said = json.loads(data)
        stamp = at.stamp(said["at"])
        return Heard((Quote("BTC/USD", "TICKS", said["price"], None, None, stamp, 5),))


class Stream:
    """One stream with a tick a second behind the switchboard."""

    def __init__(self, virtual: Any) -> None:
        self.virtual, self.switches, self.got = virtual, Switches(), list[Any]()
        self.clocks = virtual.clocks()
        self.opened: list[float] = []
        app = Starlette(
            routes=[WebSocketRoute("/ticks", self._serve)],
            middleware=[Middleware(Switchboard, switches=self.switches, clock=self.clocks.real, outages={})],
        )
        connect = into(app)

        async def noted(url: str, headers: Mapping[str, str]) -> Any:
            self.opened.append(virtual.loop.time())
            return await connect(url, headers)

        self.feed = StreamedFeed(TICKS, Ticking(), noted, self.clocks, random.Random(1), self.got.append)

    async def _serve(self, socket: WebSocket) -> None:
        await socket.accept()
        assert await socket.receive_text() == "hello"

        async def tick() -> None:
            while True:
                await socket.send_text(json.dumps({"at": self.clocks.world_ms(), "price": 1.0}))
                await asyncio.sleep(1)

        ticking = asyncio.ensure_future(tick())
        try:
            while True:
                await socket.receive_text()
        except WebSocketDisconnect:
            ticking.cancel()

    def run(self, script: Any) -> None:
        async def work() -> None:
            task = asyncio.ensure_future(self.feed.run())
            await script()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self.virtual.run(work())


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (Fault.DOWN, "HTTP 503"),
        (Fault.PAGE, "HTTP 200"),
        (Fault.BUSY, "HTTP 429"),
        (Fault.HANG, "timed out"),
    ],
)
def test_a_stream_that_cannot_begin_is_tried_ever_more_rarely(virtual: Any, fault: Fault, word: str) -> None:
    stream = Stream(virtual)

    async def script() -> None:
        stream.switches.flip("ticks", fault)
        await asyncio.sleep(300)
        assert stream.feed.health().state is FeedState.DOWN
        assert word in stream.feed.health().detail
        gaps = [later - earlier for earlier, later in pairwise(stream.opened)]
        assert len(gaps) < 40
        assert max(gaps) > 20 > 8 > min(gaps)
        stream.switches.end("ticks", fault)
        await asyncio.sleep(70)
        assert stream.feed.health().state is FeedState.OK
        assert stream.got

    stream.run(script)


def test_a_stream_that_falls_silent_is_stale_then_given_up_and_opened_anew(virtual: Any) -> None:
    stream = Stream(virtual)

    async def script() -> None:
        await asyncio.sleep(5)
        assert stream.feed.health().state is FeedState.OK
        stream.switches.flip("ticks", Fault.HALF_OPEN)
        await asyncio.sleep(7)
        assert stream.feed.health().state is FeedState.STALE
        held = len(stream.got)
        stream.switches.end("ticks", Fault.HALF_OPEN)
        await asyncio.sleep(1)
        assert (len(stream.got), len(stream.opened)) == (held, 1), "the old line stays dead"
        await asyncio.sleep(5)
        assert stream.feed.health().state is FeedState.OK
        assert len(stream.opened) == 2

    stream.run(script)


def test_a_stream_whose_service_goes_down_is_told_and_comes_back(virtual: Any) -> None:
    stream = Stream(virtual)

    async def script() -> None:
        await asyncio.sleep(5)
        stream.switches.flip("ticks", Fault.DOWN)
        await asyncio.sleep(1.5)
        assert stream.feed.health().state is FeedState.DOWN
        stream.switches.end("ticks", Fault.DOWN)
        await asyncio.sleep(8)
        assert stream.feed.health().state is FeedState.OK

    stream.run(script)
