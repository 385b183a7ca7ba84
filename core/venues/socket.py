"""One WebSocket connection, as much of it as a venue's stream needs, and the real one behind it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from core.domain.text import clean_text
from core.venues.tcp import watch_over

MESSAGE_BYTES_MAX: Final = 8 * 1024 * 1024
QUEUED_MAX: Final = 64
"""Messages read ahead of us before the peer is told to wait."""
REFUSAL_BYTES_MAX: Final = 64 * 1024
REASON_CHARS_MAX: Final = 400
"""More than a peer can say as it closes (123 bytes, told twice): a key in it is hidden only while whole."""
OPEN_S_MAX, CLOSE_S_MAX = 5.0, 1.0
NEXT_ADDRESS_S: Final = 0.25
"""A name with several addresses: the next one is tried beside one that is silent this long (RFC 8305)."""


class SocketError(Exception):
    """The connection could not be opened or has ended; ``status`` and ``body`` are a refused handshake's."""

    def __init__(self, reason: str, status: int | None = None, body: bytes = b"") -> None:
        super().__init__(reason)
        self.status, self.body = status, body


class Socket(Protocol):
    async def recv(self) -> bytes:
        """The next message. Raises ``SocketError``."""
        ...

    async def send(self, data: bytes) -> None:
        """Send a text message. Raises ``SocketError``."""
        ...

    async def ping(self) -> Awaitable[object]:
        """Send a ping; the result completes with its pong. Raises ``SocketError``."""
        ...

    async def close(self) -> None: ...


SocketFactory = Callable[[str, Mapping[str, str]], Awaitable[Socket]]
"""Opens a connection to a URL with handshake headers. Raises ``SocketError``."""


class _Connect(open_websocket):
    """A handshake that follows no redirect: signed headers go to the checked address only."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


class WebSocket:
    """A ``Socket`` on the network."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def recv(self) -> bytes:
        try:
            return await self._connection.recv(decode=False)
        except ConnectionClosed as error:
            raise SocketError(_why(error)) from None

    async def send(self, data: bytes) -> None:
        try:
            await self._connection.send(data, text=True)
        except ConnectionClosed as error:
            raise SocketError(_why(error)) from None

    async def ping(self) -> Awaitable[object]:
        try:
            return _pong(await self._connection.ping())
        except ConnectionClosed as error:
            raise SocketError(_why(error)) from None

    async def close(self) -> None:
        await self._connection.close()


async def _pong(waiter: Awaitable[float]) -> float:
    try:
        return await waiter
    except ConnectionClosed as error:
        raise SocketError(_why(error)) from None


def _why(error: ConnectionClosed) -> str:
    return f"closed: {clean_text(str(error), REASON_CHARS_MAX)}"


async def open_socket(url: str, headers: Mapping[str, str]) -> Socket:
    """The ``SocketFactory`` of the network: no compression, no proxy, no library pings."""
    try:
        connection = await _Connect(
            url,
            additional_headers=dict(headers),
            user_agent_header="pmconsole",
            compression=None,
            max_size=MESSAGE_BYTES_MAX,
            max_queue=QUEUED_MAX,
            ping_interval=None,
            open_timeout=OPEN_S_MAX,
            close_timeout=CLOSE_S_MAX,
            happy_eyeballs_delay=NEXT_ADDRESS_S,
            proxy=None,
        )
        watch_over(connection.transport.get_extra_info("socket"))
    except InvalidStatus as error:
        status, body = error.response.status_code, bytes(error.response.body or b"")
        raise SocketError(f"handshake refused: HTTP {status}", status, body[:REFUSAL_BYTES_MAX]) from None
    except (OSError, TimeoutError, WebSocketException) as error:
        raise SocketError(f"cannot connect: {clean_text(str(error), 100) or type(error).__name__}") from None
    return WebSocket(connection)
