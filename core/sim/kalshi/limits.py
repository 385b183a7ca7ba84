"""Token buckets as Kalshi runs them: read and write budgets per account, a bucket for balances.

Kalshi API: rate limits. Tiers and costs are the published ones of November 2026.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum

import msgspec

from core.domain.clock import Clock

DEFAULT_COST = 10


class Tier(Enum):
    """Tokens a second: read, write."""

    BASIC = ("basic", 200, 100)
    ADVANCED = ("advanced", 300, 300)
    EXPERT = ("expert", 600, 600)
    PREMIER = ("premier", 1_000, 1_000)
    PARAGON = ("paragon", 2_000, 2_000)
    PRIME = ("prime", 4_000, 4_000)
    PRESTIGE = ("prestige", 10_000, 8_000)

    @property
    def word(self) -> str:
        return self.value[0]

    @property
    def read(self) -> tuple[int, int]:
        """Refill a second and capacity: two seconds' worth for the two lowest tiers."""
        rate = self.value[1]
        return rate, rate * (2 if self in (Tier.BASIC, Tier.ADVANCED) else 1)

    @property
    def write(self) -> tuple[int, int]:
        """Refill a second and capacity: two seconds' worth above the lowest tier."""
        rate = self.value[2]
        return rate, rate * (1 if self is Tier.BASIC else 2)

    @property
    def balance(self) -> tuple[int, int]:
        """Balance reads a second, without burst."""
        rate = 1 if self in (Tier.BASIC, Tier.ADVANCED) else 5
        return rate, rate


ANONYMOUS = (750, 1_500)
"""Read budget shared by unsigned requests: outsiders met the first refusal near 77 market reads a second."""


class Kind(Enum):
    READ = "read"
    WRITE = "write"
    BALANCE = "balance"


class _Bucket(msgspec.Struct):
    rate: int
    capacity: int
    tokens: float
    at_ns: int

    def holds(self, cost: int, now_ns: int) -> bool:
        refilled = self.tokens + (now_ns - self.at_ns) / 1e9 * self.rate
        self.tokens, self.at_ns = min(self.capacity, refilled), now_ns
        return cost <= self.tokens


UNSCOPED = (0,)
"""The lane of everything that names no other shard."""


class Limiter:
    """Everybody's buckets. Accounts are on ``tier`` unless ``tiers`` says otherwise."""

    def __init__(self, clock: Clock, tier: Tier = Tier.ADVANCED) -> None:
        self._clock, self._tier = clock, tier
        self.tiers: dict[str, Tier] = {}
        self._buckets: dict[tuple[str | None, Kind, int], _Bucket] = {}

    def tier_of(self, account: str) -> Tier:
        return self.tiers.get(account, self._tier)

    def upgrade(self, account: str) -> None:
        """Grant the advanced tier for good; buckets of a lower one go."""
        if self.tier_of(account) is Tier.BASIC:
            self.tiers[account] = Tier.ADVANCED
            for bucket in [bucket for bucket in self._buckets if bucket[0] == account]:
                del self._buckets[bucket]

    def take(self, account: str | None, kind: Kind, cost: int, lanes: Collection[int] = UNSCOPED) -> bool:
        """Pay ``cost`` in every lane at once or not at all; ``None`` is everybody who does not sign.

        A lane is a shard with write tokens of its own, 0 the unscoped bucket.
        """
        now_ns = self._clock.mono_ns()
        buckets = [self._bucket((account, kind, lane), now_ns) for lane in lanes]
        if not all(bucket.holds(cost, now_ns) for bucket in buckets):
            return False
        for bucket in buckets:
            bucket.tokens -= cost
        return True

    def _bucket(self, name: tuple[str | None, Kind, int], now_ns: int) -> _Bucket:
        bucket = self._buckets.get(name)
        if bucket is None:
            rate, capacity = self._budget(name[0], name[1])
            bucket = self._buckets[name] = _Bucket(rate, capacity, capacity, now_ns)
        return bucket

    def _budget(self, account: str | None, kind: Kind) -> tuple[int, int]:
        if account is None:
            return ANONYMOUS
        tier = self.tier_of(account)
        return {Kind.READ: tier.read, Kind.WRITE: tier.write, Kind.BALANCE: tier.balance}[kind]
