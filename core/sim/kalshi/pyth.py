"""Pyth's prices, passed on: what this world's pairs, metals and yields are worth while they trade.

Kalshi API: the ``pyth_value`` channel. What has not changed since is not told again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from core.domain.clock import WorldClock
from core.sim.prices import Prices

TICK_MS = 1_000
UNDERLYINGS = {
    "FX.EUR/USD": "EUR/USD",
    "FX.GBP/USD": "GBP/USD",
    "FX.USD/JPY": "USD/JPY",
    "InterestRate.US10Y": "US10Y",
    "Metal.XAU/USD": "XAU/USD",
}
"""What is told of, and whose price of this world it is."""


class Listeners(Protocol):
    """Who follows an underlying, and how they are told."""

    def follows_underlying(self, ticker: str) -> bool: ...

    def tell_underlying(self, ticker: str, body: bytes) -> None: ...


class Pyth:
    """Tells of every underlying that somebody follows, once a second of real time, at world time."""

    def __init__(
        self, prices: Prices, world: WorldClock, listeners: Listeners, wall_ms: Callable[[], int]
    ) -> None:
        self._prices, self._world, self._listeners, self._wall_ms = prices, world, listeners, wall_ms
        self._newest: dict[str, int] = {}
        self._next_ms = 0

    def step(self, now_ms: int) -> None:
        if now_ms < self._next_ms:
            return
        self._next_ms = now_ms + TICK_MS
        for ticker, name in UNDERLYINGS.items():
            at_ms = self._prices.last_ms(name, self._world.at(now_ms))
            if self._listeners.follows_underlying(ticker) and at_ms > self._newest.get(ticker, 0):
                self._newest[ticker] = at_ms
                self._listeners.tell_underlying(ticker, self._body(ticker, name, at_ms))

    def _body(self, ticker: str, name: str, at_ms: int) -> bytes:
        return msgspec.json.encode(
            {
                "underlying_ticker": ticker,
                "value_usd": f"{self._prices.value(name, at_ms, 'pyth'):.8f}",
                "source_ts_ms": at_ms,
                "received_at": self._wall_ms(),
            }
        )
