"""Histories become coefficients: of the sources that tell, with what is lacking said, and better than raw."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.domain.market import Extreme
from core.models.weather.coefficients import FORMAT, Coefficients, decode, encode, sealed
from core.training.archive import Key
from core.training.fitting import Fitted, fit_all, reasons
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


def test_a_longer_lead_is_less_certain(fitted: Fitted) -> None:
    by_lead = {
        fit.lead_days: next(one.crps_f for one in fit.scores if one.model == "default")
        for fit in fitted.fits
        if (fit.station, fit.extreme) == ("KNYC", Extreme.HIGH)
    }
    assert by_lead[0] < by_lead[1] < by_lead[2]


def test_what_is_too_short_is_said_once(fitted: Fitted) -> None:
    assert {one.station for one in fitted.unfitted} == {"KAUS"}
    said = list(reasons(fitted))
    assert (
        said[0] == "KAUS high lead 0, KAUS low lead 0: 25 past days with a forecast and an outcome, 60 needed"
    )
    assert len(said) == 3, "one for each lead"
    assert fit_all({}, lambda _: None).fits == ()


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
