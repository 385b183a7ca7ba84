"""N06 to N08 and N23 on real sockets: connections that died, peers that hang up, a dead address."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator, Callable, Coroutine

import httpx
import pytest

from core.domain.clock import Clocks, SystemClock, WorldClock
from core.venues.http import network_transport
from core.venues.kalshi.cancels import CONNECTIONS, CancelEntry, Cancels
from core.venues.kalshi.endpoints import POSITIONS
from core.venues.kalshi.http import KalshiHttp
from core.venues.kalshi.orders import Orders, create_order
from core.venues.limiter import Limiter, Priority
from core.venues.venue import Accepted, PlaceOutcome, Unresolved
from tests.venues.scripted import CREATED, INTENT, FixedSigner

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]


async def request_of(reader: asyncio.StreamReader) -> bytes:
    """One request whole; empty when the peer has hung up."""
    with contextlib.suppress(asyncio.IncompleteReadError):
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        return head + await reader.readexactly(int(fields.get(b"content-length", b"0")))
    return b""


def reply(status: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 " + status + b"\r\ncontent-length: %d\r\n\r\n" % len(body) + body


@contextlib.asynccontextmanager
async def desk(peer: Peer, host: str = "127.0.0.1") -> AsyncIterator[KalshiHttp]:
    server = await asyncio.start_server(peer, "127.0.0.1", 0)
    clock = SystemClock()
    now = clock.wall_ms()
    http = KalshiHttp(
        f"http://{host}:{server.sockets[0].getsockname()[1]}/trade-api/v2",
        FixedSigner(),
        clocks=Clocks(clock, WorldClock(now, now)),
        limiter=Limiter(clock),
        rng=random.Random(1),
        transports=network_transport,
        on_anomaly=lambda what, detail: None,
        on_credential=lambda cause: None,
    )
    try:
        yield http
    finally:
        await http.close()
        server.close()
        await server.wait_closed()


async def place(http: KalshiHttp) -> PlaceOutcome:
    return await Orders(http).place(create_order(INTENT, None), lambda: None, Priority.ENTRY, 0.0)


async def test_an_order_after_the_idle_connection_died_takes_a_fresh_one() -> None:
    """N07: the peer closed it while nothing was going on."""
    orders: list[bytes] = []
    hung_up = asyncio.Event()

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await request_of(reader)
        if request.startswith(b"GET"):
            writer.write(reply(b"200 OK", b"{}"))
            await writer.drain()
        else:
            orders.append(request)
            writer.write(reply(b"201 Created", CREATED))
            await writer.drain()
        writer.close()
        await writer.wait_closed()
        hung_up.set()

    async with desk(peer) as http:
        await http.read(POSITIONS, "positions", Priority.RECONCILE)
        await hung_up.wait()
        assert isinstance(await place(http), Accepted)
    assert len(orders) == 1


@pytest.mark.parametrize("answered", [b"", b"HTTP/1.1 201 Created\r\ncontent-length: 900\r\n\r\n{"])
async def test_an_order_that_meets_its_end_on_the_way_is_sent_once_and_unresolved(answered: bytes) -> None:
    """N07, N06: the connection ends after the bytes of the order, or within the answer."""
    orders: list[bytes] = []

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await request_of(reader):
            if not request.startswith(b"GET"):
                orders.append(request)
                writer.write(answered)
                break
            writer.write(reply(b"200 OK", b"{}"))
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async with desk(peer) as http:
        await http.read(POSITIONS, "positions", Priority.RECONCILE)
        assert isinstance(await place(http), Unresolved)
    assert len(orders) == 1


def test_idle_connections_are_replaced_after_20_s() -> None:
    made: list[httpx.Limits] = []

    def transports(limits: httpx.Limits) -> httpx.AsyncBaseTransport:
        made.append(limits)
        return httpx.MockTransport(lambda request: httpx.Response(200))

    clock = SystemClock()
    http = KalshiHttp(
        "http://127.0.0.1:1",
        FixedSigner(),
        clocks=Clocks(clock, WorldClock(0, 0)),
        limiter=Limiter(clock),
        rng=random.Random(1),
        transports=transports,
        on_anomaly=lambda what, detail: None,
        on_credential=lambda cause: None,
    )
    Cancels(http)
    assert [limits.keepalive_expiry for limits in made] == [20.0, 20.0]


def test_the_wire_speaks_no_http2() -> None:
    """N08: without streams there is nothing to refuse and no GOAWAY to misread."""
    transport = network_transport(httpx.Limits())
    assert isinstance(transport, httpx.AsyncHTTPTransport)
    assert transport._pool._http2 is False and transport._pool._retries == 0


async def test_an_order_finds_the_living_one_of_two_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """N23: the name has two addresses and nobody answers at the first."""
    orders: list[bytes] = []

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        orders.append(await request_of(reader))
        writer.write(reply(b"201 Created", CREATED))
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def two(host: object, port: int, **_: object) -> list[tuple[object, ...]]:
        found = (("127.0.0.2", port), ("127.0.0.1", port))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in found]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", two)
    async with desk(peer, "venue.test") as http:
        assert isinstance(await place(http), Accepted)
    assert len(orders) == 1


async def test_a_stop_finds_a_warm_connection_for_each_of_its_calls() -> None:
    opened: list[asyncio.Task[None] | None] = []

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(asyncio.current_task())
        while await request_of(reader):
            await asyncio.sleep(0.01)
            writer.write(reply(b"200 OK", b"{}"))
        writer.close()
        await writer.wait_closed()

    async with desk(peer) as http:
        cancels = Cancels(http)
        await cancels.warm(3)
        assert len(opened) == 3
        batch = [CancelEntry("a", "T"), CancelEntry("b", "T")]
        await asyncio.gather(cancels.trigger("g-0", 0), cancels.trigger("g-1", 1), cancels.cancel(batch))
        assert len(opened) == 3, "no call of the stop waited for a handshake"
        await cancels.warm(100)
        assert len(opened) == CONNECTIONS
    await asyncio.wait([task for task in opened if task is not None], timeout=5)
