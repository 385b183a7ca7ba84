"""Both book designs against a plain dict, and what a taking order would get."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.domain.book import GRID_SLOTS_MAX, Book, GridBook, LadderBook, new_book
from core.domain.market import CENT_GRID, PriceBand, TickGrid
from core.domain.order import BookSide
from core.domain.units import ONE_DOLLAR, Price, Quantity, contracts

DECI = TickGrid((PriceBand(Price(0), ONE_DOLLAR, Price(10)),))
CENTI = TickGrid((PriceBand(Price(0), ONE_DOLLAR, Price(1)),))
TAPERED = TickGrid(
    (
        PriceBand(Price(0), Price(1_000), Price(10)),
        PriceBand(Price(1_000), Price(9_000), Price(100)),
        PriceBand(Price(9_000), ONE_DOLLAR, Price(10)),
    )
)

sides = st.sampled_from(BookSide)
# Few prices, so that levels are hit again and empty again; some off every grid or outside (0, 1).
usual = st.sampled_from([4_800, 4_900, 5_000])
prices = usual | st.sampled_from([-100, 0, 10, 100, 105, 5_010, 9_010, 9_900, 10_000, 10_100])
updates = st.lists(
    st.tuples(st.sampled_from(["set", "change"]), sides, prices.map(Price), st.integers(-2, 2)),
    min_size=5,
    max_size=60,
)


class Model:
    """The obvious book."""

    def __init__(self, grid: TickGrid) -> None:
        self.grid = grid
        self.sizes: dict[tuple[BookSide, Price], int] = {}

    def update(self, kind: str, side: BookSide, price: Price, amount: int) -> bool:
        size = amount if kind == "set" else self.sizes.get((side, price), 0) + amount
        if size < 0 or not self.grid.valid(price):
            return False
        self.sizes.pop((side, price), None)
        if size:
            self.sizes[side, price] = size
        return True

    def levels(self, side: BookSide) -> list[tuple[Price, int]]:
        return sorted(
            ((p, q) for (s, p), q in self.sizes.items() if s is side),
            key=lambda level: -side.sign * level[0],
        )


@settings(max_examples=200)
@given(st.sampled_from([CENT_GRID, DECI, TAPERED, CENTI]), st.booleans(), updates)
def test_both_designs_equal_a_plain_dict(grid: TickGrid, ladder: bool, steps: list) -> None:
    book: Book = LadderBook(grid) if ladder else new_book(grid)
    model = Model(grid)
    for kind, side, price, amount in steps:
        applied = (
            book.set(side, price, Quantity(amount)) if kind == "set" else book.change(side, price, amount)
        )
        assert applied == model.update(kind, side, price, amount)
        bids, asks = model.levels(BookSide.BID), model.levels(BookSide.ASK)
        assert book.best_bid == (bids[0][0] if bids else None)
        assert book.best_ask == (asks[0][0] if asks else None)
        assert book.crossed == bool(bids and asks and bids[0][0] >= asks[0][0])
        assert book.size(side, price) == model.sizes.get((side, price), 0)
    for side in BookSide:
        assert book.levels(side, 99) == model.levels(side)
        assert book.levels(side, 2) == model.levels(side)[:2]
        for limit in (Price(100), Price(4_900), Price(9_900)):
            assert book.depth_within(side, limit) == sum(
                q for p, q in model.levels(side) if (p - limit) * side.sign >= 0
            )
    book.clear()
    assert book.best_bid is None and book.best_ask is None
    assert all(book.levels(side, 1) == [] for side in BookSide)


def test_grid_decides_the_design() -> None:
    assert isinstance(new_book(CENT_GRID), GridBook)
    assert isinstance(new_book(DECI), GridBook)
    assert isinstance(new_book(CENTI), LadderBook)
    assert isinstance(new_book(TAPERED), LadderBook)
    assert ONE_DOLLAR // 10 + 1 == GRID_SLOTS_MAX


@pytest.fixture
def book() -> Book:
    book = new_book(CENT_GRID)
    book.set(BookSide.BID, Price(3_000), contracts(120))
    book.set(BookSide.BID, Price(3_100), contracts(210))
    book.set(BookSide.ASK, Price(3_300), contracts(85))
    book.set(BookSide.ASK, Price(3_500), contracts(40))
    return book


def test_a_change_that_cannot_be_right_leaves_the_book_alone(book: Book) -> None:
    assert not book.change(BookSide.BID, Price(3_100), -contracts(211))
    assert not book.change(BookSide.BID, Price(3_150), contracts(1))
    assert book.levels(BookSide.BID, 9) == [(3_100, contracts(210)), (3_000, contracts(120))]
