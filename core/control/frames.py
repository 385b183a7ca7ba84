"""What one state connection has seen of the desk: everything once, then only the rows that changed.

Each table of the desk counts its changes, so a reader that was kept waiting picks up where it was,
and one that was away for too long starts over.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from core.control.protocol import FRAME_BYTES_MAX, Frame
from core.control.rows.markets import Touch
from core.control.rows.safety import alarm_row
from core.control.snapshot import Snapshot
from core.control.tables.account import ReadingRow
from core.control.tables.cards import ProposalRow
from core.control.tables.markets import MarketRow, MarketStatic, PairRow
from core.control.tables.models import EventRow
from core.control.tables.orders import PositionRow
from core.control.tables.safety import FlattenRow, LimitRow
from core.control.tables.status import StatusRow
from core.engine.seats import Seats
from core.journal.projections import PairKey

PART_BYTES = FRAME_BYTES_MAX // 2
EVENTS_EVERY_NS = 2_000_000_000
"""Event rows repeat book mids, so a moving book makes them change; this often is enough."""

_encoder = msgspec.msgpack.Encoder()


class Reader:
    """How far one state connection has seen. ``full`` starts over, ``changes`` goes on from there."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._seq = 0
        self._start_over()

    def _start_over(self) -> None:
        self._keys: dict[str, int] = {}
        self._statics: dict[str, MarketStatic] = {}
        self._touches: dict[str, Touch] = {}
        self._events: dict[str, EventRow] = {}
        self._events_at_ns = 0
        self._moved_events: set[str] = set()
        self._cards: dict[str, ProposalRow] = {}
        self._positions: dict[int, PositionRow] = {}
        self._pairs: dict[PairKey, PairRow] = {}
        self._pairs_second = 0
        self._basis: object = None
        self._status: StatusRow | None = None
        self._limits: dict[tuple[str, str], LimitRow] = {}
        self._limit_basis: object = None
        self._flatten: FlattenRow | None = None
        self._reading: ReadingRow | None = None
        self._journal_seq = 0
        self._note_versions()

    def _note_versions(self) -> None:
        state, ledger = self._snapshot.desk.state, self._snapshot.desk.ledger
        self._seen = {
            "markets": state.changed_markets.version,
            "events": state.changed_events.version,
            "alarms": state.changed_alarms.version,
            "proposals": state.changed_proposals.version,
            "orders": ledger.changed_orders.version,
            "positions": ledger.changed_positions.version,
            "pairs": state.changed_pairs.version,
        }

    # --- everything ----------------------------------------------------------------------------

    def full(self) -> Sequence[Frame]:
        """Everything, in parts that each fit a frame."""
        self._start_over()
        snapshot, state = self._snapshot, self._snapshot.desk.state
        tables: dict[str, list[Any]] = {
            "statics": [],
            "markets": [],
            "events": [self._event(ticker) for ticker in state.events],
            "proposals": [row for p in snapshot.desk.approvals.proposals if (row := self._card(p))],
            "orders": list(snapshot.orders()),
            "positions": [self._position(ticker) for ticker in snapshot.held()],
            "pairs": [self._pair(key) for key in state.pairs],
            "limits": _steady(snapshot.limits()),
            "alarms": [alarm_row(alarm) for alarm in state.alarms.values()],
            "journal": snapshot.journal(0),
        }
        for ticker in state.markets:
            tables["statics"].append(self._static(ticker))
            tables["markets"].append(self._market(ticker))
        self._limits = {(row.name, row.scope): row for row in tables["limits"]}
        self._journal_seq = tables["journal"][-1].seq if tables["journal"] else 0
        self._status, self._flatten = snapshot.status(), snapshot.flatten()
        self._reading = snapshot.reading()
        packed = list(_pack(tables))
        made_ns = snapshot.clocks.mono_ns()
        frames = []
        for part, content in enumerate(packed):
            if part == 0:
                content |= {"status": self._status, "flatten": self._flatten, "reading": self._reading}
            frames.append(
                Frame(seq=self._next(), made_ns=made_ns, full=True, part=part, parts=len(packed), **content)
            )
        return frames

    # --- changes -------------------------------------------------------------------------------

    def changes(self) -> Sequence[Frame]:
        """The changed rows as one frame; nothing when there are none; everything after a long absence."""
        state, ledger = self._snapshot.desk.state, self._snapshot.desk.ledger
        changed: dict[str, list[Any] | None] = {
            "markets": state.changed_markets.since(self._seen["markets"]),
            "events": state.changed_events.since(self._seen["events"]),
            "alarms": state.changed_alarms.since(self._seen["alarms"]),
            "proposals": state.changed_proposals.since(self._seen["proposals"]),
            "orders": ledger.changed_orders.since(self._seen["orders"]),
            "positions": ledger.changed_positions.since(self._seen["positions"]),
            "pairs": state.changed_pairs.since(self._seen["pairs"]),
        }
        if any(keys is None for keys in changed.values()):
            return self.full()
        self._note_versions()
        parts: dict[str, tuple[Any, ...]] = {}
        parts |= self._alarm_changes(changed["alarms"] or ())
        parts |= self._order_changes(changed["orders"] or ())
        tickers = self._tickers(changed)
        moved = _always if self._desk_moved() else tickers.__contains__
        parts |= self._proposal_changes(changed["proposals"] or (), moved)
        parts |= self._position_changes(changed["positions"] or (), moved)
        parts |= self._pair_changes(changed["pairs"] or (), tickers)
        parts |= self._market_changes(tickers)
        parts |= self._event_changes(changed["events"] or ())
        parts |= self._limit_changes()
        journal = self._snapshot.journal(self._journal_seq)
        if journal:
            self._journal_seq = journal[-1].seq
            parts["journal"] = tuple(journal)
        content: dict[str, Any] = {name: value for name, value in parts.items() if value}
        status, flatten = self._snapshot.status(), self._snapshot.flatten()
        if status != self._status:
            self._status = content["status"] = status
        if flatten != self._flatten:
            self._flatten = content["flatten"] = flatten
        reading = self._snapshot.reading()
        if reading != self._reading:
            self._reading = content["reading"] = reading
        if not content:
            return ()
        return (Frame(seq=self._next(), made_ns=self._snapshot.clocks.mono_ns(), **content),)

    def empty(self) -> Frame:
        """A sign of life."""
        return Frame(seq=self._next(), made_ns=self._snapshot.clocks.mono_ns())

    def _desk_moved(self) -> bool:
        """Whether exposure or limits changed, which show on every card and position."""
        desk = self._snapshot.desk
        before, self._basis = self._basis, (desk.ledger.epoch, desk.state.limit_changes)
        return before != self._basis

    def _tickers(self, changed: dict[str, Any]) -> dict[str, None]:
        """Markets whose row may have changed: also through an order, a position or a card of ours."""
        desk = self._snapshot.desk
        tickers = dict.fromkeys(changed["markets"] or ())
        tickers |= dict.fromkeys(changed["positions"] or ())
        for client in changed["orders"] or ():
            order = desk.ledger.orders.get(client)
            if order is not None:
                tickers[order.intent.ticker] = None
        for proposal in changed["proposals"] or ():
            card = desk.approvals.proposals.get(proposal)
            if card is not None:
                tickers |= dict.fromkeys(card.tickers)
        return tickers

    def _market_changes(self, tickers: Iterable[str]) -> dict[str, tuple[Any, ...]]:
        statics, markets, gone = [], [], []
        for ticker in tickers:
            state = self._snapshot.desk.state.markets.get(ticker)
            if state is None:
                key = self._keys.pop(ticker, None)
                self._statics.pop(ticker, None)
                self._touches.pop(ticker, None)
                if key is not None:
                    gone.append(key)
                continue
            self._moved_events.add(state.market.event_ticker)
            before = self._statics.get(ticker)
            static = self._static(ticker)
            if static != before:
                statics.append(static)
            markets.append(self._market(ticker))
        return {"statics": tuple(statics), "markets": tuple(markets), "gone_markets": tuple(gone)}

    def _event_changes(self, changed: Iterable[str]) -> dict[str, tuple[Any, ...]]:
        now_ns = self._snapshot.clocks.mono_ns()
        wanted = set(changed)
        if now_ns - self._events_at_ns >= EVENTS_EVERY_NS:
            self._events_at_ns = now_ns
            wanted |= self._moved_events
            self._moved_events.clear()
        events, gone = [], []
        for ticker in wanted:
            if ticker not in self._snapshot.desk.state.events:
                if self._events.pop(ticker, None) is not None:
                    gone.append(ticker)
                continue
            before = self._events.get(ticker)
            row = self._event(ticker)
            if row != before:
                events.append(row)
        return {"events": tuple(events), "gone_events": tuple(gone)}

    def _proposal_changes(
        self, changed: Container[str], moved: Callable[[str], bool]
    ) -> dict[str, tuple[Any, ...]]:
        """Cards that changed, and those whose surroundings did: their book, what is held, the limits."""
        known = self._snapshot.desk.approvals.proposals
        wanted = [p for p, card in known.items() if p in changed or any(map(moved, card.tickers))]
        return {
            "proposals": _renewed(self._cards, wanted, self._card),
            "gone_proposals": _forgotten(self._cards, known),
        }

    def _position_changes(
        self, changed: Container[str], moved: Callable[[str], bool]
    ) -> dict[str, tuple[Any, ...]]:
        """Positions that changed, and those whose book or fair value did."""
        held = {self._snapshot.position_key(ticker): ticker for ticker in self._snapshot.held()}
        wanted = [key for key, ticker in held.items() if ticker in changed or moved(ticker)]
        return {
            "positions": _renewed(self._positions, wanted, lambda key: self._position(held[key])),
            "gone_positions": _forgotten(self._positions, held),
        }

    def _pair_changes(
        self, changed: Container[PairKey], tickers: Container[str]
    ) -> dict[str, tuple[Any, ...]]:
        """Links that changed, those with a book or a market that did, and every second all: fees change
        with time, and what a venue's stream is worth with its connection."""
        known = self._snapshot.desk.state.pairs
        second, before = self._snapshot.clocks.mono_ns() // 1_000_000_000, self._pairs_second
        self._pairs_second = second
        wanted = [
            key
            for key in known
            if second != before or key in changed or key[0] in tickers or key[1] in tickers
        ]
        return {
            "pairs": _renewed(self._pairs, wanted, self._pair),
            "gone_pairs": _forgotten(self._pairs, known),
        }

    def _order_changes(self, changed: Iterable[str]) -> dict[str, tuple[Any, ...]]:
        """Keys are our client ids, and venue ids of orders that are not ours."""
        ledger, snapshot = self._snapshot.desk.ledger, self._snapshot
        orders, gone = [], []
        # The next look-up of an unanswered order moves on without the order changing.
        for key in dict.fromkeys((*changed, *_searched(snapshot.desk.seats))):
            if key in ledger.orders:
                orders.append(snapshot.order(ledger.orders[key]))
            elif key in ledger.externals:
                orders.append(snapshot.external(ledger.externals[key]))
            else:
                gone.append(key)
        return {"orders": tuple(orders), "gone_orders": tuple(gone)}

    def _alarm_changes(self, changed: Iterable[int]) -> dict[str, tuple[Any, ...]]:
        alarms = self._snapshot.desk.state.alarms
        return {
            "alarms": tuple(alarm_row(alarms[a]) for a in changed if a in alarms),
            "gone_alarms": tuple(a for a in changed if a not in alarms),
        }

    def _limit_changes(self) -> dict[str, tuple[Any, ...]]:
        desk = self._snapshot.desk
        second = self._snapshot.clocks.mono_ns() // 1_000_000_000  # rates fall with time alone
        basis = (desk.state.limit_changes, desk.ledger.epoch, desk.state.today_pnl, second)
        if basis == self._limit_basis:
            return {}
        self._limit_basis = basis
        now = {(row.name, row.scope): row for row in _steady(self._snapshot.limits())}
        before, self._limits = self._limits, now
        return {
            "limits": tuple(row for key, row in now.items() if before.get(key) != row),
            "gone_limits": tuple(key for key in before if key not in now),
        }

    # --- rows with memory ----------------------------------------------------------------------

    def _static(self, ticker: str) -> MarketStatic:
        row = self._statics[ticker] = self._snapshot.static(ticker)
        self._keys[ticker] = row.key
        return row

    def _market(self, ticker: str) -> MarketRow:
        return self._snapshot.market(ticker, self._touches.setdefault(ticker, Touch()))

    def _card(self, proposal_id: str) -> ProposalRow | None:
        """``None`` for a card of which a market has left the desk."""
        desk = self._snapshot.desk
        if not desk.approvals.proposals[proposal_id].tickers <= desk.state.markets.keys():
            return None
        row = self._cards[proposal_id] = self._snapshot.proposal(proposal_id)
        return row

    def _position(self, ticker: str) -> PositionRow:
        row = self._snapshot.position(ticker)
        self._positions[row.key] = row
        return row

    def _pair(self, key: PairKey) -> PairRow:
        row = self._pairs[key] = self._snapshot.pair(self._snapshot.desk.state.pairs[key])
        return row

    def _event(self, ticker: str) -> EventRow:
        row = self._events[ticker] = self._snapshot.event(ticker)
        return row

    def _next(self) -> int:
        self._seq += 1
        return self._seq


def _renewed(sent: dict[Any, Any], keys: Iterable[Any], build: Callable[[Any], Any]) -> tuple[Any, ...]:
    """Rows of these keys that differ from what was sent before; ``build`` notes what it made in ``sent``."""
    fresh = []
    for key in keys:
        before = sent.get(key)
        row = build(key)
        if row is not None and row != before:
            fresh.append(row)
    return tuple(fresh)


def _always(_: str) -> bool:
    return True


def _forgotten(sent: dict[Any, Any], known: Container[Any]) -> tuple[Any, ...]:
    """Keys that were sent and are no longer there; they are dropped from ``sent``."""
    gone = tuple(key for key in sent if key not in known)
    for key in gone:
        del sent[key]
    return gone


def _steady(table: Iterable[LimitRow]) -> list[LimitRow]:
    """Limits without the readings of health: they change all the time and are looked at by query."""
    return [row if row.fills_up else msgspec.structs.replace(row, used=None) for row in table]


def _pack(tables: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """Rows of all tables in portions of about half a frame; at least one portion."""
    portion: dict[str, list[Any]] = {}
    size = 0
    for name, table in tables.items():
        for row in table:
            length = len(_encoder.encode(row))
            if size + length > PART_BYTES and portion:
                yield {key: tuple(value) for key, value in portion.items()}
                portion, size = {}, 0
            portion.setdefault(name, []).append(row)
            size += length
    yield {key: tuple(value) for key, value in portion.items()}


def _searched(seats: Seats) -> Iterator[str]:
    """Orders that are being looked up, by client id."""
    for seat in seats.values():
        yield from seat.unknowns.searches
