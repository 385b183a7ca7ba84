"""The real WebSocket behind the stream, against a server on the loopback."""

from __future__ import annotations

import asyncio
import socket as kernel
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus

import httpx
import pytest
from websockets.asyncio.server import Request, Response, ServerConnection, serve
from websockets.datastructures import Headers

from core.venues.http import network_transport
from core.venues.socket import MESSAGE_BYTES_MAX, SocketError, WebSocket, open_socket

Refusal = Response | None
Open = Callable[..., Awaitable[str]]


@pytest.fixture
async def listen() -> AsyncIterator[Open]:
    """Starts a server that sends ``messages`` and stays, or answers the handshake with ``refusal``."""
    servers = []

    async def start(*messages: str, refusal: Refusal = None) -> str:
        async def talk(connection: ServerConnection) -> None:
            for message in messages:
                await connection.send(message)
            await connection.wait_closed()

        def refuse(connection: ServerConnection, request: Request) -> Refusal:
            return refusal

        server = await serve(talk, "127.0.0.1", 0, process_request=refuse, compression=None)
        servers.append(server)
        return f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/trade-api/ws/v2"

    yield start
    for server in servers:
        server.close()
        await server.wait_closed()


async def test_messages_arrive_as_bytes_and_pings_are_answered(listen: Open) -> None:
    socket = await open_socket(await listen("{}"), {"KALSHI-ACCESS-KEY": "k"})
    assert await socket.recv() == b"{}"
    async with asyncio.timeout(5):
        await (await socket.ping())
    await socket.close()
    with pytest.raises(SocketError, match="closed"):
        await socket.send(b"{}")


async def test_what_the_peer_says_as_it_closes_is_told_whole() -> None:
    """A part of a key would be hidden from nobody."""
    reason = f"{'x' * 100} no-such-key-4711"

    async def talk(connection: ServerConnection) -> None:
        await connection.close(1008, reason)

    async with serve(talk, "127.0.0.1", 0, compression=None) as server:
        socket = await open_socket(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", {})
        with pytest.raises(SocketError, match=f"closed: .*{reason}"):
            await socket.recv()
        await socket.close()


async def test_a_message_beyond_the_bound_ends_the_connection(listen: Open) -> None:
    socket = await open_socket(await listen("x" * (MESSAGE_BYTES_MAX + 1)), {})
    with pytest.raises(SocketError, match="closed"):
        await socket.recv()
    with pytest.raises(SocketError, match="closed"):
        await (await socket.ping())
    await socket.close()


@pytest.mark.parametrize("status", [HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.FOUND])
async def test_a_refused_handshake_tells_its_status_and_is_not_redirected(
    listen: Open, status: HTTPStatus
) -> None:
    elsewhere = await listen("{}")
    refusal = Response(status, status.phrase, Headers({"Location": elsewhere, "Content-Length": "2"}), b"{}")
    with pytest.raises(SocketError) as refused:
        await open_socket(await listen(refusal=refusal), {"KALSHI-ACCESS-KEY": "k"})
    assert (refused.value.status, refused.value.body) == (status, b"{}")


async def test_nobody_listening_is_a_socket_error(listen: Open) -> None:
    url = await listen()
    with pytest.raises(SocketError, match="cannot connect"):
        await open_socket(url.replace("127.0.0.1", "127.0.0.2"), {})


def dies_within_seconds(connection: kernel.socket) -> bool:
    """N17: whether the kernel ends it when the peer is silently gone, as far as this system can."""
    bounds = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 10_000}
    known = {getattr(kernel, name): most for name, most in bounds.items() if hasattr(kernel, name)}
    return connection.getsockopt(kernel.SOL_SOCKET, kernel.SO_KEEPALIVE) == 1 and all(
        0 < connection.getsockopt(kernel.IPPROTO_TCP, option) <= most for option, most in known.items()
    )


async def test_a_half_open_stream_is_ended_by_the_kernel(listen: Open) -> None:
    stream = await open_socket(await listen(), {})
    assert isinstance(stream, WebSocket)
    assert dies_within_seconds(stream._connection.transport.get_extra_info("socket"))
    await stream.close()


async def test_a_half_open_connection_of_calls_is_ended_by_the_kernel() -> None:
    hung_up = asyncio.Event()

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        await reader.read()
        writer.close()
        await writer.wait_closed()
        hung_up.set()

    server = await asyncio.start_server(peer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server:
        async with httpx.AsyncClient(transport=network_transport(httpx.Limits())) as calls:
            answer = await calls.get(url)
            assert dies_within_seconds(answer.extensions["network_stream"].get_extra_info("socket"))
        await hung_up.wait()
