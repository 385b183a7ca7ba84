"""What the venue remembers of our orders, and when a book counts as verified."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from core.config.paths import Environment
from core.domain.book import new_book
from core.domain.clock import Clocks
from core.domain.market import CENT_GRID
from core.venues.http import LAST_STEP
from core.venues.kalshi.account import Account
from core.venues.kalshi.hosts import Addresses
from core.venues.kalshi.venue import KalshiConfig, KalshiVenue, connect
from core.venues.limiter import Priority
from core.venues.venue import (
    UNSEALED,
    Accepted,
    BookView,
    Link,
    LinkState,
    NeverSent,
    ReportStatus,
    verified_ns,
)
from tests.venues.scripted import INTENT

Run = Callable[[Any], Any]
RESTING_MAX = 44
"""More than these and the lowest tier's bucket cannot take an entry and still cancel everything."""


class Exchange(httpx.AsyncBaseTransport):
    """Lists ``resting`` orders, takes every order and knows no order to cancel."""

    def __init__(self) -> None:
        self.resting: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if (trace := request.extensions.get("trace")) is not None:
            await trace(LAST_STEP, {})
        if request.method == "DELETE":
            return httpx.Response(404, json={"error": {"code": "not_found"}})
        if request.method == "POST":
            made = {"order_id": "new", "fill_count": "0.00", "remaining_count": "1.00", "ts_ms": 1}
            return httpx.Response(201, json=made)
        orders = [
            {
                "order_id": order_id,
                "ticker": "KX-A",
                "book_side": "bid",
                "status": "resting",
                "yes_price_dollars": "0.3200",
                "initial_count_fp": "1.00",
                "fill_count_fp": "0.00",
                "remaining_count_fp": "1.00",
            }
            for order_id in self.resting
        ]
        return httpx.Response(200, content=json.dumps({"orders": orders, "cursor": ""}))


class Key:
    def headers(self, method: str, path: str, wall_ms: int) -> dict[str, str]:
        return {}


async def forget_by_list(venue: KalshiVenue, exchange: Exchange) -> None:
    exchange.resting = []
    assert await venue.orders(status=ReportStatus.RESTING) == ()


async def forget_by_cancel(venue: KalshiVenue, exchange: Exchange) -> None:
    for order_id in exchange.resting:
        await venue.cancel([(order_id, "KX-A")])


async def one_market_only(venue: KalshiVenue, exchange: Exchange) -> None:
    exchange.resting = []
    assert await venue.orders(ticker="KX-B", status=ReportStatus.RESTING) == ()


@pytest.mark.parametrize(
    ("ended", "free"),
    [(forget_by_list, True), (forget_by_cancel, True), (one_market_only, False)],
)
def test_orders_that_ended_unheard_hold_no_tokens(
    virtual: Run, virtual_clocks: Clocks, recorder: Any, ended: Any, free: bool
) -> None:
    exchange = Exchange()
    exchange.resting = [f"o-{n}" for n in range(RESTING_MAX + 1)]
    at = Addresses("http://127.0.0.1:1/trade-api/v2", "ws://127.0.0.1:1/trade-api/ws/v2")
    config = KalshiConfig(at, Environment.SIM, Key())

    async def main() -> None:
        venue = connect(
            config,
            clocks=virtual_clocks,
            rng=random.Random(1),
            listener=recorder,
            http_factory=lambda limits: exchange,
        )
        await venue.orders(status=ReportStatus.RESTING)
        assert isinstance(await venue.place(INTENT, UNSEALED, lambda: None), NeverSent)
        await ended(venue, exchange)
        expected = Accepted if free else NeverSent
        assert isinstance(await venue.place(INTENT, UNSEALED, lambda: None), expected)
        await venue.close()

    virtual(main())


class Asked:
    """A reader that notes with which priority a list is asked for."""

    def __init__(self) -> None:
        self.priorities: list[Priority] = []

    async def every(self, endpoint: Any, items: str, priority: Priority, *rest: Any) -> tuple[Any, ...]:
        self.priorities.append(priority)
        return ()


async def test_the_search_for_an_unknown_order_goes_before_reconciliation() -> None:
    reader = Asked()
    account = Account(reader)
    await account.orders("KX-A", None, 1_000)
    await account.orders(None, ReportStatus.RESTING, None)
    assert reader.priorities == [Priority.FLATTEN, Priority.RECONCILE]


@pytest.mark.parametrize(
    ("intact", "state", "heartbeat_ns", "verified"),
    [
        (True, LinkState.OK, 9, 9),
        (True, LinkState.OK, 3, 5),
        (False, LinkState.OK, 9, 5),  # a pong says nothing about a book with a gap
        (True, LinkState.DOWN, 9, 5),
        (True, LinkState.CONNECTING, 9, 5),
    ],
)
def test_a_pong_verifies_unbroken_books_only(
    intact: bool, state: LinkState, heartbeat_ns: int, verified: int
) -> None:
    view = BookView(new_book(CENT_GRID), intact=intact, message_ns=5)
    assert verified_ns(view, Link(state, heartbeat_ns)) == verified
