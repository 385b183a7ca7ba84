"""The engine's rows merged by key, and what each frame changed.

Every text is sanitised on the way in, so nothing that is drawn later can carry controls or odd widths.
Times are the machine's monotonic clock.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple, TypeVar

import msgspec

from core.control.protocol import Frame
from core.control.tables.account import JournalRow, ReadingRow
from core.control.tables.cards import ProposalRow
from core.control.tables.markets import MarketRow, MarketStatic, PairRow
from core.control.tables.models import EventRow
from core.control.tables.orders import OrderRow, PositionRow
from core.control.tables.safety import AlarmRow, FlattenRow, LimitRow
from core.control.tables.status import BeatRow, StatusRow
from tui.format import sanitise

JOURNAL_ROWS_MAX = 2000
ORDERS_MAX = 1000
"""Beyond it the longest over go, a tenth at a time; the journal has them all."""
NAMES_KEPT = 5000
"""Names of markets no table shows any more, for whatever still speaks of them; the oldest go first."""
FLASH_NS = 300_000_000
TRACE_EVERY_NS = 5_000_000_000
TRACE_MARKS = 12
FAIR = "fair"
"""What ``apply`` names besides tables: fair values, or what they rest on, are new."""

_Struct = TypeVar("_Struct", bound=msgspec.Struct)
_TEXTLESS = frozenset({int, float, bool, type(None)})
"""Most of what a row holds; thousands of rows come at once."""


class Now(NamedTuple):
    """One reading of both clocks of this machine."""

    mono_ns: int
    wall_ms: int


def clean(row: _Struct) -> _Struct:
    """The same struct with every text in it sanitised; the same object when nothing had to change."""
    changed: dict[str, Any] = {}
    for name in row.__struct_fields__:
        value = getattr(row, name)
        if type(value) in _TEXTLESS:
            continue
        cleaned = _clean_value(value)
        if cleaned is not value:
            changed[name] = cleaned
    return msgspec.structs.replace(row, **changed) if changed else row


def _clean_value(value: Any) -> Any:
    if isinstance(value, str):
        safe = sanitise(value)
        return value if safe == value else safe
    if isinstance(value, tuple):
        cleaned = tuple(_clean_value(item) for item in value)
        same = all(new is old for new, old in zip(cleaned, value, strict=True))
        return value if same else cleaned
    if isinstance(value, msgspec.Struct):
        return clean(value)
    return value


def _priced(row: EventRow | None) -> tuple[object, ...]:
    """What the model says of an event, and from what; not its books."""
    if row is None:
        return ()
    fair = tuple(bracket.fair for bracket in row.brackets)
    return row.mean, row.spread, row.extreme, row.inputs, row.refusal, fair


def _untimed(beat: BeatRow | None) -> BeatRow | None:
    return beat and msgspec.structs.replace(beat, ends_ns=beat.ends_ns and 0)


def _ageless(status: StatusRow) -> StatusRow:
    """The status without the moments that only count on: ages are drawn each second anyway."""
    links = tuple(
        msgspec.structs.replace(link, heartbeat_ns=0, sequence=0, lag_ms=None, beat=_untimed(link.beat))
        for link in status.links
    )
    feeds = tuple(
        msgspec.structs.replace(feed, newest_world_ms=feed.newest_world_ms and 0, received_ns=None)
        for feed in status.feeds
    )
    return msgspec.structs.replace(status, links=links, feeds=feeds, read_ns=status.read_ns and 0)


class Tables:
    """The merged tables. Read freely; only ``apply`` writes them."""

    def __init__(self) -> None:
        self.status: StatusRow | None = None
        self.statics: dict[int, MarketStatic] = {}
        self.markets: dict[int, MarketRow] = {}
        self.events: dict[str, EventRow] = {}
        self.proposals: dict[str, ProposalRow] = {}
        self.orders: dict[str, OrderRow] = {}
        self.positions: dict[int, PositionRow] = {}
        self.pairs: dict[tuple[str, str], PairRow] = {}
        """Linked pairs by their two tickers."""
        self.limits: dict[tuple[str, str], LimitRow] = {}
        self.alarms: dict[int, AlarmRow] = {}
        self.journal: deque[JournalRow] = deque(maxlen=JOURNAL_ROWS_MAX)
        self.flatten: FlattenRow | None = None
        self.reading: ReadingRow | None = None
        self.made_ns = 0
        self.connected = False
        self.closed_reason = ""
        self.unseen = False
        """Whether the terminal has not shown the newest picture."""
        self.sparing = False
        """Whether a slow line goes without flashes and sparks."""
        self.bid_flash_ns: dict[int, int] = {}
        self.ask_flash_ns: dict[int, int] = {}
        self.mids: dict[int, deque[int]] = {}
        """Middle of each market's book at the last marks of the trace's clock, oldest first."""
        self._traced_ns = 0
        self._parts: list[Frame] = []

    # --- merging --------------------------------------------------------------------------------

    def apply(self, frame: Frame, now: Now) -> frozenset[str]:
        """Merge one frame; returns the names of the tables that changed, and ``FAIR``. Parts wait for their
        last, each cleaned when it comes, which is nearly all of the work."""
        self.made_ns = max(self.made_ns, frame.made_ns)
        frame = clean(frame)
        if not frame.full:
            changed = self._merge(frame, now)
            self._make_room()
            return changed
        if frame.part == 0:
            self._parts.clear()
        self._parts.append(frame)
        if frame.part + 1 < frame.parts:
            return frozenset()
        self._forget()
        changed = frozenset({"markets", "events", "proposals", "orders", "positions"})
        for part in self._parts:
            changed |= self._merge(part, now)
        self._parts.clear()
        self._make_room()  # names come in earlier parts than what needs them
        return changed | {"pairs", "limits", "alarms", "flatten", "statics"}

    def _forget(self) -> None:
        tables: tuple[dict[Any, Any], ...] = (
            self.statics,
            self.markets,
            self.events,
            self.proposals,
            self.orders,
            self.positions,
            self.pairs,
            self.limits,
            self.alarms,
        )
        for table in tables:
            table.clear()
        self.flatten = self.reading = None

    def _merge(self, frame: Frame, now: Now) -> frozenset[str]:
        changed: set[str] = set()
        if frame.status is not None:
            before, self.status = self.status, frame.status
            if before is None or _ageless(before) != _ageless(self.status):
                changed.add("status")
        for market in frame.markets:
            self._market(market, now)
        for key, old in (("statics", frame.statics), ("markets", frame.markets), ("events", frame.events)):
            if old:
                changed.add(key)
        self.statics.update((row.key, row) for row in frame.statics)
        for event in frame.events:
            if _priced(self.events.get(event.event)) != _priced(event):
                changed.add(FAIR)
            self.events[event.event] = event
        self.proposals.update((row.id, row) for row in frame.proposals)
        self.orders.update((row.client_order_id, row) for row in frame.orders)
        self.positions.update((row.key, row) for row in frame.positions)
        self.pairs.update(((row.first, row.second), row) for row in frame.pairs)
        self.limits.update(((row.name, row.scope), row) for row in frame.limits)
        self.alarms.update((row.id, row) for row in frame.alarms)
        self._journal(frame.journal)
        if frame.flatten is not None:
            self.flatten = frame.flatten
        removals: tuple[tuple[tuple[Any, ...], dict[Any, Any]], ...] = (
            (frame.gone_markets, self.markets),
            (frame.gone_events, self.events),
            (frame.gone_proposals, self.proposals),
            (frame.gone_orders, self.orders),
            (frame.gone_positions, self.positions),
            (frame.gone_pairs, self.pairs),
            (frame.gone_limits, self.limits),
            (frame.gone_alarms, self.alarms),
        )
        for gone, table in removals:
            for row_key in gone:
                table.pop(row_key, None)
        for name in ("proposals", "orders", "positions", "pairs", "limits", "alarms", "journal"):
            if getattr(frame, name) or getattr(frame, f"gone_{name}", ()):
                changed.add(name)
        if frame.gone_markets or frame.gone_events:
            changed |= {"markets", "events"}
        if frame.flatten is not None:
            changed.add("flatten")
        if frame.reading is not None:
            self.reading = frame.reading
            changed.add("reading")
        return frozenset(changed)

    def _make_room(self) -> None:
        """Let go of the oldest orders that are over, and of names no table shows any more."""
        if len(self.orders) > ORDERS_MAX:
            for row in self.ended()[ORDERS_MAX * 9 // 10 :]:
                del self.orders[row.client_order_id]
        if len(self.statics) - len(self.markets) > NAMES_KEPT:
            shown = self._shown()
            spare = [key for key in self.statics if key not in shown]
            for key in spare[: len(spare) - NAMES_KEPT]:
                del self.statics[key]

    def _shown(self) -> set[int]:
        """Keys of markets some table has a row of."""
        linked = {key for row in self.pairs.values() for key in (row.first_key, row.second_key)}
        ordered = {row.key for row in self.orders.values()}
        return self.markets.keys() | self.positions.keys() | ordered | linked

    def ended(self) -> list[OrderRow]:
        """Orders of the day that are over, newest first."""
        rows = [row for row in self.orders.values() if row.ended_ns is not None]
        return sorted(rows, key=lambda row: (-(row.ended_ns or 0), row.client_order_id))

    def _market(self, row: MarketRow, now: Now) -> None:
        old = self.markets.get(row.key)
        if old is not None and not self.sparing:
            if old.bid != row.bid:
                self.bid_flash_ns[row.key] = now.mono_ns + FLASH_NS
            if old.ask != row.ask:
                self.ask_flash_ns[row.key] = now.mono_ns + FLASH_NS
        self.markets[row.key] = row

    def _journal(self, rows: tuple[JournalRow, ...]) -> None:
        newest = self.journal[-1].seq if self.journal else -1
        self.journal.extend(row for row in rows if row.seq > newest)

    def trace(self, now: Now) -> None:
        """Every few seconds note the middle of every book."""
        if now.mono_ns - self._traced_ns < TRACE_EVERY_NS:
            return
        self._traced_ns = now.mono_ns
        for key, row in self.markets.items():
            if row.bid is not None and row.ask is not None:
                self.mids.setdefault(key, deque(maxlen=TRACE_MARKS)).append((row.bid + row.ask) // 2)
        for key in self.mids.keys() - self.markets.keys():
            del self.mids[key]

    def flashing(self, now: Now) -> bool:
        """Whether a price is still flashing; drops the ones that are over."""
        for flashes in (self.bid_flash_ns, self.ask_flash_ns):
            for key in [key for key, end in flashes.items() if end <= now.mono_ns]:
                del flashes[key]
        return bool(self.bid_flash_ns or self.ask_flash_ns)
