"""Histories of random prices, and the series of each."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np

from core.models.evaluation.range_files import Daily, Hourly
from core.models.evaluation.range_series import Series, btcusd, eurusd, spx, spy

START = date(2020, 1, 1).toordinal()
ROWS_A_DAY = {"spx": 1, "btc": 1, "spy": 7, "eur": 24}
ISSUED = {"spx": 0, "btc": 0, "spy": 3, "eur": 13}
"""The row of a day at whose beginning its forecast is made."""


def random_daily(count: int = 200, seed: int = 3) -> Daily:
    random = np.random.default_rng(seed)
    close = 3_000.0 * np.exp(np.cumsum(random.standard_t(4, count) * 0.008))
    vix = np.exp(3.0 + 0.3 * np.sin(np.arange(count) / 20))
    return Daily(START + np.arange(count), {"spx_close": close, "vix_close": vix, "close": close})


def random_hourly(days: int = 120, hours: range = range(24), seed: int = 3) -> Hourly:
    random = np.random.default_rng(seed)
    first = datetime(2020, 1, 1, tzinfo=UTC)
    begins = [
        int((first + timedelta(days=day, hours=hour)).timestamp()) * 1000
        for day in range(days)
        for hour in hours
    ]
    steps = random.standard_t(4, len(begins)) * 0.001
    close = 100.0 * np.exp(np.cumsum(steps))
    opened = close / np.exp(steps)
    wick = np.exp(np.abs(random.normal(size=len(begins))) * 0.0005)
    high, low = np.maximum(opened, close) * wick, np.minimum(opened, close) / wick
    return Hourly(np.array(begins), {"open": opened, "high": high, "low": low, "close": close})


def history(name: str) -> Daily | Hourly:
    """From ``START`` on, a row for each day or hour that the series knows."""
    if ROWS_A_DAY[name] == 1:
        return random_daily()
    return random_hourly(hours=range(9, 16) if name == "spy" else range(24))


def series_of(name: str, data: Daily | Hourly, until: int | None) -> Series:
    match name, data:
        case "spx", Daily():
            return spx(data, until)
        case "btc", Daily():
            return btcusd(data, until)
        case "spy", Hourly():
            return spy(data, until)
        case _, Hourly():
            return eurusd(data, until)
    raise AssertionError(name)
