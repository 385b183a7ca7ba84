"""The calendars that are files: the FOMC's meetings as they ship, and the operator's ``releases.csv``.

The operator's outranks every publisher's: a shutdown moves releases before a schedule says so.
"""

from __future__ import annotations

import functools
import importlib.resources
from pathlib import Path

import msgspec

from core.domain.clock import Clocks
from core.feeds.calendar.eastern import eastern_words
from core.feeds.calendar.published import STALE_AFTER_S
from core.feeds.calendar.table import HEADER, Table, parse_table
from core.feeds.declaration import Declaration, Family
from core.feeds.feed import Feed, FeedHealth, FeedState, Stamp, Tried
from core.feeds.fetch import Failed
from core.feeds.polling import Polled
from core.feeds.releases import Calendar
from core.feeds.sanity import time_fault
from core.feeds.wiring import Wiring

OWN_FILE = "releases.csv"
BYTES_MAX = 256 * 1024
DAY_MS = 86_400_000
FOMC = Declaration(
    name="fomc",
    label="FOMC",
    family=Family.CALENDAR,
    gives="the FOMC's meetings as they ship",
    urls={},
    every_s=86_400,
    stale_after_s=STALE_AFTER_S,
    credit="Board of Governors of the Federal Reserve System (public domain)",
)
OWN = Declaration(
    name="own-calendar",
    label="OWNCAL",
    family=Family.CALENDAR,
    gives=f"releases in your own {OWN_FILE}",
    urls={},
    every_s=60,
    stale_after_s=STALE_AFTER_S,
)


@functools.cache
def shipped() -> Table:
    """The FOMC's meetings."""
    text = (importlib.resources.files("core.feeds") / "data" / "fomc.csv").read_text("utf-8")
    table = parse_table(text, FOMC.name)
    assert isinstance(table, Table), table
    return table


class Shipped:
    """What is part of the program: as old as when it was checked."""

    key = "meetings"
    stale_after_s = STALE_AFTER_S

    def __init__(self, wiring: Wiring) -> None:
        self.newest_ms: int | None = None
        self._clocks, self._sink = wiring.shared.clocks, wiring.shared.sink

    async def poll(self) -> Polled | Failed:
        changed, self.newest_ms = self.newest_ms is None, shipped().checked_ms
        if changed:
            self._sink(_calendar(shipped(), FOMC.name, self._clocks))
        return Polled(self._clocks.mono_ns(), changed)


class ShippedFeed:
    """Fulfils ``Feed`` for what ships: where nothing may rest on it any more it says what helps."""

    def __init__(self, wiring: Wiring) -> None:
        self.name = wiring.of.label
        self._looks = wiring.polled([Shipped(wiring)])
        self._clocks, self._directory = wiring.shared.clocks, wiring.shared.directory

    async def run(self) -> None:
        await self._looks.run()

    async def trial(self) -> Tried:
        found, aged = await self._looks.trial(), self._aged()
        return Tried(False, f"{aged[:1].upper()}{aged[1:]}.") if aged else found

    def health(self) -> FeedHealth:
        found, aged = self._looks.health(), self._aged()
        if not aged:
            return found
        return msgspec.structs.replace(found, state=FeedState.STALE, detail=aged)

    def _aged(self) -> str:
        """Why no entry may rest on it, with the remedy; empty while one may."""
        world_ms, last = self._clocks.world_ms(), max(shipped().due, key=lambda due: due.at_ms)
        days, limit = (world_ms - shipped().checked_ms) // DAY_MS, STALE_AFTER_S * 1000 // DAY_MS
        if last.at_ms <= world_ms:
            why = f"the last meeting that ships was due {eastern_words(last.at_ms)}"
        elif world_ms - shipped().checked_ms > STALE_AFTER_S * 1000:
            why = f"what ships was checked {days} days ago, limit {limit}"
        else:
            return ""
        own = OWN_FILE if self._directory is None else self._directory / OWN_FILE
        return f"{why}: update pmconsole, or check the Fed's calendar and write its dates into {own}"


class OwnFile:
    """The operator's, looked at once a minute. A faulty one leaves what was held; taking it away takes its
    dates away."""

    key = OWN_FILE
    stale_after_s = STALE_AFTER_S

    def __init__(self, wiring: Wiring) -> None:
        self.newest_ms: int | None = None
        directory = wiring.shared.directory
        self._path = directory / OWN_FILE if directory is not None else None
        self._clocks, self._sink = wiring.shared.clocks, wiring.shared.sink
        self._read = b""
        self.absent = True
        """As of the last look; an empty one is none either."""

    @property
    def none_there(self) -> str:
        """What to say of it while it is absent."""
        return (
            f"You have written none. To tell of releases write {self._path or OWN_FILE}: '# checked "
            f"2026-11-22', then '{','.join(HEADER)}', then lines such as 'CPI,2026-12-10 08:30'."
        )

    async def poll(self) -> Polled | Failed:
        raw = read_bytes(self._path) if self._path is not None else b""
        self.absent = raw == b""
        if isinstance(raw, Failed):
            return raw
        changed = raw != self._read
        if changed:
            table = _parsed(raw, str(self._path), self._clocks.world_ms())
            if isinstance(table, str):
                return Failed(table, 200)
            self._read, self.newest_ms = raw, table.checked_ms or None
            self._sink(_calendar(table, OWN.name, self._clocks, outranks=True))
        return Polled(self._clocks.mono_ns(), changed)


def read_bytes(path: Path) -> bytes | Failed:
    """What the operator's file holds, nothing where there is none; or why it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(BYTES_MAX + 1)
    except FileNotFoundError:
        return b""
    except OSError as error:
        return Failed(f"{path}: cannot be read ({error.strerror}): correct its permissions", 200)


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


def _calendar(table: Table, source: str, clocks: Clocks, *, outranks: bool = False) -> Calendar:
    due = tuple(msgspec.structs.replace(one, source=source) for one in table.due)
    kinds = tuple(sorted({one.kind for one in due}))
    stamp = Stamp(table.checked_ms, clocks.wall_ms(), clocks.mono_ns())
    return Calendar(source, kinds, due, stamp, STALE_AFTER_S, outranks)


class OwnFeed:
    """Fulfils ``Feed`` for the operator's file: without one it is off, which is nothing to look at."""

    def __init__(self, wiring: Wiring) -> None:
        self.name = wiring.of.label
        self._file = OwnFile(wiring)
        self._looks = wiring.polled([self._file])

    async def run(self) -> None:
        await self._looks.run()

    async def trial(self) -> Tried:
        found = await self._looks.trial()
        return Tried(False, self._file.none_there) if self._file.absent else found

    def health(self) -> FeedHealth:
        found = self._looks.health()
        if not self._file.absent:
            return found
        return msgspec.structs.replace(found, state=FeedState.OFF, detail=self._file.none_there)


def fomc_feed(wiring: Wiring) -> Feed:
    return ShippedFeed(wiring)


def own_feed(wiring: Wiring) -> Feed:
    return OwnFeed(wiring)
