"""The weather task on a small set, its faults, and the promised figures where the real set is at hand."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import msgspec
import numpy as np
import pytest

from core.models.evaluation import walk, weather
from core.models.evaluation.rows import Counted, DataError, Report, Row
from core.models.evaluation.weather_files import lead_set
from core.models.evaluation.weather_gaps import gaps
from core.models.evaluation.weather_laws import dressed, laws, steps_of, window
from tests.models.evaluation.weather_set import FIRST, day, write_leads

BEFORE_FITS = ("climatology", "article-normal", "calibrated-sigma", "rolling", "recent")
ORDINAL = FIRST.toordinal()
LATE = Counted(first=ORDINAL + 390)
"""One block of fits."""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sets")
    write_leads(made)
    return made


@pytest.fixture(scope="module")
def late(directory: Path) -> Report:
    return weather.score(directory, LATE)


def found(report: Report, model: str, lead: int = 1, group: str = "all") -> Row:
    (row,) = [r for r in report.rows if (r.model, r.lead, r.group) == (model, lead, group)]
    return row


def test_every_model_counts_the_same_days_at_every_lead(late: Report) -> None:
    models = [r.model for r in late.rows if (r.lead, r.group) == (1, "all")]
    assert models == ["dressing", *BEFORE_FITS, "emos", "emos-t", "default"]
    assert {(r.n, r.days) for r in late.rows if r.group == "all" and r.model != "dressing"} == {(60, 30)}
    assert [(r.lead, r.group) for r in late.rows if r.model == "dressing"] == [(1, "all"), (1, "AAA")]
    assert {r.group for r in late.rows} == {"all", "AAA", "BBB"}
    assert {r.lead for r in late.rows} == {0, 1, 2}


def test_bias_is_corrected_and_more_sources_help_where_they_are(late: Report) -> None:
    assert found(late, "rolling").crps < 0.9 * found(late, "article-normal").crps
    assert found(late, "default", group="AAA").crps < 0.75 * found(late, "emos-t", group="AAA").crps
    alone = found(late, "default", group="BBB").crps
    assert alone == pytest.approx(found(late, "emos-t", group="BBB").crps, rel=0.1)


def test_a_set_that_is_missing_is_told(late: Report) -> None:
    assert late.notes == ("openmeteo_short_lead is not there: its table is left out.",)


def test_counting_other_days_changes_no_prediction(directory: Path) -> None:
    data = lead_set(directory / "weather_lead_forecasts")
    few, many = laws(data, 1, LATE), laws(data, 1, Counted(first=ORDINAL + 370))
    for model, law in few.items():
        assert np.array_equal(law.mean[:, 390:], many[model].mean[:, 390:], equal_nan=True), model


def test_a_day_is_predicted_without_what_came_after_its_issue(directory: Path) -> None:
    """Everything from the day of issue on may be anything, but for the forecasts of the day themselves."""
    data = lead_set(directory / "weather_lead_forecasts")
    at = 400
    before = laws(data, 1, LATE)
    data.outcomes[:, at - 1 :] = -50.0
    data.highs[:, :, at + 1 :] = 140.0
    after = laws(data, 1, LATE)
    for model, law in before.items():
        assert np.array_equal(law.mean[:, at], after[model].mean[:, at], equal_nan=True), model
        assert np.array_equal(law.sd[:, at], after[model].sd[:, at], equal_nan=True), model


def test_frozen_fits_see_nothing_later_and_recent_errors_go_on(directory: Path) -> None:
    data = lead_set(directory / "weather_lead_forecasts")
    frozen = Counted(first=ORDINAL + 390, fit_until=ORDINAL + 350)
    before = laws(data, 1, frozen)
    # A forecast that turns 10 degrees warmer on day 392 is followed by what is no fit.
    data.highs[:, 1, 392:] += 10.0
    after = laws(data, 1, frozen)
    moved = after["recent"].mean[:, 415] - before["recent"].mean[:, 415]
    assert (np.abs(moved) < 5.0).all(), "ten degrees, most of them corrected"
    unmoved = after["climatology"].mean == before["climatology"].mean
    assert unmoved[:, 390:].all()
    free = laws(data, 1, LATE)
    assert not np.array_equal(free["emos"].mean[:, 419], after["emos"].mean[:, 419])


def test_blocks_see_only_what_was_known() -> None:
    steps = walk.Steps(np.arange(100) >= 25, lead_days=2)
    assert list(steps.blocks()) == [
        (0, slice(0, 30)),
        (28, slice(30, 60)),
        (58, slice(60, 90)),
        (88, slice(90, 100)),
    ]
    frozen = walk.Steps(np.arange(100) >= 25, lead_days=2, fit_until=39)
    assert list(frozen.blocks()) == [
        (0, slice(0, 30)),
        (28, slice(30, 42)),
        (40, slice(42, 60)),
        (40, slice(60, 90)),
        (40, slice(90, 100)),
    ]
    assert [seen for seen, _ in walk.Steps(np.ones(40, bool), 1, fit_until=-5).blocks()] == [0, 0]


def test_window_is_of_the_last_known_errors() -> None:
    """Seventy-five of them, a gap bridged, sixty at least, none from the day of issue on."""
    rng = np.random.default_rng(2)
    errors = rng.normal(2, 3, (1, 200))
    errors[0, 100:110] = np.nan
    mean, sigma, size = window(errors, 1)
    used = errors[0, :149][np.isfinite(errors[0, :149])][-75:]
    assert mean[0, 150] == pytest.approx(used.mean())
    assert sigma[0, 150] == pytest.approx(used.std(ddof=1) * np.sqrt(1 + 1 / 75))
    assert size[0, 150] == pytest.approx(np.sqrt((used**2).mean()))
    assert np.isnan(mean[0, :61]).all()
    assert np.isfinite(mean[0, 61:]).all()


def test_a_new_city_is_scored_once_its_own_errors_are_known(directory: Path, tmp_path: Path) -> None:
    folder = write_leads(tmp_path)
    lines = (folder / "forecasts.csv").read_text().splitlines()
    kept = [line for line in lines if not (line.startswith("BBB") and line.split(",")[1] < day(395))]
    (folder / "forecasts.csv").write_text("\n".join(kept) + "\n")
    report = weather.score(tmp_path, LATE)
    assert found(report, "default", group="AAA").n == 30
    # Fifteen errors are needed, and the last known one is of two days before.
    assert found(report, "default", group="BBB").n == 420 - 395 - 16
    assert not [r for r in report.rows if (r.model, r.group) == ("rolling", "BBB")]


def test_a_new_source_counts_once_it_has_been_seen_for_sixty_days(tmp_path: Path) -> None:
    folder = write_leads(tmp_path)
    path = folder / "nbm_hrrr.csv"
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([header, *(x for x in lines if x.split(",")[1] >= day(340))]) + "\n")
    late = laws(lead_set(folder), 1, Counted(first=ORDINAL + 390))["default"]
    path.unlink()
    never = laws(lead_set(folder), 1, Counted(first=ORDINAL + 390))["default"]
    # Its sixtieth error, of day 399, is known when day 401 is forecast.
    assert np.array_equal(late.mean[:, 390:401], never.mean[:, 390:401])
    assert (late.mean[0, 401:] != never.mean[0, 401:]).all()
    assert np.array_equal(late.mean[1], never.mean[1], equal_nan=True)


def test_a_third_source_takes_nothing_from_the_second_before_it_counts(tmp_path: Path) -> None:
    data = lead_set(write_leads(tmp_path))
    third = np.full(data.highs.shape, np.nan)
    third[0, 1, 340:] = data.outcomes[0, 340:] + 0.5
    with_third = msgspec.structs.replace(data, guidance={**data.guidance, "zzz": third})
    late, never = (laws(known, 1, LATE)["default"] for known in (with_third, data))
    assert np.array_equal(late.mean[:, 390:401], never.mean[:, 390:401])
    assert (late.mean[0, 401:] != never.mean[0, 401:]).all()


def test_cities_are_dressed_whether_they_have_two_sources_or_three(tmp_path: Path) -> None:
    data = lead_set(write_leads(tmp_path))
    third = np.full(data.highs.shape, np.nan)
    third[0, 1] = data.outcomes[0] + 0.5
    second = np.array(data.guidance["nbm"])
    second[1, 1] = data.outcomes[1] - 1.0
    data = msgspec.structs.replace(data, guidance={"nbm": second, "zzz": third})
    law = dressed(data, 1, steps_of(data.days, LATE, 1))
    assert np.isfinite(law.sd[:, 390:]).all()
    beyond = np.full(law.mean.shape, 200.0)
    assert law.below(beyond)[:, 390:] == pytest.approx(1.0)


def test_a_frozen_forecast_counts_for_no_model_while_the_default_says_nothing(tmp_path: Path) -> None:
    folder = write_leads(tmp_path)
    path = folder / "forecasts.csv"
    frozen = [
        x
        if not x.startswith("BBB") or x.split(",")[1] < day(400)
        else re.sub(r",[^,]+,([^,]+,50.0,)$", r",55.0,\1", x)
        for x in path.read_text().splitlines()
    ]
    path.write_text("\n".join(frozen) + "\n")
    rows = [r for r in weather.score(tmp_path, LATE).rows if (r.lead, r.group) == (1, "BBB")]
    # Seven days of it are not yet known to be frozen.
    assert {r.n for r in rows} == {10 + 7}


def test_a_wrong_file_leaves_the_other_set_its_table(tmp_path: Path) -> None:
    write_leads(tmp_path, days=200)
    (tmp_path / "openmeteo_short_lead").mkdir()
    report = weather.score(tmp_path, Counted(first=ORDINAL + 180))
    assert found(report, "default").n == 40
    assert report.notes == (
        "openmeteo_short_lead has no forecasts_20_cities.csv; add it or leave the set out. "
        "Its table is left out.",
    )


def test_what_does_not_count_is_told(directory: Path, tmp_path: Path) -> None:
    later = weather.score(directory, Counted(first=ORDINAL + 420))
    assert later.rows == ()
    assert "weather_lead_forecasts holds 2023-01-01 to 2024-02-24: none of it counts." in later.notes
    folder = write_leads(tmp_path)
    lines = (folder / "forecasts.csv").read_text().splitlines()
    kept = [x for x in lines if x.split(",")[3] != "1" or x.split(",")[1] < day(390)]
    (folder / "forecasts.csv").write_text("\n".join(kept) + "\n")
    notes = weather.score(tmp_path, LATE).notes
    assert [note.split(",")[0] for note in notes[:2]] == [
        f"weather_lead_forecasts: no day counts at lead {lead}" for lead in (0, 1)
    ]


def test_a_missing_lead_leaves_the_others(tmp_path: Path) -> None:
    folder = write_leads(tmp_path, days=200)
    lines = (folder / "forecasts.csv").read_text().splitlines()
    (folder / "forecasts.csv").write_text("\n".join(x for x in lines if x.split(",")[3] != "2") + "\n")
    report = weather.score(tmp_path, Counted(first=ORDINAL + 180))
    assert {r.lead for r in report.rows} == {0, 1}
    assert found(report, "default").n == 40


BAD = [
    ("forecasts", 5, "AAA,2023-01-02,2023-01-01,1,1,1,1,1", "is there twice; remove one of the rows."),
    ("forecasts", 5, "AAA,2023-01-02,2023-01-01,4,1,1,1,1", "the day is not 4 days after the issue; correct"),
    ("forecasts", 3, "A\x1b[2J,2023-01-02,2023-01-01,1,1,1,1,1", r"'A\x1b[2J' is no name"),
    ("observed", 4, "AAA,2023-01-01,60,test", "is there twice; remove one of the rows."),
    ("observed", 4, "AAA,2023-01-03,hot,test", "tmax_obs_f is 'hot', no number; leave it empty"),
    ("nbm_hrrr", 2, "AAA,2023-01-01,nbm,yesterday,60", "'yesterday' is no time; correct"),
    (
        "nbm_hrrr",
        2,
        "AAA,2023-01-01,nbm,2023-01-05 12:00:00,60",
        "its run is -4 days before the day; correct",
    ),
]


@pytest.mark.parametrize(("file", "line", "text", "said"), BAD)
def test_a_wrong_row_is_refused_with_its_line(
    tmp_path: Path, file: str, line: int, text: str, said: str
) -> None:
    folder = write_leads(tmp_path, days=10)
    path = folder / f"{file}.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[: line - 1], text, *lines[line:]]) + "\n")
    with pytest.raises(DataError) as refused:
        weather.score(tmp_path, Counted())
    where = f"{file}.csv, line "
    assert where in str(refused.value) and said in str(refused.value)
    if "twice" not in said:
        assert f"{where}{line}:" in str(refused.value)


def test_days_far_apart_are_a_slip_and_refused(tmp_path: Path) -> None:
    folder = write_leads(tmp_path, days=10)
    with (folder / "forecasts.csv").open("a") as file:
        file.write("AAA,0001-01-02,0001-01-01,1,70,50,1,1\n")
    with pytest.raises(DataError, match="spans more than 20000 days, 0001-01-02 and 2023-01-10; correct"):
        weather.score(tmp_path, Counted())


def test_the_default_reaches_its_figures_on_the_development_days(shared: Path) -> None:
    """Lead 1, 2025-01-04 to 2025-02-12: a tenth of the promised table, as the whole takes its time."""
    data = lead_set(shared / "data" / "models" / "weather_lead_forecasts")
    counted = Counted(first=dt.date(2025, 1, 4).toordinal(), last=dt.date(2025, 2, 12).toordinal())
    report = weather.lead_rows(data, 1, counted)
    rows = {r.model: r for r in report if r.group == "all"}
    assert rows["default"].n == 238
    assert rows["default"].crps < 0.9 * rows["rolling"].crps
    assert 0.74 < rows["default"].cov80 < 0.86


def test_what_is_missing_or_stands_still_among_what_counts_is_told(tmp_path: Path) -> None:
    data = lead_set(write_leads(tmp_path))
    blend, nbm = data.highs[:, 1], data.guidance["nbm"][:, 1]
    blend[1, 100:103] = np.nan
    blend[1, 395:399] = np.nan
    blend[1, 402:412] = 55.0
    nbm[0, 400:405] = np.nan
    nbm[0, 405:415] = 61.0
    held = np.broadcast_to(LATE.holds(data.days), data.outcomes.shape)
    assert list(gaps(held, data.outcomes, weather.forecast(data, 1), blend, {"nbm": nbm})) == [
        "of the days before, 3 of 780 have no forecast or no outcome",
        "4 of 60 do not count, their forecast or the one of the day before is missing",
        "on 3 of 60 the forecast stands still and counts as none",
        "nbm is silent on 5 of 30, the default does without it there",
        "nbm stands still on 3 of 30, the default does without it there",
    ]


def test_a_report_names_its_gaps_by_lead(tmp_path: Path) -> None:
    folder = write_leads(tmp_path)
    path = folder / "nbm_hrrr.csv"
    lines = [x for x in path.read_text().splitlines() if x.split(",")[1] not in (day(400), day(401))]
    path.write_text("\n".join(lines) + "\n")
    assert weather.score(tmp_path, LATE).notes[0] == (
        "weather_lead_forecasts, city-days at lead 1: nbm is silent on 2 of 30, the default does without it "
        "there."
    )
