"""Settlement indices of the crypto markets: ticks about once a second and their averages.

Kalshi API: the ``cfbenchmarks_value`` channel. Values are integers of 1e-8 dollars, times world time.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from core.domain.clock import WorldClock
from core.sim.prices import Prices

WINDOW_MS = 60_000
QUARTER_MS = 900_000
EIGHT_DECIMALS = 100_000_000
TICK_MS = 1_000

INDEX_IDS = ("BRTI", "ETHUSD_RTI", "SOLUSD_RTI", "XRPUSD_RTI", "DOGEUSD_RTI")
"""The indices served, by their names in this world's prices."""


class Tick(msgspec.Struct, frozen=True):
    """One value with the averages that go out with it."""

    index_id: str
    value: int
    ts_ms: int
    average: Average
    quarter: Average | None
    """Of the last minute before a quarter hour, within that minute only."""


class Average(msgspec.Struct, frozen=True):
    value: int
    ticks: int
    start_ms: int
    end_ms: int
    """Exclusive."""


class Indices:
    """Every index, its last minute, and who listens."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[Tick], None]] = []
        self._recent: dict[str, deque[tuple[int, int]]] = {index_id: deque() for index_id in INDEX_IDS}

    @property
    def ids(self) -> list[str]:
        return list(self._recent)

    def newest_ms(self, index_id: str) -> int:
        """Time of the last value; 0 before the first."""
        recent = self._recent[index_id]
        return recent[-1][0] if recent else 0

    def note(self, index_id: str, value: int, ts_ms: int) -> bool:
        """Take a value at its source's time into the averages; one that is not newer than the last is not."""
        recent = self._recent[index_id]
        if recent and ts_ms <= recent[-1][0]:
            return False
        while recent and recent[0][0] <= ts_ms - WINDOW_MS - TICK_MS:
            recent.popleft()
        recent.append((ts_ms, value))
        return True

    def publish(self, index_id: str, value: int, ts_ms: int) -> None:
        """Take a value and tell of it."""
        if not self.note(index_id, value, ts_ms):
            return
        recent = self._recent[index_id]
        before = [v for at, v in recent if ts_ms - WINDOW_MS <= at < ts_ms]
        average = Average(_mean(before, value), len(before), ts_ms - WINDOW_MS, ts_ms)
        tick = Tick(index_id, value, ts_ms, average, self._quarter(recent, ts_ms))
        for listener in self.listeners:
            listener(tick)

    def _quarter(self, recent: deque[tuple[int, int]], ts_ms: int) -> Average | None:
        close_ms = -(-ts_ms // QUARTER_MS) * QUARTER_MS
        start_ms = close_ms - WINDOW_MS
        if ts_ms <= start_ms:
            return None
        within = [v for at, v in recent if start_ms < at <= close_ms]
        # The window leaves its first millisecond out and takes its last one in.
        return Average(_mean(within, 0), len(within), start_ms + 1, close_ms + 1)


class Beat:
    """Tells of every index that somebody follows, once a second of real time, at world time.

    Averages hold every second of the world, however fast it runs.
    """

    def __init__(
        self, indices: Indices, prices: Prices, world: WorldClock, follows: Callable[[str], bool]
    ) -> None:
        self._indices, self._prices, self._world, self._follows = indices, prices, world, follows
        self._next_ms = 0

    def step(self, now_ms: int) -> None:
        if now_ms < self._next_ms:
            return
        self._next_ms = now_ms + TICK_MS
        at_ms = self._world.at(now_ms) // TICK_MS * TICK_MS
        for index_id in filter(self._follows, self._indices.ids):
            missed_ms = max(self._indices.newest_ms(index_id) + TICK_MS, at_ms - WINDOW_MS)
            for ts_ms in range(missed_ms, at_ms, TICK_MS):
                self._indices.note(index_id, self._value(index_id, ts_ms), ts_ms)
            self._indices.publish(index_id, self._value(index_id, at_ms), at_ms)

    def _value(self, index_id: str, at_ms: int) -> int:
        return round(self._prices.value(index_id, at_ms) * EIGHT_DECIMALS)


def body(tick: Tick, now_ms: int) -> bytes:
    """The ``msg`` of a value message."""
    raw = json.dumps(
        {"type": "value", "id": tick.index_id, "time": tick.ts_ms, "value": text(tick.value)},
        separators=(",", ":"),
    )
    shape: dict[str, Any] = {
        "index_id": tick.index_id,
        "received_at": now_ms,
        "data": raw,
        "avg_60s_data": _average(tick.average),
    }
    if tick.quarter is not None:
        shape["last_60s_windowed_average_15min"] = _average(tick.quarter)
    return msgspec.json.encode(shape)


def text(value: int) -> str:
    return f"{value // EIGHT_DECIMALS}.{value % EIGHT_DECIMALS:08d}"


def _average(of: Average) -> dict[str, Any]:
    return {
        "value": text(of.value),
        "window_size": of.ticks,
        "window_start_ts_ms": of.start_ms,
        "window_end_ts_exclusive": of.end_ms,
    }


def _mean(values: list[int], otherwise: int) -> int:
    return sum(values) // len(values) if values else otherwise
