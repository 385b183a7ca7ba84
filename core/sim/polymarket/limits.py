"""Rate limits: windows at the edge that queue before they refuse, and buckets per signer with debt.

Polymarket docs: rate limits, trading rate limits (copies of autumn 2026).
"""

from __future__ import annotations

from enum import Enum

import msgspec

from core.domain.clock import Clock

QUEUE_MS_MAX = 2_000
"""How long the edge holds a request up before it refuses it; the real figure is unpublished."""


class Group(Enum):
    """Requests that share a window at the edge."""

    CLOB = "clob"
    OK = "ok"
    POST_ORDER = "post order"
    DELETE_ORDER = "delete order"
    POST_ORDERS = "post orders"
    DELETE_ORDERS = "delete orders"
    CANCEL_ALL = "cancel all"
    CANCEL_MARKET = "cancel market"
    BOOK = "book"
    PRICE = "price"
    MIDPOINT = "midpoint"
    BOOKS = "books"
    PRICES = "prices"
    MIDPOINTS = "midpoints"
    HISTORY = "history"
    TICK = "tick"
    LEDGER = "ledger"
    NOTICES = "notices"
    BALANCE = "balance"
    BALANCE_UPDATE = "balance update"
    KEYS = "keys"
    GAMMA = "gamma"
    GAMMA_EVENTS = "gamma events"
    GAMMA_MARKETS = "gamma markets"
    GAMMA_TAGS = "gamma tags"
    GAMMA_SEARCH = "gamma search"
    DATA = "data"
    DATA_POSITIONS = "data positions"
    DATA_TRADES = "data trades"


EDGE_SPAN_S = 10
EDGE_LIMITS: dict[Group, int] = {
    Group.CLOB: 9_000,
    Group.OK: 100,
    Group.POST_ORDER: 5_000,
    Group.DELETE_ORDER: 5_000,
    Group.POST_ORDERS: 2_000,
    Group.DELETE_ORDERS: 2_000,
    Group.CANCEL_ALL: 250,
    Group.CANCEL_MARKET: 1_500,
    Group.BOOK: 1_500,
    Group.PRICE: 1_500,
    Group.MIDPOINT: 1_500,
    Group.BOOKS: 500,
    Group.PRICES: 500,
    Group.MIDPOINTS: 500,
    Group.HISTORY: 1_000,
    Group.TICK: 200,
    Group.LEDGER: 900,
    Group.NOTICES: 125,
    Group.BALANCE: 200,
    Group.BALANCE_UPDATE: 50,
    Group.KEYS: 100,
    Group.GAMMA: 4_000,
    Group.GAMMA_EVENTS: 500,
    Group.GAMMA_MARKETS: 300,
    Group.GAMMA_TAGS: 200,
    Group.GAMMA_SEARCH: 350,
    Group.DATA: 800,
    Group.DATA_POSITIONS: 200,
    Group.DATA_TRADES: 300,
}
"""Requests in that span; the limits over ten minutes are not simulated."""


class _Bucket(msgspec.Struct):
    rate: float
    """Tokens a second."""
    capacity: float
    tokens: float
    at_ns: int

    def refill(self, now_ns: int) -> None:
        self.tokens = min(self.capacity, self.tokens + (now_ns - self.at_ns) / 1e9 * self.rate)
        self.at_ns = now_ns

    def until_s(self, tokens: float) -> float:
        """Seconds until it holds so many."""
        return max(0.0, (tokens - self.tokens) / self.rate)


class Edge:
    """In front of everything, for all clients together: here they share one address."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: dict[Group, _Bucket] = {}
        self.squeeze = 1.0
        """By how much every limit is lowered."""

    def enter(self, groups: tuple[Group, ...]) -> int | None:
        """Milliseconds a request waits before it is let through; None where it is refused."""
        now_ns, waits = self._clock.mono_ns(), [0.0]
        buckets = [self._bucket(group, now_ns) for group in groups]
        for bucket in buckets:
            bucket.refill(now_ns)
            waits.append(bucket.until_s(1) * 1000)
        if max(waits) > QUEUE_MS_MAX:
            return None
        for bucket in buckets:
            bucket.tokens -= 1
        return int(max(waits))

    def _bucket(self, group: Group, now_ns: int) -> _Bucket:
        limit = EDGE_LIMITS[group] / self.squeeze
        bucket = self._buckets.get(group)
        if bucket is None or bucket.capacity != limit:
            bucket = self._buckets[group] = _Bucket(limit / EDGE_SPAN_S, limit, limit, now_ns)
        return bucket


class Tier(Enum):
    """Orders a second and burst, cancels a second and burst, and whether cancels may go into debt."""

    STANDARD = ("standard", 40, 60, 80, 120, True)
    COPPER = ("copper", 60, 90, 120, 180, True)
    BRONZE = ("bronze", 80, 120, 160, 240, True)
    SILVER = ("silver", 200, 300, 400, 600, True)
    GOLD = ("gold", 400, 600, 800, 1_200, True)
    PLATINUM = ("platinum", 450, 675, 900, 1_350, False)
    DIAMOND = ("diamond", 525, 787, 1_050, 1_575, False)
    ELITE = ("elite", 600, 900, 1_200, 1_800, False)

    @property
    def word(self) -> str:
        return self.value[0]

    def budget(self, *, cancels: bool) -> tuple[int, int]:
        return (self.value[3], self.value[4]) if cancels else (self.value[1], self.value[2])

    @property
    def lends(self) -> bool:
        """Whether a cancel may take more than there is; what follows waits."""
        return self.value[5]


class Charge(msgspec.Struct, frozen=True):
    """What a signer's bucket said: headers of the answer, and whether the request may go on."""

    allowed: bool
    remaining: int
    reset_s: int
    """Unix seconds at which the bucket is full again."""
    tier: Tier
    wait_s: int

    def headers(self, *, enforced: bool) -> dict[str, str]:
        found = {
            "Poly-RateLimit-Remaining": str(self.remaining),
            "Poly-RateLimit-Reset": str(self.reset_s),
            "Poly-RateLimit-Tier": self.tier.word,
        }
        if not self.allowed and not enforced:
            found["Poly-RateLimit-Warning"] = "limit exceeded"
        return found


class Signers:
    """Everybody's order and cancel buckets; ``enforced`` off is the venue's warning mode."""

    def __init__(self, clock: Clock, tier: Tier = Tier.STANDARD) -> None:
        self._clock, self._tier = clock, tier
        self.enforced = True
        self.squeeze = 1.0
        """By how much every bucket is smaller and slower than its tier says."""
        self.tiers: dict[str, Tier] = {}
        self._buckets: dict[tuple[str, bool], _Bucket] = {}

    def charge(self, signer: str, cost: int, *, cancels: bool) -> Charge:
        """Take ``cost`` tokens, all or none; a lending bucket only has to hold one."""
        now_ns, tier = self._clock.mono_ns(), self.tiers.get(signer, self._tier)
        rate, burst = (each / self.squeeze for each in tier.budget(cancels=cancels))
        bucket = self._buckets.get((signer, cancels))
        if bucket is None or bucket.capacity != burst:
            bucket = self._buckets[signer, cancels] = _Bucket(rate, burst, burst, now_ns)
        bucket.refill(now_ns)
        least = 1 if cancels and tier.lends else cost
        allowed = bucket.tokens >= least
        if allowed or not self.enforced:
            bucket.tokens -= cost
        wait_s = 0 if allowed else max(1, -int(-bucket.until_s(least) // 1))
        reset_s = self._clock.wall_ms() // 1000 + -int(-bucket.until_s(burst) // 1)
        return Charge(allowed, max(0, int(bucket.tokens)), reset_s, tier, wait_s)

    def owe(self, signer: str, cost: int) -> None:
        """Charge what a cancel turned out to cost on top."""
        bucket = self._buckets.get((signer, True))
        if bucket is not None:
            bucket.tokens -= cost
