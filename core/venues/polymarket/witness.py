"""Books compared with REST: every traded one each half minute, suspect ones at once, in as few calls as go.

REST can be stale or show nonsense (0.01 to 0.99), so it is a witness, not a judge: the side with the newer
time is believed, a live book is doubted only by a second look, and a suspect one is replaced only when the
venue's separate price call names the same best prices (Polymarket reference, sections 5.5 and 8).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from core.domain.clock import Clocks
from core.domain.order import BookSide
from core.domain.units import Price
from core.venues.polymarket import clob, prices
from core.venues.polymarket.book_wire import BookWire, Prices, levels, stamp_ms
from core.venues.polymarket.books import Books, Slot
from core.venues.polymarket.facts import Fact, Oddity
from core.venues.polymarket.prices import Quote
from core.venues.polymarket.trust import SECOND_NS
from core.venues.reader import Reader
from core.venues.venue import Incomplete
from core.venues.wire import WireError

LOOK_S: Final = 0.5
AGAIN_NS: Final = 2 * SECOND_NS
"""How long news may take on the stream after REST has it."""
NOBODY: Final = Quote(None, None)
"""A token whose book is empty is left out of the prices."""


class Witness:
    """``deliver`` hears facts, ``on_dead`` of a token whose connection brings nothing of its news."""

    def __init__(
        self,
        reader: Reader,
        books: Books,
        clocks: Clocks,
        deliver: Callable[[Any], None],
        on_dead: Callable[[str], None],
    ) -> None:
        self._reader, self._books, self._clocks = reader, books, clocks
        self._deliver, self._on_dead = deliver, on_dead
        self._differed: dict[str, int] = {}
        """Books that looked different once, with the time of their newest word then."""
        self._missing: set[str] = set()
        self._prices = Prices()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """One round: whatever is due now."""
        now_ns = self._clocks.mono_ns()
        self._tell(self._books.tick(now_ns))
        due = self._books.due(now_ns)
        if not due:
            return
        for slot in due:
            slot.doubts.asked(now_ns)
        found = await clob.read_books(self._reader, [slot.watched.tokens.yes for slot in due])
        if isinstance(found, Incomplete):
            self._deliver(Oddity("books by REST", found.reason))
            return
        shown = {wire.asset_id: wire for wire in found}
        suspects: list[tuple[Slot, BookWire]] = []
        for slot in due:
            ticker, wire = slot.watched.ticker, shown.get(slot.watched.tokens.yes)
            if self._books.slots.get(ticker) is not slot:
                continue  # it ended meanwhile
            if wire is None:
                self._not_there(ticker)
            elif slot.doubts.intact:
                self._compare(slot, wire)
            else:
                suspects.append((slot, wire))
        if suspects:
            await self._restore(suspects)

    def _not_there(self, ticker: str) -> None:
        if ticker not in self._missing:
            self._missing.add(ticker)
            self._deliver(Oddity("book", f"{ticker}: the venue has none yet"))

    def _compare(self, slot: Slot, wire: BookWire) -> None:
        """A live book against REST."""
        ticker, now_ns = slot.watched.ticker, self._clocks.mono_ns()
        self._missing.discard(ticker)
        try:
            same, at_ms = self._books.same_as(slot, wire), stamp_ms(wire.timestamp)
        except WireError as error:
            self._deliver(Oddity("book by REST", f"{ticker}: {error}"))
            return
        before_ms = self._differed.pop(ticker, None)
        if same:
            self._books.confirm(slot, now_ns)
        elif at_ms < slot.newest_ms:
            slot.doubts.due_ns = now_ns + slot.probe_ns  # REST is late: it says nothing
        elif at_ms == slot.newest_ms or before_ms == slot.newest_ms:
            self._tell(self._books.suspect(ticker, "REST shows another book", now_ns))
            if at_ms > slot.newest_ms:
                self._on_dead(slot.watched.tokens.yes)
        else:
            self._differed[ticker] = slot.newest_ms
            slot.doubts.due_ns = now_ns + AGAIN_NS

    async def _restore(self, suspects: Sequence[tuple[Slot, BookWire]]) -> None:
        """Suspect books from REST, where its two calls agree on the best prices."""
        quotes = await prices.read_prices(self._reader, [wire.asset_id for _, wire in suspects])
        if isinstance(quotes, Incomplete):
            self._deliver(Oddity("prices by REST", quotes.reason))
            return
        for slot, wire in suspects:
            ticker = slot.watched.ticker
            if self._books.slots.get(ticker) is not slot or slot.doubts.intact:
                continue
            try:
                if self._best(wire) == quotes.get(wire.asset_id, NOBODY):
                    self._missing.discard(ticker)
                    now_ns, wall_ms = self._clocks.mono_ns(), self._clocks.wall_ms()
                    self._tell(self._books.reload(slot, wire, now_ns, wall_ms))
            except WireError as error:
                self._deliver(Oddity("book by REST", f"{ticker}: {error}"))

    def _best(self, wire: BookWire) -> Quote:
        """The highest bid and the lowest ask, whatever order they come in. Raises ``WireError``."""
        best: dict[BookSide, Price | None] = {}
        for side, rows, pick in ((BookSide.BID, wire.bids, max), (BookSide.ASK, wire.asks, min)):
            best[side] = pick((price for price, size in levels(rows, self._prices) if size), default=None)
        return Quote(best[BookSide.BID], best[BookSide.ASK])

    def _tell(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self._deliver(fact)
