"""Exchange instances: each trades, pauses and moves money by itself. Kalshi API: exchange sharding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from core.sim import lifecycle
from core.sim.orders import Refused

if TYPE_CHECKING:
    from core.sim.exchange import Exchange

NAMES = {0: "Default", 1: "Combos", 2: "Crypto", 3: "Tennis and Baseball"}

TRADING_PAUSED = Refused("TRADING_PAUSED", "trading is paused")
UNAVAILABLE = Refused("EXCHANGE_UNAVAILABLE", "exchange is unavailable", http=503)


class Shard(msgspec.Struct):
    """``exchange_active`` False means no change of state at all, cancels included."""

    exchange_index: int
    description: str
    exchange_active: bool = True
    trading_active: bool = True
    transfers_active: bool = True


class Maintenance:
    """Announced windows, start and end in real Unix milliseconds, and whether one has begun."""

    def __init__(self) -> None:
        self.windows: list[tuple[int, int]] = []
        self._inside = False

    def run(self, exchange: Exchange, now_ms: int) -> None:
        """Take every shard down when a window begins and bring it up when it ends."""
        inside = any(start_ms <= now_ms < end_ms for start_ms, end_ms in self.windows)
        if inside is not self._inside:
            self._inside = inside
            set_exchange(exchange, not inside)


def all_shards() -> dict[int, Shard]:
    return {index: Shard(index, name) for index, name in NAMES.items()}


def set_trading(exchange: Exchange, active: bool, only: int | None = None) -> None:
    """Trading on one shard or all: while off, orders are refused and pause-cancelled ones leave."""
    for shard in _chosen(exchange, only):
        shard.trading_active = active
        if not active:
            for market in exchange.markets.values():
                if market.spec.exchange_index == shard.exchange_index:
                    lifecycle.halt_orders(exchange, exchange.resting_in(market.spec.ticker))


def set_exchange(exchange: Exchange, active: bool, only: int | None = None) -> None:
    """Maintenance on one shard or all: nothing changes, nothing is traded, no money moves."""
    for shard in _chosen(exchange, only):
        shard.exchange_active = shard.trading_active = shard.transfers_active = active


def refusal(exchange: Exchange, exchange_index: int, *, trading: bool) -> Refused | None:
    """Why a shard cannot carry out a command now, if so. ``trading`` is for commands that may trade."""
    shard = exchange.shards[exchange_index]
    if not shard.exchange_active:
        return UNAVAILABLE
    return TRADING_PAUSED if trading and not shard.trading_active else None


def _chosen(exchange: Exchange, only: int | None) -> list[Shard]:
    return [shard for index, shard in exchange.shards.items() if only is None or index == only]
