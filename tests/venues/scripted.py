"""The client's calls on a scripted transport: what is sent is kept, what is answered is a list."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import httpx

from core.domain.clock import Clocks
from core.domain.market import Venue
from core.domain.order import BookSide, OrderIntent, Purpose, TimeInForce
from core.domain.units import Money, Price, contracts
from core.venues.http import LAST_STEP
from core.venues.kalshi.cancels import Cancels
from core.venues.kalshi.http import KalshiHttp
from core.venues.kalshi.orders import Orders, create_order
from core.venues.limiter import Limiter, Priority
from core.venues.venue import LastCheck

Reply = httpx.Response | Exception
CREATED = b'{"order_id":"o-1","fill_count":"0.00","remaining_count":"1.00","ts_ms":17}'
INTENT = OrderIntent(
    client_order_id="c-1",
    venue=Venue.KALSHI,
    ticker="KX-A",
    side=BookSide.BID,
    purpose=Purpose.OPEN,
    price=Price(3_200),
    quantity=contracts(1),
    tif=TimeInForce.GTC,
    post_only=True,
    reduce_only=False,
    expires_ms=None,
    created_ms=0,
    reserved=Money(0),
)


class Script(httpx.AsyncBaseTransport):
    """Answers from a list; announces the last step before the bytes as the network's transport does."""

    def __init__(self, *replies: Reply, before_bytes: Exception | None = None, delay_s: float = 0.0) -> None:
        self.replies, self.before_bytes, self.delay_s = list(replies), before_bytes, delay_s
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.before_bytes is not None:
            raise self.before_bytes
        trace = request.extensions.get("trace")
        if trace is not None:
            await trace(LAST_STEP, {})
        self.requests.append(request)
        await asyncio.sleep(self.delay_s)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return reply


class FixedSigner:
    def __init__(self) -> None:
        self.signed: list[tuple[str, str, int]] = []

    def headers(self, method: str, path: str, wall_ms: int) -> dict[str, str]:
        self.signed.append((method, path, wall_ms))
        return {"KALSHI-ACCESS-KEY": "k"}


class Desk:
    def __init__(self, clocks: Clocks, script: httpx.AsyncBaseTransport, subaccount: int = 0) -> None:
        self.anomalies: list[tuple[str, str]] = []
        self.lockouts: list[str] = []
        self.signer, self.limiter = FixedSigner(), Limiter(clocks)
        self.http = KalshiHttp(
            "http://127.0.0.1:1/trade-api/v2",
            self.signer,
            clocks=clocks,
            limiter=self.limiter,
            rng=random.Random(1),
            transports=lambda limits: script,
            on_anomaly=lambda what, detail: self.anomalies.append((what, detail)),
            on_credential=self.lockouts.append,
            subaccount=subaccount,
        )
        self.orders, self.cancels = Orders(self.http), Cancels(self.http)

    async def place(self, check: LastCheck = lambda: None) -> Any:
        return await self.orders.place(create_order(INTENT, None), check, Priority.ENTRY, 0.0)


def answer(status: int = 200, body: bytes | dict[str, Any] = b"{}", **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.Response(status, content=content, headers=headers)
