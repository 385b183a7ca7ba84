"""Which published price a Kalshi market settles on, and when, by its own rules."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.market import Fixing
from core.venues.kalshi.fixings import Settles, price_series, settles


def at_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


INDEX, PAIR = "KXINX-26NOV23H1600", "KXEURUSD-26NOV2310"
CLOSE_MS, TEN_MS = at_ms("2026-11-23T21:00"), at_ms("2026-11-23T15:00")
INDEX_RULES = (
    "Yes if the S&P 500 index closes at 7,500 to 7,524.9999 on Nov 23, 2026 (4:00 PM ET), according to S&P."
)
PAIR_RULES = (
    "Yes if the open price of EUR/USD at 10:00:00 AM ET on Nov 23, 2026 is 1.17600 to 1.17799, according to "
    "the ICE."
)


def index(rules: str = INDEX_RULES, event: str = INDEX, close_ms: int = CLOSE_MS) -> Settles:
    return settles("KXINX", event, close_ms, rules, "")


def pair(rules: str = PAIR_RULES, event: str = PAIR, close_ms: int = TEN_MS) -> Settles:
    return settles("KXEURUSD", event, close_ms, rules, "")


def test_the_rules_name_the_price_and_the_event_its_time() -> None:
    assert index().fixing == Fixing("SPX", CLOSE_MS, 0.01)
    assert pair().fixing == Fixing("EUR/USD", TEN_MS, 0.00001)


def test_what_waits_for_the_operator_quotes_the_source() -> None:
    assert index().unconfirmed.endswith("the rules say 'S&P'")
    assert "whose EUR/USD price settles it" in pair().unconfirmed and "'ICE'" in pair().unconfirmed
    assert pair("EUR/USD at 10 AM ET").unconfirmed.endswith("the rules name no source")


def test_a_day_in_summer_and_a_half_day() -> None:
    summer = pair(PAIR_RULES.replace("Nov 23", "Jul 6"), "KXEURUSD-26JUL0610", at_ms("2026-07-06T14:00"))
    assert summer.fixing is not None and summer.fixing.at_ms == at_ms("2026-07-06T14:00")
    half = index(INDEX_RULES.replace("4:00 PM", "1:00 PM"), "KXINX-26NOV27H1300", at_ms("2026-11-27T18:00"))
    assert half.fixing is not None and half.fixing.at_ms == at_ms("2026-11-27T18:00")


def test_every_listed_series_is_of_a_price_with_a_point_left_open() -> None:
    for series in (
        "KXINX",
        "KXINXU",
        "KXNASDAQ100",
        "KXNASDAQ100U",
        "KXEURUSD",
        "KXEURUSDH",
        "KXUSDJPY",
        "KXUSDJPYH",
    ):
        row = price_series(series)
        assert row is not None and row.unconfirmed
    assert settles("KXHIGHNY", "KXHIGHNY-26NOV23", 0, INDEX_RULES, "") == Settles()


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (index(INDEX_RULES.replace("S&P 500", "Nasdaq-100")), "rules name NDX, expected SPX"),
        (index("Yes if the index closes at 7,500 at 4:00 PM ET"), "do not name SPX"),
        (
            index(INDEX_RULES.replace("closes", "is").replace("4:00 PM", "3:00 PM")),
            "no value at 16:00 New York",
        ),
        (index(INDEX_RULES + " The average of the last minute counts."), "speak of a mean"),
        (index(event="KXINX-26NOV23"), "not named by a time"),
        (index(event="KXINX-26NOV23H1500"), "3600 s away"),
        (index(close_ms=CLOSE_MS - 3_600_001), "3600 s away"),
        (pair(PAIR_RULES.replace("EUR/USD", "USD/JPY")), "rules name USD/JPY, expected EUR/USD"),
        (pair(PAIR_RULES.replace("10:00:00 AM", "10:00:00 PM")), "no value at 10:00 New York time"),
        (
            pair(PAIR_RULES.replace("open price of EUR/USD at 10:00:00 AM ET", "closing price of EUR/USD")),
            "no value at",
        ),
    ],
)
def test_what_differs_is_refused_with_its_words(found: Settles, words: str) -> None:
    assert found.fixing is None and words in found.doubt


def test_trading_may_end_before_the_value() -> None:
    found = index(close_ms=CLOSE_MS - 900_000).fixing
    assert found is not None and found.at_ms == CLOSE_MS


def test_a_quarter_past_is_named_with_its_minutes() -> None:
    found = settles(
        "KXINXU", "KXINXU-26NOV23H1015", at_ms("2026-11-23T15:15"), "S&P 500 above 7,500 at 10:15 AM ET", ""
    )
    assert found.fixing is not None
    wrong = settles(
        "KXINXU", "KXINXU-26NOV23H1015", at_ms("2026-11-23T15:15"), "S&P 500 above 7,500 at 10:00 AM ET", ""
    )
    assert "no value at 10:15" in wrong.doubt


@given(st.text(max_size=300), st.text(max_size=40), st.integers(0, 2**41))
def test_no_text_is_more_than_a_doubt(rules: str, event: str, close_ms: int) -> None:
    found = settles("KXINX", event, close_ms, rules, rules)
    assert bool(found.doubt) != (found.fixing is not None)
