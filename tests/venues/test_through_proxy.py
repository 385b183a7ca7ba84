"""The real client and the simulated exchange with a faulty wire between them: rows of the fault catalogue."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest

from core.domain.clock import SystemClock
from core.domain.order import BookSide
from core.sim.fault_kinds import FaultKind
from core.sim.plan import Plan, Swarm, steady
from core.sim.proxy import Proxy
from core.venues import connection
from core.venues.venue import (
    UNSEALED,
    Accepted,
    Cancelled,
    Incomplete,
    LinkState,
    NeverSent,
    PlaceOutcome,
    Unresolved,
)
from tests.venues.test_against_sim import BRACKET, SERIES, allow, crowd, intent

Through = Callable[[Swarm], Awaitable[Proxy]]


@pytest.fixture
async def through(sim: Any) -> AsyncIterator[Through]:
    """Puts a proxy with these faults in front of the exchange; clients made afterwards go through it."""
    running: list[asyncio.Task[None]] = []
    venue_port = sim.port

    def trade(path: str, body: bytes) -> None:
        """The crowd takes whatever rests."""
        for order in list(sim.exchange.account("desk").working.values()):
            crowd(sim, BookSide(order.side.value).opposite, order.price, order.remaining // 1_000_000)

    async def start(faults: Swarm) -> Proxy:
        listening = socket.create_server(("127.0.0.1", 0))
        proxy = Proxy(Plan(faults), ("127.0.0.1", venue_port), SystemClock(), trade)
        sim.port = listening.getsockname()[1]
        running.append(asyncio.create_task(proxy.serve(listening)))
        return proxy

    yield start
    for task in running:
        task.cancel()
    for done in await asyncio.gather(*running, return_exceptions=True):
        if not isinstance(done, asyncio.CancelledError):
            raise done


@pytest.fixture
def desk(sim: Any, recorder: Any) -> Callable[[], Any]:
    """The client; made only after the proxy stands."""
    return lambda: contextlib.aclosing(_Closing(sim.client(recorder)))


class _Closing:
    def __init__(self, venue: Any) -> None:
        self.venue = venue

    async def aclose(self) -> None:
        await self.venue.close()


async def place(client: Any, name: str = "pm-1") -> PlaceOutcome:
    outcome: PlaceOutcome = await client.place(intent(name, BookSide.BID, 4_000, 5), UNSEALED, allow)
    return outcome


def at_venue(sim: Any) -> list[str]:
    account = sim.exchange.account("desk")
    return [order.client_order_id for order in (*account.finished.values(), *account.working.values())]


async def test_without_faults_nothing_is_lost_on_the_way(
    sim: Any, through: Through, recorder: Any, run_venue: Any
) -> None:
    await through(Swarm(1, ()))
    client = sim.client(recorder)
    async with run_venue(client):
        assert not isinstance(await client.markets((SERIES,)), Incomplete)
        await client.subscribe((BRACKET,))
        await recorder.until(lambda: client.link.state is LinkState.OK and client.books[BRACKET].intact)
        placed = await place(client)
        assert isinstance(placed, Accepted)
        crowd(sim, BookSide.ASK, 4_000, 5)
        await recorder.until(lambda: len(recorder.fills) == 1)


async def test_n05_a_refused_connection_is_proof_that_nothing_was_sent(sim: Any, desk: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        sim.port = free.getsockname()[1]
    async with desk() as made:
        assert isinstance(await place(made.venue), NeverSent)


async def test_n06_a_reset_in_the_middle_of_a_message_leaves_the_order_unknown(
    sim: Any, desk: Any, through: Through
) -> None:
    """Half of the request: the exchange has nothing. Half of the answer: it has the order. We cannot know."""
    kept: list[bool] = []
    for seed in range(6):
        proxy = await through(steady(FaultKind.N06, rate=0.6, seed=seed))
        async with desk() as made:
            outcome = await place(made.venue, f"pm-{seed}")
        assert isinstance(outcome, Unresolved if proxy.plan.met else Accepted)
        if proxy.plan.met:
            kept.append(f"pm-{seed}" in at_venue(sim))
    assert True in kept and False in kept


async def test_n07_a_connection_closed_while_idle_is_not_tried_again_by_the_library(
    sim: Any, desk: Any, through: Through
) -> None:
    proxy = await through(Swarm(1, ()))
    async with desk() as made:
        assert isinstance(await place(made.venue), Accepted)  # the connection is warm now
        proxy.plan = Plan(steady(FaultKind.N07))
        assert isinstance(await place(made.venue, "pm-2"), Unresolved)
        assert proxy.plan.met[FaultKind.N07] == 1, "the request left twice"
        assert at_venue(sim) == ["pm-1"]


async def test_n02_n14_an_answer_that_never_comes_is_no_refusal(
    sim: Any, desk: Any, through: Through, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.venues.kalshi import orders

    monkeypatch.setattr(orders, "WRITE_TOTAL_S", 0.3)
    proxy = await through(steady(FaultKind.N02))
    async with desk() as made:
        assert isinstance(await place(made.venue), Unresolved)
        assert at_venue(sim) == ["pm-1"] and proxy.plan.met[FaultKind.N02] == 1


async def test_n03_an_order_fills_while_its_answer_is_lost(
    sim: Any, desk: Any, through: Through, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.venues.kalshi import orders

    monkeypatch.setattr(orders, "WRITE_TOTAL_S", 0.3)
    await through(steady(FaultKind.N03))
    async with desk() as made:
        assert isinstance(await place(made.venue), Unresolved)
        fills = await made.venue.fills()
        assert [fill.quantity for fill in fills] == [5_000_000]


async def test_x01_x03_a_cancel_is_raced_or_denied(sim: Any, desk: Any, through: Through) -> None:
    proxy = await through(Swarm(1, ()))
    async with desk() as made:
        placed = await place(made.venue)
        proxy.plan = Plan(steady(FaultKind.X03))
        (denied,) = await made.venue.cancel([(placed.order_id, BRACKET)])
        assert not isinstance(denied, Cancelled) and sim.exchange.account("desk").working
        proxy.plan = Plan(steady(FaultKind.X01))
        (raced,) = await made.venue.cancel([(placed.order_id, BRACKET)])
        assert not isinstance(raced, Cancelled) and not sim.exchange.account("desk").working


async def test_n17_a_half_open_stream_is_noticed_and_replaced(
    sim: Any, through: Through, recorder: Any, run_venue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert connection.PONG_S_MAX + connection.PING_S <= 25, "the catalogue's bound"
    monkeypatch.setattr(connection, "PONG_S_MAX", 0.4)
    monkeypatch.setattr(connection, "PING_S", 0.1)
    proxy = await through(Swarm(1, ()))
    client = sim.client(recorder)
    async with run_venue(client):
        await client.markets((SERIES,))
        await client.subscribe((BRACKET,))
        await recorder.until(lambda: client.link.state is LinkState.OK and client.books[BRACKET].intact)
        held_at = client.link.heartbeat_ns
        proxy.plan = Plan(steady(FaultKind.N17))
        crowd(sim, BookSide.ASK, 6_000, 5)
        await recorder.until(lambda: client.link.state is LinkState.DOWN)
        assert "no pong" in client.link.detail
        assert client.link.heartbeat_ns <= held_at + 500_000_000, "silence counted as a sign of life"
        proxy.plan = Plan(Swarm(1, ()))
        await recorder.until(lambda: client.link.state is LinkState.OK)


async def test_n18_a_doubled_frame_is_one_fill_and_loses_none(
    sim: Any, through: Through, recorder: Any, run_venue: Any
) -> None:
    proxy = await through(Swarm(1, ()))
    client = sim.client(recorder)
    async with run_venue(client):
        await recorder.until(lambda: client.link.state is LinkState.OK)
        assert isinstance(await place(client), Accepted)
        proxy.plan = Plan(steady(FaultKind.N18))
        for count in (1, 2):
            crowd(sim, BookSide.ASK, 4_000, 1)
            await recorder.until(lambda wanted=count: len(recorder.fills) == wanted)  # type: ignore[misc]
        assert recorder.fills[0] != recorder.fills[1]


@contextlib.contextmanager
def dead_address(port: int) -> Iterator[str]:
    """A second loopback address where nobody ever answers: its queue of connections is full."""
    with socket.socket() as dead, contextlib.ExitStack() as waiting:
        dead.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        dead.bind(("127.0.0.77", port))
        dead.listen(0)
        for _ in range(3):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                one.connect(("127.0.0.77", port))
        yield "127.0.0.77"


@pytest.mark.skipif(
    not hasattr(socket, "SO_DOMAIN"), reason="a second loopback address is there on Linux only"
)
async def test_n23_one_dead_address_of_two_costs_no_order_and_no_stream(
    sim: Any, recorder: Any, run_venue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve = socket.getaddrinfo

    def two(host: Any, port: Any, *args: Any, **named: Any) -> Any:
        found = resolve(host, port, *args, **named)
        if host not in ("localhost", b"localhost"):
            return found
        return [
            (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))
            for address in ("127.0.0.77", "127.0.0.1")
        ]

    with dead_address(sim.port):
        monkeypatch.setattr(socket, "getaddrinfo", two)
        client = sim.client(recorder, host="localhost")
        began = time.monotonic()
        async with run_venue(client):
            assert isinstance(await place(client), Accepted)
            await recorder.until(lambda: client.link.state is LinkState.OK, seconds=4)
        assert time.monotonic() - began < 4


async def test_d09_an_endless_or_bottomless_frame_ends_the_connection_and_nothing_else(
    sim: Any, through: Through, recorder: Any, run_venue: Any
) -> None:
    proxy = await through(Swarm(1, ()))
    client = sim.client(recorder)
    async with run_venue(client):
        await client.markets((SERIES,))
        await client.subscribe((BRACKET,))
        await recorder.until(lambda: client.link.state is LinkState.OK and client.books[BRACKET].intact)
        tracemalloc.start()
        for seed in range(2):
            proxy.plan = Plan(steady(FaultKind.D09, seed=seed))
            links = len(recorder.links)
            crowd(sim, BookSide.ASK, 6_000 + seed * 100, 5)
            await recorder.until(lambda links=links: _fell(recorder, links) or bool(recorder.anomalies))
            proxy.plan = Plan(Swarm(1, ()))
            await recorder.until(lambda: client.link.state is LinkState.OK and client.books[BRACKET].intact)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 80 << 20
        assert not recorder.fills
        assert isinstance(await place(client), Accepted)


def _fell(recorder: Any, since: int) -> bool:
    return any(link.state is LinkState.DOWN for link in recorder.links[since:])


async def test_the_proxy_speaks_to_clients_that_chunk_and_drops_those_that_babble(
    sim: Any, through: Through
) -> None:
    await through(Swarm(1, ()))
    reader, writer = await asyncio.open_connection("127.0.0.1", sim.port)
    writer.write(
        b"POST /trade-api/v2/portfolio/events/orders HTTP/1.1\r\nhost: x\r\n"
        b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    )
    assert b" 401 " in await reader.readline()
    writer.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", sim.port)
    writer.write(b"hello\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()
