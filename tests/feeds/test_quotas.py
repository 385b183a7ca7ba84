"""A day of every source as it is shipped costs no more than its provider gives away."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from core.config.settings import Settings
from core.domain.clock import Clocks
from core.feeds.budget import Budget, Kept
from core.feeds.declaration import Per, Quota
from core.feeds.feed import FeedState
from core.feeds.registry import declarations
from core.feeds.stations import station_of_series
from core.sim.feeds import pushing
from core.sim.feeds.app import addresses
from tests.feeds.simulated import World

DAY_S = 86_400
LONGEST_MONTH_DAYS = 31
Spent = list[tuple[int, int]]
"""World time and cost of each call."""


def most_within(spent: Spent, quota: Quota) -> int:
    """The most that any stretch of the quota's length holds; a month is taken for 31 such days."""
    if quota.per is Per.MONTH:
        return LONGEST_MONTH_DAYS * sum(cost for _, cost in spent)
    span_ms, most, held, first = quota.per.value * 1000, 0, 0, 0
    for at_ms, cost in spent:
        held += cost
        while at_ms - spent[first][0] >= span_ms:
            held -= spent[first][1]
            first += 1
        most = max(most, held)
    return most


def test_stretches_are_counted_as_they_roll() -> None:
    spent = [(0, 1), (59_999, 2), (60_000, 4), (119_000, 1)]
    assert most_within(spent, Quota(9, Per.MINUTE)) == 7
    assert most_within(spent, Quota(9, Per.MONTH)) == 31 * 8


def test_a_day_of_every_source_stays_within_every_free_quota(
    virtual: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent: dict[tuple[Quota, ...], Spent] = {}

    class Noting(Budget):
        """Sources with one provider declare the same quotas: they are counted together."""

        def __init__(self, quotas: Iterable[Quota], clocks: Clocks, kept: Iterable[Kept] = ()) -> None:
            super().__init__(quotas, clocks, kept)
            self._of, self._at = tuple(quotas), clocks

        def spend(self, cost: int = 1) -> None:
            super().spend(cost)
            spent.setdefault(self._of, []).append((self._at.world_ms(), cost))

    monkeypatch.setattr("core.feeds.registry.Budget", Noting)
    monkeypatch.setattr(pushing, "TICK_S", 20.0)
    served = addresses("http://sim")
    # What tells by itself asks only where it does not: its own test has the day on which it never tells.
    limited = [of for of in declarations() if of.quotas and of.every_s and of.name in served]
    world = World(virtual, only=[of.name for of in limited], speed=1.0)
    assert {s.icao for s in map(station_of_series, Settings().markets.series) if s} == set(
        world.weather.stations
    )
    exhausted: set[str] = set()

    async def script() -> None:
        for _ in range(96):
            await asyncio.sleep(DAY_S / 96)
            exhausted.update(n for n, state in world.states().items() if state is FeedState.SPENT)

    world.run(script)
    assert not exhausted
    for of in limited:
        calls = spent[of.quotas]
        assert calls[-1][0] - calls[0][0] >= DAY_S * 1000 / 5, f"{of.name} was asked all day"
        for quota in of.quotas:
            assert most_within(calls, quota) <= quota.most, f"{of.name}: {quota}"


def test_every_source_with_a_key_that_is_asked_says_what_its_plan_grants() -> None:
    asked = [of for of in declarations() if of.key is not None and of.every_s]
    assert all(of.quotas for of in asked), [of.name for of in asked if not of.quotas]
