"""Cancels: as few calls as the bucket carries, and no outcome without proof."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from core.domain.clock import Clocks
from core.venues.kalshi.cancels import CancelEntry
from core.venues.venue import Cancelled, CancelUnresolved
from tests.venues.scripted import Desk, Script, answer

Run = Callable[[Any], Any]


def test_cancels_fill_calls_the_bucket_can_carry(virtual: Run, virtual_clocks: Clocks) -> None:
    class Cancels(Script):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            rows = json.loads(request.content)["orders"]
            return answer(body={"orders": [{"order_id": r["order_id"], "reduced_by": "1.00"} for r in rows]})

    async def main() -> None:
        script = Cancels(answer())
        desk = Desk(virtual_clocks, script)
        outcomes = await desk.cancels.cancel([CancelEntry(f"o-{n}", "T") for n in range(120)])
        assert [len(json.loads(r.content)["orders"]) for r in script.requests] == [50, 50, 20]
        assert all(isinstance(o, Cancelled) for o in outcomes)
        assert [o.order_id for o in outcomes] == [f"o-{n}" for n in range(120)]
        # 100 tokens are there, the other 140 come at 100 a second.
        assert asyncio.get_running_loop().time() == pytest.approx(1.4, abs=0.05)

    virtual(main())


def test_a_lost_cancel_is_unresolved(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        desk = Desk(virtual_clocks, Script(httpx.ReadError("cut")))
        for orders in ([CancelEntry("a", "T")], [CancelEntry("a", "T"), CancelEntry("b", "T")]):
            outcomes = await desk.cancels.cancel(orders)
            assert [type(o) for o in outcomes] == [CancelUnresolved] * len(orders)

    virtual(main())


def test_a_single_cancel_names_its_market_and_shard(virtual: Run, virtual_clocks: Clocks) -> None:
    async def main() -> None:
        script = Script(answer(body={"order_id": "a/../b", "reduced_by": "1.00"}))
        desk = Desk(virtual_clocks, script)
        outcomes = await desk.cancels.cancel([CancelEntry("a/../b", "T", 2)])
        assert outcomes == (Cancelled("a/../b", 1_000_000),)
        url = script.requests[0].url
        assert url.raw_path.startswith(b"/trade-api/v2/portfolio/events/orders/a%2F..%2Fb?")
        assert dict(url.params) == {"market_ticker": "T", "exchange_index": "2", "subaccount": "0"}

    virtual(main())


def test_a_cancel_that_proved_nothing_goes_by_the_other_endpoint(
    virtual: Run, virtual_clocks: Clocks
) -> None:
    class OneEndpoint(Script):
        """The venue's batch endpoint, or its single one, is down."""

        def __init__(self, down: str) -> None:
            super().__init__(answer())
            self.down = down

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            batch = request.url.path.endswith("/batched")
            if batch == (self.down == "batch"):
                return answer(503)
            if not batch:
                name = request.url.path.rsplit("/", 1)[1]
                return answer(body={"order_id": name, "reduced_by": "1.00"})
            rows = json.loads(request.content)["orders"]
            return answer(body={"orders": [{"order_id": r["order_id"], "reduced_by": "1.00"} for r in rows]})

    async def main() -> None:
        for down, names in (("batch", ("a", "b", "c")), ("single", ("a",))):
            desk = Desk(virtual_clocks, OneEndpoint(down))
            orders = [CancelEntry(name, "T") for name in names]
            assert [type(o) for o in await desk.cancels.cancel(orders)] == [CancelUnresolved] * len(names)
            again = await desk.cancels.cancel(orders)
            assert again == tuple(Cancelled(name, 1_000_000) for name in names)

    virtual(main())
