"""Whom a provider does not serve is told so once an hour."""

import random
from collections.abc import Mapping
from typing import Any

from core.feeds.declaration import Declaration, Family
from core.feeds.feed import FeedState
from core.feeds.streaming import Arrival, Heard, StreamedFeed
from core.venues.socket import Socket, SocketError, SocketFactory

TICKS = Declaration(
    "ticks", "TICKS", Family.MARKETS, "ticks", {"ws": "ws://ticks"}, 0, 3,
    refusals={451: "Ticks does not serve this country: set urls in [feeds.ticks] to one that does."},
)  # fmt: skip


class Ticking:
    """Nobody ever hears it."""

    names = ("BTC/USD",)
    silent_s = 3_600.0
    beat_s = 0.0

    def address(self) -> tuple[str, Mapping[str, str]]:
        return "ws://ticks", {}

    def greet(self) -> tuple[bytes, ...]:
        return ()

    def beat(self) -> bytes:
        return b""

    def hear(self, data: bytes, at: Arrival) -> Heard:
        return Heard()


def feed(virtual: Any, sockets: SocketFactory) -> StreamedFeed:
    clocks = virtual.clocks()
    return StreamedFeed(TICKS, Ticking(), sockets, clocks, random.Random(1), lambda _: None)


def test_whom_a_provider_does_not_serve_is_told_and_does_not_knock_again(virtual: Any) -> None:
    asked_s: list[float] = []

    async def connect(url: str, headers: Mapping[str, str]) -> Socket:
        asked_s.append(virtual.loop.time())
        raise SocketError("handshake refused: HTTP 451", 451)

    ticking = feed(virtual, connect)
    virtual.run_for(7_100, ticking.run)
    assert asked_s == [0.0, 3_600.0]
    health = ticking.health()
    assert health.state is FeedState.DOWN
    assert health.detail == TICKS.refusals[451]
