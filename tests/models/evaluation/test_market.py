"""The market task on a small set, the rule of its prices, its faults, and the published figures."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from core.models.evaluation import market
from core.models.evaluation.market_files import events
from core.models.evaluation.rows import Counted, DataError, Report, Row
from tests.models.evaluation.market_set import PRINTS, write_markets
from tests.models.evaluation.weather_set import FIRST, day, write_leads

ORDINAL = FIRST.toordinal()


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sets")
    write_leads(made, days=300)
    write_markets(made, 200, 300)
    return made


@pytest.fixture(scope="module")
def report(directory: Path) -> Report:
    return market.score(directory, Counted())


def found(report: Report, model: str, group: str = "all", hour: int = -3) -> Row:
    (row,) = [r for r in report.rows if (r.model, r.hour_utc, r.group) == (model, hour, group)]
    return row


def test_all_stand_on_the_same_events(report: Report) -> None:
    rows = [r for r in report.rows if (r.group, r.hour_utc) == ("all", -3)]
    assert {r.n for r in rows if r.model != "climatology"} == {200}
    assert {r.group for r in report.rows} == {"all", "KXHIGHAAA", "KXHIGHBBB"}


def test_the_pool_is_the_market_until_sixty_days_and_better_after(directory: Path, report: Report) -> None:
    early = market.score(directory, Counted(last=ORDINAL + 255))
    assert found(early, "pool").log_loss == pytest.approx(found(early, "market").log_loss, abs=1e-6)
    late = market.score(directory, Counted(first=ORDINAL + 262))
    assert found(late, "pool").log_loss < found(late, "market").log_loss - 0.05
    assert found(report, "default") == Row(**{**_fields(found(report, "pool")), "model": "default"})


def test_an_event_counts_though_the_forecasts_set_has_no_outcome_of_its_day(tmp_path: Path) -> None:
    """It is settled by its own contracts."""
    write_leads(tmp_path, days=300)
    write_markets(tmp_path, 280, 300)
    path = tmp_path / "weather_lead_forecasts" / "observed.csv"
    path.write_text("\n".join(x for x in path.read_text().splitlines() if day(290) not in x) + "\n")
    assert found(market.score(tmp_path, Counted()), "default").n == 40


def _fields(row: Row) -> dict[str, object]:
    return {name: getattr(row, name) for name in Row.__struct_fields__}


def test_a_pool_frozen_before_sixty_days_stays_the_market(directory: Path) -> None:
    frozen = market.score(directory, Counted(first=ORDINAL + 262, fit_until=ORDINAL + 230))
    assert found(frozen, "pool").log_loss == pytest.approx(found(frozen, "market").log_loss, abs=1e-6)


def test_an_hour_without_prints_has_no_table_and_is_told(report: Report) -> None:
    assert {r.hour_utc for r in report.rows} == {-3, 3}
    assert "kalshi_high_markets: no print at 12:00 UTC, its table is left out." in report.notes


def test_reliability_is_of_every_contract_that_counts(report: Report, directory: Path) -> None:
    (evening, night) = report.reliability
    assert (evening.hour_utc, night.hour_utc) == (-3, 3)
    assert sum(one.count for one in evening.bins) == 6 * 200
    assert sum(one.count * one.happened for one in evening.bins) == pytest.approx(200)
    few = market.score(directory, Counted(first=ORDINAL + 290))
    assert sum(one.count for one in few.reliability[0].bins) == 6 * 20


def test_a_series_without_a_forecast_is_told(tmp_path: Path) -> None:
    folder = write_leads(tmp_path, days=120)
    write_markets(tmp_path, 100, 110)
    path = folder / "forecasts.csv"
    path.write_text("\n".join(x for x in path.read_text().splitlines() if not x.startswith("BBB")) + "\n")
    told = market.score(tmp_path, Counted())
    assert {r.group for r in told.rows} == {"all", "KXHIGHAAA"}
    assert any("KXHIGHBBB is left out" in note for note in told.notes)


def test_without_forecasts_the_market_is_scored_alone(tmp_path: Path) -> None:
    write_leads(tmp_path, days=120)
    write_markets(tmp_path, 100, 110)
    for path in (tmp_path / "weather_lead_forecasts").iterdir():
        path.unlink()
    (tmp_path / "weather_lead_forecasts").rmdir()
    told = market.score(tmp_path, Counted())
    assert {r.model for r in told.rows} == {"market", "default"}
    assert any("no model stands beside the market" in note for note in told.notes)


def test_without_markets_there_is_no_table(tmp_path: Path) -> None:
    told = market.score(tmp_path, Counted())
    assert (told.rows, told.notes) == ((), ("kalshi_high_markets is not there: its table is left out.",))


LADDER = "series,day,ticker,lo,hi,result\n"
EVENT = [("-inf", "69.0", 0), ("70.0", "71.0", 1), ("72.0", "inf", 0)]


def write_event(
    folder: Path, rows: list[tuple[str, str, int]], prints: tuple[str, ...] = (), of: str = "2023-02-01"
) -> Path:
    folder.mkdir(exist_ok=True)
    lines = [f"KXHIGHAAA,{of},T{k},{low},{high},{won}" for k, (low, high, won) in enumerate(rows)]
    (folder / "markets.csv").write_text(LADDER + "\n".join(lines) + "\n")
    text = "\n".join((PRINTS, *prints)) + "\n"
    (folder / "hourly_snapshots.csv.gz").write_bytes(gzip.compress(text.encode()))
    return folder


def printed(ticker: str, hour: int, last: str, ask: str, ask_age: str, bid: str, bid_age: str) -> str:
    return f"KXHIGHAAA,2023-02-01,{ticker},{hour},{last},5,{ask},{ask_age},{bid},{bid_age},0,0"


@pytest.mark.parametrize(
    ("told", "cents"),
    [
        (("40", "50", "10", "44", "239"), 47.0),
        (("40", "50", "10", "44", "240"), 40.0),
        (("40", "50", "300", "44", "10"), 40.0),
        (("40", "44", "10", "50", "10"), 40.0),
        (("40", "", "", "44", "10"), 40.0),
        (("", "", "", "", ""), 1.0),
        (("100", "", "", "", ""), 99.5),
        (("0", "", "", "", ""), 0.5),
    ],
)
def test_what_the_market_said(tmp_path: Path, told: tuple[str, ...], cents: float) -> None:
    """The middle of two fresh prints that do not cross, else the last, else one cent; clipped, normalised."""
    prints = (printed("T1", -3, *told), printed("T0", -3, "30", "", "", "", ""))
    of_event, notes = events(write_event(tmp_path / "m", EVENT, prints))
    assert notes == []
    expected = np.array([30.0, cents, 1.0])
    assert of_event.prices[-3][0] == pytest.approx(expected / expected.sum())


def test_an_event_of_which_nothing_was_printed_by_an_hour_is_told(tmp_path: Path) -> None:
    prints = (
        printed("T0", -3, "30", "", "", "", ""),
        printed("T0", 3, "", "", "", "", ""),
        printed("T1", 3, "", "", "300", "", ""),
    )
    of_event, notes = events(write_event(tmp_path / "m", EVENT, prints))
    assert of_event.prices[3][0] == pytest.approx(1 / 3)
    assert notes == [
        "kalshi_high_markets, 03:00 UTC: of 1 of 1 events nothing was printed, all their contracts count as "
        "equally dear."
    ]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([("-inf", "69.0", 0), ("71.0", "inf", 1)], "its contracts leave a hole"),
        ([("-inf", "70.0", 0), ("70.0", "inf", 1)], "its contracts overlap"),
        ([("60.0", "69.0", 0), ("70.0", "inf", 1)], "its contracts do not reach both tails"),
        ([("-inf", "69.0", 0), ("70.0", "inf", 0)], "not exactly one of its contracts won"),
        ([("-inf", "inf", 1)], "it has 1 contracts, not 2 to 64"),
    ],
)
def test_an_event_that_is_no_ladder_is_left_out_and_told(
    tmp_path: Path, rows: list[tuple[str, str, int]], why: str
) -> None:
    of_event, notes = events(write_event(tmp_path / "m", rows))
    assert of_event.series == ()
    assert notes == [f"kalshi_high_markets: KXHIGHAAA 2023-02-01 left out: {why}."]


def test_events_of_other_sizes_stand_side_by_side(tmp_path: Path) -> None:
    folder = write_event(tmp_path / "m", EVENT)
    with (folder / "markets.csv").open("a") as file:
        file.write("KXHIGHBBB,2023-02-01,U0,-inf,69.0,1\nKXHIGHBBB,2023-02-01,U1,70.0,inf,0\n")
    prints = PRINTS + "\n" + printed("U1", 3, "3", "", "", "", "") + "\n"
    (folder / "hourly_snapshots.csv.gz").write_bytes(gzip.compress(prints.encode()))
    of_event, _ = events(folder)
    assert of_event.prices[3][1][:2] == pytest.approx([0.25, 0.75])
    assert np.isnan(of_event.prices[3][1][2])
    assert of_event.prices[3][0] == pytest.approx([1 / 3] * 3), (
        "an event without a print at an hour that has some"
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("70.5", "71.0", 1), "line 3: lo is '70.5', no whole degree"),
        (("70.0", "warm", 1), "line 3: hi is 'warm', no whole degree"),
        (("70.0", "71.0", 2), "line 3: result is '2', neither 0 nor 1"),
    ],
)
def test_a_wrong_contract_is_refused(tmp_path: Path, row: tuple[str, str, int], said: str) -> None:
    with pytest.raises(DataError, match=said):
        events(write_event(tmp_path / "m", [EVENT[0], row, EVENT[2]]))


def test_a_wrong_or_repeated_print_is_refused(tmp_path: Path) -> None:
    once = printed("T1", -3, "40", "50", "10", "44", "10")
    with pytest.raises(DataError, match=r"hourly_snapshots\.csv\.gz, line 3: contract 'T1' is there twice"):
        events(write_event(tmp_path / "a", EVENT, (once, once)))
    with pytest.raises(DataError, match=r"line 2: last is 140, outside 0 to 100"):
        events(write_event(tmp_path / "b", EVENT, (printed("T1", -3, "140", "", "", "", ""),)))
    later = printed("T1", -3, "40", "50", "-10", "44", "10")
    with pytest.raises(DataError, match=r"line 2: ask_age_min is -10, outside 0 to inf"):
        events(write_event(tmp_path / "c", EVENT, (later,)))


def test_figures_of_the_development_days(shared: Path) -> None:
    told = market.score(shared / "data" / "models", Counted())
    before, night = found(told, "market"), found(told, "market", hour=3)
    assert (before.n, before.days) == (624, 181)
    assert (before.log_loss, before.brier) == pytest.approx((1.435, 0.703), abs=0.005)
    assert (night.log_loss, night.brier) == pytest.approx((1.282, 0.657), abs=0.005)
    article = found(told, "article-normal")
    assert (article.log_loss, article.brier) == pytest.approx((2.064, 0.902), abs=0.005)
    most = {"calibrated-sigma": 1.991, "rolling": 1.697, "emos": 1.683, "emos-t": 1.661}
    for model, loss in most.items():
        assert found(told, model).log_loss < loss + 0.03
    assert found(told, "default").log_loss < before.log_loss
