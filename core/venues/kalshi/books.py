"""The books of the watched markets: snapshots loaded, changes applied, doubts noted and repairs timed.

A book that cannot be right is marked untrue and gets a time at which its snapshot is to be asked for;
who asks, and whether numbers are missing, is the business of ``stream.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from core.domain.book import new_book
from core.domain.market import TickGrid
from core.domain.order import BookSide
from core.domain.units import Price, UnitError, parse_price, parse_quantity
from core.venues.kalshi.facts import NOTHING, BookChanged, Fact, Oddity
from core.venues.kalshi.frames import DeltaBody, Levels, SnapshotBody
from core.venues.venue import BookView

SECOND_NS: Final = 1_000_000_000
RETRY_FIRST_NS, RETRY_NS_MAX = SECOND_NS // 2, 30 * SECOND_NS
STEADY_NS: Final = 60 * SECOND_NS
"""A book whose last repair is older than this starts again with the shortest delay."""
PRICE_TEXTS_MAX: Final = 20_000

_SIDES: Final = {"yes": BookSide.BID, "no": BookSide.ASK}
# With ``use_yes_price`` the no side arrives in YES prices, so it is the ask ladder as it stands.


class Slot:
    """One market's book with what its repair needs."""

    __slots__ = ("asked_ns", "changed", "clock", "delay_ns", "refused", "repair_ns", "ticker", "view")

    def __init__(self, ticker: str, grid: TickGrid) -> None:
        self.ticker = ticker
        self.view = BookView(new_book(grid))
        self.changed: tuple[Fact, ...] = (BookChanged(ticker),)
        self.clock: int | None = None
        """Exchange clock of the snapshot; older changes are already in it."""
        self.repair_ns: int | None = None
        """When to ask for this market's snapshot; ``None`` while nothing is wrong with it alone."""
        self.delay_ns = RETRY_FIRST_NS
        self.asked_ns = 0
        self.refused = False
        """The venue does not offer this market's book: not asked for again in this connection."""

    def distrust(self, now_ns: int) -> None:
        """Mark the book untrue; its first repair is due at once, later ones after a growing delay."""
        self.view.intact = False
        if self.repair_ns is None:
            first = self.delay_ns == RETRY_FIRST_NS
            self.repair_ns = now_ns if first else now_ns + self.delay_ns

    def asked(self, now_ns: int) -> None:
        """Its snapshot was asked for: ask again after the delay unless it comes."""
        self.asked_ns, self.repair_ns = now_ns, now_ns + self.delay_ns
        self.delay_ns = min(RETRY_NS_MAX, self.delay_ns * 2)


class _Prices(dict[str, Price]):
    """Price texts to prices; cleared rather than grown beyond its bound."""

    def __missing__(self, text: str) -> Price:
        price = parse_price(text)
        if len(self) >= PRICE_TEXTS_MAX:
            self.clear()
        self[text] = price
        return price


class Books:
    """All watched markets. ``views`` is what the rest of the house reads."""

    def __init__(self) -> None:
        self.views: dict[str, BookView] = {}
        self.slots: dict[str, Slot] = {}
        self._prices = _Prices()

    def add(self, markets: Iterable[tuple[str, TickGrid]]) -> None:
        for ticker, grid in markets:
            if ticker not in self.slots:
                slot = self.slots[ticker] = Slot(ticker, grid)
                self.views[ticker] = slot.view

    def distrust_all(self) -> list[Fact]:
        """Mark every book untrue and forget single repairs: all will be asked for together."""
        changed: list[Fact] = []
        for slot in self.slots.values():
            if slot.view.intact:
                slot.view.intact = False
                changed.extend(slot.changed)
            slot.repair_ns = None
        return changed

    def change(self, body: DeltaBody, seq: int, now_ns: int) -> Sequence[Fact]:
        """Apply one change. The path taken thousands of times a second: it allocates next to nothing."""
        slot = self.slots.get(body.market_ticker)
        if slot is None:
            return NOTHING
        view = slot.view
        view.message_ns, view.sequence = now_ns, seq
        if not view.intact:
            return NOTHING
        clock = body.clock
        if slot.clock is not None and isinstance(clock, int) and clock <= slot.clock:
            return NOTHING
        side = _SIDES.get(body.side)
        try:
            price, delta = self._prices[body.price_dollars], parse_quantity(body.delta_fp)
        except UnitError as error:
            return self._doubt(slot, str(error), now_ns)
        if side is None or not view.book.change(side, price, delta):
            what = f"{body.side[:8]} {body.price_dollars[:16]} by {body.delta_fp[:24]} cannot be"
            return self._doubt(slot, what, now_ns)
        return slot.changed

    def load(self, body: SnapshotBody, seq: int, now_ns: int) -> Sequence[Fact]:
        """Replace one market's book."""
        slot = self.slots.get(body.market_ticker)
        if slot is None:
            return NOTHING
        view = slot.view
        view.book.clear()
        view.message_ns, view.sequence = now_ns, seq
        doubt = self._fill(slot, body.yes_dollars_fp, BookSide.BID)
        doubt = doubt or self._fill(slot, body.no_dollars_fp, BookSide.ASK)
        if not doubt and view.book.crossed:
            doubt = "bid not below ask after a snapshot"
        if doubt:
            return self._doubt(slot, doubt, now_ns)
        slot.clock = body.clock if isinstance(body.clock, int) else None
        if now_ns - slot.asked_ns > STEADY_NS:
            slot.delay_ns = RETRY_FIRST_NS
        view.intact, slot.repair_ns = True, None
        return slot.changed

    def crossed(self, tickers: Iterable[str], now_ns: int) -> Sequence[Fact]:
        """Doubt every book that stands crossed. Looked at now and then only: between the changes that one
        order causes a book may cross for a moment."""
        facts: list[Fact] = []
        for slot in map(self.slots.__getitem__, tickers):
            if slot.view.intact and slot.view.book.crossed:
                facts.extend(self._doubt(slot, "bid not below ask", now_ns))
        return facts

    def _fill(self, slot: Slot, levels: Levels, side: BookSide) -> str:
        """Load one side; a text says what is wrong with it."""
        for price, size in levels or ():
            try:
                if not slot.view.book.set(side, self._prices[price], parse_quantity(size)):
                    return f"level {price[:16]} of {size[:24]} is not possible"
            except UnitError as error:
                return str(error)
        return ""

    def _doubt(self, slot: Slot, detail: str, now_ns: int) -> Sequence[Fact]:
        slot.distrust(now_ns)
        return (*slot.changed, Oddity("book out of step", f"{slot.ticker}: {detail}"))
