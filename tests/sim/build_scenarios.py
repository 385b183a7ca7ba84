"""Derives the scenario and history files of the package from the recorded data beside the checkout.

Run it when a source changes: ``python tests/sim/build_scenarios.py`` writes the CSV files;
``test_scenarios.py`` checks that the files in the package are what it derives. What each column
means and where it comes from stands in the SOURCE.md beside each file.
"""

from __future__ import annotations

import csv
import io
import re
import statistics
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIRST_DAY, LAST_DAY = "2025-01-19", "2025-02-12"
HISTORY_FROM = "2024-10-01"
WINDOW = 75

# Source series, key of the hourly file, settlement station.
CITIES = (
    ("KXHIGHNY", "ny", "KNYC"),
    ("KXHIGHCHI", "chi", "KMDW"),
    ("KXHIGHMIA", "mia", "KMIA"),
    ("KXHIGHAUS", "aus", "KAUS"),
    ("KXHIGHDEN", "den", "KDEN"),
)

# The hourly files carry New York clock time for every city (their minima fall at local dawn only
# then, and only then do their climate-day maxima equal the model's own to 0.1 F). Winter: UTC-5.
HOURLY_FILES_OFFSET = timedelta(hours=5)

_LEADING_NUMBER = re.compile(r"\s*(-?\d+(?:\.\d+)?)")


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _text(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def settled(feeds: Path) -> dict[tuple[str, str], tuple[int | None, int]]:
    """(series, day) -> lowest bracket's cap (None when the ladder is incomplete) and settled high.

    Strikes come from the labels: the winning market's strike fields are empty in the extract.
    """
    lows: dict[tuple[str, str], int] = {}
    highs: dict[tuple[str, str], int] = {}
    uppers: dict[tuple[str, str], int] = {}
    for row in _rows(feeds / "kalshi_weather_2025" / "settled_markets.csv"):
        key = (row["series"], row["date"])
        degrees = int(row["yes_label"].split("°")[0])
        if "below" in row["yes_label"]:
            lows[key] = degrees + 1
        elif "above" in row["yes_label"]:
            uppers[key] = degrees
        if match := _LEADING_NUMBER.match(row["expiration_value"]):
            highs[key] = int(float(match.group(1)))
    return {
        key: (lows[key] if key in lows and uppers.get(key) == lows[key] + 8 else None, high)
        for key, high in highs.items()
    }


def days_csv(feeds: Path) -> str:
    """Ladder and settled high of each city and day."""
    outcomes = settled(feeds)
    rows = [
        (icao, day, *outcomes[series, day])
        for series, _, icao in CITIES
        for day in sorted(day for city, day in outcomes if city == series)
        if FIRST_DAY <= day <= LAST_DAY
    ]
    return _text(("station", "day", "lowest_cap_f", "observed_high_f"), rows)


def hourly_csv(feeds: Path) -> str:
    """Forecast temperature of each hour in UTC, one column a station."""
    columns: dict[str, dict[datetime, str]] = {}
    for _, key, icao in CITIES:
        path = feeds / "open_meteo" / f"kxhigh{key}_hourly_forecast_2025.csv"
        columns[icao] = {
            datetime.fromisoformat(row["time"]).replace(tzinfo=UTC) + HOURLY_FILES_OFFSET: row[
                "temperature_2m"
            ]
            for row in _rows(path)
        }
    hours = sorted(set.intersection(*(set(column) for column in columns.values())))
    rows = [
        (hour.strftime("%Y-%m-%dT%H:%MZ"), *(column[hour] for column in columns.values())) for hour in hours
    ]
    return _text(("valid_utc", *columns), rows)


def history_csv(feeds: Path) -> str:
    """Short-lead forecast high against observed high of each city and day up to the cut-off."""
    outcomes = settled(feeds)
    rows: list[tuple[object, ...]] = []
    for series, _, icao in CITIES:
        archive = {
            row["date"]: int(float(row["nws_high"]))
            for row in _rows(feeds / "weather_history" / "nws_daily" / f"{series}_nws.csv")
            if row["nws_high"]
        }
        for row in _rows(feeds / "weather_history" / "forecasts" / f"{series}_forecasts.csv"):
            day, forecast = row["date"], row["fcst_gfs_seamless"]
            if not HISTORY_FROM <= day <= LAST_DAY or not forecast:
                continue
            if (series, day) in outcomes:
                rows.append((icao, day, 0, forecast, outcomes[series, day][1], "settlement"))
            elif icao != "KMDW" and day in archive:  # that archive's Chicago is another airport
                rows.append((icao, day, 0, forecast, archive[day], "archive"))
    header = ("station", "day", "lead_days", "forecast_high_f", "observed_high_f", "observed_from")
    return _text(header, rows)


def beliefs_csv(feeds: Path) -> str:
    """Mean error and predictive spread of the forecast, as known on each day of the scenario.

    From the last 75 days that had ended before ``day``: bias = mean(f - y),
    sigma^2 = var(f - y) (1 + 1/75).
    """
    errors: dict[str, dict[str, float]] = {}
    for row in csv.DictReader(io.StringIO(history_csv(feeds))):
        error = float(row["forecast_high_f"]) - float(row["observed_high_f"])
        errors.setdefault(row["station"], {})[row["day"]] = error
    rows: list[tuple[object, ...]] = []
    for station, by_day in errors.items():
        for day in sorted(day for day in by_day if day >= FIRST_DAY):
            window = [by_day[d] for d in sorted(d for d in by_day if d < day)[-WINDOW:]]
            spread = statistics.stdev(window) * (1 + 1 / len(window)) ** 0.5
            rows.append((station, day, f"{statistics.fmean(window):.3f}", f"{spread:.3f}"))
    return _text(("station", "day", "bias_f", "sigma_f"), rows)


FILES = {
    "core/sim/scenarios/beliefs.csv": beliefs_csv,
    "core/sim/scenarios/days.csv": days_csv,
    "core/sim/scenarios/hourly.csv": hourly_csv,
    "core/models/weather/data/history.csv": history_csv,
}


def main() -> None:
    feeds = ROOT.parent / "shared" / "data" / "feeds"
    for name, derive in FILES.items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(derive(feeds), encoding="utf-8")
        print(name, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
