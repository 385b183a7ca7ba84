"""What the panes ask of the merged tables: how old it all is, what is shown, what it is called.

No drawing and no Textual here.
"""

from __future__ import annotations

import re
from collections import Counter

from core.control.tables.account import DifferenceRow
from core.control.tables.cards import ProposalRow
from core.control.tables.markets import MarketRow, PairRow
from core.control.tables.models import BracketRow, EventRow
from core.control.tables.orders import OrderRow, PositionRow
from core.control.tables.safety import AlarmRow, LimitRow
from core.control.tables.status import LinkRow
from tui.format import venue_letter, venue_short
from tui.tables import Now, Tables

LAG_LIMIT_NS = 1_000_000_000
SILENT_NS = 3_000_000_000
"""Without a frame for this long the engine counts as gone, whatever the socket says."""
BOOK_STALE_S = 3
BOOK_AGE_LIMIT = "book_age_max_s"
OTHER_SIDE, UNSETTLED = "R10", "R11"
"""Rows of the table of differences that are shown in a way of their own."""
DESK = "desk"
"""Scope of an alarm that stopped the whole desk."""
_GRAVEST_FIRST = ("ACT", "CHECK", "NOTE")
FLOOD = 4
"""So many alarms of one sort are one line."""
_TICKER = re.compile(r"[\w-]+(?:\.[\w-]+)*")
FLATTEN_OVER = frozenset({"FLAT", "ABORTED", "UNFLATTENED"})
DECIDABLE = frozenset({"OPEN", "MOVED", "DEFERRED"})
SHOWN_CARDS = DECIDABLE | {"BLOCKED", "SENT"}


class ViewModel(Tables):
    """The merged tables and the questions of the panes."""

    # --- how old ----------------------------------------------------------------------------------

    def frame_age_ns(self, now: Now) -> int | None:
        """Age of the newest frame; ``None`` before the first."""
        return max(0, now.mono_ns - self.made_ns) if self.made_ns else None

    def lags(self, now: Now) -> bool:
        """Whether the picture is too old to approve from: in the engine's frames, or on the terminal."""
        age_ns = self.frame_age_ns(now)
        return self.unseen or age_ns is None or age_ns > LAG_LIMIT_NS

    def engine_down(self, now: Now) -> bool:
        """No engine behind the picture: no connection, or silence on it."""
        age_ns = self.frame_age_ns(now)
        return not self.connected or (age_ns is not None and age_ns > SILENT_NS)

    def world_ms(self, now: Now) -> int:
        """World time now; real time before the first status."""
        return self.world_at(now.wall_ms)

    def world_at(self, wall_ms: int) -> int:
        """A moment of real time in the world's; itself before the first status."""
        status = self.status
        if status is None:
            return wall_ms
        return status.world_origin_ms + int((wall_ms - status.real_origin_ms) * status.speed)

    def link(self, venue: str) -> LinkRow | None:
        for link in self.status.links if self.status is not None else ():
            if link.venue == venue:
                return link
        return None

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
        row = self.limits.get((BOOK_AGE_LIMIT, ""))
        return row.limit if row is not None else BOOK_STALE_S

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
    def real(self) -> bool:
        """Whether it is real money."""
        return self.profile == "live"

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
        """Proposals in the order they are shown: what was asked for by hand, exits, then by expected dollars,
        then by expiry."""
        shown = [row for row in self.proposals.values() if row.state in SHOWN_CARDS]
        return sorted(
            shown,
            key=lambda row: (
                row.state == "DEFERRED",
                not row.by_hand,
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

    def in_labels(self, text: str) -> str:
        """A sentence of the engine, which knows markets by their tickers, with them named as on screen."""
        keys = {static.ticker: key for key, static in self.statics.items()}
        return _TICKER.sub(lambda found: self.named(keys[found[0]]) if found[0] in keys else found[0], text)

    def step(self, key: int) -> int:
        """The finest tick of the market, for how many decimals its prices need."""
        static = self.statics.get(key)
        return min((band[2] for band in static.bands), default=100) if static is not None else 100

    def ticked(self, key: int, outcome: str, price: int, *, up: bool) -> int:
        """A price of an outcome moved by its market's tick; the same where there is none beyond it."""
        static = self.statics.get(key)
        yes, rises = (price, up) if outcome == "YES" else (10_000 - price, not up)
        bands = static.bands if static is not None else ()
        inside = (step for start, end, step in bands if (start <= yes < end if rises else start < yes <= end))
        step = next(inside, self.step(key))
        moved = price + step if up else price - step
        return moved if 0 < moved < 10_000 else price

    def event_of(self, key: int | None) -> EventRow | None:
        static = self.statics.get(key) if key is not None else None
        return self.events.get(static.event) if static is not None else None

    def bracket_of(self, key: int) -> BracketRow | None:
        event = self.event_of(key)
        return next((row for row in event.brackets if row.key == key), None) if event is not None else None

    def alarm_list(self) -> list[AlarmRow]:
        """Alarms worth a line: unacknowledged ACT first, then newest. What is shelved is worth none."""
        rows = [
            row for row in self.alarms.values() if not row.shelved_by and (row.active or not row.acknowledged)
        ]
        return sorted(rows, key=lambda row: (row.acknowledged, gravity(row), -row.since_ns, row.id))

    def alarm_heads(self) -> list[tuple[AlarmRow, int]]:
        """The same with every flood as its first line, and how many there are of that sort."""
        rows = self.alarm_list()
        sorts = Counter(map(_sort, rows))
        heads: dict[object, AlarmRow] = {}
        for row in rows:
            heads.setdefault(_sort(row) if sorts[_sort(row)] >= FLOOD else row.id, row)
        return [(row, sorts[key] if isinstance(key, tuple) else 1) for key, row in heads.items()]

    def all_alarms(self) -> list[AlarmRow]:
        """Everything that rang: what nobody has seen first, the gravest before the newest."""
        return sorted(
            self.alarms.values(),
            key=lambda row: (
                row.acknowledged or bool(row.shelved_by) or row.level == "NOTE",
                gravity(row),
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


def gravity(row: AlarmRow) -> int:
    """Place of an alarm's level, the gravest first."""
    return _GRAVEST_FIRST.index(row.level) if row.level in _GRAVEST_FIRST else len(_GRAVEST_FIRST)


def _sort(row: AlarmRow) -> tuple[object, ...]:
    """What alarms of one line have in common; one without a kind is like no other."""
    return row.kind or row.id, row.level, row.acknowledged, row.active


def share(row: LimitRow) -> float | None:
    """Part of a limit that is used; ``None`` when the reading is missing."""
    if row.used is None:
        return None
    return row.used / row.limit if row.limit > 0 else 1.0
