"""A venue as a whole: which of its shards trade, when it will not, and the cash on each of them."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import msgspec

from core.domain.units import Money


class Restriction(enum.Enum):
    """What a venue as a whole does not take now, in the word the desk has for it."""

    RESTART = "RESTART"
    """Its matching engine comes up again; nothing goes through."""
    POST_ONLY = "POST-ONLY"
    CANCEL_ONLY = "CXL-ONLY"
    MAINTENANCE = "MAINT"
    """In a window it has published."""
    PAUSED = "PAUSED"
    """Nothing changes there, cancels included."""


class ShardState(msgspec.Struct, frozen=True):
    """One part of the venue with its own matching, as ``Market.shard`` names it."""

    shard: int
    exchange_active: bool
    """Off: nothing changes there, cancels included."""
    trading_active: bool
    """Off: no trades and no new orders; cancels work."""


class ExchangeState(msgspec.Struct, frozen=True):
    """Whether the venue takes orders now, and until when not."""

    exchange_active: bool
    trading_active: bool
    resumes: str = ""
    resumes_ms: int | None = None
    """The same moment in real wall milliseconds, where the venue names one."""
    shards: tuple[ShardState, ...] = ()
    """Empty: the venue speaks of itself as a whole."""
    mode: str = ""
    """What it said of itself where that is more than a pause, such as post-only."""
    said: Restriction | None = None
    """The same in a word."""

    @property
    def trading(self) -> bool:
        """Whether it takes orders as a whole."""
        return self.exchange_active and self.trading_active

    def restriction(self, *, maintained: bool) -> Restriction | None:
        """``None`` while it trades; ``maintained``: whether it is in a window it has published."""
        if self.trading:
            return None
        if self.said is not None:
            return self.said
        if maintained:
            return Restriction.MAINTENANCE
        return Restriction.CANCEL_ONLY if self.exchange_active else Restriction.PAUSED

    @property
    def words(self) -> str:
        """Why it takes no orders, for a person; empty while it trades."""
        if self.trading:
            return ""
        paused = f"{'trading' if self.exchange_active else 'exchange'} paused"
        return (self.mode or paused) + (f" until {self.resumes}" if self.resumes else "")

    def at(self, shard: int) -> ShardState | None:
        """``None`` for a shard the venue does not speak of: nothing is known of it."""
        if not self.shards:
            return ShardState(shard, self.exchange_active, self.trading_active)
        return next((state for state in self.shards if state.shard == shard), None)

    def trades(self, shard: int) -> bool | None:
        """Whether orders of this shard's markets can trade; ``None`` = not known."""
        state = self.at(shard)
        return None if state is None else state.exchange_active and state.trading_active


class Maintenance(msgspec.Struct, frozen=True):
    """A published time without trading, in world time like a market's close."""

    start_ms: int
    end_ms: int


class Cash(msgspec.Struct, frozen=True):
    """The account's money. An order sees only what lies on its market's shard."""

    total: Money
    shards: Mapping[int, Money] = {}
    """Empty: the venue does not part its accounts."""

    def on(self, shard: int) -> Money:
        """What orders of this shard's markets can use; a shard the venue does not list holds nothing."""
        return self.shards.get(shard, Money(0)) if self.shards else self.total
