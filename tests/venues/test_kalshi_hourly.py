"""On which city's index, in which minute and at which precision an hourly temperature market settles."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.market import CityReading
from core.feeds.kalshi_index import INDEX
from core.venues.kalshi.hourly import Settles, _table, index_city, settles

SERIES = "KXTEMPMIAH"
EVENT = f"{SERIES}-26NOV2315"
CLOSE_MS = int(datetime(2026, 11, 23, 20, tzinfo=UTC).timestamp()) * 1000
RULES = (
    "If the temperature for Miami at 3 PM EST on Nov 23, 2026 is greater than 81.99 degrees according to the "
    "Kalshi Weather Index, then the market resolves to Yes."
)
CHICAGO = RULES.replace("Miami", "Chicago")


def read(rules: str = RULES, event: str = EVENT, close_ms: int = CLOSE_MS, series: str = SERIES) -> Settles:
    return settles(series, event, close_ms, rules, "")


def test_rules_that_name_the_index_confirm_the_city_the_minute_and_the_precision() -> None:
    assert read() == Settles(CityReading("miami", CLOSE_MS, 0.01))


def test_other_series_are_no_doubt() -> None:
    assert read(series="KXHIGHMIA") == read(series="KXTEMPMIA") == Settles()


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("", "the rules name no source"),
        (" according to Synoptic Data", "the rules say 'Synoptic Data'"),
        (" according to AccuWeather, not the Kalshi Weather Index", "the rules say 'AccuWeather'"),
    ],
)
def test_a_source_that_is_not_known_waits_for_the_operator(said: str, instead: str) -> None:
    found = read(RULES.replace(" according to the Kalshi Weather Index", said))
    assert found.reading == CityReading("miami", CLOSE_MS, 0.01) and not found.doubt
    assert found.unconfirmed == f"whether the Kalshi Weather Index settles it; {instead}"


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"rules": RULES.replace("Kalshi Weather Index", "Weather Company")}, "name another source than"),
        ({"rules": RULES + " It is not The Weather Company's."}, "name another source than"),
        ({"rules": CHICAGO}, "rules do not name Miami"),
        ({"rules": RULES.replace("3 PM", "4 PM")}, "no reading at 15:00 New York time"),
        ({"rules": RULES.replace("EST", "Central Time")}, "no reading at 15:00 New York time"),
        ({"rules": RULES.replace("EST", "local time")}, "no reading at 15:00 New York time"),
        ({"event": f"{SERIES}-26NOV23"}, "not named by an hour"),
        ({"event": f"{SERIES}-26NOV2316", "close_ms": CLOSE_MS - 1000}, "closes 3601 s away"),
        ({"close_ms": CLOSE_MS + 1000}, "closes 1 s away"),
        ({"series": "KXTEMPOZH", "event": "KXTEMPOZH-26NOV2315"}, "known by 'OZ'"),
    ],
)  # fmt: skip
def test_what_differs_is_refused_with_its_words(given_: dict[str, str], words: str) -> None:
    found = read(**given_)  # type: ignore[arg-type]
    assert found.reading is None and words in found.doubt


@pytest.mark.parametrize("hour", ["3 PM ET", "2 PM CST", "3:00:00 PM", "2:00 p.m. (CT)", "2 PM Central Time"])
def test_a_city_further_west_may_be_told_by_its_own_clock(hour: str) -> None:
    series = "KXTEMPCHIHS"
    found = read(CHICAGO.replace("3 PM EST", hour), f"{series}-26NOV2315", series=series)
    assert found == Settles(CityReading("chicago", CLOSE_MS, 0.01))


def test_every_city_of_the_index_has_series_by_both_names_and_no_other_has() -> None:
    assert {row.city for row in _table().city} == set(INDEX.offers)
    spelt = [ticker for row in _table().city for ticker in row.tickers]
    assert len(spelt) == len(set(spelt))
    for row in _table().city:
        assert index_city(f"KXTEMP{row.tickers[0]}H") == index_city(f"KXTEMP{row.tickers[0]}HS") == row


@given(st.text(max_size=300), st.text(max_size=40), st.integers(0, 2**41))
def test_no_text_is_more_than_a_doubt(rules: str, event: str, close_ms: int) -> None:
    found = read(rules, event, close_ms)
    assert bool(found.doubt) != (found.reading is not None)
