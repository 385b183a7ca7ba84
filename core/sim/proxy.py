"""Between a client and the exchange on loopback: a TCP proxy that carries out a fault plan byte by byte.

It knows where requests, answers and frames begin and end, asks the plan about each, and resets,
truncates, delays, trickles, doubles, garbles or swallows the bytes accordingly. Half-open means
that both connections stay and nothing moves. The exchange behind stays plain and honest. A
listening proxy cannot refuse a connection: it resets it in the moment it is made.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import deque
from collections.abc import Callable, Coroutine

import msgspec

from core.domain.clock import Clock
from core.sim.fates import (
    Answered,
    AnswerFate,
    ConnectRefused,
    Cut,
    Delivered,
    Garbled,
    Held,
    Lost,
    Repeated,
)
from core.sim.framing import Message, answer, read_frame, read_message, text_frame
from core.sim.garble import garbled
from core.sim.plan import Plan

EARLIER_MAX = 400
"""Answers kept for lists that lag."""
TRICKLES = 10
"""Pieces of a message that trickles."""
GONE = (ConnectionError, asyncio.IncompleteReadError)
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class _Earlier(msgspec.Struct, frozen=True):
    at_ms: int
    path: str
    query: str
    answer: Message


class _End:
    """One end of a proxied connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def swallow(self) -> None:
        """Read and forget until the other side closes."""
        while await self.reader.read(1 << 16):
            continue

    def reset(self) -> None:
        """End at once, with a reset instead of a goodbye."""
        with contextlib.suppress(OSError):
            self.writer.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE
            )
        self.writer.transport.abort()


class Proxy:
    """Serves any number of connections to one ``(host, port)``.

    ``trade`` is called with path and body of a request where the plan lets the market trade with
    the order it is about.
    """

    def __init__(
        self, plan: Plan, target: tuple[str, int], clock: Clock, trade: Callable[[str, bytes], None]
    ) -> None:
        self.plan = plan
        self.trade = trade
        self._target, self._clock = target, clock
        self._began_ns = clock.mono_ns()
        self._earlier: deque[_Earlier] = deque(maxlen=EARLIER_MAX)

    def now_ms(self) -> int:
        """Milliseconds since the plan began."""
        return (self._clock.mono_ns() - self._began_ns) // 1_000_000

    async def serve(self, listening: socket.socket) -> None:
        """Until cancelled; every connection ends with it."""
        async with asyncio.TaskGroup() as tasks:

            def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                tasks.create_task(self._serve(_End(reader, writer)), name="proxied connection")

            server = await asyncio.start_server(connected, sock=listening)
            try:
                await asyncio.Event().wait()
            finally:
                server.close()

    async def _serve(self, client: _End) -> None:
        venue: _End | None = None
        try:
            match self.plan.connect(self.now_ms()):
                case ConnectRefused():
                    return
                case Lost():
                    await client.swallow()
                    return
                case Delivered(delay_ms=delay_ms):
                    await asyncio.sleep(delay_ms / 1000)
            venue = _End(*await asyncio.open_connection(*self._target))
            while await self._call(client, venue):
                continue
        except GONE:
            return
        finally:
            client.reset()
            if venue is not None:
                venue.reset()

    # --- calls ---------------------------------------------------------------------------------

    async def _call(self, client: _End, venue: _End) -> bool:
        """One request and its answer, or a whole stream; false when the connection is over."""
        request = await read_message(client.reader, answers=False)
        if request is None:
            return False
        if request.header(b"upgrade").lower() == b"websocket":
            await self._open_stream(request, client, venue)
            return False
        method, path = (word.decode("latin-1") for word in request.words[:2])
        match self.plan.request(method, path, self.now_ms()):
            case Delivered(delay_ms=delay_ms, trades=trades):
                await asyncio.sleep(delay_ms / 1000)
                if trades:
                    self.trade(path, request.body)
            case Answered(status=status, body=body):
                await client.send(answer(status, body).whole)
                return True
            case Cut(share=share):
                await venue.send(request.whole[: int(len(request.whole) * share)])
                return False
            case Lost() | Held():
                await client.swallow()
                return False
        await venue.send(request.whole)
        given = await read_message(venue.reader, answers=True)
        if given is None:
            return False
        fate = self.plan.answer(method, path, self.now_ms())
        if method == "GET":
            self._remember(path, given)
        return await self._give(client, fate, path, request, given)

    async def _give(
        self, client: _End, fate: AnswerFate, path: str, request: Message, given: Message
    ) -> bool:
        match fate:
            case Delivered(delay_ms=delay_ms, trickles=trickles):
                await self._trickle(client, given.whole, delay_ms / 1000, TRICKLES if trickles else 1)
            case Garbled(how=how, pick=pick):
                await client.send(given.with_body(garbled(given.body, how, pick)).whole)
            case Answered(status=status, body=body):
                await client.send(answer(status, body).whole)
            case Repeated():
                await client.send((self._recall(path, fate) or given).whole)
            case Cut(share=share):
                await client.send(given.whole[: int(len(given.whole) * share)])
                return False
            case Lost(trades=trades):
                if trades:
                    self.trade(path, request.body)
                await client.swallow()
                return False
            case Held():
                await client.swallow()
                return False
        return True

    async def _trickle(self, client: _End, data: bytes, seconds: float, pieces: int) -> None:
        size = -(-len(data) // pieces)
        for start in range(0, len(data), size):
            await asyncio.sleep(seconds / pieces)
            await client.send(data[start : start + size])

    def _remember(self, target: str, given: Message) -> None:
        path, _, query = target.partition("?")
        self._earlier.append(_Earlier(self.now_ms(), path, query, given))

    def _recall(self, target: str, fate: Repeated) -> Message | None:
        """The oldest answer to the same question that is not older than the fate allows."""
        path, _, query = target.partition("?")
        since = self.now_ms() - fate.age_ms_max
        for known in self._earlier:
            if known.at_ms >= since and known.path == path and (fate.any_page or known.query == query):
                return known.answer
        return None

    # --- the stream ----------------------------------------------------------------------------

    async def _open_stream(self, request: Message, client: _End, venue: _End) -> None:
        await venue.send(request.whole)
        opened = await read_message(venue.reader, answers=True)
        if opened is None:
            return
        await client.send(opened.whole)
        if opened.words[1] == b"101":
            await _Frames(self, client, venue).run()


class _Frames:
    """One stream under way: frames to the client meet their fate, what the client says passes."""

    def __init__(self, proxy: Proxy, client: _End, venue: _End) -> None:
        self._proxy, self._client, self._venue = proxy, client, venue
        self._held = False
        self._last_due = 0.0

    async def run(self) -> None:
        """Until either side ends or a frame's fate ends it."""
        ends = [_task(self._to_client()), _task(self._to_venue())]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
            await asyncio.wait(ends)
        for end in ends:
            if not end.cancelled() and (fault := end.exception()) is not None and not isinstance(fault, GONE):
                raise fault

    async def _to_venue(self) -> None:
        while data := await self._client.reader.read(1 << 16):
            if not self._held:
                await self._venue.send(data)

    async def _to_client(self) -> None:
        while (frame := await read_frame(self._venue.reader)) is not None:
            if self._held:
                continue
            if not frame.is_text:
                await self._in_turn(frame.whole, 0)
                continue
            match self._proxy.plan.frame(frame.payload, self._proxy.now_ms()):
                case Delivered(delay_ms=delay_ms, overtakes=True):
                    asyncio.get_running_loop().call_later(delay_ms / 1000, self._write, frame.whole)
                case Delivered(delay_ms=delay_ms, copies=copies):
                    await self._in_turn(frame.whole * copies, delay_ms)
                case Garbled(how=how, pick=pick, beside=beside):
                    changed = text_frame(garbled(frame.payload, how, pick)).whole
                    await self._in_turn(frame.whole + changed if beside else changed, 0)
                case Lost():
                    continue
                case Held():
                    self._held = True
                case Cut(share=share):
                    await self._client.send(frame.whole[: int(len(frame.whole) * share)])
                    return

    async def _in_turn(self, data: bytes, delay_ms: int) -> None:
        """Behind everything sent before, at the earliest after the delay."""
        loop = asyncio.get_running_loop()
        due = max(loop.time() + delay_ms / 1000, self._last_due)
        if due <= loop.time():
            await self._client.send(data)
            return
        # Equal times would be called in any order.
        self._last_due = due + 1e-6
        loop.call_at(due, self._write, data)

    def _write(self, data: bytes) -> None:
        if not self._held and not self._client.writer.transport.is_closing():
            self._client.writer.write(data)


def _task(work: Coroutine[None, None, None]) -> asyncio.Task[None]:
    return asyncio.get_running_loop().create_task(work)
