"""What the console knows: the engine's rows merged by key, what changed, and how old it all is.

No drawing and no Textual here. ``ViewModel.apply`` merges one frame and names the tables it touched;
the questions below it are what panes ask. Every text is sanitised on the way in, so nothing that is
drawn later can carry controls or odd widths. Times are the machine's monotonic clock unless named.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple, TypeVar

import msgspec

from core.control.protocol import Frame
from core.control.tables.account import DifferenceRow, JournalRow, ReadingRow
from core.control.tables.cards import ProposalRow
from core.control.tables.markets import MarketRow, MarketStatic, PairRow
from core.control.tables.models import BracketRow, EventRow
from core.control.tables.orders import OrderRow, PositionRow
from core.control.tables.safety import AlarmRow, FlattenRow, LimitRow
from core.control.tables.status import BeatRow, LinkRow, StatusRow
from tui.format import sanitise, venue_letter, venue_short

JOURNAL_ROWS_MAX = 2000
ORDERS_MAX = 1000
"""Beyond it the longest over go, a tenth at a time; the journal has them all."""
STATICS_MAX = 5000
"""Names of markets, also of those that are over, for orders that remember them; the oldest go first."""
FLASH_NS = 300_000_000
TRACE_EVERY_NS = 5_000_000_000
TRACE_MARKS = 12
LAG_LIMIT_NS = 1_000_000_000
SILENT_NS = 3_000_000_000
"""Without a frame for this long the engine counts as gone, whatever the socket says."""
BOOK_STALE_S = 3
OTHER_SIDE, UNSETTLED = "R10", "R11"
"""Rows of the table of differences that are shown in a way of their own."""
FAIR = "fair"
"""What ``apply`` names besides tables: fair values, or what they rest on, are new."""
DESK = "desk"
"""Scope of an alarm that stopped the whole desk."""
FLATTEN_OVER = frozenset({"FLAT", "ABORTED", "UNFLATTENED"})
DECIDABLE = frozenset({"OPEN", "MOVED"})
SHOWN_CARDS = DECIDABLE | {"BLOCKED", "SENT", "DEFERRED"}

_Struct = TypeVar("_Struct", bound=msgspec.Struct)


class Now(NamedTuple):
    """One reading of both clocks of this machine."""

    mono_ns: int
    wall_ms: int


def clean(row: _Struct) -> _Struct:
    """The same struct with every text in it sanitised; the same object when nothing had to change."""
    changed: dict[str, Any] = {}
    for name in row.__struct_fields__:
        value = getattr(row, name)
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


class ViewModel:
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
        self.bid_flash_ns: dict[int, int] = {}
        self.ask_flash_ns: dict[int, int] = {}
        self.mids: dict[int, deque[int]] = {}
        """Middle of each market's book at the last marks of the trace's clock, oldest first."""
        self._traced_ns = 0
        self._parts: list[Frame] = []

    # --- merging --------------------------------------------------------------------------------

    def apply(self, frame: Frame, now: Now) -> frozenset[str]:
        """Merge one frame; returns the names of the tables that changed, and ``FAIR``. Parts wait for their
        last."""
        self.made_ns = max(self.made_ns, frame.made_ns)
        if not frame.full:
            return self._merge(frame, now)
        if frame.part == 0:
            self._parts.clear()
        self._parts.append(frame)
        if frame.part + 1 < frame.parts:
            return frozenset()
        self._forget()
        changed: frozenset[str] = frozenset({"markets", "events", "proposals", "orders", "positions"})
        for part in self._parts:
            changed |= self._merge(part, now)
        self._parts.clear()
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
            before, self.status = self.status, clean(frame.status)
            if before is None or _ageless(before) != _ageless(self.status):
                changed.add("status")
        for market in frame.markets:
            self._market(clean(market), now)
        for key, old in (("statics", frame.statics), ("markets", frame.markets), ("events", frame.events)):
            if old:
                changed.add(key)
        self.statics.update((row.key, clean(row)) for row in frame.statics)
        for event in map(clean, frame.events):
            if _priced(self.events.get(event.event)) != _priced(event):
                changed.add(FAIR)
            self.events[event.event] = event
        self.proposals.update((row.id, clean(row)) for row in frame.proposals)
        self.orders.update((row.client_order_id, clean(row)) for row in frame.orders)
        self.positions.update((row.key, row) for row in map(clean, frame.positions))
        self.pairs.update(((row.first, row.second), row) for row in map(clean, frame.pairs))
        self.limits.update(((row.name, row.scope), row) for row in map(clean, frame.limits))
        self.alarms.update((row.id, row) for row in map(clean, frame.alarms))
        self._journal(frame.journal)
        if frame.flatten is not None:
            self.flatten = clean(frame.flatten)
        self._make_room()
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
            self.reading = clean(frame.reading)
            changed.add("reading")
        return frozenset(changed)

    def _make_room(self) -> None:
        while len(self.statics) > STATICS_MAX:
            del self.statics[next(iter(self.statics))]
        if len(self.orders) > ORDERS_MAX:
            for row in self.ended()[ORDERS_MAX * 9 // 10 :]:
                del self.orders[row.client_order_id]

    def _market(self, row: MarketRow, now: Now) -> None:
        old = self.markets.get(row.key)
        if old is not None:
            if old.bid != row.bid:
                self.bid_flash_ns[row.key] = now.mono_ns + FLASH_NS
            if old.ask != row.ask:
                self.ask_flash_ns[row.key] = now.mono_ns + FLASH_NS
        self.markets[row.key] = row

    def _journal(self, rows: tuple[JournalRow, ...]) -> None:
        newest = self.journal[-1].seq if self.journal else -1
        self.journal.extend(clean(row) for row in rows if row.seq > newest)

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

    # --- how old ----------------------------------------------------------------------------------

    def frame_age_ns(self, now: Now) -> int | None:
        """Age of the newest frame; ``None`` before the first."""
        return max(0, now.mono_ns - self.made_ns) if self.made_ns else None

    def lags(self, now: Now) -> bool:
        """Whether the picture is too old to approve from."""
        age_ns = self.frame_age_ns(now)
        return age_ns is None or age_ns > LAG_LIMIT_NS

    def engine_down(self, now: Now) -> bool:
        """No engine behind the picture: no connection, or silence on it."""
        age_ns = self.frame_age_ns(now)
        return not self.connected or (age_ns is not None and age_ns > SILENT_NS)

    def world_ms(self, now: Now) -> int:
        """World time now; real time before the first status."""
        status = self.status
        if status is None:
            return now.wall_ms
        return status.world_origin_ms + int((now.wall_ms - status.real_origin_ms) * status.speed)

    def link(self, venue: str) -> LinkRow | None:
        if self.status is None:
            return None
        return next((link for link in self.status.links if link.venue == venue), None)

    @property
    def several(self) -> bool:
        """Whether the desk has more than one venue, so that what is shown must name its own."""
        return self.status is not None and len(self.status.links) > 1

    @property
    def settles_later(self) -> bool:
        """Whether what is bought on some venue can be sold only once it is confirmed."""
        return self.status is not None and any(link.settles_later for link in self.status.links)

    def book_age_s(self, row: MarketRow, now: Now) -> float:
        """Age of a book: from its last message, or from the heartbeat that vouches for it since."""
        newest_ns = row.message_ms * 1_000_000
        static = self.statics.get(row.key)
        link = self.link(static.venue) if static is not None else None
        if row.intact and link is not None:
            newest_ns = max(newest_ns, link.heartbeat_ns)
        return max(0.0, (now.mono_ns - newest_ns) / 1e9)

    def book_limit_s(self) -> int:
        """The desk's own limit on book age, as far as the engine has told it."""
        for row in self.limits.values():
            if row.unit == "seconds" and row.rule == "G11":
                return row.limit
        return BOOK_STALE_S

    def close_in_s(self, close_world_ms: int, now: Now) -> float:
        return (close_world_ms - self.world_ms(now)) / 1000

    # --- questions of the panes -------------------------------------------------------------------

    @property
    def profile(self) -> str:
        return self.status.profile if self.status is not None else ""

    @property
    def simulated(self) -> bool:
        return self.profile in ("demo", "paper", "kalshi-demo")

    @property
    def stopping(self) -> bool:
        """Whether a flatten is running, so the ladder takes the keys."""
        return self.flatten is not None and self.flatten.phase not in FLATTEN_OVER

    @property
    def exiting(self) -> bool:
        """Whether exits of a flatten are under way."""
        return self.flatten is not None and self.flatten.phase == "EXITING"

    @property
    def starting(self) -> bool:
        return self.status is not None and any(not done for _, done in self.status.starting)

    def controls(self, session: str) -> bool:
        return self.status is not None and self.status.controller_session == session

    def cards(self) -> list[ProposalRow]:
        """Proposals in the order they are shown: exits, then by expected dollars, then by expiry."""
        shown = [row for row in self.proposals.values() if row.state in SHOWN_CARDS]
        return sorted(
            shown,
            key=lambda row: (
                row.state == "DEFERRED",
                not row.closes,
                -row.edge * row.quantity,
                row.expires_ns,
                row.id,
            ),
        )

    def working(self) -> list[OrderRow]:
        """Orders still open at the venue: UNKNOWN ones pinned first, then the newest."""
        rows = [row for row in self.orders.values() if row.ended_ns is None]
        return sorted(rows, key=lambda row: (row.state != "UNKNOWN", -row.created_ns, row.client_order_id))

    def ended(self) -> list[OrderRow]:
        """Orders of the day that are over, newest first."""
        rows = [row for row in self.orders.values() if row.ended_ns is not None]
        return sorted(rows, key=lambda row: (-(row.ended_ns or 0), row.client_order_id))

    def held(self) -> list[PositionRow]:
        """What is held, differs from the venue's count, waits on its page or was reversed."""
        rows = [
            row
            for row in self.positions.values()
            if row.net or row.venue_net is not None or row.pairs or row.redeemable or row.failed
        ]
        return sorted(rows, key=lambda row: (-row.max_loss, row.key))

    def pairs_of(self, key: int) -> list[PairRow]:
        """Linked pairs with this market."""
        return [row for row in self.pairs.values() if key in (row.first_key, row.second_key)]

    def ticker_of(self, name: str) -> str | None:
        """The market of that ticker, or the only one whose ticker or label ends so."""
        wanted = name.casefold()
        names = {s.ticker: (s.ticker.casefold(), s.label.casefold()) for s in self.statics.values()}
        exact = [ticker for ticker, known in names.items() if wanted in known]
        found = exact or [
            t for t, known in names.items() if wanted and any(n.endswith(wanted) for n in known)
        ]
        return found[0] if len(found) == 1 else None

    def label(self, key: int) -> str:
        static = self.statics.get(key)
        return static.label if static is not None else f"market {key}"

    def named(self, key: int) -> str:
        """The label where it stands alone: with the venue before it on a desk of several, for both may have a
        market of that label."""
        static = self.statics.get(key)
        label = self.label(key)
        return f"{venue_short(static.venue)} {label}" if static is not None and self.several else label

    def step(self, key: int) -> int:
        """The finest tick of the market, for how many decimals its prices need."""
        static = self.statics.get(key)
        return min((band[2] for band in static.bands), default=100) if static is not None else 100

    def event_of(self, key: int | None) -> EventRow | None:
        static = self.statics.get(key) if key is not None else None
        return self.events.get(static.event) if static is not None else None

    def bracket_of(self, key: int) -> BracketRow | None:
        event = self.event_of(key)
        return next((row for row in event.brackets if row.key == key), None) if event is not None else None

    def alarm_list(self) -> list[AlarmRow]:
        """Alarms worth a line: unacknowledged ACT first, then newest."""
        rows = [row for row in self.alarms.values() if row.active or not row.acknowledged]
        rank = {"ACT": 0, "CHECK": 1, "NOTE": 2}
        return sorted(rows, key=lambda row: (row.acknowledged, rank.get(row.level, 3), -row.since_ns, row.id))

    def all_alarms(self) -> list[AlarmRow]:
        """Everything that rang: what nobody has seen first, the gravest before the newest."""
        rank = {"ACT": 0, "CHECK": 1, "NOTE": 2}
        return sorted(
            self.alarms.values(),
            key=lambda row: (
                row.acknowledged or row.level == "NOTE",
                rank.get(row.level, 3),
                not row.active,
                -row.since_ns,
                row.id,
            ),
        )

    def unacknowledged(self) -> list[AlarmRow]:
        return [row for row in self.alarm_list() if not row.acknowledged and row.level != "NOTE"]

    def urgent(self) -> list[AlarmRow]:
        """Alarms a person must act on and has not acknowledged."""
        return [row for row in self.unacknowledged() if row.level == "ACT"]

    def mismatches(self) -> list[DifferenceRow]:
        """Positions the venue counts differently; not those that only wait for their payout."""
        rows = self.reading.differences if self.reading is not None else ()
        return [row for row in rows if row.about == "position" and row.row != UNSETTLED]

    def other_sides(self) -> list[DifferenceRow]:
        """Positions of which the venue holds the opposite side, once the desk was halted for it."""
        return [row for row in self.mismatches() if row.row == OTHER_SIDE and row.acted]

    def limit_list(self, key: int | None) -> list[LimitRow]:
        """The current market's and event's limits first, then the rest by share used."""
        static = self.statics.get(key) if key is not None else None
        own = (static.ticker, static.event) if static is not None else ()

        def order(row: LimitRow) -> tuple[int, float]:
            first = own.index(row.scope) if row.scope in own else len(own)
            return first, -round(share(row) or 0.0, 2)  # equally empty ones stay in the engine's order

        return sorted(self._counted_limits(), key=order)

    def nearest_limit(self) -> LimitRow | None:
        return max(self._counted_limits(), key=lambda row: share(row) or 0.0, default=None)

    def limits_counted(self) -> int:
        return len(self._counted_limits())

    def _counted_limits(self) -> list[LimitRow]:
        return [row for row in self.limits.values() if row.fills_up]

    def limit_label(self, row: LimitRow) -> str:
        """A limit by its label, or by the market or event it is about."""
        if not row.scope:
            return row.label or row.name
        for static in self.statics.values():
            tag = f"{venue_letter(static.venue)} " if self.several else ""
            if static.ticker == row.scope:
                return tag + static.label
            if static.event == row.scope:
                return tag + (static.event_label or static.event)
        return f"{row.label} {row.scope}"

    def limit(self, name: str) -> LimitRow | None:
        return next((row for (row_name, _), row in self.limits.items() if row_name == name), None)


def share(row: LimitRow) -> float | None:
    """Part of a limit that is used; ``None`` when the reading is missing."""
    if row.used is None:
        return None
    return row.used / row.limit if row.limit > 0 else 1.0
