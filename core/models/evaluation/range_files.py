"""The price histories that range models are scored on, as files of rows (``fx_index_crypto``).

A row that cannot be read, comes twice or goes back in time is refused with its line: a history that is wrong
in one place may be wrong in others. A cell without a number is a gap, and what rests on it is left out.
"""

from __future__ import annotations

import csv
import gzip
import math
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TextIO

import msgspec
import numpy as np
import numpy.typing as npt

from core.feeds.stations import HOUR_MS
from core.models.laws import Array

_ABSENT = frozenset({"", ".", "nan", "null", "none"})
_OHLC = ("open", "high", "low", "close")


class RowError(Exception):
    """A row that makes its file unusable; the text names file, line and remedy."""


class Daily(msgspec.Struct, frozen=True):
    """One row a day: proleptic ordinals, and columns of numbers, ``nan`` where there was none."""

    days: npt.NDArray[np.int64]
    columns: dict[str, Array]


class Hourly(msgspec.Struct, frozen=True):
    """One row an hour: when each bar began, Unix milliseconds, as if the file's own clock were UTC."""

    begins_ms: npt.NDArray[np.int64]
    columns: dict[str, Array]


def daily(path: Path, names: tuple[str, ...]) -> Daily:
    """Raises ``RowError``, and ``OSError`` where the file cannot be read."""
    days, columns = _read(path, "day", lambda text: date.fromisoformat(text).toordinal(), names)
    return Daily(days, columns)


def hourly(path: Path) -> Hourly:
    """Raises as ``daily``."""
    begins_ms, columns = _read(path, "time", _begin_ms, _OHLC)
    return Hourly(begins_ms, columns)


def _begin_ms(text: str) -> int:
    at_ms = int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000
    if at_ms % HOUR_MS:
        raise ValueError("no full hour")
    return at_ms


def _read(
    path: Path, key: str, parse: Callable[[str], int], names: tuple[str, ...]
) -> tuple[npt.NDArray[np.int64], dict[str, Array]]:
    keys: list[int] = []
    cells: dict[str, list[float]] = {name: [] for name in names}
    for line, row in _rows(path, (key, *names)):
        where = f"{path.name}, line {line}"
        try:
            at = parse(row[key])
        except ValueError:
            raise RowError(f"{where}: {row[key][:40]!r} is no {key}; correct or remove the row.") from None
        if keys and at <= keys[-1]:
            fault = "is there twice" if at in keys else "is earlier than the row before"
            raise RowError(f"{where}: {row[key]} {fault}; remove one of the rows, or sort them.")
        keys.append(at)
        for name in names:
            cells[name].append(_price(row[name], name, where))
    return np.array(keys, dtype=np.int64), {name: np.array(found) for name, found in cells.items()}


def _rows(path: Path, wanted: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with _open(path) as file:
            reader = csv.DictReader(file)
            missing = [name for name in wanted if name not in (reader.fieldnames or ())]
            if missing:
                raise RowError(f"{path.name}: it has no column {', '.join(missing)}.")
            for row in reader:
                if None in row or None in row.values():
                    raise RowError(
                        f"{path.name}, line {reader.line_num}: its cells are not those of the header."
                    )
                yield reader.line_num, row
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError, csv.Error) as error:
        raise RowError(f"{path.name}: it is no table of text ({error}).") from None


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _price(text: str, name: str, where: str) -> float:
    if text.strip().lower() in _ABSENT:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        raise RowError(
            f"{where}: {name} is {text[:40]!r}, no number; leave it empty where there is none."
        ) from None
    if not (math.isfinite(value) and value > 0):
        raise RowError(f"{where}: {name} is {text[:40]!r}, no price; leave it empty where there is none.")
    return value
