"""Settlement indices of the crypto markets: ticks of each second with their averages, and those between.

Kalshi API: the channels ``cfbenchmarks_value`` and ``cfbenchmarks_value_5hz``. Values are integers of 1e-8
dollars, times world time.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from core.domain.clock import WorldClock
from core.sim.prices import Prices

WINDOW_MS = 60_000
QUARTER_MS = 900_000
EIGHT_DECIMALS = 100_000_000
TICK_MS = 1_000
BEAT_MS = 200

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


class Between(msgspec.Struct, frozen=True):
    """A value of the fast channel: no averages go out with it."""

    index_id: str
    value: int
    ts_ms: int


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
        self.fast_listeners: list[Callable[[Between], None]] = []
        self._recent: dict[str, deque[tuple[int, int]]] = {index_id: deque() for index_id in INDEX_IDS}
        self._fast_ms = dict.fromkeys(INDEX_IDS, 0)

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

    def publish_fast(self, index_id: str, value: int, ts_ms: int) -> None:
        """Tell of a value on the fast channel; one that is not newer than the last there is not told."""
        if ts_ms > self._fast_ms[index_id]:
            self._fast_ms[index_id] = ts_ms
            for listener in self.fast_listeners:
                listener(Between(index_id, value, ts_ms))

    def _quarter(self, recent: deque[tuple[int, int]], ts_ms: int) -> Average | None:
        close_ms = -(-ts_ms // QUARTER_MS) * QUARTER_MS
        start_ms = close_ms - WINDOW_MS
        if ts_ms <= start_ms:
            return None
        within = [v for at, v in recent if start_ms < at <= close_ms]
        # The window leaves its first millisecond out and takes its last one in.
        return Average(_mean(within, 0), len(within), start_ms + 1, close_ms + 1)


class Audience(Protocol):
    """Who follows an index, on the channel of seconds and on the fast one."""

    def follows_index(self, index_id: str) -> bool: ...

    def follows_fast_index(self, index_id: str) -> bool: ...


class Beat:
    """Tells of every index that somebody follows, five times a second of real time at the most, at world
    time: on the fast channel each time, on that of seconds where a second of the world has begun.

    Averages hold every second of the world, however fast it runs.
    """

    def __init__(self, indices: Indices, prices: Prices, world: WorldClock, audience: Audience) -> None:
        self._indices, self._prices, self._world, self._audience = indices, prices, world, audience
        self._next_ms = 0

    def step(self, now_ms: int) -> None:
        if now_ms < self._next_ms:
            return
        self._next_ms = (now_ms // BEAT_MS + 1) * BEAT_MS
        world_ms = self._world.at(now_ms)
        for index_id in filter(self._audience.follows_index, self._indices.ids):
            self._second(index_id, world_ms // TICK_MS * TICK_MS)
        at_ms = world_ms // BEAT_MS * BEAT_MS
        for index_id in filter(self._audience.follows_fast_index, self._indices.ids):
            self._indices.publish_fast(index_id, self._value(index_id, at_ms), at_ms)

    def _second(self, index_id: str, at_ms: int) -> None:
        missed_ms = max(self._indices.newest_ms(index_id) + TICK_MS, at_ms - WINDOW_MS)
        for ts_ms in range(missed_ms, at_ms, TICK_MS):
            self._indices.note(index_id, self._value(index_id, ts_ms), ts_ms)
        self._indices.publish(index_id, self._value(index_id, at_ms), at_ms)

    def _value(self, index_id: str, at_ms: int) -> int:
        return round(self._prices.value(index_id, at_ms) * EIGHT_DECIMALS)


def body(tick: Tick, now_ms: int) -> bytes:
    """The ``msg`` of a value message."""
    shape: dict[str, Any] = {
        "index_id": tick.index_id,
        "received_at": now_ms,
        "data": _raw(tick),
        "avg_60s_data": _average(tick.average),
    }
    if tick.quarter is not None:
        shape["last_60s_windowed_average_15min"] = _average(tick.quarter)
    return msgspec.json.encode(shape)


def fast_body(tick: Between, now_ms: int) -> bytes:
    """The ``msg`` of a value message of the fast channel."""
    shape = {
        "index_id": tick.index_id,
        "value_usd": text(tick.value),
        "source_ts_ms": tick.ts_ms,
        "received_at": now_ms,
        "data": _raw(tick),
    }
    return msgspec.json.encode(shape)


def _raw(tick: Tick | Between) -> str:
    """The source's own message."""
    shape = {"type": "value", "id": tick.index_id, "time": tick.ts_ms, "value": text(tick.value)}
    return json.dumps(shape, separators=(",", ":"))


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
