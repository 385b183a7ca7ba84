"""The range task: what may be known when, which days count, and what is refused."""

from __future__ import annotations

import gzip
import itertools
import math
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from core.feeds.stations import HOUR_MS
from core.models import scores
from core.models.evaluation.range import FLOOR, FOLDER, WARM_UP, score, scored
from core.models.evaluation.range_files import Daily, Hourly, daily, hourly
from core.models.evaluation.range_series import Said, Series, _short, blocks, btcusd, eurusd, spx, spy
from core.models.evaluation.rows import Counted, DataError, Row
from core.models.laws import Law, Shape
from tests.models.evaluation.range_set import START, history, random_daily, random_hourly, series_of

DATA = Path(__file__).parents[4] / "shared/data/models"


def ordinal(text: str) -> int:
    return date.fromisoformat(text).toordinal()


# --- histories made here --------------------------------------------------------------------------


def built(name: str, *, until: int | None = None, changed_from: int | None = None) -> Series:
    """A series of random prices; with all prices of rows from ``changed_from`` on doubled in their moves."""
    data = history(name)
    if changed_from is not None:
        for column in data.columns.values():
            column[changed_from:] = column[changed_from:] ** 1.1
    return series_of(name, data, until)


NAMES = ["spx", "btc", "spy", "eur"]


@pytest.mark.parametrize(
    ("name", "rows_a_day", "issued"), [("spx", 1, 0), ("btc", 1, 0), ("spy", 7, 3), ("eur", 24, 13)]
)
def test_what_comes_after_changes_nothing_that_was_said_before(
    name: str, rows_a_day: int, issued: int
) -> None:
    """Prices differ from the hour on at which a day's forecast is made: its outcome does, what was said of it
    does not, and of the next day it does."""
    day = 100
    usual, other = built(name), built(name, changed_from=day * rows_a_day + issued)
    at = int(np.searchsorted(usual.days, START + day))
    assert usual.outcomes[at] != other.outcomes[at]
    for model, said in usual.models.items():
        differs = np.flatnonzero(said.deviation != other.models[model].deviation)
        assert differs[0] == at + 1, model


@pytest.mark.parametrize("name", NAMES)
def test_frozen_fits_see_nothing_after_their_day(name: str) -> None:
    """Days after it, whose prices differ, change no fitted parameter: shapes stay what they were."""
    until = START + 70
    rows_a_day = {"spx": 1, "btc": 1, "spy": 7, "eur": 24}[name]
    usual = built(name, until=until)
    other = built(name, until=until, changed_from=100 * rows_a_day)
    assert usual.models["default"].shapes == other.models["default"].shapes
    free = built(name)
    at = int(np.searchsorted(usual.days, until))
    assert (usual.models["default"].deviation[: at - 40] == free.models["default"].deviation[: at - 40]).all()
    assert (usual.models["default"].deviation[-5:] != free.models["default"].deviation[-5:]).any()


def test_fits_are_made_anew_every_thirty_days_until_they_are_frozen() -> None:
    days = START + np.arange(100)
    found = [(here.start, here.stop, seen.stop) for here, seen in blocks(days, None)]
    assert found == [(0, 30, 0), (30, 60, 30), (60, 90, 60), (90, 100, 90)]
    frozen = [(here.start, here.stop, seen.stop) for here, seen in blocks(days, START + 44)]
    assert frozen == [(0, 30, 0), (30, 45, 30), (45, 100, 45)]
    assert [seen.stop for _, seen in blocks(days, START - 1)] == [0]


def test_a_row_is_what_its_law_says_of_each_day() -> None:
    """Log loss and Brier against sums written out, for the raw VIX: a normal."""
    series = built("spx")
    row = next(r for r in scored(series, Counted()) if r.model == "raw-vix")
    losses, briers = [], []
    for outcome, deviation in zip(
        series.outcomes[WARM_UP:], series.models["raw-vix"].deviation[WARM_UP:], strict=True
    ):

        def below(x: float, d: float = deviation) -> float:
            return 0.5 * math.erfc(-(x + d * d / 2) / d / math.sqrt(2))

        cells = [0.0, *map(below, series.edges), 1.0]
        chances = [high - low for low, high in itertools.pairwise(cells)]
        won = sum(edge <= outcome for edge in series.edges)
        losses.append(-math.log(max(FLOOR, chances[won])))
        briers.append(sum((p - (k == won)) ** 2 for k, p in enumerate(chances)))
    assert row.n == len(losses) == row.days == 200 - 1 - WARM_UP
    assert row.log_loss == pytest.approx(np.mean(losses), abs=1e-12)
    assert row.brier == pytest.approx(np.mean(briers), abs=1e-12)


def test_bounds_count_days_and_change_no_forecast() -> None:
    series = built("spx")
    all_rows = scored(series, Counted())
    first, last = START + 100, START + 149
    bounded = scored(series, Counted(first, last))
    assert {row.n for row in bounded} == {50} and {row.n for row in all_rows} == {139}
    assert scored(series, Counted(last=START + WARM_UP)) == []


def test_each_shape_of_a_mixed_series_is_scored_as_what_it_is() -> None:
    """Every other day a normal, every other a t, all outcomes one deviation up."""
    count = 100
    said = Said((Shape.NORMAL, Shape.T3) * (count // 2), np.full(count, 0.01))
    outcomes = np.full(count, 0.01)
    series = Series("X", 1, None, START + np.arange(count), outcomes, np.array([0.0]), {"default": said}, 0)
    [both] = scored(series, Counted())
    apart = []
    for shape in (Shape.NORMAL, Shape.T3):
        law = Law(shape, np.array([-0.5e-4]), np.array([0.01 / shape.deviation]))
        apart.append((-math.log(1 - law.below(0.0)[0]), float(scores.crps(law, 0.01)[0]) / 1e-4))
    assert both.log_loss == pytest.approx(np.mean([loss for loss, _ in apart]), abs=1e-12)
    assert both.crps == pytest.approx(np.mean([crps for _, crps in apart]), abs=1e-9)


# --- files ----------------------------------------------------------------------------------------


def written(tmp_path: Path, lines: list[str], name: str = "spx_vix_daily.csv") -> Path:
    folder = tmp_path / FOLDER
    folder.mkdir(exist_ok=True)
    path = folder / name
    text = "\n".join(lines) + "\n"
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


HEAD = "day,spx_close,vix_open,vix_close"


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (
            "2020-01-02,3,14,14",
            "spx_vix_daily.csv, line 3: 2020-01-02 is there twice; remove one of the rows.",
        ),
        ("2019-12-31,3,14,14", "line 3: 2019-12-31 comes late; sort the rows."),
        ("2020-13-01,3,14,14", "line 3: '2020-13-01' is no day (YYYY-MM-DD); correct or remove the row."),
        ("2020-01-03,x,14,14", "line 3: spx_close is 'x', no number; leave it empty where there is none"),
        ("2020-01-03,-3,14,14", "line 3: spx_close is -3, outside"),
        ("2020-01-03,inf,14,14", "line 3: spx_close is inf, outside"),
        ("2020-01-03,3000", "line 3: 2 cells under 4 columns; correct or remove the row."),
    ],
)
def test_a_wrong_row_is_refused_with_its_line(tmp_path: Path, bad: str, says: str) -> None:
    written(tmp_path, [HEAD, "2020-01-02,3000,14,14", bad])
    with pytest.raises(DataError) as refusal:
        score(tmp_path, Counted())
    assert says in str(refusal.value)


def test_a_wrong_file_leaves_the_others_their_tables(tmp_path: Path) -> None:
    written(tmp_path, [HEAD, "2020-01-02,x,14,14"])
    data = random_daily(150)
    moves = zip(data.days, data.columns["close"], strict=True)
    lines = [f"{date.fromordinal(int(day)).isoformat()},1,1,1,{close:.2f}" for day, close in moves]
    written(tmp_path, ["day,open,high,low,close", *lines], "btcusd_daily.csv")
    report = score(tmp_path, Counted())
    assert {row.group for row in report.rows} == {"BTC/USD"}
    assert report.notes[-1].startswith("spx_vix_daily.csv, line 2: spx_close is 'x', no number;")
    assert report.notes[-1].endswith(" Its table is left out.")


def test_a_repeated_hour_and_a_torn_archive_are_refused(tmp_path: Path) -> None:
    bar = "2020-01-02 13:00:00,2020-01-02,1,1,1,1"
    path = written(tmp_path, ["time,day,open,high,low,close", bar, bar], "eurusd_hourly.csv.gz")
    with pytest.raises(
        DataError, match=r"eurusd_hourly\.csv\.gz, line 3: 2020-01-02 13:00:00 is there twice"
    ):
        hourly(path)
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(DataError, match="no table of text"):
        hourly(path)
    with pytest.raises(DataError, match="it has no column spx_close"):
        daily(written(tmp_path, ["day,close", "2020-01-02,1"]), ("spx_close",))


def test_an_hour_whose_high_or_low_is_not_outermost_is_a_hole(tmp_path: Path) -> None:
    bars = ("4,5,3,4", "4,3,3,4", "4,5,4.5,4", "4,,3,4")
    lines = [f"2020-01-02 1{n}:00:00,2020-01-02,{bar}" for n, bar in enumerate(bars)]
    path = written(tmp_path, ["time,day,open,high,low,close", *lines], "eurusd_hourly.csv.gz")
    found = hourly(path).columns
    assert np.isfinite(found["close"]).tolist() == [True, False, False, True]
    assert np.isfinite(found["high"]).tolist() == [True, False, False, False]


def test_gaps_are_left_out_and_told(tmp_path: Path) -> None:
    """No number, a hole of weeks: neither makes a return, and the rest is scored."""
    data = random_daily(150)
    lines = [
        f"{date.fromordinal(int(day)).isoformat()},{close:.2f},,{vix:.2f}"
        for day, close, vix in zip(
            data.days, data.columns["spx_close"], data.columns["vix_close"], strict=True
        )
    ]
    lines[80] = lines[80].rsplit(",", 1)[0] + ",nan"
    lines[90] = lines[90].split(",")[0] + ",.,,20"
    del lines[100:110]
    written(tmp_path, [HEAD, *lines])
    report = score(tmp_path, Counted())
    assert {row.n for row in report.rows} == {150 - 10 - 1 - WARM_UP - 4}
    assert f"{FOLDER}/spx_vix_daily.csv: 4 rows or days with a hole are left out." in report.notes
    assert f"{FOLDER}/spy_hourly.csv.gz is not there: its table is left out." in report.notes


def test_half_days_are_no_afternoons() -> None:
    data = random_hourly(hours=range(9, 16))
    keep = np.ones(data.begins_ms.size, dtype=bool)
    keep[70 * 7 + 4 : 71 * 7] = False
    short = Hourly(data.begins_ms[keep], {name: column[keep] for name, column in data.columns.items()})
    series = spy(short, None)
    assert START + 70 not in series.days and series.days.size == 119 and series.left_out == 1


def test_nothing_is_no_crash() -> None:
    none = np.array([])
    days = np.array([], dtype=np.int64)
    daily_none = Daily(days, {"spx_close": none, "vix_close": none, "close": none})
    hourly_none = Hourly(days, dict.fromkeys(("open", "high", "low", "close"), none))
    for series in (
        spx(daily_none, None),
        btcusd(daily_none, None),
        spy(hourly_none, None),
        eurusd(hourly_none, None),
    ):
        assert scored(series, Counted()) == []


# --- development figures --------------------------------------------------------------------------


def losses(folder_name: str, read: object, counted: Counted) -> dict[str, Row]:
    path = DATA / FOLDER / folder_name
    if not path.exists():
        pytest.skip(f"{FOLDER} is not there")
    return {row.model: row for row in scored(read(path), counted)}  # type: ignore[operator]


def test_development_figures_of_the_index() -> None:
    until = ordinal("2019-12-31")
    counted = Counted(ordinal("2020-01-01"), ordinal("2022-12-31"), until)
    names = ("spx_close", "vix_close")
    rows = losses("spx_vix_daily.csv", lambda path: spx(daily(path, names), until), counted)
    assert rows["default"].n == 756
    assert (rows["default"].log_loss or 9) <= 2.18
    assert rows["raw-vix"].log_loss == pytest.approx(2.21, abs=0.005)


def test_development_order_of_the_pair() -> None:
    """The hour of the week is worth most, tails some; from 2010 on, which is quicker than all of it."""

    def late(path: Path) -> Series:
        data = hourly(path)
        keep = slice(int(np.searchsorted(data.begins_ms, 1_262_304_000_000)), None)
        columns = {name: column[keep] for name, column in data.columns.items()}
        return eurusd(Hourly(data.begins_ms[keep], columns), ordinal("2011-12-31"))

    rows = losses("eurusd_hourly.csv.gz", late, Counted(ordinal("2012-01-01"), ordinal("2014-12-31")))
    flat, clock, default = (rows[model].log_loss or 9 for model in ("flat", "clock", "default"))
    assert default < clock - 0.02 < flat - 0.17


def test_the_desks_currency_model_is_scored_by_the_memory_that_the_desk_has() -> None:
    """An hour that moved twelve hours before counts half of one that just has, and its clock with it."""
    begins_ms = np.array([0, 12, 24], dtype=np.int64) * HOUR_MS
    found = _short(begins_ms, np.array([4e-6, 1e-6, 9e-6]), np.array([2.0, 1.0, 1.0]))
    assert found[1:] == pytest.approx([2e-6, (4e-6 / 2 + 1e-6) / (2.0 / 2 + 1.0)])
