"""A day of every source as it is shipped costs no more than its provider gives away."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from core.config.settings import DAILY_HIGHS
from core.domain.clock import Clocks
from core.feeds.budget import Budget, Elsewhere, Kept
from core.feeds.declaration import Declaration, Per, Quota
from core.feeds.feed import FeedState
from core.feeds.registry import declarations
from core.feeds.stations import station_of_series
from core.sim.feeds import odds_api, pushing
from core.sim.feeds.app import addresses
from tests.feeds.simulated import World

DAY_S = 86_400
LONGEST_MONTH_DAYS = 31
Spent = list[tuple[int, int]]
"""World time and cost of each call."""


def most_within(spent: Spent, quota: Quota, ran_s: int = DAY_S) -> float:
    """The most that any stretch of the quota's length holds; days and a month of 31 are as what ran."""
    if quota.per in (Per.DAY, Per.MONTH):
        days = 1 if quota.per is Per.DAY else LONGEST_MONTH_DAYS
        return days * DAY_S / ran_s * sum(cost for _, cost in spent)
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
    assert most_within(spent, Quota(9, Per.DAY), DAY_S // 4) == 32


LIMITED = [of for of in declarations() if of.quotas and of.every_s and of.name in addresses("http://sim")]
"""What tells by itself asks only where it does not: its own test has the day on which it never tells."""
FIRST_OF_A_MONTH = datetime(2026, 12, 1, tzinfo=UTC)
"""Some spread what is left over what is left of a month."""


def lasts_s(of: Declaration) -> int:
    """How long a source is watched: what is asked often does in hours what it does all day."""
    return 3_600 if of.every_s < 60 else 6 * 3_600 if of.every_s < 900 else DAY_S


@pytest.mark.parametrize("ran_s", sorted({lasts_s(of) for of in LIMITED}))
def test_a_day_of_every_source_stays_within_every_free_quota(
    virtual: Any, monkeypatch: pytest.MonkeyPatch, ran_s: int
) -> None:
    asked = [of for of in LIMITED if lasts_s(of) == ran_s]
    spent: dict[tuple[Quota, ...], Spent] = {}

    class Noting(Budget):
        """Sources with one provider declare the same quotas: they are counted together."""

        def __init__(
            self, quotas: Iterable[Quota], clocks: Clocks, kept: Iterable[Kept], elsewhere: Elsewhere
        ) -> None:
            super().__init__(quotas, clocks, kept, elsewhere)
            self._of, self._at = tuple(quotas), clocks

        def spend(self, cost: int = 1) -> None:
            super().spend(cost)
            spent.setdefault(self._of, []).append((self._at.world_ms(), cost))

    monkeypatch.setattr("core.feeds.registry.Budget", Noting)
    monkeypatch.setattr(pushing, "TICK_S", 20.0)
    monkeypatch.setattr(odds_api, "BOUGHT", odds_api.CREDITS)  # the free plan, not the desk's of the demo
    world = World(virtual, only=[of.name for of in asked], speed=1.0, starts=FIRST_OF_A_MONTH)
    traded = {station_of_series(series) for series in DAILY_HIGHS}
    assert {station.icao for station in traded if station} == set(world.weather.stations)
    exhausted: set[str] = set()

    async def script() -> None:
        for _ in range(48):
            await asyncio.sleep(ran_s / 48)
            exhausted.update(n for n, state in world.states().items() if state is FeedState.SPENT)

    world.run(script)
    assert not exhausted
    for of in asked:
        calls = spent[of.quotas]
        assert len(calls) > 1 or of.every_s >= DAY_S / 4, f"{of.name} was asked all the time"
        for quota in of.quotas:
            assert most_within(calls, quota, ran_s) <= quota.most, f"{of.name}: {quota}"


def test_every_source_with_a_key_that_is_asked_says_what_its_plan_grants() -> None:
    asked = [of for of in declarations() if of.key is not None and of.every_s]
    assert all(of.quotas for of in asked), [of.name for of in asked if not of.quotas]
