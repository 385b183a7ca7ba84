"""What may still be asked of a provider: each quota counted here, corrected by what the provider says.

Quotas run on world time, as the provider's clock does. Months and days are the calendar's, UTC.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from core.domain.clock import Clocks
from core.feeds.declaration import Per, Quota


class Left(msgspec.Struct, frozen=True):
    """Of one quota: what is left of how much, and when it is whole again (world ms)."""

    quota: Quota
    left: int
    whole_ms: int


class Kept(msgspec.Struct, frozen=True):
    """What a restart must not forget: how much of a day's or a month's quota is spent."""

    per: Per
    period: str
    spent: int


Elsewhere = Callable[[], Iterable[Kept]]
"""What other processes have spent of the same quotas, as known now."""


class Budget:
    """All quotas of one provider. A call is admitted where every one of them holds its cost."""

    def __init__(
        self,
        quotas: Iterable[Quota],
        clocks: Clocks,
        kept: Iterable[Kept] = (),
        elsewhere: Elsewhere = tuple[Kept, ...],
    ) -> None:
        self._clocks = clocks
        held = {one.per: one for one in kept}
        self._counts = tuple(
            _Calendar(quota, held.get(quota.per), elsewhere) if quota.per in _FORMATS else _Rolling(quota)
            for quota in quotas
        )

    def wait_s(self, cost: int = 1) -> float:
        """World seconds until so much may be spent; 0.0 where it may be now."""
        now_ms = self._clocks.world_ms()
        return max((count.wait_ms(now_ms, cost) for count in self._counts), default=0) / 1000

    def spend(self, cost: int = 1) -> None:
        """A call has left: it counts whether or not it is answered."""
        now_ms = self._clocks.world_ms()
        for count in self._counts:
            count.spend(now_ms, cost)

    def told(self, per: Per, left: int) -> None:
        """The provider's own word on a quota; it knows of calls that are not ours. It may grant more than
        is declared: a paid plan."""
        now_ms = self._clocks.world_ms()
        for count in self._counts:
            if count.quota.per is per:
                count.told(now_ms, left)

    def left(self) -> tuple[Left, ...]:
        now_ms = self._clocks.world_ms()
        return tuple(
            Left(count.quota, max(0, count.quota.most - count.spent(now_ms)), count.whole_ms(now_ms))
            for count in self._counts
        )


def kept_of(budget: Iterable[Left], elsewhere: Iterable[Kept] = ()) -> tuple[Kept, ...]:
    """What of a budget is to be handed in after a restart: each count is of the period it was taken in.
    What was spent ``elsewhere`` is somebody else's to keep."""
    others = {(one.per, one.period): one.spent for one in elsewhere}
    found = []
    for one in budget:
        per = one.quota.per
        if per in _FORMATS:
            period = _period(per, one.whole_ms - 1)
            spent = one.quota.most - one.left - others.get((per, period), 0)
            found.append(Kept(per, period, max(0, spent)))
    return tuple(found)


class _Rolling:
    def __init__(self, quota: Quota) -> None:
        self.quota = quota
        self._span_ms = quota.per.value * 1000
        self._log: deque[tuple[int, int]] = deque()
        self._sum = 0

    def spent(self, now_ms: int) -> int:
        while self._log and now_ms - self._log[0][0] >= self._span_ms:
            self._sum -= self._log.popleft()[1]
        return self._sum

    def spend(self, now_ms: int, cost: int) -> None:
        self._log.append((now_ms, cost))
        self._sum += cost

    def told(self, now_ms: int, left: int) -> None:
        more = self.quota.most - left - self.spent(now_ms)
        if more > 0:
            self.spend(now_ms, more)

    def wait_ms(self, now_ms: int, cost: int) -> int:
        over = self.spent(now_ms) + cost - self.quota.most
        if over <= 0:
            return 0
        for at_ms, spent in self._log:
            over -= spent
            if over <= 0:
                return at_ms + self._span_ms - now_ms
        return self._span_ms

    def whole_ms(self, now_ms: int) -> int:
        return self._log[-1][0] + self._span_ms if self.spent(now_ms) else now_ms


class _Calendar:
    def __init__(self, quota: Quota, kept: Kept | None, elsewhere: Elsewhere) -> None:
        self.quota = quota
        self._elsewhere = elsewhere
        self._period, self._spent = (kept.period, kept.spent) if kept is not None else ("", 0)

    def spent(self, now_ms: int) -> int:
        self._turn(now_ms)
        return self._spent + self._others()

    def spend(self, now_ms: int, cost: int) -> None:
        self._turn(now_ms)
        self._spent += cost

    def told(self, now_ms: int, left: int) -> None:
        self._turn(now_ms)
        self._spent = self.quota.most - left - self._others()

    def _turn(self, now_ms: int) -> None:
        period = _period(self.quota.per, now_ms)
        if period != self._period:
            self._period, self._spent = period, 0

    def _others(self) -> int:
        mine = self.quota.per, self._period
        return sum(one.spent for one in self._elsewhere() if (one.per, one.period) == mine)

    def wait_ms(self, now_ms: int, cost: int) -> int:
        return 0 if self.spent(now_ms) + cost <= self.quota.most else self.whole_ms(now_ms) - now_ms

    def whole_ms(self, now_ms: int) -> int:
        day = _utc(now_ms).replace(hour=0, minute=0, second=0, microsecond=0)
        if self.quota.per is Per.MONTH:
            next_one = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
        else:
            next_one = day + timedelta(days=1)
        return int(next_one.timestamp()) * 1000


_FORMATS = {Per.DAY: "%Y-%m-%d", Per.MONTH: "%Y-%m"}


def _period(per: Per, at_ms: int) -> str:
    """The day or month an instant lies in."""
    return _utc(at_ms).strftime(_FORMATS[per])


def _utc(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
