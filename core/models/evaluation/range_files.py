"""The price histories that range models are scored on (``fx_index_crypto``).

A row that comes twice or goes back in time is refused with its line, as one that cannot be read is. An hour
whose high or low is not outermost is a hole.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from core.feeds.stations import HOUR_MS
from core.models.evaluation.files import Cells, rows_of
from core.models.laws import Array

_OHLC = ("open", "high", "low", "close")
_LOWEST, _HIGHEST = 1e-9, 1e12
"""Prices outside are none."""


class Daily(msgspec.Struct, frozen=True):
    """One row a day: proleptic ordinals, and columns of numbers, ``nan`` where there was none."""

    days: npt.NDArray[np.int64]
    columns: dict[str, Array]


class Hourly(msgspec.Struct, frozen=True):
    """One row an hour: when each bar began, Unix milliseconds, as if the file's own clock were UTC."""

    begins_ms: npt.NDArray[np.int64]
    columns: dict[str, Array]


def daily(path: Path, names: tuple[str, ...]) -> Daily:
    """Raises ``DataError``."""
    days, columns = _read(path, "day", lambda row: row.day(0), names)
    return Daily(days, columns)


def hourly(path: Path) -> Hourly:
    """Raises ``DataError``."""
    begins_ms, columns = _read(path, "time", _begin_ms, _OHLC)
    prices = np.stack([columns[name] for name in _OHLC])
    # What is no number is apart from nothing: a hole stays one.
    broken = (columns["low"] > prices.min(axis=0)) | (columns["high"] < prices.max(axis=0))
    return Hourly(begins_ms, {name: np.where(broken, np.nan, of) for name, of in columns.items()})


def _begin_ms(row: Cells) -> int:
    at_ms = int(row.moment(0).replace(tzinfo=UTC).timestamp()) * 1000
    if at_ms % HOUR_MS:
        raise row.fault(f"{row.values[0]} is no full hour; correct or remove the row.")
    return at_ms


def _read(
    path: Path, key: str, parse: Callable[[Cells], int], names: tuple[str, ...]
) -> tuple[npt.NDArray[np.int64], dict[str, Array]]:
    keys: list[int] = []
    cells: list[list[float]] = []
    for row in rows_of(path, (key, *names)):
        at = parse(row)
        if keys and at <= keys[-1]:
            fault = "is there twice; remove one of the rows" if at in keys else "comes late; sort the rows"
            raise row.fault(f"{row.values[0]} {fault}.")
        keys.append(at)
        cells.append([row.number(n, name, _LOWEST, _HIGHEST) for n, name in enumerate(names, 1)])
    table = np.array(cells).reshape(len(keys), len(names))
    return np.array(keys, dtype=np.int64), {name: table[:, n] for n, name in enumerate(names)}
