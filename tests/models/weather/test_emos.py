"""Predictors know nothing too early, fits find what made the data, and a law does what its parameters say."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.models.laws import Law, Shape
from core.models.scores import crps
from core.models.weather import emos, emos_fit
from core.models.weather.predictors import Predictors, Series, joined, predictors

FIRST = dt.date(2023, 1, 1).toordinal()
DAYS = 500
CORRECTS = ("constant", "revision", "cloud")


def weather(seed: int, lead: int = 1, bias: float = 2.0, days: int = DAYS) -> Series:
    """A station whose forecast is too warm, revises twice as far as it should, and is worse in winter."""
    rng = np.random.default_rng(seed)
    season = 2 * np.pi * np.arange(days) / 365.25
    true = 65 - 20 * np.cos(season) + rng.normal(0, 5, days)
    error = (3 + np.cos(season)) * rng.normal(size=days)
    revision = rng.normal(0, 3, days)
    forecast = true + bias + error + 0.5 * revision
    return Series(
        first_ordinal=FIRST,
        lead_days=lead,
        outcomes=np.round(true),
        forecasts={"blend": forecast},
        earlier=(forecast - revision,),
        extras={"cloud": rng.uniform(0, 100, days)},
    )


@pytest.mark.parametrize("lead", [0, 1, 4])
def test_a_row_rests_on_outcomes_known_when_its_forecast_was_issued(lead: int) -> None:
    """Outcomes from the day of issue on may be anything: the row does not change. The last known counts."""
    series = weather(1, lead)
    before = predictors(series)
    day = 300
    unknown = series.outcomes.copy()
    unknown[day - lead :] = -400.0
    blind = predictors(Series(FIRST, lead, unknown, series.forecasts, series.earlier, None, series.extras))
    for name, values in before.terms.items():
        assert blind.terms[name][day] == pytest.approx(values[day], nan_ok=True), name
    assert (blind.anchor[day], blind.scale[day]) == (before.anchor[day], before.scale[day])
    unknown[day - lead - 1] = -400.0
    seen = predictors(Series(FIRST, lead, unknown, series.forecasts, series.earlier, None, series.extras))
    assert seen.anchor[day] != before.anchor[day]


def test_a_gap_leaves_other_days_and_its_own_terms_alone() -> None:
    series = weather(2)
    outcomes, forecast = series.outcomes.copy(), series.forecasts["blend"].copy()
    outcomes[100:110] = np.nan
    forecast[200] = np.nan
    known = predictors(Series(FIRST, 1, outcomes, {"blend": forecast}))
    assert np.isnan(known.anchor[200])
    assert np.isfinite(known.anchor[112:200]).all()
    assert known.known[111] == 100 - 16, "the first sixteen days have no anchor and so no error"
    assert known.known[112] == 85
    assert np.isnan(known.terms["revision"]).all()


def test_anchor_is_the_forecast_less_its_recent_error() -> None:
    true = 70.0 + np.arange(60) / 10
    known = predictors(Series(FIRST, 1, true, {"blend": true + 3.0}))
    assert known.anchor[16:] == pytest.approx(true[16:])
    assert np.isnan(known.anchor[:16]).all(), "fifteen errors are known sixteen days on"
    assert known.scale[16:] == pytest.approx(np.full(44, 0.3)), "no less than rounding leaves"


def test_several_sources_meet_in_the_middle_and_one_missing_leaves_the_others() -> None:
    rng = np.random.default_rng(3)
    true = rng.normal(70, 5, 200)
    good, poor = true + 2 + rng.normal(0, 1, 200), true - 3 + rng.normal(0, 4, 200)
    poor[150] = np.nan
    known = predictors(Series(FIRST, 1, true, {"good": good, "poor": poor}))
    assert known.anchor[-1] == pytest.approx(np.mean([good[-1] - 2, poor[-1] + 3]), abs=2.0)
    assert np.isfinite(known.anchor[150])
    assert np.isnan(known.terms["source_poor"][150])
    found = emos_fit.fit(Shape.NORMAL, known, true)
    law = emos.predict(found, known)
    assert np.nanmean(np.abs(law.location - true)) < 0.9 * np.nanmean(np.abs(known.anchor - true))


@pytest.mark.parametrize("shape", [Shape.NORMAL, Shape.T6])
@given(seed=st.integers(0, 50))
@settings(max_examples=5, deadline=None)
def test_slope_of_the_loss_is_its_derivative(shape: Shape, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = 40
    problem = emos_fit.Problem(
        shape=shape,
        mean=rng.normal(size=(rows, 3)),
        spread=rng.normal(size=(rows, 2)) / 4,
        residuals=rng.normal(0, 3, rows),
        centre=rng.normal(size=5),
        penalty=np.full(5, 0.1),
    )
    theta = rng.normal(size=5)
    _, slope = emos_fit.loss(theta, problem)
    for k in range(5):
        step = np.zeros(5)
        step[k] = 1e-5
        rise = emos_fit.loss(theta + step, problem)[0] - emos_fit.loss(theta - step, problem)[0]
        assert slope[k] == pytest.approx(rise / 2e-5, abs=1e-6)


@pytest.mark.parametrize("shape", [Shape.NORMAL, Shape.T6])
def test_fit_finds_what_made_the_errors(shape: Shape) -> None:
    """Half a revision is to be taken back, and the spread is that of the errors, more in winter."""
    known = joined(tuple(predictors(weather(seed)) for seed in range(4)))
    outcomes = np.concatenate([weather(seed).outcomes for seed in range(4)])
    found = emos_fit.fit(shape, known, outcomes, mean_terms=CORRECTS)
    assert found.mean["revision"] / 5 == pytest.approx(-0.5, abs=0.08)
    assert abs(found.mean["cloud"]) < 0.3
    law = emos.predict(found, known)
    winter = emos.predict(found, predictors(weather(0)).rows(slice(360, 370)))
    summer = emos.predict(found, predictors(weather(0)).rows(slice(180, 190)))
    assert np.nanmean(law.sd) == pytest.approx(3.1, abs=0.35)
    assert np.nanmean(winter.sd) > 1.3 * np.nanmean(summer.sd)
    better = np.nanmean(crps(law, outcomes)) / np.nanmean(crps(emos.recent(known), outcomes))
    assert better < 0.95


def test_a_station_follows_the_others_until_it_has_days_of_its_own() -> None:
    many = joined(tuple(predictors(weather(seed)) for seed in range(4)))
    outcomes = np.concatenate([weather(seed).outcomes for seed in range(4)])
    prior = emos_fit.fit(Shape.NORMAL, many, outcomes, mean_terms=CORRECTS)
    own = weather(9, days=916)
    # This station needs twice its revisions taken back.
    odd = own.outcomes - 1.0 * (own.forecasts["blend"] - own.earlier[0])
    known = predictors(Series(FIRST, 1, odd, own.forecasts, own.earlier, None, own.extras))
    few = emos_fit.fit(Shape.NORMAL, known.rows(slice(0, 40)), odd[:40], prior=prior)
    all_ = emos_fit.fit(Shape.NORMAL, known, odd, prior=prior)
    assert prior.mean["revision"] > few.mean["revision"] > all_.mean["revision"]
    # 900 days of 1.5 against a prior of 0.5 worth 300 days.
    assert all_.mean["revision"] / 5 == pytest.approx(-1.25, abs=0.1)
    none = emos_fit.fit(Shape.NORMAL, known.rows(slice(0, 10)), odd[:10], prior=prior)
    assert (none.mean, none.days) == (prior.mean, 0)


def test_too_few_days_are_refused_with_their_number() -> None:
    with pytest.raises(
        emos_fit.TooFewDaysError, match="84 past days with a forecast and an outcome, 150 needed"
    ):
        series = weather(1, days=100)
        emos_fit.fit(Shape.NORMAL, predictors(series), series.outcomes)


def test_a_perfect_forecast_is_as_wide_as_rounding() -> None:
    true = np.round(np.random.default_rng(1).normal(70, 5, 300))
    known = predictors(Series(FIRST, 1, true, {"perfect": true}))
    law = emos.predict(emos_fit.fit(Shape.NORMAL, known, true), known)
    assert law.location[20:] == pytest.approx(true[20:], abs=0.1)
    assert np.isfinite(law.scale).all()


def test_a_term_without_its_input_corrects_nothing_and_is_named() -> None:
    terms = {"constant": np.array([1.0]), "cloud": np.array([np.nan])}
    known = Predictors(np.array([70.0]), terms, np.array([3.0]), np.array([80.0]), np.array([[70.0]]))
    found = emos.Parameters(Shape.T6, {"constant": 1.5, "cloud": 9.0}, {"constant": np.log(2.0)}, 300)
    law = emos.predict(found, known)
    assert (law.location[0], law.scale[0]) == (71.5, pytest.approx(2.0))
    assert emos.absent(found, known) == ("cloud",)


def test_an_absurd_spread_is_bounded() -> None:
    known = Predictors(
        np.array([70.0]), {"constant": np.array([1.0])}, np.array([3.0]), np.array([80.0]), np.array([[70.0]])
    )
    wild = emos.Parameters(Shape.NORMAL, {}, {"constant": 50.0}, 300)
    assert emos.predict(wild, known).scale[0] == pytest.approx(np.exp(emos.LOG_SCALE_BOUNDS[1]))


def test_a_short_history_is_averaged_with_the_model_that_needs_none() -> None:
    fitted = Law(Shape.T6, np.array([70.0, 70.0]), np.array([2.0, 2.0]))
    unfitted = Law(Shape.NORMAL, np.array([74.0, 74.0]), np.array([4.0, 4.0]))
    law = emos.averaged(fitted, unfitted, np.array([0.0, 200.0]))
    assert law.location == pytest.approx([74.0, 72.0])
    assert law.sd == pytest.approx([4.0, (2.0 * Shape.T6.deviation + 4.0) / 2])


def test_without_a_fit_the_recent_model_stands_alone() -> None:
    none = Law(Shape.T6, np.array([np.nan]), np.array([np.nan]))
    recent = Law(Shape.NORMAL, np.array([74.0]), np.array([4.0]))
    law = emos.averaged(none, recent, np.array([np.nan]))
    assert (law.location[0], law.sd[0]) == (74.0, pytest.approx(4.0))


def test_a_frozen_source_says_nothing_until_it_moves() -> None:
    rng = np.random.default_rng(4)
    true = rng.normal(70, 5, 120)
    stuck = true + rng.normal(0, 1, 120)
    stuck[100:112] = stuck[100]
    other = true + rng.normal(0, 2, 120)
    alone = predictors(Series(FIRST, 1, true, {"one": stuck}))
    assert np.isfinite(alone.anchor[[106, 112]]).all()
    assert np.isnan(alone.anchor[107:112]).all(), "from the eighth time on"
    both = predictors(Series(FIRST, 1, true, {"one": stuck, "other": other}))
    assert np.isfinite(both.anchor[107:112]).all()
    assert both.anchor[110] == pytest.approx(other[110], abs=1.5)
    assert np.isnan(both.terms["source_one"][110])
    stuck[103:106] = np.nan
    gap = predictors(Series(FIRST, 1, true, {"one": stuck}))
    assert np.isfinite(gap.anchor[106:110]).all() and np.isnan(gap.anchor[110:112]).all(), (
        "a gap ends nothing"
    )
