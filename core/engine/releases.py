"""The desk's economic calendar: what is due, what came, and what follows for entries of affected markets.

A release past its time is awaited until its print arrives or a person says that it came; either is a row of
the journal, so a restart asks no one again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from core.domain.clock import Clocks
from core.domain.market import Market
from core.domain.order import Purpose
from core.engine.state import AlarmLevel
from core.feeds.calendar.eastern import eastern_day, eastern_words
from core.feeds.calendar.kinds import KINDS, NAMES, ReleaseKind
from core.feeds.calendar.merging import Schedule, schedule
from core.feeds.quotes import SeriesPoint
from core.feeds.releases import Calendar, Due
from core.journal.events import Event, Kind
from core.journal.store import EventLog
from core.risk.releases import (
    Affected,
    ReleaseFacts,
    ReleaseState,
    Standing,
    Window,
    held_back,
    kinds_of,
    standing,
)

if TYPE_CHECKING:
    from core.engine.desk import Desk


class ReleaseCame(msgspec.Struct, frozen=True):
    """Payload of a ``RELEASE`` row: the release of a kind that was due then is out."""

    kind: str
    due_ms: int
    text: str


class Known(msgspec.Struct, frozen=True):
    """One kind as it stands, for the screen."""

    kind: str
    last: Due | None
    next: Due | None
    made_ms: int | None
    """World time of the newest calendar that knows the next one."""
    fault: str
    standing: Standing
    markets: int
    """Of the desk, that it moves."""


class Releases:
    """Holds the calendars and what came. ``affected`` and ``window`` are the operator's."""

    def __init__(
        self, clocks: Clocks, log: EventLog, affected: Affected, window: Window, came: Mapping[str, int]
    ) -> None:
        self._clocks, self._log = clocks, log
        self._affected, self._window = affected, window
        self._came = dict(came)
        self._calendars: dict[str, Calendar] = {}
        self._schedules: dict[str, Schedule] = {}
        self._prints: dict[str, SeriesPoint] = {}
        self.known: tuple[Known, ...] = ()
        """As of the last look."""

    # --- what the sources tell -----------------------------------------------------------------

    def absorb(self, value: Calendar | SeriesPoint) -> None:
        """Take a calendar in the place of its source's last one, or look whether a print has come."""
        if isinstance(value, Calendar):
            self._calendars[value.source] = value
            self.refresh()
        elif value.value is not None:
            self._prints[value.series] = value
            self._look_for_prints()

    def refresh(self) -> None:
        """Calendars grow old without news too."""
        world_ms = self._clocks.world_ms()
        self._schedules = {name: schedule(name, self._calendars.values(), world_ms) for name in NAMES}
        self._look_for_prints()

    def _look_for_prints(self) -> None:
        for kind in KINDS:
            due = self.pending(kind.name)
            said = self._said_by(kind, due) if due is not None else ""
            if due is not None and said:
                self._out(due, f"{due.kind} of {eastern_words(due.at_ms)} is out: {said}", "engine")

    def _said_by(self, kind: ReleaseKind, due: Due) -> str:
        """Whose word it is that an awaited release is out: a series', or a calendar's that was made since its
        time; empty for nobody's."""
        day = eastern_day(due.at_ms)
        points = (self._prints[series] for series in kind.series if series in self._prints)
        since = (one for one in self._calendars.values() if one.stamp.event_ms >= due.at_ms)
        listed = (one for calendar in since for one in calendar.due if one.out)
        named = [point.series for point in points if point.day >= _period(due)]
        named += [one.source for one in listed if one.kind == due.kind and eastern_day(one.at_ms) == day]
        return next(iter(named), "")

    # --- what follows --------------------------------------------------------------------------

    def pending(self, kind: str) -> Due | None:
        """The release of a kind that is past its time and not known to be out."""
        last = self._schedule(kind).last(self._clocks.world_ms())
        return last if last is not None and self._came.get(kind, 0) < last.at_ms else None

    def coming(self, kind: str) -> Due | None:
        """The next release of a kind."""
        return self._schedule(kind).next(self._clocks.world_ms())

    def facts(self, market: Market) -> tuple[ReleaseFacts, ...]:
        """Every kind that moves a market, as it stands now."""
        return tuple(self._facts(kind) for kind in kinds_of(market, self._affected))

    def against(self, market: Market) -> Standing:
        """What stands against an entry in a market now."""
        return held_back(self.facts(market), self._clocks.world_ms())

    def moves(self, market: Market) -> tuple[str, ...]:
        return kinds_of(market, self._affected)

    def look(self, markets: Mapping[str, int]) -> bool:
        """Look at every kind; ``markets`` counts those it moves. Returns whether anything has changed."""
        world_ms = self._clocks.world_ms()
        known = tuple(self._known(kind, world_ms, markets.get(kind.name, 0)) for kind in KINDS)
        changed = [_shown(one) for one in known] != [_shown(one) for one in self.known]
        self.known = known
        return changed

    def confirm(self, kind: str, by: str) -> Due | None:
        """A person says that the awaited one is out; ``None`` where none is awaited."""
        due = self.pending(kind)
        if due is not None:
            self._out(due, f"{kind} of {eastern_words(due.at_ms)} is out, as confirmed", by)
        return due

    def _out(self, due: Due, text: str, by: str) -> None:
        self._came[due.kind] = due.at_ms
        self._log.append(Event(Kind.RELEASE, ReleaseCame(due.kind, due.at_ms, text), actor=by))

    def _schedule(self, kind: str) -> Schedule:
        return self._schedules.get(kind) or schedule(kind, (), self._clocks.world_ms())

    def _facts(self, kind: str) -> ReleaseFacts:
        found, world_ms = self._schedule(kind), self._clocks.world_ms()
        last, coming = found.last(world_ms), found.next(world_ms)
        return ReleaseFacts(
            kind,
            last.at_ms if last is not None else None,
            coming.at_ms if coming is not None else None,
            came=last is not None and self._came.get(kind, 0) >= last.at_ms,
            fault=found.fault,
            window=self._window,
        )

    def _known(self, kind: ReleaseKind, world_ms: int, markets: int) -> Known:
        found, facts = self._schedule(kind.name), self._facts(kind.name)
        now = standing(facts, world_ms)
        last, coming = found.last(world_ms), found.next(world_ms)
        return Known(kind.name, last, coming, found.made_ms, found.fault, now, markets)


def watch(desk: Desk) -> None:
    """Once a second: pull what rests in markets that a release holds back, and say what is awaited."""
    releases, touched = desk.releases, dict.fromkeys(NAMES, 0)
    releases.refresh()
    for known in desk.state.markets.values():
        for kind in releases.moves(known.market):
            touched[kind] += 1
    if releases.look(touched):
        desk.state.touch_status()
    for client, order in list(desk.ledger.live.items()):
        market = desk.state.markets.get(order.intent.ticker)
        if market is None or order.intent.purpose is not Purpose.OPEN or desk.seats.cancelling(client):
            continue
        found = releases.against(market.market)
        if found.state is not ReleaseState.CLEAR:
            desk.seats.cancel((client,), found.why)
    for one in releases.known:
        _say(desk, one)


def _say(desk: Desk, one: Known) -> None:
    """Call somebody where markets of the desk are held back and no clock ends it."""
    key, state = f"release {one.kind}", one.standing.state
    if not one.markets or state not in (ReleaseState.PENDING, ReleaseState.UNKNOWN):
        desk.alarms.clear(key)
        return
    clears = "a calendar that knows it, such as your releases.csv"
    what = one.standing.why
    if state is ReleaseState.PENDING and one.last is not None:
        what = f"{one.kind} was due {eastern_words(one.last.at_ms)} and has not come"
        clears = f"its print, or 'feeds confirm {one.kind}'"
    desk.alarms.raise_(key, AlarmLevel.CHECK, what, f"no entries in {one.markets} markets", clears)


def _shown(one: Known) -> tuple[object, ...]:
    """What of it the screen does not count by itself."""
    return one.kind, one.last, one.next, one.made_ms, one.fault, one.standing.state, one.markets


def _period(due: Due) -> str:
    """First day of the month a monthly release is about, the one before it comes."""
    return (eastern_day(due.at_ms).replace(day=1) - timedelta(days=1)).replace(day=1).isoformat()
