"""What a report prints, and that a wrong table is refused by file, line and remedy."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from core.models.evaluation.files import rows_of
from core.models.evaluation.rows import Counted, DataError, Report, document, plotted, row, table
from core.models.scores import Bin

KEYS = [
    "model",
    "lead",
    "hour_utc",
    "group",
    "n",
    "days",
    "crps",
    "log_loss",
    "brier",
    "cov50",
    "cov80",
    "cov90",
    "pit_ks",
]


def test_json_has_the_promised_keys_and_null_for_what_was_not_measured() -> None:
    days = np.array([1, 1, 2])
    scored = row("m", "all", days, lead=1, crps=np.array([1.0, 2.0, 3.0]))
    told = document(Report("weather", (scored,)))
    assert told["task"] == "weather"
    (only,) = told["rows"]
    assert list(only) == KEYS
    assert (only["crps"], only["n"], only["days"], only["lead"]) == (2.0, 3, 2, 1)
    assert [only[name] for name in ("hour_utc", "log_loss", "brier", "cov80", "pit_ks")] == [None] * 5


def test_table_tells_the_hour_and_the_error_by_day() -> None:
    days = np.array([1, 1, 2, 3])
    scored = row("market", "all", days, hour_utc=-3, log_loss=np.array([1.0, 1.0, 2.0, 3.0]))
    lines = list(table(Report("market", (scored,), ("A set is not there.",))))
    assert lines[0] == "market: all, 21:00 UTC the day before"
    assert lines[1].split() == ["model", "n", "days", "log_loss"]
    # Days sum to -1.5, .25, 1.25 around the mean: sqrt(3/2 (2.25 + .0625 + 1.5625)) / 4.
    assert lines[2].split() == ["market", "4", "3", "1.750", "±0.603"]
    assert lines[-1] == "A set is not there."


def test_groups_follow_what_is_scored_together_with_their_default() -> None:
    days = np.array([1, 2])
    rows = tuple(
        row(model, group, days, lead=lead, crps=np.array([1.0, 2.0]))
        for lead in (0, 1)
        for group in ("all", "AUS", "CHI")
        for model in ("rolling", "default")
    )
    lines = [line for line in table(Report("weather", rows)) if line]
    assert [line.split()[0] for line in lines[:7]] == [
        "weather:",
        "model",
        "rolling",
        "default",
        "default",
        "AUS",
        "CHI",
    ]
    assert lines[7] == "weather: all, lead 1"
    alone = list(table(Report("range", tuple(r for r in rows if r.group == "AUS" and r.lead == 0))))
    assert [line.split()[0] for line in alone if line] == ["range:", "model", "rolling", "default"]


def test_reliability_is_plotted_beside_what_was_said() -> None:
    """Said 20 %, happened 60 % between 40 and 80: the columns are two percent wide."""
    lines = list(plotted([Bin(0.1, 0.2, 20, 0.2, 0.6, 0.4, 0.8)]))
    assert (
        lines[1] == "     20.0%     60.0%         20  " + " " * 10 + "+" + " " * 9 + "-" * 10 + "o" + "-" * 10
    )
    assert lines[2] == "  on average 40.0% apart"


def test_bounds_hold_both_ends() -> None:
    days = np.arange(10, 15)
    assert Counted().holds(days).all()
    assert list(days[Counted(first=11, last=13).holds(days)]) == [11, 12, 13]


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_cells_of_the_wanted_columns_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"b,a,day\n2,,2024-01-01\n"))
    (cells,) = rows_of(path, ("day", "a", "b"))
    assert (cells.line, cells.day(0), cells.whole(2, "b")) == (2, 738886, 2)
    assert np.isnan(cells.number(1, "a"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a\n1\n", "t.csv, line 1: it has no column day; add it."),
        ("", "t.csv, line 1: it has no column day, a; add it."),
        ("day,a\n2024-01-01\n", "t.csv, line 2: 1 cells under 2 columns; correct or remove the row."),
        ("day,a\n2024-13-01,1\n", "t.csv, line 2: '2024-13-01' is no day (YYYY-MM-DD); correct or remove"),
        ("day,a\n2024-01-01,x\n", "t.csv, line 2: a is 'x', no number; leave it empty where there is none."),
        ("day,a\n2024-01-01,999\n", "t.csv, line 2: a is 999, outside -90 to 150; correct or empty it."),
        ("day,a\n2024-01-01,inf\n", "t.csv, line 2: a is inf, outside -90 to 150; correct or empty it."),
    ],
)
def test_a_wrong_table_is_refused_in_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = write(tmp_path / "t.csv", text)
    with pytest.raises(DataError) as refused:
        for cells in rows_of(path, ("day", "a")):
            cells.day(0)
            cells.number(1, "a", -90, 150)
    assert str(refused.value).startswith(sentence)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(b"no gzip")
    with pytest.raises(DataError, match=r"t\.csv\.gz: it is no table of text"):
        list(rows_of(path, ("day",)))
    with pytest.raises(DataError, match=r"has no t\.csv; add it or leave the set out"):
        list(rows_of(tmp_path / "t.csv", ("day",)))
