"""The two weather sets as arrays: a column for each day from the first to the last, NaN where nothing is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from core.models.evaluation.files import Cells, rows_of
from core.models.evaluation.rows import DataError, Days, day_text
from core.models.laws import Array

LEADS = "weather_lead_forecasts"
SHORT = "openmeteo_short_lead"
LEAD_MAX_DAYS = 15
SPAN_MAX_DAYS = 20_000
DEGREES_F = (-90.0, 150.0)

_NAME = re.compile(r"[A-Za-z0-9_.+-]{1,32}")


class LeadSet(msgspec.Struct, frozen=True):
    """Forecasts of one blend by lead, more sources where there are, and the settled highs (F)."""

    cities: tuple[str, ...]
    days: Days
    highs: Array
    """City, lead, day."""
    extras: Mapping[str, Array]
    """``low`` (F), ``cloud`` and ``precipitation`` (%); city, lead, day."""
    outcomes: Array
    """City, day."""
    guidance: Mapping[str, Array]
    """Other models' highs by name; city, lead, day."""


class ShortSet(msgspec.Struct, frozen=True):
    """Several models' highs at near-zero lead; series, day."""

    series: tuple[str, ...]
    days: Days
    highs: Mapping[str, Array]
    outcomes: Array


def lead_set(folder: Path) -> LeadSet:
    """Raises ``DataError``. ``nbm_hrrr.csv`` may be missing."""
    highs, extras = _Grid(), {name: _Grid() for name in ("low", "cloud", "precipitation")}
    columns = ("city", "day", "issued", "lead_days", "tempmax_f", "tempmin_f", "cloudcover", "precipprob")
    for cells in rows_of(folder / "forecasts.csv", columns):
        city, day, lead = name_of(cells, 0), cells.day(1), cells.whole(3, "lead_days")
        if day - cells.day(2) != lead or not 0 <= lead <= LEAD_MAX_DAYS:
            raise cells.fault(f"the day is not {lead} days after the issue; correct or remove the row.")
        highs.put(cells, (city, lead, day), cells.number(4, "tempmax_f", *DEGREES_F))
        extras["low"].put(cells, (city, lead, day), cells.number(5, "tempmin_f", *DEGREES_F))
        extras["cloud"].put(cells, (city, lead, day), cells.number(6, "cloudcover", 0.0, 100.0))
        extras["precipitation"].put(cells, (city, lead, day), cells.number(7, "precipprob", 0.0, 100.0))
    if not highs.values:
        raise DataError(f"{LEADS}/forecasts.csv: it has no rows; fill it or leave the set out.")
    outcomes = _Grid()
    for cells in rows_of(folder / "observed.csv", ("city", "day", "tmax_obs_f")):
        outcomes.put(cells, (name_of(cells, 0), 0, cells.day(1)), cells.number(2, "tmax_obs_f", *DEGREES_F))
    guidance: dict[str, _Grid] = {}
    if (folder / "nbm_hrrr.csv").is_file():
        wanted = ("city", "day", "model", "run_datetime_utc", "peak_window_max_f")
        for cells in rows_of(folder / "nbm_hrrr.csv", wanted):
            city, day, model = name_of(cells, 0), cells.day(1), name_of(cells, 2)
            lead = day - cells.moment(3).date().toordinal()
            if not 0 <= lead <= LEAD_MAX_DAYS:
                raise cells.fault(f"its run is {lead} days before the day; correct or remove the row.")
            value = cells.number(4, "peak_window_max_f", *DEGREES_F)
            guidance.setdefault(model, _Grid()).put(cells, (city, lead, day), value)
    cities = tuple(dict.fromkeys(city for city, _, _ in highs.values))
    days = _days(f"{LEADS}/forecasts.csv", highs.values)
    leads = 1 + max(lead for _, lead, _ in highs.values)
    return LeadSet(
        cities=cities,
        days=days,
        highs=highs.array(cities, leads, days),
        extras={name: grid.array(cities, leads, days) for name, grid in extras.items()},
        outcomes=outcomes.array(cities, 1, days)[:, 0],
        guidance={name: grid.array(cities, leads, days) for name, grid in sorted(guidance.items())},
    )


def short_set(folder: Path) -> ShortSet:
    """Raises ``DataError``."""
    names = ("gfs_seamless", "ecmwf_ifs025", "icon_seamless", "gem_seamless", "jma_seamless")
    highs, outcomes = {name: _Grid() for name in names}, _Grid()
    columns = ("series", "day", "nws_high", *(f"fcst_{name}" for name in names))
    for cells in rows_of(folder / "forecasts_20_cities.csv", columns):
        at = (name_of(cells, 0), 0, cells.day(1))
        outcomes.put(cells, at, cells.number(2, "nws_high", *DEGREES_F))
        for column, name in enumerate(names, 3):
            highs[name].put(cells, at, cells.number(column, columns[column], *DEGREES_F))
    if not outcomes.values:
        raise DataError(f"{SHORT}/forecasts_20_cities.csv: it has no rows; fill it or leave the set out.")
    series = tuple(dict.fromkeys(name for name, _, _ in outcomes.values))
    days = _days(f"{SHORT}/forecasts_20_cities.csv", outcomes.values)
    return ShortSet(
        series=series,
        days=days,
        highs={name: grid.array(series, 1, days)[:, 0] for name, grid in highs.items()},
        outcomes=outcomes.array(series, 1, days)[:, 0],
    )


_At = tuple[str, int, int]
"""Place, lead, day."""


class _Grid:
    """Numbers on their way to an array."""

    def __init__(self) -> None:
        self.values: dict[_At, float] = {}

    def put(self, cells: Cells, at: _At, value: float) -> None:
        if at in self.values:
            raise cells.fault("this day is there twice; remove one of the rows.")
        self.values[at] = value

    def array(self, places: Sequence[str], leads: int, days: Days) -> Array:
        """Place, lead, day; what is of another place, lead or day is left out."""
        found = np.full((len(places), leads, days.size), np.nan)
        index = {place: k for k, place in enumerate(places)}
        for (place, lead, day), value in self.values.items():
            column = day - int(days[0])
            if place in index and lead < leads and 0 <= column < days.size:
                found[index[place], lead, column] = value
        return found


def _days(file: str, values: Mapping[_At, float]) -> Days:
    days = [day for _, _, day in values]
    first, last = min(days), max(days)
    if last - first > SPAN_MAX_DAYS:
        spanned = f"{day_text(first)} and {day_text(last)}"
        raise DataError(f"{file}: it spans more than {SPAN_MAX_DAYS} days, {spanned}; correct the wrong one.")
    return np.arange(first, last + 1, dtype=np.int64)


def name_of(cells: Cells, at: int) -> str:
    """The cell as the name of a place, a series or a model: words that may be printed."""
    text = cells.values[at]
    if not _NAME.fullmatch(text):
        raise cells.fault(f"{text[:32]!r} is no name (letters, digits, - and _); correct or remove the row.")
    return text
