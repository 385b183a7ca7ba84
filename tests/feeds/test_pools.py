"""Each source asks through connections of its own."""

from __future__ import annotations

from typing import Any

import httpx

from core.feeds.fetch import Body, Fetcher
from core.feeds.pools import Pools


class Connections(httpx.AsyncBaseTransport):
    """A pool that notes what went through it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        return httpx.Response(200, headers={"Content-Type": "application/json"}, content=b"{}")

    async def aclose(self) -> None:
        self.closed = True


def test_a_source_asks_through_connections_of_its_own_and_all_are_closed_together(virtual: Any) -> None:
    made: list[Connections] = []

    def another() -> Connections:
        made.append(Connections())
        return made[-1]

    async def work() -> None:
        async with httpx.AsyncClient(transport=Pools(another)) as client:
            one, other = (
                Fetcher(client, "http://host", virtual.clocks(), "test", "application/json", feed=name)
                for name in ("nws-grid", "metar")
            )
            for fetcher, path in ((one, "/1"), (other, "/2"), (one, "/3")):
                assert isinstance(await fetcher.get(path), Body)
            assert not any(pool.closed for pool in made)

    virtual.run(work())
    assert [pool.asked for pool in made] == [["/1", "/3"], ["/2"]]
    assert all(pool.closed for pool in made)
