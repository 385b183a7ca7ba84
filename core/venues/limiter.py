"""Token buckets that mirror the venue's, and who may draw from them first.

Two levels a bucket: the *mirror* runs at the published rate and holds what the venue would still
grant; the *paced* one runs at 70 %, slower after a 429, and holds everybody but cancels back.
Priorities are strict; only the background classes age, so that reads cannot starve each other.
"""

from __future__ import annotations

import asyncio
import enum
from collections import deque
from collections.abc import Callable

import msgspec

from core.domain.clock import Clock
from core.venues.decisions import Decisions, LimiterReport

SECOND_NS = 1_000_000_000

PACE_MAX = 0.7
PACE_MIN = 0.1
PACE_RECOVERY_PER_S = 0.01
"""After a 429 halved it, the pace comes back by this much a second."""
ENTRY_RESERVE = 0.3
"""Entries leave this share of the write bucket alone."""
QUEUE_MAX = 50
ENTRY_WAIT_NS_MAX = SECOND_NS
AGEING_NS = 2 * SECOND_NS
"""A waiting background request rises by one class every so often, up to ``RECONCILE``."""
STORM_COUNT, STORM_WINDOW_NS, STORM_PAUSE_NS = 3, 10 * SECOND_NS, 60 * SECOND_NS


class Priority(enum.IntEnum):
    CANCEL = 0
    """Cancels, group triggers, heartbeats: behind nothing but the venue's own bucket."""
    FLATTEN = 1
    """Reduce-only exits and look-ups of unknown orders."""
    EXIT = 2
    RECONCILE = 3
    ENTRY = 4
    BACKGROUND = 5


class Kind(enum.Enum):
    READ = "read"
    WRITE = "write"
    """Every shard but the first has one of its own for orders that name it."""
    BALANCE = "balance"
    """The balance call, where it has a bucket of its own."""
    CANCEL = "cancel"
    """Cancels, where the venue counts them apart from orders; elsewhere they draw on ``WRITE``."""
    BOOKS = "books"
    """Public books and prices, where they are counted apart from the account's reads."""
    LISTS = "lists"
    """Events and markets, where a host of their own lists them."""
    HISTORY = "history"
    """What an indexer tells late, where there is one."""


class Capacity(msgspec.Struct, frozen=True):
    """One bucket as published: tokens a second and tokens it holds."""

    rate: float
    burst: float


BASIC = {Kind.READ: Capacity(200, 400), Kind.WRITE: Capacity(100, 100), Kind.BALANCE: Capacity(1, 1)}
"""Kalshi's lowest tier, used until the account's own limits are known."""


class Level(msgspec.Struct, frozen=True):
    """How full one bucket is."""

    kind: Kind
    shard: int
    left: float
    """Tokens that cancels could draw now; below nothing while the venue is owed some."""
    capacity: Capacity
    pace: float
    """Share of the rate that everybody but cancels is held to."""
    waiting: int
    """Requests in its queue."""


class Refused(msgspec.Struct, frozen=True):
    """The request was not let through; no token was taken."""

    reason: str


class _Tokens:
    """A continuously refilled bucket."""

    __slots__ = ("at_ns", "burst", "level", "rate")

    def __init__(self, rate: float, burst: float, now_ns: int) -> None:
        self.rate, self.burst, self.level, self.at_ns = rate, burst, burst, now_ns

    def refill(self, now_ns: int) -> None:
        # A suspended machine mints no more than the burst; a clock that steps back mints nothing.
        elapsed = max(0, now_ns - self.at_ns)
        self.level = min(self.burst, self.level + self.rate * elapsed / SECOND_NS)
        self.at_ns = now_ns

    def wait_ns(self, cost: float) -> int:
        """Time until the level covers ``cost``."""
        missing = cost - self.level
        return 0 if missing <= 1e-9 else max(1, int(missing / self.rate * SECOND_NS) + 1)


class _Waiter:
    __slots__ = ("cost", "number", "priority", "reserve", "since_ns", "turn")

    def __init__(self, number: int, priority: Priority, cost: float, reserve: float, since_ns: int) -> None:
        self.number, self.priority, self.cost = number, priority, cost
        self.reserve, self.since_ns = reserve, since_ns
        self.turn: asyncio.Future[Refused | None] = asyncio.get_running_loop().create_future()

    def rank(self, now_ns: int) -> tuple[int, int]:
        rank = int(self.priority)
        if rank > Priority.RECONCILE:
            rank = max(Priority.RECONCILE, rank - (now_ns - self.since_ns) // AGEING_NS)
        return rank, self.number


class _Bucket:
    """One kind's two levels and the requests that wait for them."""

    def __init__(self, capacity: Capacity, clock: Clock) -> None:
        self._clock = clock
        self._waiting: list[_Waiter] = []
        self._asked = 0
        self._timer: asyncio.TimerHandle | None = None
        self._pace = PACE_MAX
        self._pace_ns = now = clock.mono_ns()
        self.capacity = capacity
        self._mirror = _Tokens(capacity.rate, capacity.burst, now)
        self._paced = _Tokens(capacity.rate * self._pace, capacity.burst, now)

    def resize(self, capacity: Capacity) -> None:
        """Take over another size. What is there stays; a larger bucket fills up at its own rate."""
        self._refill(self._clock.mono_ns())
        self.capacity = capacity
        self._mirror.rate = capacity.rate
        for tokens in (self._mirror, self._paced):
            tokens.burst, tokens.level = capacity.burst, min(tokens.level, capacity.burst)
        for waiter in [w for w in self._waiting if w.cost + w.reserve > capacity.burst]:
            self._answer(waiter, _too_large(waiter.cost, waiter.reserve))
        self._pump()

    def _refill(self, now_ns: int) -> None:
        gained = PACE_RECOVERY_PER_S * max(0, now_ns - self._pace_ns) / SECOND_NS
        self._paced.refill(now_ns)
        self._pace = min(PACE_MAX, self._pace + gained)
        self._pace_ns = now_ns
        self._paced.rate = self.capacity.rate * self._pace
        self._mirror.refill(now_ns)

    def throttle(self, now_ns: int, after_s: float) -> None:
        """The venue said 429: its bucket is empty whatever we believed, for ``after_s`` if it said so."""
        self._refill(now_ns)
        self._pace = max(PACE_MIN, self._pace / 2)
        for tokens in (self._mirror, self._paced):
            tokens.level = min(0.0, -tokens.rate * after_s)

    def _wait_ns(self, priority: Priority, cost: float, reserve: float) -> int:
        # What the paced level grants the mirror holds: same draws, a slower refill.
        if priority is Priority.CANCEL:
            return self._mirror.wait_ns(cost)
        return self._paced.wait_ns(cost + reserve)

    def take(self, cost: float) -> None:
        """Tokens that are gone, whoever was asked."""
        self._mirror.level -= cost
        self._paced.level = max(-self.capacity.burst, self._paced.level - cost)

    def holds(self, tokens: float) -> bool:
        """Whether so many could be drawn by cancels at once."""
        self._refill(self._clock.mono_ns())
        return self._mirror.wait_ns(tokens) == 0

    def level(self, kind: Kind, shard: int) -> Level:
        self._refill(self._clock.mono_ns())
        return Level(kind, shard, self._mirror.level, self.capacity, self._pace, len(self._waiting))

    def free(self, cost: float, reserve: float) -> bool:
        """Whether an entry of this cost would be let through at once."""
        self._refill(self._clock.mono_ns())
        return not self._waiting and self._wait_ns(Priority.ENTRY, cost, reserve) == 0

    async def admit(self, priority: Priority, cost: float, reserve: float) -> Refused | None:
        now = self._clock.mono_ns()
        if cost + reserve > self.capacity.burst:
            return _too_large(cost, reserve)
        self._asked += 1
        waiter = _Waiter(self._asked, priority, cost, reserve, now)
        ahead = any(other.rank(now) <= waiter.rank(now) for other in self._waiting)
        self._refill(now)
        if not ahead and self._wait_ns(priority, cost, reserve) == 0:
            self.take(cost)
            return None
        if len(self._waiting) >= QUEUE_MAX and priority is not Priority.CANCEL:
            last = max(self._waiting, key=lambda other: other.rank(now))
            if last.rank(now) <= waiter.rank(now):
                return Refused("the limiter's queue is full")
            self._answer(last, Refused("pushed out of the limiter's queue by more urgent requests"))
        self._waiting.append(waiter)
        self._pump()
        try:
            return await waiter.turn
        finally:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
                self._pump()

    def _answer(self, waiter: _Waiter, answer: Refused | None) -> None:
        self._waiting.remove(waiter)
        if not waiter.turn.done():
            waiter.turn.set_result(answer)

    def _pump(self) -> None:
        """Let the most urgent through while tokens last, then come back when the next can move."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._clock.mono_ns()
        self._refill(now)
        entries = [w for w in self._waiting if w.priority is Priority.ENTRY]
        for waiter in entries:
            if now - waiter.since_ns >= ENTRY_WAIT_NS_MAX:
                self._answer(waiter, Refused("waited 1 s for the rate limit: too stale to send"))
        while self._waiting:
            first = min(self._waiting, key=lambda other: other.rank(now))
            wait = self._wait_ns(first.priority, first.cost, first.reserve)
            if wait:
                break
            self.take(first.cost)
            self._answer(first, None)
        else:
            return
        expiries = [
            w.since_ns + ENTRY_WAIT_NS_MAX - now for w in self._waiting if w.priority is Priority.ENTRY
        ]
        delay = min([wait, *expiries]) / SECOND_NS
        self._timer = asyncio.get_running_loop().call_later(max(delay, 0.0), self._pump)


def _too_large(cost: float, reserve: float) -> Refused:
    return Refused(f"needs {cost:g} tokens over a reserve of {reserve:g}: the bucket holds less")


def _unheard(_: object) -> None:
    """Nobody listens."""


class Limiter:
    """All buckets of one account. One instance a venue; every request passes ``admit`` first.

    ``on_report`` hears what was decided for everything but background calls, ``on_storm`` of the venue
    refusing so much that entries must end.
    """

    def __init__(
        self,
        clock: Clock,
        capacities: dict[Kind, Capacity] | None = None,
        *,
        on_report: Callable[[LimiterReport], None] = _unheard,
        on_storm: Callable[[str], None] = _unheard,
    ) -> None:
        self._clock, self._on_storm = clock, on_storm
        self._buckets = {
            (kind, 0): _Bucket(capacity, clock) for kind, capacity in (capacities or BASIC).items()
        }
        self._decisions = Decisions(clock, on_report)
        self._throttled: deque[int] = deque(maxlen=STORM_COUNT)
        self._paused_until_ns = clock.mono_ns()

    def _bucket(self, kind: Kind, shard: int) -> _Bucket:
        """The bucket of a shard, as large as the first one's, made when it is first needed."""
        if kind is not Kind.WRITE or shard <= 0:
            return self._buckets[kind, 0]
        known = self._buckets.get((kind, shard))
        if known is None:
            known = self._buckets[kind, shard] = _Bucket(self._buckets[kind, 0].capacity, self._clock)
        return known

    def resize(self, kind: Kind, capacity: Capacity) -> None:
        """Take over a limit the account reported."""
        for (of, _), bucket in self._buckets.items():
            if of is kind:
                bucket.resize(capacity)

    def burst(self, kind: Kind) -> float:
        """The most one call may cost."""
        return self._buckets[kind, 0].capacity.burst

    def levels(self) -> tuple[Level, ...]:
        """Every bucket as it stands now."""
        return tuple(bucket.level(kind, shard) for (kind, shard), bucket in self._buckets.items())

    def storm(self) -> bool:
        """Whether three 429s in ten seconds have switched entries and background requests off."""
        return self._clock.mono_ns() < self._paused_until_ns

    def entry_reserve(self, cancels_cost: float) -> float:
        """What an entry leaves in the write bucket: its share or the cancel of every open order, if they
        are paid from it."""
        share = ENTRY_RESERVE * self.burst(Kind.WRITE)
        return share if (Kind.CANCEL, 0) in self._buckets else max(share, cancels_cost)

    def entry_free(self, cost: float, cancels_cost: float, shard: int = 0) -> bool:
        """Whether an entry could go out now and every open order still be cancelled at once."""
        bucket = self._bucket(Kind.WRITE, shard)
        free = not self.storm() and bucket.free(cost, self.entry_reserve(cancels_cost))
        return free and self._cancels_covered(bucket, cancels_cost)

    def _cancels_covered(self, bucket: _Bucket, cancels_cost: float) -> bool:
        apart = self._buckets.get((Kind.CANCEL, 0))
        if apart is not None:
            return apart.holds(cancels_cost)
        # Batches of cancels draw on the first bucket, whichever shard the orders are on.
        first = self._buckets[Kind.WRITE, 0]
        return bucket is first or first.holds(cancels_cost)

    async def admit(
        self,
        kind: Kind,
        priority: Priority,
        cost: float,
        *,
        cancels_cost: float = 0.0,
        shard: int | None = 0,
    ) -> Refused | None:
        """Wait for ``cost`` tokens. ``None``: taken, send now. An entry is refused after a second.

        ``shard`` is the one an order names; ``None``: the venue finds it and bills every one of them.
        """
        asked_ns = self._clock.mono_ns()
        refused = await self._admit(kind, priority, cost, cancels_cost, shard)
        if priority is not Priority.BACKGROUND:
            if refused is None:
                self._decisions.passed(priority.name.lower(), self._clock.mono_ns() - asked_ns)
            else:
                self._decisions.refused(priority.name.lower(), refused.reason)
        return refused

    async def _admit(
        self, kind: Kind, priority: Priority, cost: float, cancels_cost: float, shard: int | None
    ) -> Refused | None:
        if priority >= Priority.ENTRY and self.storm():
            return Refused("paused for 60 s: the venue refused three requests in 10 s")
        bucket, reserve = self._bucket(kind, shard or 0), 0.0
        if priority is Priority.ENTRY:
            reserve = self.entry_reserve(cancels_cost)
            if not self._cancels_covered(bucket, cancels_cost):
                return Refused("too few tokens to cancel everything open")
        refused = await bucket.admit(priority, cost, reserve)
        if refused is None and shard is None:
            for (of, number), other in self._buckets.items():
                if of is kind and number:
                    other.take(cost)
        return refused

    def charge(self, kind: Kind, cost: float) -> None:
        """Tokens a call turned out to take besides those it was let through for; a debt delays the next."""
        self._buckets[kind, 0].take(cost)

    def throttled(self, kind: Kind, after_s: float = 0.0, shard: int | None = 0) -> None:
        """The venue answered 429 to a request of this kind, and perhaps how long to wait."""
        now = self._clock.mono_ns()
        self._bucket(kind, shard or 0).throttle(now, after_s)
        self._decisions.throttled()
        self._throttled.append(now)
        if len(self._throttled) == STORM_COUNT and now - self._throttled[0] <= STORM_WINDOW_NS:
            if not self.storm():
                self._on_storm("the venue refused three requests in 10 s (429)")
            self._paused_until_ns = now + STORM_PAUSE_NS
