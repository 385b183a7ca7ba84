"""How uvicorn serves this exchange: Kalshi's ping, and connections that a fault can cut.

ASGI has no word for a ping body or for dropping a connection, so both protocols are extended at
the one place uvicorn offers: the protocol classes of its configuration. What an application may
call is handed over in the connection's ``state``.
"""

from __future__ import annotations

import asyncio
import socket
import time
from email.utils import formatdate

from starlette.applications import Starlette
from uvicorn import Config
from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

HEARTBEAT = b"heartbeat"
HEARTBEAT_S = 10.0
MESSAGE_BYTES_MAX = 1 << 20
"""The largest command a stream client may send."""


class _HttpConnection(H11Protocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        super().connection_made(transport)
        # asyncio sets this only where the listening socket was made with its protocol named; without
        # it an answer's second packet waits 40 ms for the client's delayed acknowledgement.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state = {**self.app_state, "abort": transport.abort}

    def data_received(self, data: bytes) -> None:
        # uvicorn refreshes its date once a second; a client that compares clocks would see up to two.
        dates = [(b"date", formatdate(time.time(), usegmt=True).encode())] if self.config.date_header else []
        self.server_state.default_headers = [*dates, *self.config.encoded_headers]
        super().data_received(data)


class _StreamConnection(WebSocketsSansIOProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.app_state = {**self.app_state, "abort": self.transport.abort}

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            # A refused handshake is over too; uvicorn would report it as one forgotten.
            self.handshake_complete = True

    def send_keepalive_ping(self) -> None:
        self.ping_timer = None
        if not self.close_sent and not self.transport.is_closing():
            self.conn.send_ping(HEARTBEAT)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.schedule_ping()


def config(app: Starlette, *, pings: bool = True, dates: bool = True) -> Config:
    """uvicorn's configuration for a simulated venue; the caller binds the socket.

    Frames are not compressed, and a client that does not answer pings is not cut off: the real
    venue's deadline is unpublished. Without ``dates`` the application dates its answers itself.
    """
    return Config(
        app,
        http=_HttpConnection,
        ws=_StreamConnection,
        ws_max_size=MESSAGE_BYTES_MAX,
        ws_ping_interval=HEARTBEAT_S if pings else None,
        ws_ping_timeout=None,
        ws_per_message_deflate=False,
        date_header=dates,
        log_level="warning",
        access_log=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
