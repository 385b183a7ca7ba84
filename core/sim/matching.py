"""One market's book: levels by price, orders at a price in time order."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

from core.domain.units import Price, Quantity
from core.sim.orders import BookSide, Order


class Resting(Protocol):
    """What a book needs to know of an order; ``remaining`` is the book's to change."""

    @property
    def order_id(self) -> str: ...
    @property
    def side(self) -> BookSide: ...
    @property
    def price(self) -> Price: ...

    remaining: Quantity


T = TypeVar("T", bound=Resting)


class _Ladder(Generic[T]):
    """One side. ``keys`` ascend from worst to best, so the best level is last."""

    __slots__ = ("keys", "levels", "sign", "totals")

    def __init__(self, side: BookSide) -> None:
        self.sign = side.sign
        self.keys: list[int] = []
        self.levels: dict[Price, dict[str, T]] = {}
        self.totals: dict[Price, int] = {}

    def add(self, order: T) -> None:
        level = self.levels.get(order.price)
        if level is None:
            level = self.levels[order.price] = {}
            self.totals[order.price] = 0
            insort(self.keys, self.sign * order.price)
        level[order.order_id] = order
        self.totals[order.price] += order.remaining

    def take(self, order: T, count: int) -> None:
        """Remove ``count`` from the order's level, and the order where nothing of it remains."""
        price = order.price
        self.totals[price] -= count
        if order.remaining == 0:
            del self.levels[price][order.order_id]
            if not self.levels[price]:
                del self.levels[price], self.totals[price]
                del self.keys[bisect_left(self.keys, self.sign * price)]

    def best_first(self) -> Iterator[Price]:
        return (Price(self.sign * key) for key in reversed(self.keys))


class Book(Generic[T]):
    """Price-time priority; quantities are changed by the exchange, order by order."""

    __slots__ = ("_sides",)

    def __init__(self) -> None:
        self._sides: dict[BookSide, _Ladder[T]] = {side: _Ladder(side) for side in BookSide}

    def add(self, order: T) -> None:
        """Queue an order behind the others at its price."""
        self._sides[order.side].add(order)

    def reduce(self, order: T, count: Quantity) -> None:
        """Take ``count`` from a resting order, keeping its place; drops it at zero."""
        order.remaining = Quantity(order.remaining - count)
        self._sides[order.side].take(order, count)

    def best(self, side: BookSide) -> Price | None:
        ladder = self._sides[side]
        return Price(ladder.sign * ladder.keys[-1]) if ladder.keys else None

    def levels(self, side: BookSide) -> list[tuple[Price, Quantity]]:
        """Aggregated levels, best first."""
        ladder = self._sides[side]
        return [(price, Quantity(ladder.totals[price])) for price in ladder.best_first()]

    def size_at(self, side: BookSide, price: Price) -> Quantity:
        return Quantity(self._sides[side].totals.get(price, 0))

    def crossed_by(self, side: BookSide, price: Price) -> bool:
        """Whether an order of ``side`` at ``price`` would meet a resting one."""
        best = self.best(side.opposite)
        return best is not None and side.sign * (price - best) >= 0

    def opposing(self, side: BookSide, price: Price) -> Iterator[T]:
        """Resting orders an incoming one would meet, in matching order. Do not change the book meanwhile."""
        ladder = self._sides[side.opposite]
        for level in ladder.best_first():
            if side.sign * (price - level) < 0:
                return
            yield from ladder.levels[level].values()

    def next_opposing(self, side: BookSide, price: Price) -> T | None:
        return next(self.opposing(side, price), None)

    def ahead_of(self, order: T) -> Quantity:
        """Contracts before a resting order in price-time order."""
        ladder, ahead = self._sides[order.side], 0
        for price in ladder.best_first():
            if price == order.price:
                break
            ahead += ladder.totals[price]
        for other in ladder.levels[order.price].values():
            if other is order:
                break
            ahead += other.remaining
        return Quantity(ahead)

    def orders(self) -> list[T]:
        """Every resting order, bids then asks."""
        return [
            o for ladder in self._sides.values() for level in ladder.levels.values() for o in level.values()
        ]


class BookView:
    """A live view of one market's book; levels are (price, quantity), best first."""

    __slots__ = ("_book", "orders_of")

    def __init__(self, book: Book[Order], orders_of: Callable[[str], list[Order]]) -> None:
        self._book = book
        self.orders_of = orders_of
        """An account's resting orders in this market, oldest first."""

    @property
    def bids(self) -> list[tuple[Price, Quantity]]:
        return self._book.levels(BookSide.BID)

    @property
    def asks(self) -> list[tuple[Price, Quantity]]:
        return self._book.levels(BookSide.ASK)

    @property
    def best_bid(self) -> Price | None:
        return self._book.best(BookSide.BID)

    @property
    def best_ask(self) -> Price | None:
        return self._book.best(BookSide.ASK)

    def size_at(self, side: BookSide, price: Price) -> Quantity:
        return self._book.size_at(side, price)

    def ahead_of(self, order: Order) -> Quantity:
        """Contracts before a resting order in price-time order."""
        return self._book.ahead_of(order)
