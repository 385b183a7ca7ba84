"""The network between desk and venue, in memory: every message meets its fate on the way.

What httpcore and websockets do for the real client is done here for the simulated exchange: time
limits of the parts of a request, the trace event before an order's first byte, frames in order, a
bounded queue of what is read ahead. What has left arrives whether or not the sender still lives.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Mapping
from email.utils import formatdate
from typing import Any, Protocol

import httpx
import msgspec

from core.domain.clock import Clock
from core.execution.points import Point, Reach
from core.sim.fates import (
    Answered,
    ConnectRefused,
    Cut,
    Delivered,
    Garbled,
    Held,
    Lost,
    Repeated,
)
from core.sim.fault_kinds import Matter, matter_of_call
from core.sim.garble import garbled
from core.sim.plan import Plan
from core.venues.socket import QUEUED_MAX, SocketError

LAST_STEP = "http11.send_request_headers.started"
CONNECT_S = 2.0
_LEFT = {
    Matter.CREATE: Point.SEND_AFTER_BYTES,
    Matter.CANCEL: Point.CANCEL_AFTER_BYTES,
    Matter.AMEND: Point.RENEW_AFTER_BYTES,
}
REMEMBERED_MAX = 400
"""Earlier answers kept for lists that lag."""


class Wiretap(Protocol):
    """Hears what passes, for the oracle."""

    def bytes_out(self, method: str, path: str, body: bytes) -> None:
        """A request has begun to leave the desk."""
        ...

    def request_lost(self, method: str, path: str, body: bytes) -> None:
        """It will never arrive."""
        ...

    def arrived(self, method: str, path: str, body: bytes) -> None:
        """It is at the exchange's door."""
        ...

    def carried_out(self, method: str, path: str, body: bytes) -> None:
        """The exchange has done with it, whatever it answers."""
        ...


class Said(msgspec.Struct, frozen=True):
    """A venue's answer to a request."""

    status: int
    body: bytes
    headers: Mapping[str, str] = {}


class Server(Protocol):
    """The venue's end of a socket."""

    @property
    def queue(self) -> deque[Any]:
        """Frames to be sent, bytes or text."""
        ...


class Site(Protocol):
    """A venue behind the lines."""

    @property
    def clock(self) -> Clock: ...

    def handle(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Generator[int, None, Said]:
        """Carry a request out; yields the milliseconds it waits at the venue, wherever it does."""
        ...

    def dial(self, url: str, wake: Callable[[], None], dropped: Callable[[], None]) -> Any:
        """A new connection to its stream: its ``Server``."""
        ...

    def hear(self, connection: Any, data: bytes) -> None:
        """What the desk says on it."""
        ...

    def hang_up(self, connection: Any) -> None: ...

    def list_of(self, query: str) -> str:
        """What pages with the same path have in common where one can be mistaken for the other."""
        ...

    def trade_about(self, path: str, body: bytes) -> None:
        """The market takes the order that a message on its way is about."""
        ...


class Lines:
    """One process's connections to the venue. ``cut`` ends them all, as its death does."""

    def __init__(
        self,
        site: Site,
        plan: Plan,
        tap: Wiretap,
        rng: random.Random,
        loop: asyncio.AbstractEventLoop,
        began_ms: int,
        reach: Reach,
    ) -> None:
        self.site, self.plan, self.tap, self.rng, self.loop = site, plan, tap, rng, loop
        self._began_ms, self.reach = began_ms, reach
        self.dead = False
        self.sockets: list[MemorySocket] = []
        self._earlier: list[tuple[int, str, str, Said]] = []

    def now_ms(self) -> int:
        """Time of the plan."""
        return self.site.clock.wall_ms() - self._began_ms

    def latency_s(self) -> float:
        """One way, from 1 to some 40 ms."""
        return 0.001 + 0.01 * min(4.0, self.rng.expovariate(1.0))

    def transport(self, _: httpx.Limits) -> httpx.AsyncBaseTransport:
        return MemoryTransport(self)

    async def socket(self, url: str, headers: Mapping[str, str]) -> MemorySocket:
        """The ``SocketFactory`` of this world."""
        await self.connected(lambda text: SocketError(f"cannot connect: {text}"), CONNECT_S)
        opened = MemorySocket(self, url)
        self.sockets.append(opened)
        return opened

    async def connected(self, error: Callable[[str], Exception], limit_s: float) -> None:
        """A connection, or the error that says why there is none."""
        if self.dead:
            raise error("the process has ended")
        match self.plan.connect(self.now_ms()):
            case ConnectRefused():
                await asyncio.sleep(self.latency_s())
                raise error("refused")
            case Lost():
                await asyncio.sleep(limit_s)
                raise error("timed out")
            case Delivered(delay_ms=delay_ms):
                if delay_ms:
                    await asyncio.sleep(min(delay_ms / 1000, limit_s))
                    if delay_ms / 1000 > limit_s:
                        raise error("timed out")

    def cut(self) -> None:
        self.dead = True
        for socket in self.sockets:
            socket.cut("the process has ended")

    def earlier(self, path: str, query: str, fate: Repeated) -> Said | None:
        """The oldest answer to the same question that is not older than the fate allows."""
        since, same = self.site.clock.wall_ms() - fate.age_ms_max, self.site.list_of
        for at, known_path, known_query, answer in self._earlier:
            alike = same(known_query) == same(query) if fate.any_page else known_query == query
            if at >= since and known_path == path and alike:
                return answer
        return None

    def remember(self, path: str, query: str, answer: Said) -> None:
        self._earlier.append((self.site.clock.wall_ms(), path, query, answer))
        del self._earlier[:-REMEMBERED_MAX]


class MemoryTransport(httpx.AsyncBaseTransport):
    """httpx's transport into the simulated exchange."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        lines, limits = self._lines, request.extensions["timeout"]
        await lines.connected(httpx.ConnectError, limits["connect"])
        trace = request.extensions.get("trace")
        if trace is not None:
            await trace(LAST_STEP, {"request": request})
        if lines.dead:
            raise httpx.ConnectError("the process has ended")
        sent = _Sent(lines, request)
        sent.leave()
        point = _LEFT.get(matter_of_call(request.method, sent.path))
        if point is not None:
            lines.reach(Point.GROUP_AFTER_BYTES if "/order_groups" in sent.path else point)
        try:
            async with asyncio.timeout(limits["read"]):
                answer = await sent.answer
        except TimeoutError:
            raise httpx.ReadTimeout("no answer") from None
        if isinstance(answer, str):
            raise httpx.ReadError(answer)
        date = formatdate(lines.site.clock.wall_ms() // 1000, usegmt=True)
        return httpx.Response(answer.status, headers={"date": date, **answer.headers}, content=answer.body)


class _Sent:
    """One request on its way, there and back; nothing here is part of the desk."""

    def __init__(self, lines: Lines, request: httpx.Request) -> None:
        self._lines = lines
        self._method, self._headers, self._body = request.method, request.headers, request.content
        self.path, _, self._query = request.url.raw_path.decode().partition("?")
        self.answer: asyncio.Future[Said | str] = lines.loop.create_future()

    def leave(self) -> None:
        lines = self._lines
        lines.tap.bytes_out(self._method, self.path, self._body)
        fate = lines.plan.request(self._method, self.path, lines.now_ms())
        match fate:
            case Delivered(delay_ms=delay_ms):
                self._later(delay_ms, lambda: self._arrive(fate.trades))
                return
            case Cut():
                self._later(0, lambda: self._end("connection reset"))
            case Answered(status=status, body=body):
                self._later(0, lambda: self._end(Said(status, body)))
            case Lost() | Held():
                pass
        lines.tap.request_lost(self._method, self.path, self._body)

    def _later(self, delay_ms: int, step: Callable[[], None]) -> None:
        self._lines.loop.call_later(self._lines.latency_s() + delay_ms / 1000, step)

    def _arrive(self, trades: bool) -> None:
        lines = self._lines
        if trades:
            lines.site.trade_about(self.path, self._body)
        lines.tap.arrived(self._method, self.path, self._body)
        self._go_on(lines.site.handle(self._method, self.path, self._query, self._headers, self._body))

    def _go_on(self, steps: Generator[int, None, Said]) -> None:
        try:
            wait_ms = next(steps)
        except StopIteration as done:
            self._answered(done.value)
        else:
            self._lines.loop.call_later(wait_ms / 1000, self._go_on, steps)

    def _answered(self, answer: Said) -> None:
        lines = self._lines
        lines.tap.carried_out(self._method, self.path, self._body)
        fate = lines.plan.answer(self._method, self.path, lines.now_ms())
        if self._method == "GET":
            lines.remember(self.path, self._query, answer)
        match fate:
            case Delivered(delay_ms=delay_ms):
                self._later(delay_ms, lambda: self._end(answer))
            case Garbled(how=how, pick=pick):
                changed = Said(answer.status, garbled(answer.body, how, pick), answer.headers)
                self._later(0, lambda: self._end(changed))
            case Answered(status=status, body=body):
                instead = Said(status, body)
                self._later(0, lambda: self._end(instead))
            case Repeated():
                old = lines.earlier(self.path, self._query, fate) or answer
                self._later(0, lambda: self._end(old))
            case Cut():
                self._later(0, lambda: self._end("connection reset"))
            case Lost(trades=trades):
                if trades:
                    lines.site.trade_about(self.path, answer.body)
            case Held():
                return

    def _end(self, answer: Said | str) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)


class MemorySocket:
    """A ``Socket`` to a simulated stream."""

    def __init__(self, lines: Lines, url: str) -> None:
        self._lines = lines
        self._inbox: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUED_MAX)
        self._waiting = asyncio.Event()
        self._pongs: list[asyncio.Future[float]] = []
        self._last_command_at = 0.0
        self._held = False
        self._ended = ""
        self._server: Server = lines.site.dial(
            url, self._waiting.set, lambda: self.cut("dropped by the venue")
        )
        self._pump = lines.loop.create_task(self._run(), name="stream to the desk")

    # --- the desk's side ----------------------------------------------------------------------

    async def recv(self) -> bytes:
        data = await self._inbox.get() if not self._ended else None
        if data is None:
            raise SocketError(f"closed: {self._ended}")
        return data

    async def send(self, data: bytes) -> None:
        if self._ended:
            raise SocketError(f"closed: {self._ended}")
        if self._held:
            return
        loop = self._lines.loop
        at = max(loop.time() + self._lines.latency_s(), self._last_command_at + 1e-6)
        self._last_command_at = at
        loop.call_at(at, self._command, data)

    async def ping(self) -> Awaitable[object]:
        if self._ended:
            raise SocketError(f"closed: {self._ended}")
        pong: asyncio.Future[float] = self._lines.loop.create_future()
        self._pongs.append(pong)
        if not self._held:
            self._lines.loop.call_later(2 * self._lines.latency_s(), self._pong, pong)
        return pong

    async def close(self) -> None:
        self.cut("closed here")

    # --- the venue's side ---------------------------------------------------------------------

    def cut(self, why: str) -> None:
        """The connection ends for both."""
        if self._ended:
            return
        self._ended = why
        self._lines.sockets.remove(self)
        self._lines.site.hang_up(self._server)
        self._pump.cancel()
        while not self._inbox.empty():
            self._inbox.get_nowait()
        self._inbox.put_nowait(None)
        for pong in self._pongs:
            if not pong.done():  # whoever waited may have lost patience
                pong.set_exception(SocketError(f"closed: {why}"))
                pong.exception()  # nobody may be waiting for it any more

    def _pong(self, pong: asyncio.Future[float]) -> None:
        if not self._held and not pong.done():
            self._pongs.remove(pong)
            pong.set_result(0.0)

    def _command(self, data: bytes) -> None:
        if not self._ended and not self._held:
            self._lines.site.hear(self._server, data)

    async def _run(self) -> None:
        queue = self._server.queue
        while True:
            await self._waiting.wait()
            self._waiting.clear()
            await asyncio.sleep(self._lines.latency_s())
            while queue:
                await self._pass_on(queue[0].encode() if isinstance(queue[0], str) else queue[0])
                if queue:
                    queue.popleft()

    async def _pass_on(self, data: bytes) -> None:
        fate = self._lines.plan.frame(data, self._lines.now_ms())
        match fate:
            case Delivered(delay_ms=delay_ms, overtakes=True) if delay_ms:
                self._lines.loop.call_later(delay_ms / 1000, self._late, data)
                return
            case Delivered(delay_ms=delay_ms, copies=copies):
                if delay_ms:
                    await asyncio.sleep(delay_ms / 1000)
                for _ in range(copies):
                    await self._inbox.put(data)
            case Garbled(how=how, pick=pick, beside=beside):
                if beside:
                    await self._inbox.put(data)
                await self._inbox.put(garbled(data, how, pick))
            case Lost():
                return
            case Cut():
                self.cut("connection reset")
            case Held():
                self._held = True
                await asyncio.Event().wait()

    def _late(self, data: bytes) -> None:
        if not self._ended and not self._inbox.full():
            self._inbox.put_nowait(data)
