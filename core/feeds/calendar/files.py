"""The calendars that are files: the FOMC's meetings as they ship, and the operator's ``releases.csv``.

The operator's outranks every publisher's: a shutdown moves releases before a schedule says so.
"""

from __future__ import annotations

import functools
import importlib.resources
from pathlib import Path

import msgspec

from core.domain.clock import Clocks
from core.feeds.calendar.published import STALE_AFTER_S
from core.feeds.calendar.table import Table, parse_table
from core.feeds.declaration import Declaration, Family
from core.feeds.feed import Feed, Stamp
from core.feeds.fetch import Failed
from core.feeds.polling import Polled
from core.feeds.releases import Calendar
from core.feeds.sanity import time_fault
from core.feeds.values import Sink
from core.feeds.wiring import Wiring

OWN_FILE = "releases.csv"
BYTES_MAX = 256 * 1024
SHIPPED = "FED"
DECLARATION = Declaration(
    name="calendar",
    label="CAL",
    family=Family.CALENDAR,
    gives=f"FOMC dates as shipped, and your own in {OWN_FILE}",
    urls={},
    every_s=60,
    stale_after_s=STALE_AFTER_S,
    credit="Board of Governors of the Federal Reserve System (public domain)",
)


@functools.cache
def shipped() -> Table:
    """The FOMC's meetings."""
    text = (importlib.resources.files("core.feeds") / "data" / "fomc.csv").read_text("utf-8")
    table = parse_table(text, "fomc.csv")
    assert isinstance(table, Table), table
    return table


class Files:
    """Both files, looked at once a minute. A faulty one of the operator's leaves what was held."""

    key = "files"
    stale_after_s = STALE_AFTER_S

    def __init__(self, directory: Path | None, clocks: Clocks, sink: Sink) -> None:
        self._own = directory / OWN_FILE if directory is not None else None
        self._clocks, self._sink = clocks, sink
        self._read = b""
        self.newest_ms: int | None = None

    async def poll(self) -> Polled | Failed:
        changed = self.newest_ms is None
        if changed:
            self._tell(shipped(), SHIPPED, outranks=False)
        if self._own is not None:
            told = self._look(self._own)
            if isinstance(told, Failed):
                return told
            changed |= told
        return Polled(self._clocks.mono_ns(), changed)

    def _look(self, own: Path) -> bool | Failed:
        """Whether the operator's file reads differently now. Taking it away takes its dates away."""
        try:
            with own.open("rb") as file:
                raw = file.read(BYTES_MAX + 1)
        except FileNotFoundError:
            raw = b""
        except OSError as error:
            return Failed(f"{own}: cannot be read ({error.strerror}): correct its permissions")
        if raw == self._read:
            return False
        table = _parsed(raw, str(own), self._clocks.world_ms())
        if isinstance(table, str):
            return Failed(table)
        self._read = raw
        self._tell(table, OWN_FILE, outranks=True)
        return True

    def _tell(self, table: Table, source: str, *, outranks: bool) -> None:
        self.newest_ms = max(table.checked_ms, self.newest_ms or 0)
        due = tuple(msgspec.structs.replace(one, source=source) for one in table.due)
        kinds = tuple(sorted({one.kind for one in due}))
        stamp = Stamp(table.checked_ms, self._clocks.wall_ms(), self._clocks.mono_ns())
        self._sink(Calendar(source, kinds, due, stamp, STALE_AFTER_S, outranks))


def _parsed(raw: bytes, name: str, world_ms: int) -> Table | str:
    if not raw:
        return Table(0, ())
    if len(raw) > BYTES_MAX:
        return f"{name}: larger than {BYTES_MAX // 1024} KB: leave out what is past"
    try:
        table = parse_table(raw.decode("utf-8"), name)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        return f"{name}:{line}: not UTF-8 text: save the file as UTF-8"
    if isinstance(table, str):
        return table
    wrong = time_fault(table.checked_ms, None, world_ms)
    return f"{name}:1: it cannot have been checked then: {wrong}" if wrong else table


def feed(wiring: Wiring) -> Feed:
    return wiring.polled([Files(wiring.shared.directory, wiring.shared.clocks, wiring.shared.sink)])
