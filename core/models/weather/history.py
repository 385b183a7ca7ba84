"""Past forecasts with what was then observed, per station, for fitting bias and spread."""

from __future__ import annotations

import csv
import functools
import importlib.resources

import msgspec


class PastDay(msgspec.Struct, frozen=True):
    """One forecast of a day's extreme and its outcome, degrees Fahrenheit. ``day`` is the original climate
    day."""

    station: str
    day: str
    lead_days: int
    forecast_f: float
    observed_f: int


History = dict[tuple[str, int], tuple[PastDay, ...]]
"""Days in rising order by station and lead."""


@functools.cache
def shipped() -> History:
    """The history of highs that comes with the program (sources and limits in ``data/SOURCE.md``)."""
    path = importlib.resources.files("core.models.weather") / "data" / "history.csv"
    rows = csv.DictReader(path.read_text("utf-8").splitlines())
    grouped: dict[tuple[str, int], list[PastDay]] = {}
    for row in rows:
        day = (row["station"], row["day"], int(row["lead_days"]))
        past = PastDay(*day, float(row["forecast_high_f"]), int(row["observed_high_f"]))
        grouped.setdefault((past.station, past.lead_days), []).append(past)
    return {key: tuple(sorted(days, key=lambda d: d.day)) for key, days in grouped.items()}
