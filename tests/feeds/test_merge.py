"""One quote a pair from all sources: the freshest valid one, and none where they disagree."""

import random
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.engine.told import Told
from core.feeds.feed import Stamp
from core.feeds.hours import FX_WEEK
from core.feeds.merge import BASIS_BP, Apart, Merged, MergeState, allowed_bp, difference_bp, distances, merged
from core.feeds.quotes import Quote

PAIR = "EUR/USD"
OPEN_MS = int(datetime(2026, 11, 24, 14, tzinfo=UTC).timestamp()) * 1000
SATURDAY_MS = int(datetime(2026, 11, 28, 14, tzinfo=UTC).timestamp()) * 1000


def quote(source: str, value: float, age_s: float = 1.0, now_ms: int = OPEN_MS, **fields: Any) -> Quote:
    event_ms = now_ms - int(age_s * 1000)
    given = {"bid": None, "ask": None, "stale_after_s": 30} | fields
    name = given.pop("name", PAIR)
    return Quote(name, source, value, stamp=Stamp(event_ms, event_ms, 0), **given)


def of(*quotes: Quote, now_ms: int = OPEN_MS) -> Merged:
    return merged(PAIR, quotes, now_ms)


def test_the_freshest_valid_source_is_taken_and_named() -> None:
    found = of(quote("Yahoo", 1.1570, 20), quote("Twelve Data", 1.1572, 2), quote("Kalshi", 1.1571, 40))
    assert found.state is MergeState.OK
    assert found.quote is not None
    assert (found.quote.source, found.quote.value) == ("Twelve Data", 1.1572)
    assert found.apart_bp is not None
    assert round(found.apart_bp, 2) == 1.73  # two pips of 1.1570: the stale one does not count
    assert found.why == "Twelve Data, Yahoo within 1.7 bp"


def test_one_source_alone_is_used_and_said_to_be_alone() -> None:
    found = of(quote("Yahoo", 1.1570))
    assert found.state is MergeState.ALONE
    assert found.quote is not None
    assert found.apart_bp is None
    assert found.why == "Yahoo alone"


def test_sources_that_disagree_give_no_price_and_say_by_how_much() -> None:
    found = of(quote("Yahoo", 1.1550, 2), quote("Twelve Data", 1.1572, 2))
    assert found.state is MergeState.APART
    assert found.quote is None
    assert found.last is not None
    assert found.why == "Yahoo says 1.155, but Twelve Data 1.1572 (19.0 bp, 5.0 allowed): no price"


def test_a_slow_source_may_be_further_away_by_what_the_pair_moves_in_the_time_between() -> None:
    now = quote("Twelve Data", 1.1572, 0)
    assert of(now, quote("Yahoo", 1.1562, 0, stale_after_s=120)).state is MergeState.APART
    assert of(now, quote("Yahoo", 1.1562, 100, stale_after_s=120)).state is MergeState.OK


def test_old_values_are_named_with_their_ages_and_never_used() -> None:
    found = of(quote("Yahoo", 1.1550, 125, stale_after_s=120), quote("Twelve Data", 1.1572, 31))
    assert found.state is MergeState.STALE
    assert found.quote is None
    assert found.why == "Twelve Data 31 s old, 30 s allowed; Yahoo 125 s old, 120 s allowed"


def test_on_a_weekend_there_is_no_price_though_a_source_goes_on() -> None:
    found = of(quote("Kraken", 1.1570, 0, SATURDAY_MS), now_ms=SATURDAY_MS)
    assert found.state is MergeState.CLOSED
    assert found.quote is None
    assert found.last is not None
    assert found.why == "foreign exchange is closed; it opens in 32 h 00 min"


def test_a_value_from_the_future_or_that_is_no_number_does_not_count() -> None:
    assert of(quote("a", 1.1, -6), quote("b", float("nan")), quote("c", 0.0)).state is MergeState.UNKNOWN
    assert of(quote("a", 1.1, -5)).state is MergeState.ALONE


def test_what_the_desk_was_told_is_merged_by_pair() -> None:
    told = Told()
    told.absorb(quote("Yahoo", 1.1571, 3))
    told.absorb(quote("Twelve Data", 1.1570))
    euro, yen = told.merged(OPEN_MS)
    assert (euro.pair, euro.state) == ("EUR/USD", MergeState.OK)
    assert (yen.pair, yen.state) == ("USD/JPY", MergeState.UNKNOWN)


VALUES = st.floats(allow_nan=True, allow_infinity=True) | st.floats(1.156, 1.158)
NOWS = st.integers(1_700_000_000_000, 1_900_000_000_000)


@st.composite
def held(draw: Any) -> tuple[int, list[Quote]]:
    now_ms = draw(NOWS)
    ages = st.floats(-10, 200)
    return now_ms, [
        quote(f"source {i}", draw(VALUES), draw(ages), now_ms, stale_after_s=draw(st.integers(1, 150)))
        for i in range(draw(st.integers(0, 5)))
    ]


@settings(max_examples=100, deadline=None)
@given(held(), st.randoms())
def test_the_order_of_the_sources_does_not_matter(given_: Any, rng: random.Random) -> None:
    now_ms, quotes = given_
    shuffled = list(quotes)
    rng.shuffle(shuffled)
    assert merged(PAIR, quotes, now_ms) == merged(PAIR, shuffled, now_ms)


@settings(max_examples=100, deadline=None)
@given(held())
def test_what_may_be_used_is_valid_the_freshest_and_near_every_other_valid_one(given_: Any) -> None:
    now_ms, quotes = given_
    found = merged(PAIR, quotes, now_ms)
    if found.quote is None:
        return
    assert FX_WEEK.is_open(now_ms)
    assert found.quote in quotes
    for other in quotes:
        age_ms = now_ms - other.stamp.event_ms
        if not (0 < other.value < float("inf") and -5_000 <= age_ms <= other.stale_after_s * 1000):
            assert other is not found.quote
            continue
        assert other.stamp.event_ms <= found.quote.stamp.event_ms
        assert difference_bp(found.quote, other) <= allowed_bp(found.quote, other)
        assert found.apart_bp is None or difference_bp(found.quote, other) <= found.apart_bp


@settings(max_examples=100, deadline=None)
@given(
    NOWS.filter(FX_WEEK.is_open), st.floats(0.5, 200), st.floats(0, 29), st.floats(0, 29), st.floats(0, 1e4)
)
def test_a_price_is_refused_exactly_beyond_what_is_allowed(
    now_ms: int, value: float, age_s: float, other_age_s: float, bp: float
) -> None:
    one = quote("one", value, age_s, now_ms)
    other = quote("other", value * (1 + bp / 10_000), other_age_s, now_ms)
    found = merged(PAIR, [one, other], now_ms)
    too_far = difference_bp(one, other) > allowed_bp(one, other)
    assert found.state is (MergeState.APART if too_far else MergeState.OK)
    assert allowed_bp(one, other) >= BASIS_BP


def test_a_source_is_as_far_as_its_nearest_other_and_the_odd_one_out_stands_alone() -> None:
    three = [quote("Yahoo", 1.1571), quote("Twelve Data", 1.1572), quote("Kalshi", 1.1670)]
    assert distances(three, OPEN_MS) == {
        "Yahoo": Apart(0.9, too_far=False),
        "Twelve Data": Apart(0.9, too_far=False),
        "Kalshi": Apart(84.7, too_far=True),
    }


def test_of_several_names_the_worst_counts_and_only_a_pair_can_be_too_far() -> None:
    held = [
        quote("Kraken", 98_000.0, name="BTC/USD"), quote("Binance", 98_980.0, name="BTC/USD"),
        quote("Kraken", 3_400.0, name="ETH/USD"), quote("Binance", 3_400.34, name="ETH/USD"),
    ]  # fmt: skip
    far = Apart(100.0, too_far=False)
    assert distances(held, OPEN_MS) == distances(held[::-1], OPEN_MS) == {"Kraken": far, "Binance": far}


def test_what_is_quoted_in_tethers_alone_is_compared_with_dollars_and_they_not_with_it() -> None:
    dollars = [
        quote(source, value, name="BTC/USD")
        for source, value in (("Kraken", 98_000.0), ("Coinbase", 98_098.0))
    ]
    tethers = quote("Binance", 98_049.0, name="BTC/USDT")
    found = distances([*dollars, tethers], OPEN_MS)
    assert found["Binance"] == Apart(5.0, too_far=False)
    assert found["Kraken"] == found["Coinbase"] == Apart(10.0, too_far=False)
    other = quote("Kraken", 98_060.0, name="BTC/USDT")
    assert distances([*dollars, tethers, other], OPEN_MS)["Binance"] == Apart(1.1, too_far=False)


def test_who_is_alone_with_what_may_be_used_is_compared_with_nobody() -> None:
    fresh, old, future = quote("Yahoo", 1.1571), quote("Twelve Data", 1.3, 31), quote("Kalshi", 1.3, -6)
    assert distances([fresh, old, future, quote("Kraken", 98_000.0, name="BTC/USD")], OPEN_MS) == {}
    assert distances([fresh, quote("Kalshi", float("nan")), quote("Twelve Data", 0.0)], OPEN_MS) == {}
