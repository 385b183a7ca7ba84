"""Whom a provider does not serve, or whose key it refuses, is told so once an hour."""

import random
from collections.abc import Mapping
from typing import Any

from core.feeds.declaration import Declaration, Family, Key
from core.feeds.feed import FeedState, Stamp
from core.feeds.published import INDICES, PublishedFeed
from core.feeds.quotes import Quote
from core.feeds.streaming import Arrival, Heard, StreamedFeed
from core.venues.published import Published
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

    def over(self, name: str, world_ms: int) -> bool:
        return False

    def beat(self) -> bytes:
        return b""

    def hear(self, data: bytes, at: Arrival) -> Heard:
        return Heard()


def feed(virtual: Any, sockets: SocketFactory, key: Key | None = None) -> StreamedFeed:
    clocks = virtual.clocks()
    return StreamedFeed(TICKS, Ticking(), sockets, clocks, random.Random(1), lambda _: None, key=key)


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


def test_how_long_a_value_took_is_real_time_in_a_world_that_runs_fast(virtual: Any) -> None:
    at_ms, clocks = 1_795_305_600_000, virtual.clocks(144.0, 1_795_305_600_000)
    ticking = StreamedFeed(TICKS, Ticking(), None, clocks, random.Random(1), lambda _: None)  # type: ignore[arg-type]
    value = Quote("BTC/USD", "ticks", 1.0, None, None, Stamp(at_ms - 14_400, 0, 0), 3)
    assert ticking.tell(value, Arrival(0, 0, at_ms)) == ""
    assert ticking.health().latency_ms == 100
    published = PublishedFeed(INDICES, ("BRTI",), clocks, lambda _: None)
    published.hear(Published(INDICES.name, "BRTI", 1.0, at_ms - 14_400))
    assert published.health().latency_ms == 100


def test_a_network_that_fails_an_hour_after_a_refusal_is_no_refusal(virtual: Any) -> None:
    asked_s: list[float] = []

    async def connect(url: str, headers: Mapping[str, str]) -> Socket:
        asked_s.append(virtual.loop.time())
        if len(asked_s) == 1:
            raise SocketError("handshake refused: HTTP 401", 401)
        raise SocketError("cannot connect: no route to host")

    ticking = feed(virtual, connect, Key("another-key"))
    virtual.run_for(3_500, ticking.run)
    assert (ticking.health().state, asked_s) == (FeedState.AUTH, [0.0])
    virtual.run_for(3_700, ticking.run)
    health = ticking.health()
    assert (health.state, health.detail) == (FeedState.DOWN, "cannot connect: no route to host")
    assert len(asked_s) > 2, "and is tried again by itself"


def test_a_key_is_hidden_before_a_long_reason_is_cut(virtual: Any) -> None:
    async def connect(url: str, headers: Mapping[str, str]) -> Socket:
        raise SocketError(f"closed: {'x' * 146} another-key")

    ticking = feed(virtual, connect, Key("another-key"))
    virtual.run_for(0.5, ticking.run)
    detail = ticking.health().detail
    assert len(detail) == 160 and detail.endswith("x (key)")
