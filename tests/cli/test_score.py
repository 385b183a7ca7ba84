"""Scores from a shell: rows for programs, a table for people, one sentence for what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.models.evaluation.weather_set import day, write_leads
from tui.cli import cli


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["score", *arguments])


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sets")
    write_leads(made, days=120)
    return made


def test_rows_for_a_program_and_notes_beside_them(directory: Path) -> None:
    ended = run(
        "weather", "--data", str(directory), "--score-from", day(100), "--score-to", day(109), "--json"
    )
    assert ended.exit_code == 0
    told = json.loads(ended.stdout)
    assert told["task"] == "weather"
    (row,) = [r for r in told["rows"] if (r["model"], r["lead"], r["group"]) == ("default", 1, "AAA")]
    assert (row["n"], row["days"], row["hour_utc"], row["brier"]) == (10, 10, None, None)
    assert "openmeteo_short_lead is not there: its table is left out." in ended.stderr


def test_a_table_for_a_person(directory: Path) -> None:
    ended = run("weather", "--data", str(directory), "--score-from", day(100))
    assert ended.exit_code == 0
    assert ended.output.startswith("weather: all, lead 0\n  model")
    assert "openmeteo_short_lead is not there" in ended.output


def test_days_without_a_forecast_are_no_table(directory: Path) -> None:
    ended = run("weather", "--data", str(directory), "--score-from", "2030-01-01")
    assert ended.exit_code == 1
    assert "no day counts under" in ended.stderr


def test_a_wrong_row_is_one_sentence(tmp_path: Path) -> None:
    folder = write_leads(tmp_path, days=5)
    with (folder / "observed.csv").open("a") as file:
        file.write("AAA,2023-01-02,60,again\n")
    ended = run("weather", "--data", str(tmp_path))
    assert ended.exit_code == 2
    assert (
        ended.stderr
        == "pmconsole score: observed.csv, line 12: this day is there twice; remove one of the rows.\n"
    )


@pytest.mark.parametrize("arguments", [("--data", "/nowhere"), (), ("--data", ".", "--fit-until", "soon")])
def test_what_cannot_be_meant_is_usage(arguments: tuple[str, ...]) -> None:
    assert run("weather", *arguments).exit_code == 2


def test_bounds_the_wrong_way_round_are_usage(directory: Path) -> None:
    ended = run("weather", "--data", str(directory), "--score-from", day(100), "--score-to", day(99))
    assert ended.exit_code == 2
    assert ended.stderr == "pmconsole score: --score-from lies after --score-to; turn them round.\n"


def test_ranges_by_series(tmp_path: Path) -> None:
    folder = tmp_path / "fx_index_crypto"
    folder.mkdir()
    rows = [f"{day(n)},{3_000 * (1 + 0.01 * (n % 3))},,{15 + n % 7}" for n in range(90)]
    (folder / "spx_vix_daily.csv").write_text("day,spx_close,vix_open,vix_close\n" + "\n".join(rows) + "\n")
    ended = run("range", "--data", str(tmp_path), "--json")
    assert ended.exit_code == 0
    told = json.loads(ended.stdout)["rows"]
    assert [(r["model"], r["group"], r["lead"], r["n"]) for r in told if r["model"] == "default"] == [
        ("default", "SPX", 1, 29)
    ]
    assert "spy_hourly.csv.gz is not there: its table is left out." in ended.stderr
    (folder / "spx_vix_daily.csv").write_text(
        "day,spx_close,vix_open,vix_close\n" + "\n".join([*rows, rows[-1]])
    )
    refused = run("range", "--data", str(tmp_path))
    assert refused.exit_code == 2
    assert (
        refused.stderr
        == f"pmconsole score: spx_vix_daily.csv, line 92: {day(89)} is there twice; remove one of "
        "the rows.\n"
    )
