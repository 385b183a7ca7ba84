"""One station's history as a plain table that grows: what was forecast of each day, and what it became.

``STATION.csv`` has one row a figure: ``station,day,extreme,lead_days,source,value_f``. ``day`` is a climate
day, ``lead_days`` how many days before it the forecast was made, empty for an outcome; ``source`` is the
model's name, or whose word the outcome is; ``value_f`` is in degrees Fahrenheit, empty where the source was
asked and had none. Rows are only ever added, whole batches at a time: a writer that dies leaves at most one
broken last line, which is no row and is cut off by the next one.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

import msgspec

from core.domain.market import Extreme
from core.feeds.sanity import plausible

HEADER = "station,day,extreme,lead_days,source,value_f"
LEAD_DAYS_MAX = 16
FILE_BYTES_MAX = 64 * 1024 * 1024

SETTLED, REPORTED = "kalshi", "cli"
"""Whose word an outcome is: the exchange's settlement, or the final climate report where it has none."""
OUTCOMES = (SETTLED, REPORTED)
"""The better one first."""


class ArchiveError(Exception):
    """A history cannot be used; the text names file, line and remedy."""


class Key(msgspec.Struct, frozen=True):
    """What a figure is of. ``lead_days`` is ``None`` for an outcome."""

    day: str
    extreme: Extreme
    lead_days: int | None
    source: str


Figures = Mapping[Key, float | None]


class Archive:
    """One station's figures. Nothing in it comes twice; only a value may take the place of none."""

    def __init__(self, path: Path, station: str) -> None:
        """Read what there is; raises ``ArchiveError``."""
        self.path, self.station = path, station
        self._figures: dict[Key, float | None] = {}
        raw = _content(path)
        whole = raw[: raw.rfind(b"\n") + 1]
        self.digest = hashlib.sha256(whole).hexdigest()
        """Of the rows that were read."""
        self._bytes = len(whole)
        if whole:
            self._read(whole)

    @property
    def figures(self) -> Figures:
        return self._figures

    def add(self, rows: Mapping[Key, float | None]) -> None:
        """Write down what is new and wait for the disk; raises ``OSError``, ``ValueError`` for a figure that
        is there with another value."""
        fresh = {key: value for key, value in rows.items() if not self._known(key, value)}
        if not fresh:
            return
        lines = "".join(self._line(key, value) for key, value in fresh.items())
        text = lines if self._bytes else f"{HEADER}\n{lines}"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, self._bytes)  # a line that was broken off
            os.lseek(descriptor, self._bytes, os.SEEK_SET)
            data = memoryview(text.encode())
            while data:
                data = data[os.write(descriptor, data) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self._bytes += len(text.encode())
        self._figures |= fresh

    def _known(self, key: Key, value: float | None) -> bool:
        if key not in self._figures:
            return False
        held = self._figures[key]
        if held is None and value is not None:
            return False
        if value is not None and held != value:
            raise ValueError(f"{self.station} {key.day} {key.source}: {value} where {held} is written down")
        return True

    def _line(self, key: Key, value: float | None) -> str:
        lead = "" if key.lead_days is None else key.lead_days
        f = "" if value is None else f"{value:g}"
        return f"{self.station},{key.day},{key.extreme.value},{lead},{key.source},{f}\n"

    def _read(self, whole: bytes) -> None:
        try:
            lines = whole.decode("ascii").splitlines()
        except UnicodeDecodeError:
            raise ArchiveError(f"{self.path} is no table of figures: {_REMEDY}") from None
        if lines[0] != HEADER:
            raise ArchiveError(f"{self.path}:1: the first line must be {HEADER}: {_REMEDY}")
        for number, row in enumerate(csv.reader(lines[1:]), 2):
            key, value, fault = self._row(row)
            if not fault and key in self._figures and (self._figures[key] is not None or value is None):
                fault = f"{key.source} tells {key.day} {key.extreme.value} twice"
            if fault:
                raise ArchiveError(f"{self.path}:{number}: {fault}: {_REMEDY}")
            self._figures[key] = value

    def _row(self, row: list[str]) -> tuple[Key, float | None, str]:
        """One line's figure, and what is wrong with it."""
        none = Key("", Extreme.HIGH, None, "")
        if len(row) != 6:
            return none, None, f"{len(row)} fields, 6 needed"
        station, day, extreme, lead, source, text = row
        if station != self.station:
            return none, None, f"station {station[:8]!r} in the history of {self.station}"
        try:
            key = Key(
                date.fromisoformat(day).isoformat(), Extreme(extreme), int(lead) if lead else None, source
            )
            value = float(text) if text else None
        except ValueError:
            return none, None, "a day, an extreme or a figure cannot be read"
        if value is not None and not plausible(value):
            return none, None, f"{text[:12]} F is not what stations see"
        if not source or (key.lead_days is None) != (source in OUTCOMES):
            return none, None, f"source {source[:24]!r} does not go with lead {lead[:4]!r}"
        if key.lead_days is not None and not 0 <= key.lead_days <= LEAD_DAYS_MAX:
            return none, None, f"lead {lead[:8]} is not of 0 to {LEAD_DAYS_MAX} days"
        return key, value, ""


_REMEDY = "move the file away, pmconsole models update builds it anew"


def _content(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > FILE_BYTES_MAX:
            raise ArchiveError(f"{path} is {size >> 20} MB, no history is longer than 64: {_REMEDY}")
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror}") from error


def digest_of(archives: Iterable[Archive]) -> str:
    """One hash of several stations' rows, whatever their order."""
    told = "".join(f"{of.station} {of.digest}\n" for of in sorted(archives, key=lambda one: one.station))
    return hashlib.sha256(told.encode()).hexdigest()
