"""The order book of one market in YES terms: integer sizes by price, two designs behind one type.

``GridBook`` indexes lists by tick and suits one-band grids; ``LadderBook`` keeps a dict and sorted
prices and takes any grid. Updates allocate nothing. A book knows no sequence numbers and no clock:
whether it can be trusted is the business of ``BookView``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, insort
from collections.abc import Iterator

from core.domain.market import TickGrid
from core.domain.order import BookSide
from core.domain.units import ONE_DOLLAR, Price, Quantity

GRID_SLOTS_MAX = 1_001
"""A finer grid in lists would cost 160 kB a book."""


class Book(ABC):
    """Sizes resting at each price. Prices off the grid and negative sizes are refused, never stored."""

    __slots__ = ("changes",)

    changes: int
    """Grows with everything that changes a size: what was read at the same count is still so."""

    @property
    @abstractmethod
    def best_bid(self) -> Price | None: ...

    @property
    @abstractmethod
    def best_ask(self) -> Price | None: ...

    @abstractmethod
    def clear(self) -> None: ...

    @abstractmethod
    def set(self, side: BookSide, price: Price, quantity: Quantity) -> bool:
        """Replace the size at a price. False: off the grid or negative, nothing changed."""

    @abstractmethod
    def change(self, side: BookSide, price: Price, delta: int) -> bool:
        """Add a signed change to the size at a price. False: the book is out of step, nothing changed."""

    @abstractmethod
    def size(self, side: BookSide, price: Price) -> Quantity: ...

    @abstractmethod
    def walk(self, side: BookSide) -> Iterator[tuple[Price, Quantity]]:
        """Levels of one side, best first. The book must not change meanwhile."""

    @property
    def crossed(self) -> bool:
        """Whether the best bid is at or above the best ask: no signal may come from such a book."""
        bid, ask = self.best_bid, self.best_ask
        return bid is not None and ask is not None and bid >= ask

    def levels(self, side: BookSide, depth: int) -> list[tuple[Price, Quantity]]:
        """Up to ``depth`` levels of one side, best first."""
        return [level for level, _ in zip(self.walk(side), range(depth), strict=False)]

    def depth_within(self, side: BookSide, limit: Price) -> Quantity:
        """Contracts resting on ``side`` at ``limit`` or a better price."""
        total = 0
        for price, size in self.walk(side):
            if (limit - price) * side.sign > 0:
                break
            total += size
        return Quantity(total)


class GridBook(Book):
    """Lists of sizes indexed by tick, best indices kept up to date, scanned outward when a best empties."""

    __slots__ = ("_asks", "_best_ask", "_best_bid", "_bids", "_slots", "_start", "_step")

    def __init__(self, start: Price, end: Price, step: Price) -> None:
        self.changes = 0
        self._start, self._step = start, step
        self._slots = (end - start) // step + 1
        self._bids, self._asks = [0] * self._slots, [0] * self._slots
        self._best_bid, self._best_ask = -1, self._slots

    @property
    def best_bid(self) -> Price | None:
        at = self._best_bid
        return Price(self._start + at * self._step) if at >= 0 else None

    @property
    def best_ask(self) -> Price | None:
        at = self._best_ask
        return Price(self._start + at * self._step) if at < self._slots else None

    def clear(self) -> None:
        self.changes += 1
        for sizes in (self._bids, self._asks):
            for at in range(self._slots):
                sizes[at] = 0
        self._best_bid, self._best_ask = -1, self._slots

    def _index(self, price: Price) -> int:
        """Slot of a price, -1 when it is off the grid."""
        at, off = divmod(price - self._start, self._step)
        return at if off == 0 and 0 <= at < self._slots and 0 < price < ONE_DOLLAR else -1

    def set(self, side: BookSide, price: Price, quantity: Quantity) -> bool:
        at = self._index(price)
        if at < 0 or quantity < 0:
            return False
        self._put(side, at, quantity)
        return True

    def change(self, side: BookSide, price: Price, delta: int) -> bool:
        at = self._index(price)
        if at < 0:
            return False
        size = (self._bids if side is BookSide.BID else self._asks)[at] + delta
        if size < 0:
            return False
        self._put(side, at, size)
        return True

    def _put(self, side: BookSide, at: int, size: int) -> None:
        self.changes += 1
        if side is BookSide.BID:
            bids = self._bids
            bids[at] = size
            if at > self._best_bid:
                if size:
                    self._best_bid = at
            elif at == self._best_bid and not size:
                while at >= 0 and not bids[at]:
                    at -= 1
                self._best_bid = at
            return
        asks = self._asks
        asks[at] = size
        if at < self._best_ask:
            if size:
                self._best_ask = at
        elif at == self._best_ask and not size:
            slots = self._slots
            while at < slots and not asks[at]:
                at += 1
            self._best_ask = at

    def size(self, side: BookSide, price: Price) -> Quantity:
        at = self._index(price)
        return Quantity((self._bids if side is BookSide.BID else self._asks)[at] if at >= 0 else 0)

    def walk(self, side: BookSide) -> Iterator[tuple[Price, Quantity]]:
        if side is BookSide.BID:
            sizes, slots = self._bids, range(self._best_bid, -1, -1)
        else:
            sizes, slots = self._asks, range(self._best_ask, self._slots)
        for at in slots:
            if sizes[at]:
                yield Price(self._start + at * self._step), Quantity(sizes[at])


class LadderBook(Book):
    """A dict of sizes and a sorted list of prices a side, for grids of several bands or many ticks."""

    __slots__ = ("_ask_prices", "_asks", "_bid_prices", "_bids", "_grid")

    def __init__(self, grid: TickGrid) -> None:
        self.changes = 0
        self._grid = grid
        self._bids: dict[Price, int] = {}
        self._asks: dict[Price, int] = {}
        self._bid_prices: list[Price] = []
        self._ask_prices: list[Price] = []

    @property
    def best_bid(self) -> Price | None:
        return self._bid_prices[-1] if self._bid_prices else None

    @property
    def best_ask(self) -> Price | None:
        return self._ask_prices[0] if self._ask_prices else None

    def clear(self) -> None:
        self.changes += 1
        self._bids.clear()
        self._asks.clear()
        self._bid_prices.clear()
        self._ask_prices.clear()

    def set(self, side: BookSide, price: Price, quantity: Quantity) -> bool:
        sizes = self._bids if side is BookSide.BID else self._asks
        # A price already in the book was checked when it came in.
        if quantity < 0 or (price not in sizes and not self._grid.valid(price)):
            return False
        self._put(side, price, quantity)
        return True

    def change(self, side: BookSide, price: Price, delta: int) -> bool:
        known = (self._bids if side is BookSide.BID else self._asks).get(price)
        if known is None and not self._grid.valid(price):
            return False
        size = (known or 0) + delta
        if size < 0:
            return False
        self._put(side, price, size)
        return True

    def _put(self, side: BookSide, price: Price, size: int) -> None:
        self.changes += 1
        if side is BookSide.BID:
            sizes, prices = self._bids, self._bid_prices
        else:
            sizes, prices = self._asks, self._ask_prices
        if size:
            if price not in sizes:
                insort(prices, price)
            sizes[price] = size
        elif sizes.pop(price, None) is not None:
            del prices[bisect_left(prices, price)]

    def size(self, side: BookSide, price: Price) -> Quantity:
        return Quantity((self._bids if side is BookSide.BID else self._asks).get(price, 0))

    def walk(self, side: BookSide) -> Iterator[tuple[Price, Quantity]]:
        if side is BookSide.BID:
            for price in reversed(self._bid_prices):
                yield price, Quantity(self._bids[price])
        else:
            for price in self._ask_prices:
                yield price, Quantity(self._asks[price])


def new_book(grid: TickGrid) -> Book:
    """An empty book of the design that suits ``grid``."""
    if len(grid.bands) == 1:
        band = grid.bands[0]
        if (band.end - band.start) // band.step < GRID_SLOTS_MAX:
            return GridBook(band.start, band.end, band.step)
    return LadderBook(grid)
