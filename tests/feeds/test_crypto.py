"""The crypto reference: two fresh books that agree, or a sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.feeds.crypto import APART_MAX, Reference, reference
from core.feeds.quotes import Quote
from tests.feeds.crypto import NOW_MS, arrival


def book(source: str, mid: float, age_ms: int = 500) -> Quote:
    stamp = arrival().stamp(NOW_MS - age_ms)
    return Quote("BTC/USD", source, mid, mid - 0.5, mid + 0.5, stamp, stale_after_s=3)


def of(*quotes: Quote) -> Reference | str:
    return reference("BTC/USD", {(quote.name, quote.source): quote for quote in quotes}, NOW_MS)


def test_it_is_between_both_and_as_old_as_the_older() -> None:
    found = of(book("coinbase", 81_700.0, 900), book("kraken", 81_800.0, 100), book("binance", 99_000.0))
    assert isinstance(found, Reference)
    assert found.value == 81_750.0
    assert found.apart == pytest.approx(100 / 81_700)
    assert (found.event_ms, found.stale_ms) == (NOW_MS - 900, NOW_MS + 2_100)


@pytest.mark.parametrize(
    ("quotes", "why"),
    [
        ((book("coinbase", 81_700.0),), "nothing is known from kraken"),
        ((book("coinbase", 81_700.0, 3_001), book("kraken", 81_700.0)), "coinbase is 3 s old, over its 3 s"),
        ((book("coinbase", 81_700.0), book("kraken", 81_950.0)), "0.31% apart, over 0.3%"),
    ],
)
def test_without_two_fresh_books_that_agree_there_is_none(quotes: tuple[Quote, ...], why: str) -> None:
    found = of(*quotes)
    assert isinstance(found, str) and why in found


@given(
    st.floats(1, 1e6), st.floats(0.9, 1.1), st.integers(-5_000, 10_000), st.integers(-5_000, 10_000)
)  # fmt: skip
def test_no_reference_is_stale_or_outside_its_books(
    mid: float, ratio: float, first_ms: int, second_ms: int
) -> None:
    found = of(book("coinbase", mid, first_ms), book("kraken", mid * ratio, second_ms))
    if isinstance(found, Reference):
        assert max(first_ms, second_ms) <= 3_000
        assert min(mid, mid * ratio) <= found.value <= max(mid, mid * ratio)
        assert found.apart <= APART_MAX
        assert found.stale_ms >= NOW_MS
    else:
        assert max(first_ms, second_ms) > 3_000 or abs(ratio - 1) > APART_MAX * 0.99
