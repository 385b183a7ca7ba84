"""Reading a data set's tables: every fault names file, line and remedy.

A row that cannot be read or comes twice makes its file unusable: what is wrong in one place may be wrong in
others. Its set is left out and told. A cell without a number is a gap.
"""

from __future__ import annotations

import csv
import gzip
import math
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TextIO

import msgspec

from core.models.evaluation.rows import DataError

_ABSENT = frozenset({"", ".", "nan", "null", "none"})


class Cells(msgspec.Struct, frozen=True):
    """One row of a table: the cells of the wanted columns, in their order, and where it stands."""

    values: tuple[str, ...]
    file: str
    line: int

    def fault(self, what: str) -> DataError:
        """``what`` names the thing and the remedy."""
        return DataError(f"{self.file}, line {self.line}: {what}")

    def day(self, at: int) -> int:
        """The cell as a proleptic ordinal."""
        try:
            return date.fromisoformat(self.values[at]).toordinal()
        except ValueError:
            text = self.values[at][:40]
            raise self.fault(f"{text!r} is no day (YYYY-MM-DD); correct or remove the row.") from None

    def moment(self, at: int) -> datetime:
        try:
            return datetime.fromisoformat(self.values[at])
        except ValueError:
            text = self.values[at][:40]
            raise self.fault(f"{text!r} is no time; correct or remove the row.") from None

    def whole(self, at: int, name: str) -> int:
        try:
            return int(self.values[at])
        except ValueError:
            text = self.values[at][:40]
            raise self.fault(f"{name} is {text!r}, no whole number; correct or remove the row.") from None

    def number(self, at: int, name: str, low: float = -math.inf, high: float = math.inf) -> float:
        """The cell as a number within bounds; NaN where it is empty."""
        text = self.values[at].strip()
        if text.lower() in _ABSENT:
            return math.nan
        try:
            value = float(text)
        except ValueError:
            raise self.fault(
                f"{name} is {text[:40]!r}, no number; leave it empty where there is none."
            ) from None
        if not low <= value <= high:
            raise self.fault(f"{name} is {text[:40]}, outside {low:g} to {high:g}; correct or empty it.")
        return value


def rows_of(path: Path, columns: tuple[str, ...]) -> Iterator[Cells]:
    """Rows of a comma-separated file (plain or gzip). Raises ``DataError``."""
    try:
        with _open(path) as file:
            reader = csv.reader(file)
            header = next(reader, [])
            missing = [name for name in columns if name not in header]
            if missing:
                raise DataError(f"{path.name}, line 1: it has no column {', '.join(missing)}; add it.")
            wanted = [header.index(name) for name in columns]
            for cells in reader:
                if len(cells) != len(header):
                    where = f"{path.name}, line {reader.line_num}"
                    raise DataError(
                        f"{where}: {len(cells)} cells under {len(header)} columns; correct or remove the row."
                    )
                yield Cells(tuple(cells[at] for at in wanted), path.name, reader.line_num)
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError, csv.Error) as error:
        raise DataError(f"{path.name}: it is no table of text ({error}); take a sound copy.") from None
    except FileNotFoundError:
        raise DataError(f"{path.parent.name} has no {path.name}; add it or leave the set out.") from None
    except OSError as error:
        raise DataError(
            f"{path.name}: it cannot be read ({error.strerror}); check its permissions."
        ) from None


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")
