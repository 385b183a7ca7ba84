"""How the gate reads a book: whose depth counts, since when it is right. And an event's chances together."""

from __future__ import annotations

import pytest

from core.domain.book import new_book
from core.domain.market import CENT_GRID, Market, Strike, StrikeKind
from core.domain.order import BookSide
from core.domain.units import Price, contracts
from core.risk.facts import book_facts, ladder_sum, visible_depth
from core.venues.venue import BookView, Link, LinkState
from tests.risk.desk import market

MS = 1_000_000


def view(intact: bool = True, message_ms: int = 1_000) -> BookView:
    book = new_book(CENT_GRID)
    for cents, size in ((31, 5), (30, 7), (28, 100)):
        book.set(BookSide.BID, Price(cents * 100), contracts(size))
    for cents, size in ((34, 11), (36, 13), (37, 100)):
        book.set(BookSide.ASK, Price(cents * 100), contracts(size))
    made = BookView(book)
    made.intact, made.message_ns, made.sequence = intact, message_ms * MS, 9
    return made


def test_what_an_order_can_take_is_the_other_side_within_the_collar() -> None:
    assert visible_depth(view().book, BookSide.BID, Price(200)) == contracts(24)
    assert visible_depth(view().book, BookSide.ASK, Price(200)) == contracts(12)
    assert visible_depth(view().book, BookSide.BID, Price(0)) == contracts(11)
    assert visible_depth(new_book(CENT_GRID), BookSide.BID, Price(200)) == 0


@pytest.mark.parametrize(
    ("intact", "state", "pong_ms", "age_ms"),
    [
        (True, LinkState.OK, 4_000, 500),
        (True, LinkState.OK, 0, 3_500),
        (True, LinkState.DOWN, 4_000, 3_500),
        (False, LinkState.OK, 4_000, 3_500),
    ],
)
def test_a_pong_proves_a_book_only_while_its_sequence_is_unbroken(
    intact: bool, state: LinkState, pong_ms: int, age_ms: int
) -> None:
    facts = book_facts(view(intact), Link(state, pong_ms * MS), BookSide.BID, Price(200), 4_500 * MS)
    assert (facts.age_ms, facts.intact, facts.sequence) == (age_ms, intact, 9)
    assert (facts.best_bid, facts.best_ask, facts.depth) == (3100, 3400, contracts(24))


def between(low: float, high: float) -> Market:
    return market(strike=Strike(StrikeKind.BETWEEN, low, high))


def above(floor: float, *, exclusive: bool = False) -> Market:
    return market(strike=Strike(StrikeKind.GREATER_OR_EQUAL, floor), exclusive=exclusive)


def under(cap: float, *, exclusive: bool = False) -> Market:
    return market(strike=Strike(StrikeKind.LESS, cap=cap), exclusive=exclusive)


def test_exclusive_brackets_are_added_up() -> None:
    ladder = (under(10.0, exclusive=True), between(10.0, 19.0), above(20.0, exclusive=True))
    assert ladder_sum(list(zip(ladder, (0.2, 0.5, 0.3), strict=True))) == pytest.approx(1.0)
    assert ladder_sum(list(zip(ladder, (0.2, 0.5, 0.2), strict=True))) == pytest.approx(0.9)
    assert ladder_sum([(between(10.0, 19.0), 0.4)]) is None, "alone it says nothing of the rest"


def test_thresholds_have_to_fall_with_their_strike_whatever_the_order_and_side() -> None:
    assert ladder_sum([(above(30.0), 0.1), (above(10.0), 0.8), (under(20.0), 0.6)]) == pytest.approx(1.0)
    assert ladder_sum([(above(10.0), 0.8), (above(20.0), 0.85), (above(30.0), 0.1)]) == pytest.approx(1.1)
    assert ladder_sum([(above(10.0), 0.8), (under(20.0), 0.1)]) == pytest.approx(1.2)
    for exclusive in (False, True):
        assert ladder_sum([(above(10.0, exclusive=exclusive), 0.37)]) == 1.0
        assert ladder_sum([(above(10.0, exclusive=exclusive), 1.2)]) == pytest.approx(1.4)
