"""A client of the simulated feeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest


class FeedDesk:
    """A quiet world on virtual time and a way to ask its feeds."""

    def __init__(self, desk: Any) -> None:
        self.desk, self.sim, self.world, self.weather = desk, desk.sim, desk.sim.world, desk.sim.world.weather
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(desk.sim.feeds),
            base_url="http://feeds",
            headers={"User-Agent": "test (a@b.c)"},
        )

    async def get(self, path: str, **headers: str) -> httpx.Response:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(path, headers=fields)

    async def json(self, path: str, status: int = 200) -> Any:
        answer = await self.get(path)
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
def feeds(make_desk: Callable[..., Any]) -> FeedDesk:
    return FeedDesk(make_desk("demo"))
