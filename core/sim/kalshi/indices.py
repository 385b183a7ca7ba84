"""Settlement indices of the crypto markets: ticks about once a second and their averages.

Kalshi API: the ``cfbenchmarks_value`` channel. Values are integers of 1e-8 dollars.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

WINDOW_MS = 60_000
QUARTER_MS = 900_000
EIGHT_DECIMALS = 100_000_000
TICK_MS = 1_000

STARTS = {
    "BRTI": 91_250,
    "ETHUSD_RTI": 3_020,
    "SOLUSD_RTI": 141,
    "XRPUSD_RTI": 2,
    "DOGEUSD_RTI": 1,
}
"""The indices served and about where each begins, in dollars."""


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
        self._recent: dict[str, deque[tuple[int, int]]] = {index_id: deque() for index_id in STARTS}

    @property
    def ids(self) -> list[str]:
        return list(self._recent)

    def publish(self, index_id: str, value: int, ts_ms: int) -> None:
        """A value at its source's time; one that is not newer than the last is ignored."""
        recent = self._recent[index_id]
        if recent and ts_ms <= recent[-1][0]:
            return
        while recent and recent[0][0] <= ts_ms - WINDOW_MS - TICK_MS:
            recent.popleft()
        before = [v for at, v in recent if ts_ms - WINDOW_MS <= at < ts_ms]
        recent.append((ts_ms, value))
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


class Walk:
    """Moves every index a little each second of real time, from a seed's stream."""

    def __init__(self, indices: Indices, chance: Random) -> None:
        self._indices, self._chance = indices, chance
        self._values = {index_id: dollars * EIGHT_DECIMALS for index_id, dollars in STARTS.items()}
        self._next_ms = 0

    def step(self, now_ms: int) -> None:
        if now_ms < self._next_ms:
            return
        self._next_ms = now_ms + TICK_MS
        for index_id, value in self._values.items():
            moved = value + int(value * self._chance.gauss(0, 0.00005))
            self._values[index_id] = max(EIGHT_DECIMALS // 100, moved)
            self._indices.publish(index_id, self._values[index_id], now_ms)


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
