"""Our two book designs against the plainest book that could be right, on one stream of updates."""

from __future__ import annotations

import random

from core.domain.book import Book, new_book
from core.domain.market import CENT_GRID, PriceBand, TickGrid
from core.domain.order import BookSide
from core.domain.units import Price, Quantity
from tests.bench.harness import Pair

TAPERED = TickGrid(
    (
        PriceBand(Price(0), Price(1000), Price(10)),
        PriceBand(Price(1000), Price(9000), Price(100)),
        PriceBand(Price(9000), Price(10_000), Price(10)),
    )
)
UPDATES = 20_000


class DictBook:
    """Sizes in two dicts, best price by ``max``/``min``: the reference for results and for time."""

    def __init__(self) -> None:
        self.sides: dict[BookSide, dict[int, int]] = {BookSide.BID: {}, BookSide.ASK: {}}

    def change(self, side: BookSide, price: int, delta: int) -> None:
        sizes = self.sides[side]
        left = sizes.get(price, 0) + delta
        if left:
            sizes[price] = left
        else:
            sizes.pop(price, None)

    def best(self) -> tuple[int | None, int | None]:
        bids, asks = self.sides[BookSide.BID], self.sides[BookSide.ASK]
        return max(bids, default=None), min(asks, default=None)


def stream(grid: TickGrid, seed: int = 1) -> list[tuple[BookSide, Price, int]]:
    """Changes around a drifting mid that never go below zero and keep bids under asks."""
    rng = random.Random(seed)
    sizes: dict[tuple[BookSide, int], int] = {}
    changes: list[tuple[BookSide, Price, int]] = []
    mid = 5000
    while len(changes) < UPDATES:
        mid = min(8500, max(1500, mid + rng.choice((-100, 0, 0, 100))))
        side = rng.choice((BookSide.BID, BookSide.ASK))
        wanted = mid - side.sign * rng.randrange(100, 1500)
        price = grid.floor(Price(wanted)) if side is BookSide.BID else grid.ceil(Price(wanted))
        if price is None:
            continue
        held = sizes.get((side, price), 0)
        delta = -held if held and rng.random() < 0.5 else rng.randrange(1, 200) * 1_000_000
        sizes[side, price] = held + delta
        changes.append((side, price, delta))
    return changes


def _apply_ours(grid: TickGrid, changes: list[tuple[BookSide, Price, int]]) -> Book:
    book = new_book(grid)
    change = book.change
    for side, price, delta in changes:
        change(side, price, delta)
        _ = book.best_bid, book.best_ask
    return book


def _apply_reference(changes: list[tuple[BookSide, Price, int]]) -> DictBook:
    book = DictBook()
    for side, price, delta in changes:
        book.change(side, price, delta)
        book.best()
    return book


def pairs() -> list[Pair]:
    """One pair a design, after checking that both end with the same book."""
    result = []
    for name, grid in (("grid book", CENT_GRID), ("ladder book", TAPERED)):
        changes = stream(grid)
        ours, reference = _apply_ours(grid, changes), _apply_reference(changes)
        for side in BookSide:
            held = {int(p): int(q) for p, q in ours.walk(side)}
            if held != reference.sides[side]:
                raise AssertionError(f"{name}: {side} differs from the reference book")
            if any(ours.size(side, Price(p)) != Quantity(q) for p, q in held.items()):
                raise AssertionError(f"{name}: sizes differ from the walk")
        result.append(
            Pair(
                f"{name}: update and both best prices / dict with max()",
                lambda g=grid, c=changes: _apply_ours(g, c),  # type: ignore[misc]
                lambda c=changes: _apply_reference(c),  # type: ignore[misc]
                UPDATES,
                "below 1: faster than the plainest book",
            )
        )
    return result
