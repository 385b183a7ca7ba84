"""The simulated Polymarket as one ASGI application: every host's paths and both sockets on one port."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.sim.polymarket.call import Venue
from core.sim.polymarket.desk import ConnectionCutError, Desk
from core.sim.polymarket.rest import BODY_BYTES_MAX, Request, Rest, RestAnswer
from core.sim.polymarket.stream import Channel, Connection, Stream

GOODBYE_S = 1.0
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Everything goes to the desk, which knows what it does not serve."""


def build_app(venue: Venue) -> Starlette:
    """Serve it with ``core.sim.kalshi.server.config``; ``app.state`` has ``venue``, ``desk``, ``stream``."""
    desk, stream = Desk(Rest(venue)), Stream(venue)

    async def serve_rest(request: HttpRequest) -> Response:
        return await _answer(desk, request)

    async def serve_market(socket: WebSocket) -> None:
        await _serve(stream, Channel.MARKET, socket)

    async def serve_user(socket: WebSocket) -> None:
        await _serve(stream, Channel.USER, socket)

    app = Starlette(
        routes=[
            WebSocketRoute(Channel.MARKET.value, serve_market),
            WebSocketRoute(Channel.USER.value, serve_user),
            Route("/{path:path}", serve_rest, methods=_METHODS),
        ]
    )
    app.state.venue, app.state.desk, app.state.stream = venue, desk, stream
    return app


async def _answer(desk: Desk, request: HttpRequest) -> Response:
    raw_path = request.scope["raw_path"].decode("latin-1")
    body = bytearray()
    async for chunk in request.stream():
        # One byte too many is enough to be refused for it.
        body += chunk[: BODY_BYTES_MAX + 1 - len(body)]
    asked = Request(request.method, raw_path, request.url.query, request.headers, bytes(body))
    try:
        return _response(await desk.serve(asked))
    except ConnectionCutError:
        return _cut(request.scope.get("state", {}))


def _response(answer: RestAnswer) -> Response:
    media = "application/json" if answer.body else None
    return Response(answer.body, answer.status, dict(answer.headers), media_type=media)


def _cut(state: Mapping[str, object]) -> Response:
    """Cut the connection where the server offers it (see ``core.sim.kalshi.server``)."""
    abort = state.get("abort")
    if not callable(abort):
        raise ConnectionAbortedError("connection cut on purpose")
    abort()
    return Response()


async def _serve(stream: Stream, channel: Channel, socket: WebSocket) -> None:
    await socket.accept()
    waiting, ended = asyncio.Event(), asyncio.Event()
    connection = Connection(channel, waiting.set, ended.set)
    stream.join(connection)
    try:
        async with asyncio.TaskGroup() as tasks:
            writer = tasks.create_task(_write(connection, waiting, socket))
            reader = tasks.create_task(_read(stream, connection, socket))
            closing = tasks.create_task(ended.wait())
            await asyncio.wait((reader, closing), return_when=asyncio.FIRST_COMPLETED)
            if closing.done() and not reader.done():
                await _close(socket)
            for task in (writer, reader, closing):
                task.cancel()
    finally:
        stream.leave(connection)


async def _close(socket: WebSocket) -> None:
    """Say goodbye; who does not even take that is cut off."""
    try:
        async with asyncio.timeout(GOODBYE_S):
            await socket.close()
    except TimeoutError:
        _cut(socket.scope.get("state", {}))


async def _read(stream: Stream, connection: Connection, socket: WebSocket) -> None:
    while (message := await socket.receive())["type"] != "websocket.disconnect":
        stream.handle(connection, message.get("text") or (message.get("bytes") or b"").decode("latin-1"))


async def _write(connection: Connection, waiting: asyncio.Event, socket: WebSocket) -> None:
    queue = connection.queue
    while True:
        await waiting.wait()
        waiting.clear()
        while queue:
            # The head stays until it is on its way, so a full queue counts what the reader has not taken.
            try:
                await socket.send_text(queue[0])
            except (WebSocketDisconnect, RuntimeError):
                return
            queue.popleft()
