"""The simulated Kalshi as one ASGI application: REST and stream on one port."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.domain.clock import Clock
from core.sim.exchange import Exchange
from core.sim.faults import Faults
from core.sim.kalshi import errors, rest
from core.sim.kalshi.auth import KeyRegistry
from core.sim.kalshi.call import Venue
from core.sim.kalshi.connection import Connection
from core.sim.kalshi.errors import WireError
from core.sim.kalshi.limits import Limiter
from core.sim.kalshi.stream import Stream

STREAM_PATH = "/trade-api/ws/v2"
PULSE_S = 0.1


def build_app(
    exchange: Exchange,
    keys: KeyRegistry,
    clock: Clock,
    faults: Faults,
    limiter: Limiter | None = None,
) -> Starlette:
    """REST under ``/trade-api/v2``, the stream at ``/trade-api/ws/v2``; serve it with ``server.config``.

    ``app.state.stream`` is the stream; the application's lifespan pulses it.
    """
    venue = Venue(exchange, keys, clock, faults, limiter or Limiter(clock))
    stream = Stream(venue)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            pulse = tasks.create_task(_pulse(stream))
            yield
            pulse.cancel()

    async def serve_stream(socket: WebSocket) -> None:
        await _serve(venue, stream, socket)

    app = Starlette(
        routes=[*rest.routes(venue), WebSocketRoute(STREAM_PATH, serve_stream)],
        exception_handlers={404: _no_route, 405: _no_route},
        lifespan=lifespan,
    )
    app.state.stream = stream
    return app


async def _pulse(stream: Stream) -> None:
    while True:
        await asyncio.sleep(PULSE_S)
        stream.pulse()


async def _no_route(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    code = "not_found" if status == 404 else "method_not_allowed"
    return rest.json_response(errors.body(WireError(status, code, code.replace("_", " "))), status)


async def _serve(venue: Venue, stream: Stream, socket: WebSocket) -> None:
    if refusal := venue.faults.refusal(STREAM_PATH):
        await socket.send_denial_response(rest.json_response(refusal.body, refusal.status))
        return
    try:
        key = venue.keys.verify(socket.headers, "GET", socket.url.path, venue.clock.wall_ms())
    except WireError as error:
        await socket.send_denial_response(rest.json_response(errors.body(error), error.http))
        return
    await socket.accept()
    waiting = asyncio.Event()
    connection = Connection(key.account, venue.clock, waiting.set)
    connection.dropped = socket.scope.get("state", {}).get("abort")
    stream.join(connection)
    try:
        async with asyncio.TaskGroup() as tasks:
            writer = tasks.create_task(_write(connection, waiting, socket))
            while (message := await socket.receive())["type"] != "websocket.disconnect":
                stream.handle(connection, message.get("text") or message.get("bytes") or b"")
            writer.cancel()
    finally:
        stream.leave(connection)


async def _write(connection: Connection, waiting: asyncio.Event, socket: WebSocket) -> None:
    queue = connection.queue
    while True:
        await waiting.wait()
        waiting.clear()
        while queue:
            # The head stays until it is on its way, so a full queue counts what the reader has not taken.
            try:
                await socket.send_text(queue[0].decode())
            except (WebSocketDisconnect, RuntimeError):
                return
            queue.popleft()
