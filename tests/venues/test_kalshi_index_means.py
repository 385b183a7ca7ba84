"""Which index a Kalshi crypto market settles on, over which seconds and until when, by its own rules."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.market import IndexMean, Strike, StrikeKind
from core.venues.kalshi import index_means
from core.venues.kalshi.index_means import Settles, event_time_ms, index_series, label, settles

EVENT = "KXBTC15M-26SEP041215"
CLOSE_MS = int(datetime(2026, 9, 4, 16, 15, tzinfo=UTC).timestamp()) * 1000
RULES = (
    "If the simple average of the sixty seconds of CF Benchmarks' Bitcoin Real-Time Index (BRTI) before "
    "12:15 PM EDT is at least 91250.12, then the market resolves to Yes."
)


def read(rules: str = RULES, event: str = EVENT, close_ms: int = CLOSE_MS) -> Settles:
    return settles("KXBTC15M", event, close_ms, rules, "")


def test_the_rules_name_the_index_and_the_event_its_time() -> None:
    found = read()
    assert found.mean == IndexMean("BRTI", 60, CLOSE_MS, 0.01)
    assert "leaves out" in found.unconfirmed and not found.doubt


def test_other_series_are_no_doubt() -> None:
    assert settles("KXHIGHNY", "KXHIGHNY-26NOV23", 0, RULES, "") == Settles()


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"rules": RULES.replace("BRTI", "ETHUSD_RTI")}, "rules name ETHUSD_RTI, expected BRTI"),
        ({"rules": "If the price of bitcoin over 60 seconds is up"}, "do not name BRTI"),
        ({"rules": RULES.replace("sixty seconds", "hour")}, "no mean of 60 seconds"),
        ({"rules": RULES + " The top and bottom 20% are trimmed."}, "leave values out"),
        ({"rules": RULES + " This excludes the highest values."}, "leave values out"),
        ({"event": "KXBTC15M-26SEP04"}, "not named by a time"),
        ({"event": "KXBTC15M-26SEP041230"}, "900 s away"),
    ],
)
def test_what_differs_is_refused_with_its_words(given_: dict[str, str], words: str) -> None:
    found = read(**given_)
    assert found.mean is None and words in found.doubt


def test_a_minute_in_words_is_no_mean_of_another_length(monkeypatch: pytest.MonkeyPatch) -> None:
    row = index_series("KXBTC15M")
    assert row is not None
    longer = msgspec.structs.replace(row, seconds=300)
    monkeypatch.setattr(index_means, "index_series", lambda series: longer)
    for words in ("sixty seconds", "last minute", "one minute"):
        assert "no mean of 300 seconds" in read(RULES.replace("sixty seconds", words)).doubt
    assert read(RULES.replace("sixty seconds", "300 seconds")).mean == IndexMean("BRTI", 300, CLOSE_MS, 0.01)


def test_tickers_tell_new_york_time_also_in_winter() -> None:
    at = datetime(2026, 11, 22, 22, 0, tzinfo=UTC)
    assert event_time_ms("KXBTCD-26NOV2217", "KXBTCD") == int(at.timestamp()) * 1000
    assert event_time_ms("KXBTCD-26NOV2299", "KXBTCD") is None


def test_labels_are_short_and_say_the_strike() -> None:
    row = index_series("KXBTC15M")
    assert row is not None
    up = Strike(StrikeKind.GREATER_OR_EQUAL, floor=91250.12)
    assert label(row, EVENT, up) == "BTC15 Sep04 12:15 >=91250.12"
    assert label(row, EVENT, Strike(StrikeKind.BETWEEN, 91_000.0, 91_099.99)) == (
        "BTC15 Sep04 12:15 91000-91099.99"
    )
    assert label(row, "KXBTC15M-X", up) is None


@given(st.text(max_size=300), st.text(max_size=40), st.integers(0, 2**41))
def test_no_text_is_more_than_a_doubt(rules: str, event: str, close_ms: int) -> None:
    found = settles("KXBTC15M", event, close_ms, rules, rules)
    assert bool(found.doubt) != (found.mean is not None)
