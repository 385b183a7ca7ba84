"""The connection's life on virtual time: pings, lost pongs, jittered reconnects, refused handshakes."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from core.domain.clock import Clocks
from core.domain.market import CENT_GRID
from core.venues.kalshi.facts import BookChanged, Fact, KeyRefused, Oddity, PrivateReady
from core.venues.kalshi.session import Session
from core.venues.kalshi.stream import StreamState
from core.venues.socket import SocketError
from core.venues.venue import Link, LinkState

Run = Callable[[Any], Any]
S = 1_000_000_000


class Peer:
    """The venue's end of one connection: confirms subscriptions, answers pings until told not to."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[bytes | SocketError] = asyncio.Queue()
        self.sent: list[dict[str, Any]] = []
        self.pings: list[float] = []
        self.answers_pings = True
        self.pong_delay_s = 0.0
        self.closed = False
        self.channels: list[str] = []
        """Subscribed channels; a channel's number is its place, from 1."""

    def say(self, message: dict[str, Any]) -> None:
        self.inbox.put_nowait(json.dumps(message).encode())

    def cut(self) -> None:
        self.inbox.put_nowait(SocketError("cut"))

    async def recv(self) -> bytes:
        message = await self.inbox.get()
        if isinstance(message, SocketError):
            raise message
        return message

    async def send(self, data: bytes) -> None:
        command = json.loads(data)
        self.sent.append(command)
        for channel in command["params"].get("channels", ()):
            self.channels.append(channel)
            self.say({"type": "subscribed", "msg": {"channel": channel, "sid": len(self.channels)}})

    def book(self, seq: int, kind: str, body: dict[str, Any], **head: Any) -> None:
        sid = self.channels.index("orderbook_delta") + 1
        self.say({"type": kind, "sid": sid, "seq": seq, "msg": body} | head)

    async def ping(self) -> Awaitable[object]:
        self.pings.append(asyncio.get_running_loop().time())
        return asyncio.sleep(self.pong_delay_s if self.answers_pings else 10_000)

    async def close(self) -> None:
        self.closed = True


class Desk:
    """A session on scripted connections: each item is a peer or the error its handshake ends in."""

    def __init__(self, clocks: Clocks, *script: Peer | SocketError) -> None:
        self.script, self.opened = list(script), []
        self.links: list[Link] = []
        self.facts: list[Fact] = []
        self.state = StreamState()
        self.session = Session(
            "ws://127.0.0.1:1/trade-api/ws/v2",
            self,
            self.state,
            clocks=clocks,
            rng=random.Random(4),
            sockets=self.connect,
            deliver=self.facts.append,
            on_link=self.links.append,
        )
        self.signed: list[str] = []

    def headers(self, method: str, path: str, wall_ms: int) -> dict[str, str]:
        self.signed.append(f"{wall_ms}{method}{path}")
        return {"KALSHI-ACCESS-KEY": "k"}

    async def connect(self, url: str, headers: Mapping[str, str]) -> Peer:
        self.opened.append(asyncio.get_running_loop().time())
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, SocketError):
            raise step
        return step

    async def during(self, seconds: float) -> None:
        running = asyncio.create_task(self.session.run())
        await asyncio.sleep(seconds)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def test_the_link_is_ok_once_private_channels_are_confirmed(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        peer = Peer()
        desk = Desk(virtual_clocks, peer)
        await desk.during(3.5)
        assert desk.signed[0].endswith("GET/trade-api/ws/v2")
        assert desk.links[0].state is LinkState.CONNECTING
        assert desk.links[-1].state is LinkState.OK
        assert PrivateReady() in desk.facts
        assert peer.pings == [0.0, 1.0, 2.0, 3.0]
        assert desk.links[-1].heartbeat_ns == 3 * S
        assert peer.closed

    virtual(main())


def test_a_stop_that_meets_a_dying_connection_is_a_stop(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        peer = Peer()
        desk = Desk(virtual_clocks, peer)
        running = asyncio.create_task(desk.session.run())
        await asyncio.sleep(2.0)
        peer.cut()
        await asyncio.sleep(0)
        running.cancel()
        async with asyncio.timeout(1.0):
            await asyncio.wait([running])
        assert running.cancelled() and len(desk.opened) == 1

    virtual(main())


def test_the_heartbeat_is_when_the_answered_ping_was_sent(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        peer = Peer()
        peer.pong_delay_s = 2.5
        desk = Desk(virtual_clocks, peer)
        await desk.during(5.5)
        assert peer.pings == [0.0, 2.5, 5.0]
        assert desk.links[-1].heartbeat_ns == int(2.5 * S)

    virtual(main())


def test_the_link_tells_how_far_the_books_are_and_how_late(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        peer = Peer()
        desk = Desk(virtual_clocks, peer)
        desk.state.watch([("KX-A", CENT_GRID)], 0)
        running = asyncio.create_task(desk.during(2.5))
        await asyncio.sleep(0.5)
        peer.book(1, "orderbook_snapshot", {"market_ticker": "KX-A"})
        change = {"market_ticker": "KX-A", "price_dollars": "0.4000", "delta_fp": "5.00", "side": "yes"}
        for seq, late_ms in ((2, 3), (3, 40)):
            peer.book(seq, "orderbook_delta", change, sending_ts_ms=virtual_clocks.wall_ms() - late_ms)
        await asyncio.sleep(0.7)
        assert (desk.links[-1].sequence, desk.links[-1].lag_ms) == (3, 40)
        await running
        assert (desk.links[-1].sequence, desk.links[-1].lag_ms) == (3, None), "a quiet second has no lag"

    virtual(main())


def test_a_missing_pong_ends_the_connection(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        silent, next_one = Peer(), Peer()
        desk = Desk(virtual_clocks, silent, next_one)
        running = asyncio.create_task(desk.session.run())
        await asyncio.sleep(2.5)
        silent.answers_pings = False
        await asyncio.sleep(7)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        down = next(link for link in desk.links if link.state is LinkState.DOWN)
        assert "no pong" in down.detail and silent.closed
        assert 9.0 <= desk.opened[1] <= 9.6

    virtual(main())


def test_reconnects_wait_longer_each_time_with_full_jitter(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        desk = Desk(virtual_clocks, SocketError("cannot connect"))
        await desk.during(600)
        waits = [b - a for a, b in itertools.pairwise(desk.opened)]
        limits = [min(30.0, 0.5 * 2**n) for n in range(len(waits))]
        assert all(0 <= wait <= limit + 1e-6 for wait, limit in zip(waits, limits, strict=True))
        assert len({round(wait, 6) for wait in waits}) == len(waits)
        assert max(waits) > 15
        down = [link for link in desk.links if link.state is LinkState.DOWN]
        assert all(link.retry_at_ns is not None and link.detail == "cannot connect" for link in down)

    virtual(main())


def test_a_refused_handshake_is_not_hammered(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        desk = Desk(virtual_clocks, SocketError("handshake refused: HTTP 401", 401))
        await desk.during(100)
        assert len(desk.opened) <= 4

    virtual(main())


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (401, b'{"error":{"code":"authentication_error"}}', KeyRefused),
        (401, b'{"error":{"code":"header_timestamp_expired"}}', Oddity),
        (403, b"<html>the edge</html>", None),
        (429, b"", None),
        (503, b"", None),
    ],
)
def test_a_handshake_that_refuses_the_key_says_so(
    virtual: Run, virtual_clocks: Clocks, status: int, body: bytes, told: type | None
) -> None:
    async def main() -> None:
        desk = Desk(virtual_clocks, SocketError(f"handshake refused: HTTP {status}", status, body))
        await desk.during(1)
        assert {type(fact) for fact in desk.facts} == ({told} if told else set())

    virtual(main())


def test_a_stable_connection_resets_the_delay(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        steady, last = Peer(), Peer()
        failing = [SocketError("cannot connect")] * 8
        desk = Desk(virtual_clocks, *failing, steady, last)
        running = asyncio.create_task(desk.session.run())
        # Eight failures wait 92 s at most, so the steady connection then stands for over a minute.
        await asyncio.sleep(160)
        assert len(desk.opened) == 9
        cut_at = asyncio.get_running_loop().time()
        steady.cut()
        await asyncio.sleep(1)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert desk.opened[9] - cut_at <= 0.5

    virtual(main())


def test_books_are_untrue_while_the_connection_is_down(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        peer = Peer()
        desk = Desk(virtual_clocks, peer, SocketError("cannot connect"))
        desk.state.watch([("KX-A", CENT_GRID)], 0)
        running = asyncio.create_task(desk.session.run())
        await asyncio.sleep(0.1)
        levels = [["0.31", "1.00"]]
        peer.book(1, "orderbook_snapshot", {"market_ticker": "KX-A", "yes_dollars_fp": levels})
        await asyncio.sleep(0.1)
        assert BookChanged("KX-A") in desk.facts
        assert desk.state.books["KX-A"].intact
        peer.cut()
        await asyncio.sleep(0.1)
        assert not desk.state.books["KX-A"].intact
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    virtual(main())


def test_commands_of_a_repair_go_out_at_once(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        peer = Peer()
        desk = Desk(virtual_clocks, peer)
        desk.state.watch([("KX-A", CENT_GRID)], 0)
        running = asyncio.create_task(desk.session.run())
        await asyncio.sleep(0.1)
        body = {"market_ticker": "KX-A", "price_dollars": "0.31", "delta_fp": "-1", "side": "yes"}
        peer.book(1, "orderbook_snapshot", {"market_ticker": "KX-A"})
        peer.book(2, "orderbook_delta", body)
        await asyncio.sleep(0.01)
        assert peer.sent[-1]["params"]["action"] == "get_snapshot"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    virtual(main())


def test_a_peer_that_reads_nothing_is_left(virtual: Run, virtual_clocks: Clocks) -> None:
    class Deaf(Peer):
        async def ping(self) -> Awaitable[object]:
            await asyncio.sleep(10_000)  # the ping does not leave
            return await super().ping()

    async def main() -> None:
        deaf, next_one = Deaf(), Peer()
        desk = Desk(virtual_clocks, deaf, next_one)
        await desk.during(7)
        assert deaf.closed
        assert 6.0 <= desk.opened[1] <= 6.5

    virtual(main())


def test_nonsense_is_survived_and_a_bottomless_message_ends_the_connection(
    virtual: Run, virtual_clocks: Clocks
) -> None:
    """D09, D10."""

    async def main() -> None:
        first, second = Peer(), Peer()
        desk = Desk(virtual_clocks, first, second)
        running = asyncio.create_task(desk.session.run())
        await asyncio.sleep(0.1)
        for data in (b"", b"\xff", b"null", b'{"type":7}', b'{"type":"fill","msg":{}}', b'{"type":"new"}'):
            first.inbox.put_nowait(data)
        await asyncio.sleep(1)
        assert not first.closed and len(desk.opened) == 1
        first.inbox.put_nowait(b"[" * 1_000_000)
        await asyncio.sleep(2)
        assert first.closed and len(desk.opened) == 2
        assert desk.links[-1].state is LinkState.OK
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    virtual(main())
