"""What is said on a connection, whichever venue's it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from core.domain.clock import Clocks
from core.venues.connection import PING_S, PONG_S_MAX, keep_pinging, send_all
from core.venues.socket import SocketError

Run = Callable[[Any], Any]


class Peer:
    """A socket that takes so many commands, and answers pings after so long."""

    def __init__(self, takes: int = 9, pong_s: float = 0.0) -> None:
        self.takes, self.pong_s, self.sent = takes, pong_s, list[bytes]()

    async def recv(self) -> bytes:
        raise SocketError("nothing is read here")

    async def send(self, data: bytes) -> None:
        if len(self.sent) >= self.takes:
            raise SocketError("gone")
        self.sent.append(data)

    async def ping(self) -> Awaitable[object]:
        return asyncio.sleep(self.pong_s)

    async def close(self) -> None:
        pass


def test_whoever_has_something_to_say_does_not_meet_the_end_of_the_connection(virtual: Run) -> None:
    peer = Peer(takes=1)
    virtual(send_all(peer, lambda: [b"one", b"two", b"three"]))
    assert peer.sent == [b"one"]


def test_without_a_connection_commands_are_kept_for_the_next_one(virtual: Run) -> None:
    asked: list[bool] = []

    def commands() -> list[bytes]:
        asked.append(True)
        return [b"one"]

    virtual(send_all(None, commands))
    assert asked == []


def test_a_ping_a_second_until_one_stays_unanswered(virtual: Run, virtual_clocks: Clocks) -> None:
    peer, heard = Peer(), list[float]()

    async def answered(sent_ns: int) -> None:
        heard.append(asyncio.get_running_loop().time())
        if len(heard) == 3:
            peer.pong_s = PONG_S_MAX + 0.1

    async def main() -> None:
        with pytest.raises(SocketError, match="no pong for 6 s"):
            async with asyncio.timeout(60):
                await keep_pinging(peer, virtual_clocks, answered)
        assert heard == [0.0, PING_S, 2 * PING_S]
        assert asyncio.get_running_loop().time() == pytest.approx(3 * PING_S + PONG_S_MAX)

    virtual(main())


def test_a_peer_that_reads_nothing_holds_nobody_longer_than_a_missing_pong(
    virtual: Run, virtual_clocks: Clocks
) -> None:
    async def answered(sent_ns: int) -> None:
        await asyncio.sleep(3_600)  # what a full socket does to a command

    async def main() -> None:
        with pytest.raises(SocketError, match="no pong"):
            await keep_pinging(Peer(), virtual_clocks, answered)
        assert asyncio.get_running_loop().time() == pytest.approx(PONG_S_MAX)

    virtual(main())
