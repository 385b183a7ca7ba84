"""A provider of a test's making behind a source that is built as a desk builds it, in virtual time."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from core.feeds.budget import Budget
from core.feeds.declaration import Declaration, Key
from core.feeds.feed import Feed
from core.feeds.pace import Pace
from core.feeds.registry import at_speed
from core.feeds.wiring import Transports, Wiring
from core.venues.socket import Socket, SocketError, SocketFactory
from tests.feeds.sockets import into


async def no_stream(url: str, headers: object) -> Socket:
    raise SocketError("cannot connect: there is no stream here")


class Service:
    """Answers each question with what ``answer`` makes of the request, or an application does, and notes when
    it was asked."""

    def __init__(
        self,
        virtual: Any,
        of: Declaration,
        build: Callable[[Wiring], Feed],
        world_ms: int,
        *,
        speed: float = 1.0,
        every_s: float = 60.0,
        follows: tuple[str, ...] = (),
        sockets: SocketFactory = no_stream,
        key: str = "secret-of-a-test",
        app: Any = None,
        urls: Mapping[str, str] | None = None,
    ) -> None:
        self.clocks = virtual.clocks(speed, world_ms)
        self.requests: list[tuple[float, httpx.Request]] = []
        self.told: list[Any] = []
        self.answer: Callable[[httpx.Request], httpx.Response] = lambda _: httpx.Response(503)
        self.most_in_flight = self._in_flight = 0
        self._virtual, self._build = virtual, build
        self._app = httpx.ASGITransport(app) if app is not None else None
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._respond))
        connect = into(app) if app is not None else sockets
        shared = Transports(
            client, connect, self.clocks, random.Random(3), "pmconsole/test", self.told.append
        )
        self.budget = Budget(of.quotas, self.clocks)
        urls = {role: f"http://sim/{role}" for role in of.urls} | dict(urls or {})
        pace = Pace(self.clocks)
        of = at_speed(of, self.clocks.world)
        held = Key(key) if of.key is not None else None
        self.wiring = Wiring(of, urls, every_s, self.budget, pace, shared, held, follows=follows)
        self.feed = build(self.wiring)

    def run(self, seconds: float) -> Feed:
        """So long (real seconds of the virtual loop); again it goes on with the same feed."""
        self._virtual.run_for(seconds, self.feed.run)
        return self.feed

    def paths(self) -> list[str]:
        return [request.url.raw_path.decode() for _, request in self.requests]

    def times(self) -> list[float]:
        return [at for at, _ in self.requests]

    def gaps(self) -> list[float]:
        return [b - a for a, b in itertools.pairwise(self.times())]

    async def _respond(self, request: httpx.Request) -> httpx.Response:
        self.requests.append((self._virtual.loop.time(), request))
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        await asyncio.sleep(0.5)
        self._in_flight -= 1
        if self._app is None:
            return self.answer(request)
        answer = await self._app.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())
