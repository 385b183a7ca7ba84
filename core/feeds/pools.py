"""A pool of connections for each source that asks.

httpx looks at every connection of its pool for every question and for every answer. One pool of all sources
holds some twenty, and to find a free one among them costs as much as to ask.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import httpx

ASKS: Final = "pmconsole.asks"
"""A request's extension: who asks."""


class Pools(httpx.AsyncBaseTransport):
    """Every source's requests go through connections of its own; all are closed together."""

    def __init__(self, pool: Callable[[], httpx.AsyncBaseTransport]) -> None:
        self._pool = pool
        self._of: dict[str, httpx.AsyncBaseTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        source = request.extensions[ASKS]
        if source not in self._of:
            self._of[source] = self._pool()
        return await self._of[source].handle_async_request(request)

    async def aclose(self) -> None:
        for pool in self._of.values():
            await pool.aclose()


def connected() -> httpx.AsyncClient:
    """The real network: what a provider asks for is not followed elsewhere, and nothing is taken from the
    environment. The caller closes it."""
    trusted = httpx.create_ssl_context(trust_env=False)  # read once: it takes as long as ten questions
    pools = Pools(lambda: httpx.AsyncHTTPTransport(verify=trusted, trust_env=False))
    return httpx.AsyncClient(transport=pools, trust_env=False, follow_redirects=False)
