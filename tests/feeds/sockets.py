"""Sockets without a network: one that says what a test wants, and one into an ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any
from urllib.parse import urlsplit

from core.venues.socket import OPEN_S_MAX, Socket, SocketError, SocketFactory

OVER = None
"""In a script: the other side ends the connection."""


class Scripted:
    """Says one message after the other, then nothing; notes what it is told."""

    def __init__(self, *messages: bytes | None) -> None:
        self._messages = list(messages)
        self.sent: list[bytes] = []

    async def recv(self) -> bytes:
        if not self._messages:
            await asyncio.Event().wait()
        message = self._messages.pop(0)
        if message is OVER:
            raise SocketError("closed: over")
        return message

    async def send(self, data: bytes) -> None:
        self.sent.append(data)

    async def ping(self) -> Awaitable[object]:
        raise NotImplementedError

    async def close(self) -> None: ...


class AsgiSocket:
    """A connection to an application's WebSocket route, in the application's own loop."""

    def __init__(self) -> None:
        self._heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._serving: asyncio.Task[None] | None = None

    async def open(self, app: Any, url: str, headers: Mapping[str, str]) -> None:
        at = urlsplit(url)
        scope = {
            "type": "websocket",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "scheme": at.scheme,
            "path": at.path,
            "raw_path": at.path.encode(),
            "query_string": at.query.encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("sim", 80),
            "subprotocols": [],
            "state": {},
            "extensions": {"websocket.http.response": {}},
        }
        await self._heard.put({"type": "websocket.connect"})
        self._serving = asyncio.ensure_future(app(scope, self._heard.get, self._said.put))
        try:
            async with asyncio.timeout(OPEN_S_MAX):
                answer = await self._said.get()
        except TimeoutError:
            await self.close()
            raise SocketError("cannot connect: timed out") from None
        if answer["type"] != "websocket.accept":
            status = answer.get("status", 403)
            await self._serving
            raise SocketError(f"handshake refused: HTTP {status}", status)

    async def recv(self) -> bytes:
        message = await self._said.get()
        if message["type"] == "websocket.close":
            raise SocketError(f"closed: {message.get('code')} {message.get('reason') or ''}".rstrip())
        text: str | None = message.get("text")
        return text.encode() if text is not None else message["bytes"]

    async def send(self, data: bytes) -> None:
        await self._heard.put({"type": "websocket.receive", "text": data.decode()})

    async def ping(self) -> Awaitable[object]:
        raise NotImplementedError

    async def close(self) -> None:
        await self._heard.put({"type": "websocket.disconnect", "code": 1000})
        if self._serving is not None:
            await self._serving


def into(app: Any) -> SocketFactory:
    """Connections to the application, whatever host an address names."""

    async def connect(url: str, headers: Mapping[str, str]) -> Socket:
        socket = AsgiSocket()
        await socket.open(app, url, headers)
        return socket

    return connect
