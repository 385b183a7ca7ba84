"""The calendars that are files: the FOMC's meetings as they ship, and the operator's ``releases.csv``.

The operator's outranks every publisher's: a shutdown moves releases before a schedule says so.
"""

from __future__ import annotations

import functools
import importlib.resources

import msgspec

from core.domain.clock import Clocks
from core.feeds.calendar.eastern import eastern_words
from core.feeds.calendar.own_file import Form, OwnFeed
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


def _calendar(table: Table, source: str, clocks: Clocks, *, outranks: bool = False) -> Calendar:
    due = tuple(msgspec.structs.replace(one, source=source) for one in table.due)
    kinds = tuple(sorted({one.kind for one in due}))
    stamp = Stamp(table.checked_ms, clocks.wall_ms(), clocks.mono_ns())
    return Calendar(source, kinds, due, stamp, STALE_AFTER_S, outranks)


def _own(text: str, name: str, clocks: Clocks) -> Calendar | str:
    table = parse_table(text, name) if text else Table(0, ())
    if isinstance(table, str):
        return table
    if text and (wrong := time_fault(table.checked_ms, None, clocks.world_ms())):
        return f"{name}:1: it cannot have been checked then: {wrong}"
    return _calendar(table, OWN.name, clocks, outranks=True)


OWN_FORM = Form(
    OWN_FILE,
    _own,
    none_there=(
        "You have written none. To tell of releases write {path}: '# checked 2026-11-22', then "
        f"'{','.join(HEADER)}', then lines such as 'CPI,2026-12-10 08:30'."
    ),
    too_large="leave out what is past",
    dated=True,
)


def fomc_feed(wiring: Wiring) -> Feed:
    return ShippedFeed(wiring)


def own_feed(wiring: Wiring) -> Feed:
    return OwnFeed(wiring, OWN_FORM)
