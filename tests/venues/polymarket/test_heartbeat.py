"""The chain of beats on virtual time: when it arms, who it follows, and what silence costs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from core.domain.clock import Clocks
from core.venues.polymarket.heartbeat import LINKS_MAX, Heartbeat
from core.venues.traits import Beat
from tests.venues.polymarket.scripted import Account
from tests.venues.scripted import answer

Run = Callable[[Any], Any]
S = 1_000_000_000


class Chain(httpx.AsyncBaseTransport):
    """The venue's side: it names a next beat each time and refuses any other."""

    def __init__(self) -> None:
        self.expected, self.asked = "", list[tuple[float, str]]()
        self.down: Any = None
        """What is answered instead, or raised."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        named = json.loads(request.content)["heartbeat_id"]
        self.asked.append((round(asyncio.get_running_loop().time(), 3), named))
        if isinstance(self.down, Exception):
            raise self.down
        if self.down is not None:
            return answer(*self.down)
        if named != self.expected:
            return answer(400, {"error_msg": "Invalid Heartbeat ID", "heartbeat_id": self.expected})
        self.expected = f"beat-{len(self.asked)}"
        return answer(200, {"heartbeat_id": self.expected})


class Desk:
    def __init__(self, clocks: Clocks, chain: httpx.AsyncBaseTransport, path: str = "/v1/heartbeats") -> None:
        self.fit, self.lapses = True, 0
        self.account = Account(clocks, chain)
        self.heart = Heartbeat(self.account.http, lambda: self.fit, self._lapse, path)

    def _lapse(self) -> None:
        self.lapses += 1


def beating(virtual: Run, clocks: Clocks, chain: Chain, story: Callable[[Desk], Any]) -> Desk:
    async def main() -> Desk:
        desk = Desk(clocks, chain)
        running = asyncio.create_task(desk.heart.run())
        await story(desk)
        running.cancel()
        return desk

    return virtual(main())


def test_each_beat_names_the_one_before_and_five_seconds_apart(virtual: Run, virtual_clocks: Clocks) -> None:
    chain = Chain()
    desk = beating(virtual, virtual_clocks, chain, lambda _: asyncio.sleep(11))
    assert chain.asked == [(0.0, ""), (5.0, "beat-1"), (10.0, "beat-2")]
    assert desk.heart.beat == Beat(missed=0, cancels_ns=20 * S)
    assert desk.account.anomalies == [] and desk.lapses == 0


def test_nothing_is_armed_before_a_beat_was_accepted(virtual: Run, virtual_clocks: Clocks) -> None:
    chain = Chain()
    chain.down = (500,)
    desk = beating(virtual, virtual_clocks, chain, lambda _: asyncio.sleep(3.5))
    assert desk.heart.beat is None
    assert desk.account.anomalies == [("heartbeat", "HTTP 500: http_500")]


@pytest.mark.parametrize("spelling", ["error_msg", "error"])
def test_a_wrong_beat_is_followed_at_once_by_the_one_named(
    virtual: Run, virtual_clocks: Clocks, spelling: str
) -> None:
    class Spelt(Chain):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            reply = await super().handle_async_request(request)
            return answer(
                reply.status_code, json.loads(reply.content.replace(b"error_msg", spelling.encode()))
            )

    chain = Spelt()
    chain.expected = "of-an-earlier-run"
    desk = beating(virtual, virtual_clocks, chain, lambda _: asyncio.sleep(1))
    assert chain.asked == [(0.0, ""), (0.0, "of-an-earlier-run")]
    assert desk.heart.beat is not None and desk.heart.beat.missed == 0


def test_a_venue_that_forgot_the_chain_is_given_a_first_beat(virtual: Run, virtual_clocks: Clocks) -> None:
    chain = Chain()

    async def story(desk: Desk) -> None:
        await asyncio.sleep(1)
        chain.expected = ""
        await asyncio.sleep(5)

    desk = beating(virtual, virtual_clocks, chain, story)
    assert [named for _, named in chain.asked] == ["", "beat-1", ""]
    assert desk.heart.beat is not None and desk.heart.beat.missed == 0


def test_two_programs_on_one_key_are_noticed(virtual: Run, virtual_clocks: Clocks) -> None:
    class Fought(Chain):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            self.expected = f"theirs-{len(self.asked)}"
            return await super().handle_async_request(request)

    chain = Fought()
    desk = beating(virtual, virtual_clocks, chain, lambda _: asyncio.sleep(0.5))
    assert len(chain.asked) == LINKS_MAX
    assert "one more program uses this key" in desk.account.anomalies[0][1]


@pytest.mark.parametrize(
    "down",
    [(500,), (200, b"<html>"), (200, {}), (401, {"error": "Unauthorized"}), httpx.ConnectError("gone")],
)
def test_two_missed_beats_stop_opening_before_the_venue_cancels(
    virtual: Run, virtual_clocks: Clocks, down: Any
) -> None:
    chain = Chain()

    async def story(desk: Desk) -> None:
        await asyncio.sleep(1)
        chain.down = down
        await asyncio.sleep(4.5)
        assert desk.heart.beat == Beat(1, 10 * S)
        await asyncio.sleep(1)
        assert desk.heart.beat == Beat(2, 10 * S)
        chain.down = None
        await asyncio.sleep(1)
        assert desk.heart.beat == Beat(0, 17 * S) and desk.lapses == 0, "back in time: nothing was cancelled"

    desk = beating(virtual, virtual_clocks, chain, story)
    assert [what for what, _ in desk.account.anomalies].count("heartbeat") == 1, "told once, not each second"


def test_a_beat_that_hangs_is_missed_after_three_seconds(virtual: Run, virtual_clocks: Clocks) -> None:
    class Hanging(Chain):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if self.asked:
                self.asked.append((round(asyncio.get_running_loop().time(), 3), "hangs"))
                await asyncio.sleep(3_600)
            return await super().handle_async_request(request)

    chain = Hanging()
    desk = beating(virtual, virtual_clocks, chain, lambda _: asyncio.sleep(9.5))
    assert [at for at, _ in chain.asked] == [0.0, 5.0, 8.0]
    assert desk.heart.beat is not None and desk.heart.beat.missed == 1


def test_an_engine_that_is_not_fit_is_not_vouched_for(virtual: Run, virtual_clocks: Clocks) -> None:
    chain = Chain()

    async def story(desk: Desk) -> None:
        await asyncio.sleep(1)
        desk.fit = False
        await asyncio.sleep(20)
        assert len(chain.asked) == 1 and desk.heart.beat is not None and desk.heart.beat.missed > 2
        desk.fit = True
        await asyncio.sleep(1)
        assert len(chain.asked) == 2 and desk.heart.beat.missed == 0

    desk = beating(virtual, virtual_clocks, chain, story)
    assert desk.lapses == 1, "what rests must be read: the venue may have cancelled it"
    assert desk.account.anomalies == [("heartbeat", "withheld: the engine is not fit")]


def test_the_path_can_be_another(virtual: Run, virtual_clocks: Clocks) -> None:
    paths: list[str] = []

    class Paths(Chain):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            paths.append(request.url.path)
            return await super().handle_async_request(request)

    async def main() -> None:
        assert await Desk(virtual_clocks, Paths(), "/heartbeats").heart.once()

    virtual(main())
    assert paths == ["/heartbeats"]
