"""The simulated Kalshi as one ASGI application: REST and stream on one port."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from core.domain.clock import Clock
from core.sim.dialect import UpgradeRefusal
from core.sim.exchange import Exchange
from core.sim.faults import Faults
from core.sim.kalshi import errors
from core.sim.kalshi.auth import KeyRegistry
from core.sim.kalshi.call import Venue
from core.sim.kalshi.connection import Connection
from core.sim.kalshi.errors import WireError
from core.sim.kalshi.indices import Beat
from core.sim.kalshi.limits import Limiter
from core.sim.kalshi.pyth import Pyth
from core.sim.kalshi.rest import BODY_BYTES_MAX, Rest, RestAnswer, refused, too_large
from core.sim.kalshi.stream import Stream
from core.sim.prices import Prices

STREAM_PATH = "/trade-api/ws/v2"
PULSE_S = 0.1

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Everything goes to the desk, which knows what it does not serve."""


def build_app(
    exchange: Exchange,
    keys: KeyRegistry,
    clock: Clock,
    faults: Faults,
    prices: Prices,
    limiter: Limiter | None = None,
) -> Starlette:
    """REST under ``/trade-api/v2``, the stream at ``/trade-api/ws/v2``; serve it with ``server.config``.

    ``app.state`` has ``venue``, ``rest`` and ``stream``; the application's lifespan pulses the stream.
    """
    venue = Venue(exchange, keys, clock, faults, limiter or Limiter(clock))
    stream, desk = Stream(venue), Rest(venue)
    beat = Beat(venue.indices, prices, exchange.world, stream)
    pyth = Pyth(prices, exchange.world, stream, clock.wall_ms)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            pulse = tasks.create_task(_pulse(stream, beat, pyth, clock))
            yield
            pulse.cancel()

    async def serve_rest(request: Request) -> Response:
        return await _answer(desk, request)

    async def serve_stream(socket: WebSocket) -> None:
        await _serve(venue, stream, socket)

    app = Starlette(
        routes=[
            WebSocketRoute(STREAM_PATH, serve_stream),
            Route("/{path:path}", serve_rest, methods=_METHODS),
        ],
        lifespan=lifespan,
    )
    app.state.venue, app.state.rest, app.state.stream = venue, desk, stream
    return app


async def _pulse(stream: Stream, beat: Beat, pyth: Pyth, clock: Clock) -> None:
    while True:
        await asyncio.sleep(PULSE_S)
        beat.step(clock.wall_ms())
        pyth.step(clock.wall_ms())
        stream.pulse()


async def _answer(desk: Rest, request: Request) -> Response:
    raw_path = request.scope["raw_path"].decode("latin-1")
    if delay_ms := desk.delay_ms(raw_path):
        await asyncio.sleep(delay_ms / 1000)
    try:
        body = await _read(request)
    except WireError as error:
        return _response(refused(error))
    done = desk.handle(request.method, raw_path, request.url.query, request.headers, body)
    return _lose(request) if done.lost else _response(done)


async def _read(request: Request) -> bytes:
    """The body, announced or in chunks; ``WireError`` 413 as soon as it is too large."""
    body = bytearray()
    announced = int(request.headers.get("content-length", "0"))
    if announced <= BODY_BYTES_MAX:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES_MAX:
                break
    if max(announced, len(body)) > BODY_BYTES_MAX:
        raise too_large()
    return bytes(body)


def _response(answer: RestAnswer) -> Response:
    """JSON in all but name: what an edge in front of the venue says is a page or a plain line."""
    media = {b"{": "application/json", b"<": "text/html"}.get(answer.body[:1], "text/plain")
    return Response(answer.body, answer.status, media_type=media if answer.body else None)


def _lose(request: Request) -> Response:
    """Cut the connection where the server offers it (see ``core.sim.kalshi.server``)."""
    abort = request.scope.get("state", {}).get("abort")
    if abort is None:
        raise ConnectionAbortedError("answer lost on purpose")
    abort()
    return Response()


async def _serve(venue: Venue, stream: Stream, socket: WebSocket) -> None:
    if refusal := venue.faults.refusal(STREAM_PATH):
        await socket.send_denial_response(_response(RestAnswer(refusal.status, refusal.body)))
        return
    try:
        key = venue.keys.verify(socket.headers, "GET", socket.url.path, venue.clock.wall_ms())
    except WireError as error:
        await socket.send_denial_response(_response(_not_upgraded(venue, error)))
        return
    await socket.accept()
    waiting = asyncio.Event()
    connection = Connection(key.account, venue.clock, waiting.set, key.subaccount)
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


def _not_upgraded(venue: Venue, error: WireError) -> RestAnswer:
    """A refused handshake; the form of its body is an open question."""
    match venue.exchange.dialect.upgrade_refusal:
        case UpgradeRefusal.NESTED:
            return refused(error)
        case UpgradeRefusal.FLAT:
            return RestAnswer(error.http, msgspec.json.encode(errors.fields(error)))
        case UpgradeRefusal.PLAIN:
            return RestAnswer(error.http, error.message.encode())
        case UpgradeRefusal.EMPTY:
            return RestAnswer(error.http)


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
