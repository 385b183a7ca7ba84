"""The real WebSocket behind the stream, against a server on the loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus

import pytest
from websockets.asyncio.server import Request, Response, ServerConnection, serve
from websockets.datastructures import Headers

from core.venues.socket import MESSAGE_BYTES_MAX, SocketError, open_socket

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
