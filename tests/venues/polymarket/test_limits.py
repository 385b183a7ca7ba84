"""The venue's published limits are never exceeded by what the buckets let through."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from core.domain.clock import Clocks
from core.venues.limiter import Kind, Limiter, Priority
from core.venues.polymarket import endpoints as ep
from core.venues.polymarket.limits import CAPACITIES, TIERS, WINDOW_S

Run = Callable[[Any], Any]
PUBLISHED = [
    (ep.EVENTS, 500),
    (ep.MARKETS, 300),
    (ep.TAGS, 200),
    (ep.SEARCH, 350),
    (ep.BOOK, 1_500),
    (ep.BOOKS, 500),
    (ep.TICK_SIZE, 200),
    (ep.HISTORY, 1_000),
    (ep.OK, 100),
    (ep.ORDERS, 500),
    (ep.TRADES, 500),
    (ep.BALANCE, 200),
    (ep.REFRESH_BALANCE, 50),
    (ep.POSITIONS, 200),
]


@pytest.mark.parametrize(
    ("endpoint", "calls"), PUBLISHED, ids=lambda value: getattr(value, "path", str(value))
)
def test_no_ten_seconds_hold_more_calls_than_published(
    virtual: Run, virtual_clocks: Clocks, endpoint: Any, calls: int
) -> None:
    """Even for a caller nothing but the mirror of the venue's bucket holds back."""

    async def main() -> None:
        limiter, sent = Limiter(virtual_clocks, CAPACITIES), deque[float]()
        for _ in range(calls + calls // 2):
            assert await limiter.admit(endpoint.kind, Priority.CANCEL, endpoint.cost) is None
            now = asyncio.get_running_loop().time()
            sent.append(now)
            while sent[0] <= now - WINDOW_S:
                sent.popleft()
            assert len(sent) <= calls
        assert now > 1.0  # it did hold back

    virtual(main())


def test_an_account_begins_on_the_lowest_tier() -> None:
    assert CAPACITIES[Kind.WRITE] == TIERS["standard"].orders
    assert all(
        tier.orders.rate >= 40 and tier.cancels.rate == 2 * tier.orders.rate for tier in TIERS.values()
    )
