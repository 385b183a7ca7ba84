"""The year's harmonics found again, and members dressed so that two humps stay two."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from core.models import scores
from core.models.laws import Law, Mixture, Shape
from core.models.weather import climatology, default, dressing

FIRST = dt.date(2022, 1, 1).toordinal()


def test_climate_is_found_again() -> None:
    """Two years of a summer of 90 F with a spread of 2, and a winter of 50 F with one of 8."""
    days = FIRST + np.arange(730)
    wave = climatology.harmonics(days)[:, 1]
    rng = np.random.default_rng(1)
    spread = np.exp(np.log(4.0) + np.log(2.0) * wave)
    outcomes = 70 - 20 * wave + spread * rng.normal(size=730)
    found = climatology.fit(days, outcomes)
    assert found is not None
    law = climatology.predict(found, days)
    assert np.abs(law.location - (70 - 20 * wave)).max() < 3.0
    assert np.abs(np.log(law.scale / spread)).max() < 0.3
    outcomes[100:120] = np.nan
    assert climatology.fit(days, outcomes) is not None
    assert climatology.fit(days[:329], np.zeros(329)) is None


def test_spread_is_the_likeliest_one() -> None:
    """No small change of the log variance's coefficients makes what was seen likelier."""
    days = FIRST + np.arange(400)
    rng = np.random.default_rng(2)
    outcomes = rng.normal(60, 3, 400) * (1 + 0.1 * climatology.harmonics(days)[:, 2])
    found = climatology.fit(days, outcomes)
    assert found is not None

    def loss(log_variance: tuple[float, ...]) -> float:
        law = climatology.predict(climatology.Climate(found.mean, log_variance), days)
        return float((np.log(law.scale) + 0.5 * ((outcomes - law.location) / law.scale) ** 2).sum())

    best = loss(found.log_variance)
    for k in range(5):
        for step in (-0.01, 0.01):
            moved = tuple(x + step * (k == at) for at, x in enumerate(found.log_variance))
            assert loss(moved) > best


def two_members(days: int = 400, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """A front: members 15 F apart, the first one right on seven days of ten."""
    rng = np.random.default_rng(seed)
    first = rng.normal(70, 5, days)
    second = first - 15
    right = np.where(rng.uniform(size=days) < 0.7, first, second)
    return np.stack([first, second], axis=1), right + rng.normal(0, 1.5, days)


def test_weights_and_spread_are_those_of_the_members() -> None:
    members, outcomes = two_members()
    kernel = dressing.fit(members, outcomes)
    assert kernel is not None
    assert kernel.weights[0] == pytest.approx(0.7, abs=0.06)
    assert kernel.scale_f == pytest.approx(1.5, abs=0.15)
    assert sum(kernel.weights) == pytest.approx(1.0)
    assert dressing.fit(members[:59], outcomes[:59]) is None


def test_two_humps_beat_one_where_members_disagree() -> None:
    members, outcomes = two_members()
    later_members, later = two_members(seed=4)
    kernel = dressing.fit(members, outcomes)
    assert kernel is not None
    humps = dressing.predict(kernel, later_members)
    mean = members @ np.array(kernel.weights)
    one = Law(Shape.NORMAL, later_members @ np.array(kernel.weights), np.full(400, (outcomes - mean).std()))
    assert scores.crps_mixture(humps, later).mean() < 0.93 * scores.crps(one, later).mean()
    degree = [np.subtract(*scores.stretch(law, np.round(later))[::-1]) for law in (humps, one)]
    assert scores.log_score(degree[0]).mean() < scores.log_score(degree[1]).mean() - 0.5


def test_half_of_the_default_is_the_sources_where_they_are_apart_and_nothing_elsewhere() -> None:
    kernel = dressing.Kernel((0.7, 0.3), 2.0)
    members = np.array([[70.0, 65.9], [70.0, 66.1], [70.0, np.nan], [np.nan, np.nan], [70.0, 55.0]])
    humps = dressing.predict(kernel, members)
    assert dressing.apart(humps).tolist() == [True, False, False, False, True]
    law = Law(Shape.T6, np.full(5, 66.0), np.full(5, 3.0))
    said = default.joined(law, humps)
    at = np.array([54.0, 60.0, 66.0])[:, None]
    assert said.below(at)[:, 1:4] == pytest.approx(law.below(at)[:, 1:4], abs=1e-15)
    halves = (law.below(at) + humps.below(at)) / 2
    assert said.below(at)[:, [0, 4]] == pytest.approx(halves[:, [0, 4]])
    assert said.mean[4] == pytest.approx((66.0 + 0.7 * 70 + 0.3 * 55) / 2)
    single = dressing.predict(dressing.Kernel((1.0,), 2.0), np.array([[70.0]]))
    assert not dressing.apart(single).any()


def test_a_missing_member_leaves_its_weight_to_the_others() -> None:
    kernel = dressing.Kernel((0.7, 0.3), 2.0)
    law = dressing.predict(kernel, np.array([[70.0, 55.0], [np.nan, 55.0], [np.nan, np.nan]]))
    assert isinstance(law, Mixture)
    assert law.mean[:2] == pytest.approx([0.7 * 70 + 0.3 * 55, 55.0])
    assert law.sd[1] == pytest.approx(2.0)
    assert np.isnan(law.mean[2])
    assert law.rows(np.array([1])).below(55.0) == pytest.approx(0.5)


def test_a_missing_member_takes_no_part_in_its_day() -> None:
    members, outcomes = two_members()
    members[::2, 1] = np.nan
    outcomes = np.where(np.isnan(members[:, 1]), members[:, 0], outcomes)
    kernel = dressing.fit(members, outcomes)
    assert kernel is not None
    assert kernel.weights[0] > 0.8
