"""The books of the watched markets in YES terms, from one or two sockets and from REST.

Sizes come as absolute amounts with the venue's time, so what two sockets say is merged level by level: the
newer word on a price holds, an equal one is taken once, and a whole book replaces what is not newer than it.
The NO side is the mirror of the YES side: it is compared, never added.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from core.domain.book import Book, LadderBook
from core.domain.market import PriceBand, TickGrid
from core.domain.order import BookSide
from core.domain.units import ONE_DOLLAR, Price, Quantity, complement
from core.venues.lag import Lags
from core.venues.polymarket.book_wire import (
    BookWire,
    Prices,
    Sums,
    book_hash,
    level_size,
    levels,
    stamp_ms,
)
from core.venues.polymarket.facts import NOTHING, BookChanged, Fact, Oddity, Printed
from core.venues.polymarket.market_frames import BestFrame, Change, ChangeFrame, TradeFrame
from core.venues.polymarket.merging import Moment
from core.venues.polymarket.tokens import Tokens
from core.venues.polymarket.trust import PROBE_NS, PROBE_TRADED_NS, Doubts, Trust
from core.venues.venue import BookView, Print
from core.venues.wire import WireError

FINEST: Final = TickGrid((PriceBand(Price(1), Price(ONE_DOLLAR - 1), Price(1)),))
"""Books take any price: a tick size can change while orders rest on the old grid."""
AHEAD_MS_MAX: Final = 3_600_000
"""A venue time further ahead than that is nonsense; taken seriously it would freeze the book."""
TOP: Final = 5
Level = tuple[Price, Quantity]
_SIDES: Final = {"BUY": BookSide.BID, "SELL": BookSide.ASK}


class Watched(msgspec.Struct, frozen=True):
    """A market whose book is kept."""

    ticker: str
    tokens: Tokens
    sums: Sums


class Slot:
    """One market's book with what its trust rests on."""

    __slots__ = (
        "changed",
        "doubts",
        "floor_ms",
        "hash",
        "lanes",
        "newest_ms",
        "stamps",
        "traded",
        "view",
        "watched",
    )

    def __init__(self, watched: Watched, now_ns: int) -> None:
        self.watched = watched
        self.view = BookView(LadderBook(FINEST))
        self.doubts = Doubts(now_ns)
        self.changed: tuple[Fact, ...] = (BookChanged(watched.ticker),)
        self.floor_ms = 0
        """Time of the newest whole book; older words on single prices are in it."""
        self.newest_ms = 0
        self.hash = ""
        """Checksum of the newest whole book."""
        self.stamps: dict[tuple[BookSide, Price], Moment] = {}
        """Of each price changed since: when, and what was said of it then."""
        self.lanes: dict[int, int] = {}
        """Sockets that brought the whole book, with the time of their last word."""
        self.traded = False

    @property
    def probe_ns(self) -> int:
        return PROBE_TRADED_NS if self.traded else PROBE_NS


class Books:
    """All watched markets. ``views`` is what the rest of the house reads."""

    def __init__(self) -> None:
        self.views: dict[str, BookView] = {}
        self.slots: dict[str, Slot] = {}
        self._by_token: dict[str, tuple[Slot, bool]] = {}
        """Slots by both tokens; true for YES."""
        self.lags = Lags()
        self._prices = Prices()

    def add(self, watched: Watched, now_ns: int) -> bool:
        """Keep this market's book from now on; false when that is so already."""
        if watched.ticker in self.slots:
            return False
        slot = self.slots[watched.ticker] = Slot(watched, now_ns)
        self.views[watched.ticker] = slot.view
        self._by_token[watched.tokens.yes] = slot, True
        self._by_token[watched.tokens.no] = slot, False
        return True

    def drop(self, ticker: str) -> None:
        slot = self.slots.pop(ticker, None)
        if slot is not None:
            del self.views[ticker]
            del self._by_token[slot.watched.tokens.yes], self._by_token[slot.watched.tokens.no]

    def of_token(self, token: str) -> Slot | None:
        found = self._by_token.get(token)
        return found[0] if found is not None else None

    # --- the market channel -----------------------------------------------------------------------

    def load(self, wire: BookWire, lane: int, now_ns: int, wall_ms: int) -> Sequence[Fact]:
        """A whole book from a socket."""
        slot, is_yes = self._by_token.get(wire.asset_id, (None, False))
        if slot is None or not is_yes:
            return NOTHING
        try:
            at_ms = _timely(wire.timestamp, wall_ms)
            backwards = self._backwards(slot, lane, at_ms, now_ns)
            slot.lanes[lane] = max(slot.lanes.get(lane, 0), at_ms)
            if backwards or at_ms < slot.floor_ms:
                return backwards  # what it says is old; what comes after it is wanted all the same
            if slot.doubts.intact and wire.hash and wire.hash == slot.hash and at_ms == slot.floor_ms:
                return NOTHING  # the other socket brought it
            self._replace(slot, wire, at_ms, now_ns)
        except WireError as error:
            return self._doubt(slot, str(error), now_ns)
        if slot.view.book.crossed:
            return self._doubt(slot, "bid not below ask in a whole book", now_ns)
        if wire.hash and slot.doubts.hashed(book_hash(wire, slot.watched.sums) == wire.hash):
            return self._doubt(slot, "its checksum does not match", now_ns)
        return slot.changed

    def change(self, frame: ChangeFrame, lane: int, now_ns: int, wall_ms: int) -> Sequence[Fact]:
        """Changes of single prices; the best prices are compared once all of them are in."""
        touched: dict[int, tuple[Slot, Change]] = {}
        mirrors: list[tuple[Slot, Change]] = []
        facts: list[Fact] = []
        at_ms: int | None = None
        news = False
        for change in frame.price_changes:
            slot, is_yes = self._by_token.get(change.asset_id, (None, False))
            if slot is None:
                continue
            if not is_yes:
                mirrors.append((slot, change))
                continue
            try:
                at_ms = at_ms if at_ms is not None else _timely(frame.timestamp, wall_ms)
                facts.extend(self._backwards(slot, lane, at_ms, now_ns))
                news |= self._change(slot, change, lane, at_ms, now_ns)
            except WireError as error:
                facts.extend(self._doubt(slot, str(error), now_ns))
                continue
            touched[id(slot)] = slot, change
        if at_ms is None:
            return facts
        if news:
            self.lags.note(wall_ms - at_ms)
        for slot, change in touched.values():
            facts.extend(slot.changed)
            slot.doubts.crossing(slot.view.book.crossed, now_ns)
            if _newest(slot, lane, at_ms):
                facts.extend(self._compare(slot, change.best_bid, change.best_ask, False, now_ns))
        for slot, change in mirrors:
            if id(slot) in touched and _newest(slot, lane, at_ms):
                facts.extend(self._compare(slot, change.best_bid, change.best_ask, True, now_ns))
        return facts

    def best(self, frame: BestFrame, lane: int, now_ns: int) -> Sequence[Fact]:
        """The venue's own best prices, to compare with."""
        slot, is_yes = self._by_token.get(frame.asset_id, (None, False))
        if slot is None or not slot.doubts.intact:
            return NOTHING
        try:
            if not _newest(slot, lane, stamp_ms(frame.timestamp)):
                return NOTHING
        except WireError as error:
            return (Oddity("best prices", f"{slot.watched.ticker}: {error}"),)
        return self._compare(slot, frame.best_bid, frame.best_ask, not is_yes, now_ns)

    def printed(self, frame: TradeFrame, lane: int, wall_ms: int) -> Sequence[Fact]:
        """A public trade, from the oldest of the sockets that bring the book: the other one says it again."""
        slot, is_yes = self._by_token.get(frame.asset_id, (None, False))
        if slot is None or lane != min(slot.lanes, default=lane):
            return NOTHING
        try:
            price, size = self._prices[frame.price], level_size(frame.size)
            at_ms = _timely(frame.timestamp, wall_ms)
            side = _side(frame.side)
        except WireError as error:
            return (Oddity("trade", f"{slot.watched.ticker}: {error}"),)
        if not is_yes:
            price, side = complement(price), side.opposite
        return (Printed(Print(slot.watched.ticker, price, size, side, at_ms)),)

    def suspect(self, ticker: str, reason: str, now_ns: int) -> Sequence[Fact]:
        slot = self.slots.get(ticker)
        return self._doubt(slot, reason, now_ns) if slot is not None else NOTHING

    def lane_ended(self, lane: int, reason: str, now_ns: int) -> Sequence[Fact]:
        """A socket brings nothing more: books no other one has brought are suspect."""
        facts: list[Fact] = []
        for slot in self.slots.values():
            if slot.lanes.pop(lane, None) is not None and not slot.lanes:
                facts.extend(self._doubt(slot, reason, now_ns))
        return facts

    def doubt_lane(self, lane: int, reason: str, now_ns: int) -> Sequence[Fact]:
        """Something this socket said was lost: none of its books is sure."""
        facts: list[Fact] = []
        for slot in self.slots.values():
            if lane in slot.lanes:
                facts.extend(self._doubt(slot, reason, now_ns))
        return facts

    def behind(self, lane: int) -> bool:
        """Whether another socket has brought newer words on a book than this one."""
        brought = (slot.lanes for slot in self.slots.values() if lane in slot.lanes)
        return any(lanes[lane] < max(lanes.values()) for lanes in brought)

    def probe_busiest(self, lane: int, now_ns: int) -> None:
        """Compare this socket's busiest book with REST soon: it tells a quiet channel from a dead one."""
        brought = [slot for slot in self.slots.values() if lane in slot.lanes and slot.doubts.intact]
        if brought:
            max(brought, key=lambda slot: slot.view.sequence).doubts.due_ns = now_ns

    def tick(self, now_ns: int) -> Sequence[Fact]:
        """Doubt every book that stands crossed. To be called every second or so."""
        facts: list[Fact] = []
        for slot in self.slots.values():
            if slot.doubts.intact and slot.doubts.stands_crossed(now_ns):
                facts.extend(self._doubt(slot, "bid not below ask", now_ns))
        return facts

    # --- REST -------------------------------------------------------------------------------------

    def due(self, now_ns: int) -> list[Slot]:
        """Books to be read by REST now: suspect ones, those that never came, and the regular comparison."""
        return [slot for slot in self.slots.values() if now_ns >= slot.doubts.due_ns]

    def same_as(self, slot: Slot, wire: BookWire) -> bool:
        """Whether the best five prices of both sides are those of ``wire``. Raises ``WireError``."""
        other = LadderBook(FINEST)
        _fill(other, levels(wire.bids, self._prices), levels(wire.asks, self._prices))
        ours = slot.view.book
        return all(ours.levels(side, TOP) == other.levels(side, TOP) for side in BookSide)

    def confirm(self, slot: Slot, now_ns: int) -> None:
        """A second source showed the same book."""
        slot.doubts.agreed(now_ns, slot.probe_ns)
        if slot.doubts.intact:
            slot.view.message_ns = now_ns

    def reload(self, slot: Slot, wire: BookWire, now_ns: int, wall_ms: int) -> Sequence[Fact]:
        """Take a whole book from REST, and what the socket said after it. Raises ``WireError``."""
        at_ms = _timely(wire.timestamp, wall_ms)
        if at_ms < slot.floor_ms:
            raise WireError("REST shows an older book than the one known")
        self._replace(slot, wire, at_ms, now_ns)
        if slot.view.book.crossed:
            return self._doubt(slot, "bid not below ask by REST", now_ns)
        if slot.lanes:
            self.confirm(slot, now_ns)
            return slot.changed
        # Shown, and not believed: nothing keeps it true from here on.
        slot.doubts.suspect("no socket brings it", now_ns)
        slot.doubts.asked(now_ns)
        slot.view.intact = False
        return slot.changed

    # --- one book ---------------------------------------------------------------------------------

    def _replace(self, slot: Slot, wire: BookWire, at_ms: int, now_ns: int) -> None:
        """Raises ``WireError``; the book is as it was then."""
        bids, asks = levels(wire.bids, self._prices), levels(wire.asks, self._prices)
        # What was said since the very same book, if in its own millisecond, came after it.
        again = at_ms == slot.floor_ms and bool(wire.hash) and wire.hash == slot.hash
        after_ms = at_ms - again
        book, kept = slot.view.book, {key: seen for key, seen in slot.stamps.items() if seen.at_ms > after_ms}
        newer = [(side, price, book.size(side, price)) for side, price in kept]
        _fill(book, bids, asks)
        for side, price, size in newer:
            book.set(side, price, size)
        slot.stamps, slot.floor_ms, slot.hash = kept, at_ms, wire.hash
        slot.newest_ms = max(slot.newest_ms, at_ms)
        slot.doubts.loaded()
        slot.view.intact, slot.view.message_ns = True, now_ns
        slot.view.sequence += 1

    def _change(self, slot: Slot, change: Change, lane: int, at_ms: int, now_ns: int) -> bool:
        """The newer word on a price holds: whether it was this one. Raises ``WireError``."""
        side = _side(change.side)
        price, size = self._prices[change.price], level_size(change.size)
        if lane in slot.lanes:
            slot.lanes[lane] = max(slot.lanes[lane], at_ms)
        if slot.doubts.state is Trust.EMPTY or at_ms < slot.floor_ms:
            return False
        key, word = (side, price), (change.hash, size)
        seen = slot.stamps.get(key)
        if seen is None or at_ms > seen.at_ms:
            slot.stamps[key] = Moment(at_ms, lane, word)
        elif at_ms < seen.at_ms or not seen.take(lane, word):
            return False
        view = slot.view
        for_nothing = not size and not view.book.size(side, price)
        view.book.set(side, price, size)
        slot.newest_ms = max(slot.newest_ms, at_ms)
        view.message_ns = now_ns
        view.sequence += 1
        if for_nothing and slot.doubts.deleted_nothing():
            raise WireError("prices that are not there are deleted")
        return True

    def _backwards(self, slot: Slot, lane: int, at_ms: int, now_ns: int) -> Sequence[Fact]:
        """Facts when one socket's time went back; between two sockets that is normal."""
        if at_ms >= slot.lanes.get(lane, 0):
            return NOTHING
        return self._doubt(slot, "the venue's time went backwards", now_ns)

    def _compare(
        self, slot: Slot, bid: str | None, ask: str | None, mirrored: bool, now_ns: int
    ) -> Sequence[Fact]:
        """Our best prices against the venue's; ``mirrored`` ones are NO's."""
        if not slot.doubts.intact or bid is None or ask is None:
            return NOTHING
        try:
            theirs = self._best(bid), self._best(ask)
        except WireError as error:
            return (Oddity("best prices", f"{slot.watched.ticker}: {error}"),)
        if mirrored:
            no_bid, no_ask = theirs
            theirs = (
                complement(no_ask) if no_ask is not None else None,
                complement(no_bid) if no_bid is not None else None,
            )
        book = slot.view.book
        if (book.best_bid, book.best_ask) != theirs:
            return self._doubt(slot, "its best prices are not the venue's", now_ns)
        if slot.doubts.state is Trust.SNAPSHOT:
            slot.doubts.state = Trust.LIVE
        return NOTHING

    def _best(self, text: str) -> Price | None:
        """0 and 1 dollar, like nothing at all, stand for an empty side."""
        return None if text in _NOBODY else self._prices[text]

    def _doubt(self, slot: Slot, reason: str, now_ns: int) -> Sequence[Fact]:
        if not slot.doubts.suspect(reason, now_ns):
            return NOTHING
        slot.view.intact = False
        return (*slot.changed, Oddity("book in doubt", f"{slot.watched.ticker}: {reason}"))


_NOBODY: Final = frozenset({"", "0", "0.0", "0.00", "0.000", "0.0000", "1", "1.0", "1.00", "1.000", "1.0000"})


def _newest(slot: Slot, lane: int, at_ms: int) -> bool:
    """Whether nobody can have said more of the book: within one millisecond another socket may be ahead."""
    if at_ms < slot.newest_ms:
        return False
    return all(said_ms < at_ms or other == lane for other, said_ms in slot.lanes.items())


def book_of(wire: BookWire) -> Book:
    """A book on its own. Raises ``WireError``."""
    book, prices = LadderBook(FINEST), Prices()
    _fill(book, levels(wire.bids, prices), levels(wire.asks, prices))
    return book


def _fill(book: Book, bids: Iterable[Level], asks: Iterable[Level]) -> None:
    book.clear()
    for side, rows in ((BookSide.BID, bids), (BookSide.ASK, asks)):
        for price, size in rows:
            book.set(side, price, size)


def _side(text: str) -> BookSide:
    """Raises ``WireError``."""
    side = _SIDES.get(text)
    if side is None:
        raise WireError(f"{text[:8]!r} is neither BUY nor SELL")
    return side


def _timely(text: str, wall_ms: int) -> int:
    """Raises ``WireError`` for a time no message can have."""
    at_ms = stamp_ms(text)
    if at_ms > wall_ms + AHEAD_MS_MAX:
        raise WireError(f"timestamp: {at_ms} is in the future")
    return at_ms
