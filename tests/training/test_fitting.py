"""Histories become coefficients: of the sources that tell, with what is lacking said, and better than raw."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from core.domain.market import Extreme
from core.models.weather.coefficients import (
    FORMAT,
    Coefficients,
    Recent,
    Today,
    decode,
    encode,
    sealed,
    series_of,
)
from core.models.weather.predictors import predictors
from core.training.archive import Key
from core.training.fitting import Fitted, fit_all, reasons, sample
from core.training.previous_runs import MODELS
from tests.training.histories import FIRST, history

DAYS = 220


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    """Two whole stations, one that began lately, and one whose third model stopped."""
    dead = history(3, DAYS)
    for key in list(dead):
        if key.source == MODELS[2] and key.day > (FIRST + timedelta(days=DAYS - 40)).isoformat():
            dead[key] = None
    late = history(5, 40, FIRST + timedelta(days=DAYS - 40))
    histories = {"KNYC": history(1, DAYS), "KMDW": history(2, DAYS), "KMIA": dead, "KAUS": late}
    return fit_all(histories, lambda _: None)


def test_every_station_lead_and_extreme_is_fitted_on_the_sources_that_tell_of_it(fitted: Fitted) -> None:
    found = {(fit.station, fit.lead_days, fit.extreme): fit for fit in fitted.fits}
    assert set(found) == {
        (icao, lead, extreme)
        for icao in ("KNYC", "KMDW", "KMIA")
        for lead in (0, 1, 2)
        for extreme in Extreme
    }
    assert found["KNYC", 0, Extreme.HIGH].sources == MODELS, "the guidance begins a day before"
    assert found["KNYC", 1, Extreme.LOW].sources == (*MODELS, "NBS")
    assert MODELS[2] not in found["KMIA", 1, Extreme.HIGH].sources, "it has not told of the newest days"
    assert all(fit.last == (FIRST + timedelta(days=DAYS - 1)).isoformat() for fit in fitted.fits)
    assert all(len(fit.recent.outcomes) == DAYS for fit in fitted.fits)


def test_on_days_unseen_they_beat_the_raw_forecast_and_their_intervals_hold(fitted: Fitted) -> None:
    covers = []
    for fit in fitted.fits:
        crps = {one.model: one.crps_f for one in fit.scores}
        assert crps["default"] < min(crps["rolling"], crps["article-normal"]), fit.station
        covers += [one.cov80 for one in fit.scores if one.model == "default"]
        assert len({one.days for one in fit.scores}) == 1, "all are scored on the same days"
    assert 0.72 < sum(covers) / len(covers) < 0.88


def test_the_sources_of_a_fit_are_dressed_and_scored_so_beside_it(fitted: Fitted) -> None:
    for fit in fitted.fits:
        assert fit.kernel is not None and len(fit.kernel.weights) == len(fit.sources)
        assert sum(fit.kernel.weights) == pytest.approx(1.0)
        dressed = next(one for one in fit.scores if one.model == "dressing")
        assert 0.7 < dressed.cov80 < 0.95, "members were corrected of their own bias"


def test_a_longer_lead_is_less_certain(fitted: Fitted) -> None:
    by_lead = {
        fit.lead_days: next(one.crps_f for one in fit.scores if one.model == "default")
        for fit in fitted.fits
        if (fit.station, fit.extreme) == ("KNYC", Extreme.HIGH)
    }
    assert by_lead[0] < by_lead[1] < by_lead[2]


def test_what_is_too_short_is_said_once(fitted: Fitted) -> None:
    assert {one.station for one in fitted.unfitted} == {"KAUS"}
    said = list(reasons(fitted.unfitted))
    assert (
        said[0] == "KAUS high lead 0, KAUS low lead 0: 25 past days with a forecast and an outcome, 60 needed"
    )
    assert len(said) == 3, "one for each lead"
    assert fit_all({}, lambda _: None).fits == ()


@pytest.mark.parametrize("lead", [0, 1, 2])
def test_a_day_is_priced_from_the_numbers_it_would_be_fitted_on(lead: int) -> None:
    """What was said one issue before, and two, and by the same issue of the day before."""
    figures, last = history(1, 120), FIRST + timedelta(days=119)
    found = sample("KNYC", figures, lead, Extreme.HIGH, FIRST, last)
    assert not isinstance(found, str)

    def main(back: int, ahead: int) -> float | None:
        day = (last - timedelta(days=back)).isoformat()
        return figures.get(Key(day, Extreme.HIGH, ahead, MODELS[0]))

    series = found.series
    recent = Recent(
        FIRST.isoformat(),
        tuple(series.outcomes[:-1].tolist()),
        {source: tuple(told[:-1].tolist()) for source, told in series.forecasts.items()},
    )
    today = Today(
        last.isoformat(),
        tuple(float(told[-1]) for told in series.forecasts.values()),
        (main(0, lead + 1), main(0, lead + 2)),
        main(1, lead - 1) if lead else None,
    )
    priced, fitted = (
        predictors(series_of(recent, lead, today)).rows(slice(-1, None)),
        found.known.rows(slice(-1, None)),
    )
    assert priced.terms.keys() == fitted.terms.keys()
    for name, value in fitted.terms.items():
        np.testing.assert_allclose(priced.terms[name], value, rtol=1e-12, err_msg=name)
    np.testing.assert_allclose(priced.anchor, fitted.anchor, rtol=1e-12)
    np.testing.assert_allclose(priced.scale, fitted.scale, rtol=1e-12)
    assert priced.known == fitted.known


def test_the_file_holds_all_of_it(fitted: Fitted) -> None:
    content = sealed(Coefficients(FORMAT, "real", 0, "2026-02-17T00:00:00+00:00", "d" * 64, fitted.fits))
    assert decode(encode(content), "real") == content


def test_a_settlement_counts_before_the_report() -> None:
    told = history(1, 160)
    with_reports = dict(told)
    for key, value in told.items():
        if key.lead_days is None and value is not None:
            with_reports[Key(key.day, key.extreme, None, "cli")] = value + 3
    plain, mixed = (fit_all({"KNYC": held}, lambda _: None).fits for held in (told, with_reports))
    assert [fit.recent for fit in plain] == [fit.recent for fit in mixed]


def test_a_source_of_too_few_days_or_that_stands_still_is_left_out_and_named() -> None:
    told = history(1, 200)
    for key in [key for key in told if key.lead_days == 1 and key.extreme is Extreme.HIGH]:
        if key.source == MODELS[1] and key.day > (FIRST + timedelta(days=170)).isoformat():
            told[key] = 40.0
        elif key.source == MODELS[2] and key.day > (FIRST + timedelta(days=170)).isoformat():
            del told[key]
    found = fit_all({"KNYC": told}, lambda _: None)
    fit = next(fit for fit in found.fits if (fit.lead_days, fit.extreme) == (1, Extreme.HIGH))
    assert set(MODELS) - set(fit.sources) == {MODELS[1], MODELS[2]}
    assert list(reasons(found.lacking)) == [
        f"KNYC high lead 1: {source} is silent or stands still on more than 20% of the days with an outcome, "
        "of all or of the newest 60"
        for source in (MODELS[1], MODELS[2])
    ]


def test_stations_with_too_few_days_together_are_told_how_many_there_are() -> None:
    found = fit_all({"KNYC": history(1, 100)}, lambda _: None)
    assert found.fits == ()
    assert next(reasons(found.unfitted)).endswith(
        ": 85 past days with a forecast and an outcome at all stations of its sources together, 150 needed"
    )
